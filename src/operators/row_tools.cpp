#include "expression/optimize.h"

#include "operators/row_tools.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "expression/vectorized.h"
#include "operators/watermark.h"

namespace leat::operators {

std::vector<column::Type> types_of(const column::Schema& schema) {
  std::vector<column::Type> types;
  for (const auto& field : schema) types.push_back(field.type);
  return types;
}

namespace {

std::int64_t earliest(std::span<const std::int64_t> times_ms) {
  return expression::vectorized([times_ms] {
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    for (std::int64_t time : times_ms) least = std::min(least, time);
    return least;
  });
}

// Whether no row can be late: the earliest one is not behind the last of the watermarks. So it is
// with most chunks, since less time passes in one than rows are waited for.
bool all_are_in_time(const column::RowContext& context) {
  Watermark last = watermark_min;
  for (const auto& run : context.runs) last = std::max(last, run.watermark_ms);
  return earliest(context.event_times_ms) >= last;
}

}  // namespace

Result<std::vector<std::uint32_t>> take_in_time(const column::Chunk& chunk, Context& context) {
  const column::RowContext& from = *chunk.context;
  bool all = all_are_in_time(from);
  if (all && !chunk.selection.is_all()) {
    auto rows = chunk.selection.listed();
    return std::vector<std::uint32_t>(rows.begin(), rows.end());
  }
  std::vector<std::uint32_t> some(chunk.selection.size());
  if (all) {
    std::iota(some.begin(), some.end(), 0u);
    return some;
  }
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
