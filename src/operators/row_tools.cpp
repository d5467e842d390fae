#include "operators/row_tools.h"

namespace leat::operators {

std::vector<column::Type> types_of(const column::Schema& schema) {
  std::vector<column::Type> types;
  for (const auto& field : schema) types.push_back(field.type);
  return types;
}

Result<std::vector<std::uint32_t>> take_in_time(const column::Chunk& chunk, Context& context) {
  std::vector<std::uint32_t> some, late;
  some.reserve(chunk.selection.size());
  column::RunCursor runs(*chunk.context);
  for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
    std::uint32_t row = chunk.selection[i];
    bool in_time = chunk.context->event_times_ms[row] >= runs.run_of(row).watermark_ms;
    (in_time ? some : late).push_back(row);
  }
  if (!late.empty()) {
    if (auto pushed = context.push_late(chunk, late); !pushed) return fail(pushed);
  }
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
