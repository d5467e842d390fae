#include "aggregate/accumulators.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "aggregate/accumulators_of.h"
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
    {"min_by", make_tops},
    {"max_by", make_tops},
    {"bool_and", make_truths},
    {"bool_or", make_truths},
    {"var_pop", make_variances},
    {"var_samp", make_variances},
    {"stddev_pop", make_variances},
    {"stddev_samp", make_variances},
    {"first", make_chosen},
    {"last", make_chosen},
    {"percentile", make_percentiles},
    {"top_n", make_tops},
    {"array_agg", make_lists},
    {"string_agg", make_lists},
};

void copy_text(column::Vector& out, std::size_t row, column::TextArena& texts) {
  if (out.is_null(row)) return;
  std::string_view text = out.text(row);
  char* room = texts.reserve(text.size());
  std::copy(text.begin(), text.end(), room);
  texts.keep(text.size());
  out.set_text(row, {room, text.size()});
}

}  // namespace

void copy_texts(column::Vector& out, std::size_t row, column::TextArena& texts) {
  if (column::physical(out.type()) == column::Physical::text) return copy_text(out, row, texts);
  bool items = out.type().array && !out.is_null(row) &&
               column::physical(out.items().type()) == column::Physical::text;
  if (!items) return;
  auto [begin, count] = out.list(row);
  for (std::uint32_t i = 0; i < count; ++i) copy_text(out.items(), begin + i, texts);
}

std::unique_ptr<Accumulators> make_accumulators(const plan::BoundAggregate& aggregate, Rows rows) {
  const std::string& function = aggregate.aggregate->function;
  if (function == "count_distinct") return make_distinct_counts(aggregate, rows);
  for (const Kind& kind : kinds) {
    if (kind.function == function) return kind.make(aggregate);
  }
  ASSERT(false);
}

}  // namespace leat::aggregate
