#include "operators/filter.h"

#include "operators/row_tools.h"
#include "operators/row_versions.h"

namespace leat::operators {

using column::RowKind;
using expression::RowErrors;

namespace {

bool is_true(const column::Vector& condition, std::uint32_t row) {
  return !condition.is_null(row) && condition.integer(row) != 0;
}

}  // namespace

Filter::Filter(const plan::BoundNode& node)
    : schema_(node.schema), condition_(node.expressions[0]), table_(node.table.has_value()) {}

Result<void> Filter::process(OperatorState&, std::size_t, const column::Chunk& chunk,
                             Context& context) const {
  if (table_) return process_table(chunk, context);
  RowErrors errors;
  column::Chunk passing = chunk;
  passing.selection = condition_.select(chunk, chunk.selection, context.now_ms(), errors);
  if (auto ok = reject_versions(schema_, chunk, errors, context); !ok) return ok;
  if (passing.selection.size() == 0) return {};
  return context.push(without_updates(std::move(passing)));
}

Result<void> Filter::process_table(const column::Chunk& chunk, Context& context) const {
  auto out = std::make_shared<column::RowContext>(*chunk.context);
  out->kinds.resize(chunk.rows, RowKind::insert);
  std::vector<std::uint32_t> there;
  for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
    std::uint32_t row = chunk.selection[i];
    if (out->kinds[row] != RowKind::erase) there.push_back(row);
  }
  RowErrors errors;
  auto condition =
      condition_.evaluate(chunk, column::Selection::of(std::move(there)), context.now_ms(), errors);
  if (auto rejected = reject(schema_, chunk, errors, context); !rejected) return fail(rejected);
  std::vector<std::uint32_t> given;
  for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
    std::uint32_t row = chunk.selection[i];
    if (errors.contains(row)) continue;
    given.push_back(row);
    if (out->kinds[row] == RowKind::erase) continue;
    if (!is_true(*condition, row)) out->kinds[row] = RowKind::erase;
  }
  if (given.empty()) return {};
  column::Chunk versions = select(chunk, std::move(given));
  // The columns' texts may lie in what the context before keeps, which this one keeps as well.
  versions.context = std::move(out);
  return context.push(versions);
}

}  // namespace leat::operators
