#include "operators/project.h"

#include "operators/gather.h"
#include "operators/row_versions.h"

namespace leat::operators {

using column::RowKind;
using column::Vector;

namespace {

// The rows that are no removals.
column::Selection rows_there(const column::Chunk& chunk) {
  std::vector<std::uint32_t> there;
  for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
    std::uint32_t row = chunk.selection[i];
    if (chunk.context->kinds[row] != RowKind::erase) there.push_back(row);
  }
  return column::Selection::of(std::move(there));
}

// A copy that is NULL in all other rows.
std::shared_ptr<const Vector> only_in(const column::Selection& rows, std::size_t count,
                                      const std::shared_ptr<const Vector>& vector) {
  struct Copy {
    Vector vector;
    std::shared_ptr<const Vector> texts;
  };
  auto copy = std::make_shared<Copy>(Copy{Vector(vector->type()), vector});
  copy->vector.resize(count);
  for (std::size_t i = 0; i < count; ++i) copy->vector.set_null(i);
  for (std::size_t i = 0; i < rows.size(); ++i) copy->vector.set_from(rows[i], *vector, rows[i]);
  return {copy, &copy->vector};
}

// The same, also keeping what its texts may point into: columns that the chunk need not have.
std::shared_ptr<const Vector> with_texts(std::shared_ptr<const Vector> vector,
                                         const column::Chunk& chunk) {
  auto kind = physical(vector->type());
  if (kind != column::Physical::text && kind != column::Physical::list) return vector;
  struct Kept {
    std::shared_ptr<const Vector> vector;
    std::vector<std::shared_ptr<const Vector>> inputs;
  };
  auto kept = std::make_shared<Kept>(Kept{std::move(vector), chunk.columns});
  return {kept, kept->vector.get()};
}

}  // namespace

Project::Project(const plan::BoundNode& node, column::Schema input)
    : input_(std::move(input)), table_(node.table.has_value()) {
  for (const auto& expression : node.expressions) {
    Column& column = columns_.emplace_back();
    if (expression.kind == plan::Expression::Kind::column)
      column.passed_on = expression.column;
    else
      column.evaluator.emplace(expression);
  }
}

Result<void> Project::process(OperatorState&, std::size_t, const column::Chunk& chunk,
                              Context& context) const {
  expression::RowErrors errors;
  column::Chunk out = chunk;
  out.columns.clear();
  bool removals = table_ && !chunk.context->kinds.empty();
  column::Selection rows = removals ? rows_there(chunk) : chunk.selection;
  for (const auto& column : columns_) {
    if (!column.evaluator) {
      out.columns.push_back(chunk.columns[column.passed_on]);
      continue;
    }
    auto vector = column.evaluator->evaluate(chunk, rows, context.now_ms(), errors);
    if (removals) vector = only_in(rows, chunk.rows, vector);
    out.columns.push_back(with_texts(std::move(vector), chunk));
  }
  if (errors.empty()) return context.push(table_ ? out : without_split_updates(std::move(out)));
  if (auto ok = reject_versions(input_, chunk, errors, context); !ok) return ok;
  std::vector<std::uint32_t> good;
  for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
    if (!errors.contains(chunk.selection[i])) good.push_back(chunk.selection[i]);
  }
  if (good.empty()) return {};
  out.selection = column::Selection::of(std::move(good));
  return context.push(without_updates(std::move(out)));
}

}  // namespace leat::operators
