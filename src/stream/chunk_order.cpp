#include "stream/chunk_order.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace leat::stream {

using column::Chunk;

namespace {

struct Entry {
  std::int64_t time_ms;
  column::Position position;
  std::uint32_t chunk;
  std::uint32_t row;
};

std::vector<Entry> entries_of(const std::vector<Chunk>& chunks) {
  std::vector<Entry> entries;
  for (std::uint32_t at = 0; at < chunks.size(); ++at) {
    const Chunk& chunk = chunks[at];
    const column::RowContext& context = *chunk.context;
    column::RunCursor runs(context);
    for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
      std::uint32_t row = chunk.selection[i];
      entries.push_back(
          {context.event_times_ms[row], context.position(row, runs.run_of(row)), at, row});
    }
  }
  return entries;
}

template <class Before>
std::vector<Chunk> in_order(const std::vector<Chunk>& chunks, Before before) {
  std::vector<Entry> entries = entries_of(chunks);
  if (!std::is_sorted(entries.begin(), entries.end(), before)) {
    std::stable_sort(entries.begin(), entries.end(), before);
  }
  std::vector<Chunk> ordered;
  for (std::size_t i = 0; i < entries.size();) {
    std::vector<std::uint32_t> rows;
    std::size_t from = i;
    auto belongs = [&] {
      return i < entries.size() && entries[i].chunk == entries[from].chunk &&
             (rows.empty() || entries[i].row > rows.back());
    };
    for (; belongs(); ++i) rows.push_back(entries[i].row);
    ordered.push_back(chunks[entries[from].chunk]);
    ordered.back().selection = column::Selection::of(std::move(rows));
  }
  return ordered;
}

}  // namespace

std::vector<Chunk> in_order_of_time(const std::vector<Chunk>& chunks) {
  return in_order(chunks, [](const Entry& a, const Entry& b) {
    return a.time_ms != b.time_ms ? a.time_ms < b.time_ms : a.position < b.position;
  });
}

std::vector<Chunk> in_order_of_position(const std::vector<Chunk>& chunks) {
  return in_order(chunks, [](const Entry& a, const Entry& b) { return a.position < b.position; });
}

}  // namespace leat::stream
