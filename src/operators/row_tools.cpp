#include "expression/optimize.h"

#include "operators/row_tools.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "expression/vectorized.h"
#include "operators/watermark.h"

namespace leat::operators {

std::vector<column::Type> types_of(const column::Schema& schema) {
  std::vector<column::Type> types;
  for (const auto& field : schema) types.push_back(field.type);
  return types;
}

TimeBounds::TimeBounds(const column::RowContext& context) : watermark_ms(watermark_min) {
  using Limits = std::numeric_limits<std::int64_t>;
  std::span<const std::int64_t> times_ms = context.event_times_ms;
  auto [least, most] = expression::vectorized([times_ms] {
    std::int64_t earliest = Limits::max(), latest = Limits::min();
    for (std::int64_t time : times_ms) {
      earliest = std::min(earliest, time);
      latest = std::max(latest, time);
    }
    return std::pair(earliest, latest);
  });
  earliest_ms = least;
  latest_ms = most;
  for (const auto& run : context.runs) watermark_ms = std::max(watermark_ms, run.watermark_ms);
}

Result<std::vector<std::uint32_t>> take_in_time(const column::Chunk& chunk, Context& context) {
  const column::RowContext& from = *chunk.context;
  TimeBounds bounds(from);
  bool all = bounds.earliest_ms >= bounds.watermark_ms;
  std::vector<std::uint32_t> some;
  if (all) {
    append_rows(chunk.selection, some);
    return some;
  }
  some.resize(chunk.selection.size());
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

void append_rows(const column::Selection& selection, std::vector<std::uint32_t>& rows) {
  if (!selection.is_all()) {
    auto listed = selection.listed();
    rows.insert(rows.end(), listed.begin(), listed.end());
    return;
  }
  std::size_t before = rows.size();
  rows.resize(before + selection.size());
  std::iota(rows.begin() + static_cast<std::ptrdiff_t>(before), rows.end(), 0u);
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
