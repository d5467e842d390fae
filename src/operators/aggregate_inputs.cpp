#include "operators/aggregate_inputs.h"

#include <algorithm>

#include "column/select_true.h"

namespace leat::operators {

using column::Chunk;
using column::Selection;
using column::Vector;

namespace {

using Expression = std::optional<plan::BoundExpression>;

bool is_same(const plan::BoundExpression& a, const plan::BoundExpression& b) {
  auto is_same_argument = [](const auto& x, const auto& y) { return is_same(x, y); };
  return a.kind == b.kind && a.type == b.type && a.column == b.column && a.literal == b.literal &&
         a.function == b.function &&
         std::equal(a.arguments.begin(), a.arguments.end(), b.arguments.begin(), b.arguments.end(),
                    is_same_argument);
}

// The first of the aggregates before that has the same filter.
std::optional<std::size_t> find_filter(const std::vector<plan::BoundAggregate>& aggregates,
                                       std::size_t number) {
  const Expression& filter = aggregates[number].filter;
  for (std::size_t i = 0; i < number && filter; ++i) {
    if (aggregates[i].filter && is_same(*aggregates[i].filter, *filter)) return i;
  }
  return {};
}

}  // namespace

AggregateInputs::Part AggregateInputs::make_part(
    const std::optional<plan::BoundExpression>& expression) {
  Part part;
  if (!expression) return part;
  if (expression->kind == plan::Expression::Kind::column)
    part.column = expression->column;
  else
    part.evaluator.emplace(*expression);
  return part;
}

AggregateInputs::AggregateInputs(const std::vector<plan::BoundAggregate>& aggregates,
                                 column::Schema input)
    : schema_(std::move(input)) {
  for (std::size_t i = 0; i < aggregates.size(); ++i) {
    auto same_filter = find_filter(aggregates, i);
    aggregates_.push_back({make_part(aggregates[i].argument),
                           same_filter ? Part() : make_part(aggregates[i].filter),
                           make_part(aggregates[i].order_by), same_filter});
  }
}

Result<Selection> AggregateInputs::evaluate(const Chunk& chunk, const Selection& rows,
                                            Context& context, AggregateColumns& columns) const {
  columns.inputs.clear();
  columns.kept.clear();
  expression::RowErrors errors;
  auto value = [&](const Part& part, const Selection& of) -> const Vector* {
    if (part.column) return chunk.columns[*part.column].get();
    if (!part.evaluator) return nullptr;
    columns.kept.push_back(part.evaluator->evaluate(chunk, of, context.now_ms(), errors));
    return columns.kept.back().get();
  };
  for (const Parts& parts : aggregates_) {
    aggregate::Input input;
    input.context = chunk.context.get();
    input.filter =
        parts.same_filter ? columns.inputs[*parts.same_filter].filter : value(parts.filter, rows);
    Selection counted = rows;
    bool worked_out = parts.argument.evaluator || parts.order_by.evaluator;
    if (input.filter != nullptr && worked_out) {
      // What the filter's errors left unset is not looked at: those rows are in `errors`.
      counted = column::select_true(*input.filter, rows);
    }
    input.argument = value(parts.argument, counted);
    input.order_by = value(parts.order_by, counted);
    columns.inputs.push_back(input);
  }
  if (errors.empty()) return rows;
  for (const auto& [row, reason] : errors.reasons()) {
    if (auto ok = context.reject(schema_, chunk, row, reason); !ok) return fail(ok);
  }
  std::vector<std::uint32_t> good;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!errors.contains(rows[i])) good.push_back(rows[i]);
  }
  return Selection::of(std::move(good));
}

void keep_only(const Selection& good, std::vector<std::uint32_t>& rows) {
  std::size_t at = 0;
  std::erase_if(rows, [&](std::uint32_t row) {
    while (at < good.size() && good[at] < row) ++at;
    return at == good.size() || good[at] != row;
  });
}

}  // namespace leat::operators
