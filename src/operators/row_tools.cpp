#include "operators/row_tools.h"

namespace leat::operators {

std::vector<column::Type> types_of(const column::Schema& schema) {
  std::vector<column::Type> types;
  for (const auto& field : schema) types.push_back(field.type);
  return types;
}

Result<std::vector<std::uint32_t>> take_in_time(const column::Chunk& chunk, Context& context) {
  const column::RowContext& from = *chunk.context;
  std::vector<std::uint32_t> some(chunk.selection.size());
  std::size_t count = 0;
  column::RunCursor runs(from);
  // Nearly none is late.
  for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
    std::uint32_t row = chunk.selection[i];
    some[count] = row;
    if (from.event_times_ms[row] >= runs.run_of(row).watermark_ms) ++count;
  }
  if (count == some.size()) return some;
  some.resize(count);
  std::vector<std::uint32_t> late;
  auto next = some.begin();
  for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
    bool in_time = next != some.end() && *next == chunk.selection[i];
    if (in_time)
      ++next;
    else
      late.push_back(chunk.selection[i]);
  }
  if (auto pushed = context.push_late(chunk, late); !pushed) return fail(pushed);
  return some;
}

column::Chunk select(const column::Chunk& chunk, std::vector<std::uint32_t> rows) {
  column::Chunk some = chunk;
  some.selection = column::Selection::of(std::move(rows));
  return some;
}

Result<void> reject(const column::Schema& schema, const column::Chunk& chunk,
                    const expression::RowErrors& errors, Context& context) {
  for (const auto& [row, reason] : errors.reasons()) {
    if (auto rejected = context.reject(schema, chunk, row, reason); !rejected) {
      return fail(rejected);
    }
  }
  return {};
}

}  // namespace leat::operators
