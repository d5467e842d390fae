#include "operators/row_versions.h"

#include <memory>
#include <utility>

namespace leat::operators {

using column::RowKind;

Result<void> reject_versions(const column::Schema& schema, const column::Chunk& chunk,
                             const expression::RowErrors& errors, Context& context) {
  const auto& kinds = chunk.context->kinds;
  for (const auto& [row, reason] : errors.reasons()) {
    if (!kinds.empty() && takes_back(kinds[row])) continue;
    if (auto ok = context.reject(schema, chunk, row, reason); !ok) return ok;
  }
  return {};
}

column::Chunk without_updates(column::Chunk chunk) {
  if (chunk.context->kinds.empty()) return chunk;
  auto context = std::make_shared<column::RowContext>(*chunk.context);
  for (RowKind& kind : context->kinds) {
    if (kind == RowKind::update_before) kind = RowKind::erase;
    if (kind == RowKind::update_after) kind = RowKind::insert;
  }
  chunk.context = std::move(context);
  return chunk;
}

column::Chunk without_split_updates(column::Chunk chunk) {
  const auto& kinds = chunk.context->kinds;
  if (kinds.empty() || chunk.selection.size() == 0) return chunk;
  std::uint32_t first = chunk.selection[0], last = chunk.selection[chunk.selection.size() - 1];
  bool has_begun = kinds[first] == RowKind::update_after;
  bool goes_on = kinds[last] == RowKind::update_before;
  if (!has_begun && !goes_on) return chunk;
  auto context = std::make_shared<column::RowContext>(*chunk.context);
  if (has_begun) context->kinds[first] = RowKind::insert;
  if (goes_on) context->kinds[last] = RowKind::erase;
  chunk.context = std::move(context);
  return chunk;
}

}  // namespace leat::operators
