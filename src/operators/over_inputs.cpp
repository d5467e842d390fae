#include "operators/over_inputs.h"

#include <memory>
#include <utility>

#include "operators/row_tools.h"

namespace leat::operators {

namespace {

using Column = std::shared_ptr<const column::Vector>;

// Cells of a column, whose texts they point to.
struct Masked {
  column::Vector cells;
  Column all;
};

// Of `rows` those of `some`, which are among them, keep their value, the others are NULL.
Column masked(Column column, const std::vector<std::uint32_t>& rows,
              const std::vector<std::uint32_t>& some, std::size_t size) {
  auto result = std::make_shared<Masked>(Masked{column::Vector(column->type()), column});
  result->cells.resize(size);
  for (std::uint32_t row : rows) result->cells.set_null(row);
  for (std::uint32_t row : some) result->cells.set_from(row, *column, row);
  return {result, &result->cells};
}

}  // namespace

OverInputs::OverInputs(const plan::BoundNode& node, const column::Schema& input)
    : input_(input), types_(types_of(input)) {
  for (const auto& aggregate : node.aggregates) {
    OverColumns columns;
    columns.filter = add(aggregate.filter, {});
    columns.argument = add(aggregate.argument, columns.filter);
    columns.order_by = add(aggregate.order_by, columns.filter);
    columns_.push_back(columns);
  }
}

std::optional<std::size_t> OverInputs::add(const std::optional<plan::BoundExpression>& expression,
                                           std::optional<std::size_t> filter) {
  if (!expression) return {};
  if (expression->kind == plan::Expression::Kind::column) return expression->column;
  types_.push_back(expression->type);
  values_.push_back({expression::Evaluator(*expression), filter});
  return types_.size() - 1;
}

Result<column::Chunk> OverInputs::evaluate(const column::Chunk& chunk,
                                           std::vector<std::uint32_t>& rows,
                                           Context& context) const {
  column::Chunk extended = chunk;
  expression::RowErrors errors;
  auto all = column::Selection::of(rows);
  for (const Value& value : values_) {
    if (!value.filter) {
      extended.columns.push_back(value.evaluator.evaluate(chunk, all, context.now_ms(), errors));
      continue;
    }
    const column::Vector& filter = *extended.columns[*value.filter];
    std::vector<std::uint32_t> some;
    for (std::uint32_t row : rows) {
      if (errors.contains(row) || filter.is_null(row) || filter.integer(row) == 0) continue;
      some.push_back(row);
    }
    auto column =
        value.evaluator.evaluate(chunk, column::Selection::of(some), context.now_ms(), errors);
    std::erase_if(some, [&](std::uint32_t row) { return errors.contains(row); });
    extended.columns.push_back(masked(std::move(column), rows, some, chunk.rows));
  }
  if (errors.empty()) return extended;
  std::erase_if(rows, [&](std::uint32_t row) { return errors.contains(row); });
  for (const auto& [row, reason] : errors.reasons()) {
    if (auto rejected = context.reject(input_, chunk, row, reason); !rejected) {
      return fail(rejected);
    }
  }
  return extended;
}

}  // namespace leat::operators
