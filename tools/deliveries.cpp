#include "tools/deliveries.h"

#include <fmt/core.h>

#include "leat/error.h"
#include "tools/command.h"

namespace leat::tools {

void Deliveries::add(const BatchDelivery& batch) {
  if (!batch.error) {
    delivered_ += batch.record_count;
    return;
  }
  failed_ += batch.record_count;
  constexpr int reported_max = 10;
  if (reported_++ < reported_max)
    complain(fmt::format("{} records: {}{}", batch.record_count, batch.text,
                         possibly_persisted(batch.error) ? "; they may have been stored" : ""));
}

}  // namespace leat::tools
