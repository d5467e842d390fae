#include "aggregate/accumulators.h"

#include <string_view>

#include "aggregate/kinds.h"
#include "base/assert.h"

namespace leat::aggregate {

namespace {

struct Kind {
  std::string_view function;
  std::unique_ptr<Accumulators> (*make)(const plan::BoundAggregate&);
};

constexpr Kind kinds[] = {
    {"count", make_counts}, {"sum", make_sums},     {"avg", make_sums},    {"min", make_extremes},
    {"max", make_extremes}, {"first", make_chosen}, {"last", make_chosen},
};

}  // namespace

void Accumulators::subtract(const Input&, std::span<const std::uint32_t>,
                            std::span<const std::uint32_t>) {
  ASSERT(false);
}

std::unique_ptr<Accumulators> make_accumulators(const plan::BoundAggregate& aggregate) {
  for (const Kind& kind : kinds) {
    if (kind.function == aggregate.aggregate->function) return kind.make(aggregate);
  }
  ASSERT(false);
}

}  // namespace leat::aggregate
