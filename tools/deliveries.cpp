#include "tools/deliveries.h"

#include <fmt/core.h>

#include "tools/command.h"

namespace leat::tools {

void Deliveries::add(const client::Delivery& delivery) {
  if (!delivery.error) {
    delivered_ += delivery.record_count;
    return;
  }
  failed_ += delivery.record_count;
  constexpr int reported_max = 10;
  if (reported_++ < reported_max)
    complain(fmt::format("{} records: {}{}", delivery.record_count, delivery.error->what,
                         delivery.possibly_persisted ? "; they may have been stored" : ""));
}

}  // namespace leat::tools
