#include "aggregate/accumulators.h"

#include <string>
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
    {"count", make_counts},
    {"approx_count_distinct", make_approximate_counts},
    {"sum", make_sums},
    {"avg", make_sums},
    {"min", make_extremes},
    {"max", make_extremes},
    {"first", make_chosen},
    {"last", make_chosen},
    {"percentile", make_percentiles},
    {"top_n", make_tops},
    {"array_agg", make_lists},
    {"string_agg", make_lists},
};

}  // namespace

std::unique_ptr<Accumulators> make_accumulators(const plan::BoundAggregate& aggregate, Rows rows) {
  const std::string& function = aggregate.aggregate->function;
  if (function == "count_distinct") return make_distinct_counts(aggregate, rows);
  for (const Kind& kind : kinds) {
    if (kind.function == function) return kind.make(aggregate);
  }
  ASSERT(false);
}

}  // namespace leat::aggregate
