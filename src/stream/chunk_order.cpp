#include "stream/chunk_order.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/assert.h"
#include "column/row_key.h"

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

// The entries' rows, as parts of the chunks.
template <class OneEntry>
std::vector<ChunkPart> parts_of(const std::vector<Chunk>& chunks,
                                const std::vector<OneEntry>& entries) {
  std::vector<ChunkPart> parts;
  for (std::size_t i = 0; i < entries.size();) {
    std::vector<std::uint32_t> rows;
    std::size_t from = i;
    auto belongs = [&] {
      return i < entries.size() && entries[i].chunk == entries[from].chunk &&
             (rows.empty() || entries[i].row > rows.back());
    };
    for (; belongs(); ++i) rows.push_back(entries[i].row);
    parts.push_back({entries[from].chunk, chunks[entries[from].chunk]});
    parts.back().rows.selection = column::Selection::of(std::move(rows));
  }
  return parts;
}

template <class Before>
std::vector<ChunkPart> in_order(const std::vector<Chunk>& chunks, Before before) {
  std::vector<Entry> entries = entries_of(chunks);
  if (!std::is_sorted(entries.begin(), entries.end(), before)) {
    std::stable_sort(entries.begin(), entries.end(), before);
  }
  return parts_of(chunks, entries);
}

std::vector<Chunk> without_numbers(std::vector<ChunkPart> parts) {
  std::vector<Chunk> chunks;
  for (auto& part : parts) chunks.push_back(std::move(part.rows));
  return chunks;
}

// The key that follows the window's start in the rest of a window's row's position.
std::string_view key_of(std::string_view rest, const std::vector<column::Type>& types) {
  constexpr std::size_t word_bytes = sizeof(std::int64_t);
  std::string_view key = rest.substr(std::min(rest.size(), word_bytes));
  std::size_t size = 0;
  for (const auto& type : types) size += column::first_cell_bytes(key.substr(size), type);
  return key.substr(0, size);
}

struct Arrival {
  std::size_t origin;  // its place among the rows that all are made of
  column::Position position;
  std::uint32_t chunk;
  std::uint32_t row;
};

// Of a source's row, which has no words behind its place.
bool is_made_of(const column::Position& position, const column::Position& origin) {
  return position.origin == origin.origin && position.place == origin.place;
}

struct Change {
  std::int64_t time_ms;  // not before those of the key's changes that came before it
  std::string_view key;
  std::uint32_t way;
  std::uint32_t chunk;
  std::uint32_t row;
};

}  // namespace

std::vector<Chunk> in_order_of_time(const std::vector<Chunk>& chunks) {
  return without_numbers(in_order(chunks, [](const Entry& a, const Entry& b) {
    return a.time_ms != b.time_ms ? a.time_ms < b.time_ms : a.position < b.position;
  }));
}

std::vector<Chunk> in_order_of_arrival(const std::vector<Chunk>& chunks, const Chunk& from) {
  const std::vector<Entry> origins = entries_of({from});
  std::vector<Arrival> entries;
  std::size_t at = 0;
  std::uint32_t chunk = 0;
  for (const Entry& entry : entries_of(chunks)) {
    if (entry.chunk != std::exchange(chunk, entry.chunk)) at = 0;
    // Those of a chunk are in the order of what they are made of.
    while (at < origins.size() && !is_made_of(entry.position, origins[at].position)) ++at;
    ASSERT(at < origins.size());
    entries.push_back({at, entry.position, entry.chunk, entry.row});
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Arrival& a, const Arrival& b) {
    return std::tie(a.origin, a.position) < std::tie(b.origin, b.position);
  });
  return without_numbers(parts_of(chunks, entries));
}

std::vector<ChunkPart> in_order_of_position(const std::vector<Chunk>& chunks) {
  return in_order(chunks, [](const Entry& a, const Entry& b) { return a.position < b.position; });
}

std::vector<Chunk> in_order_of_changes(const std::vector<ChangeChunk>& changes,
                                       const std::vector<column::Type>& key_types) {
  std::map<std::string_view, std::uint32_t> ways;
  for (const auto& [rows, way] : changes) ways[way] = 0;
  std::uint32_t count = 0;
  for (auto& [way, number] : ways) number = count++;
  std::vector<Chunk> chunks;
  std::vector<Change> entries;
  std::vector<std::unordered_map<std::string_view, std::int64_t>> latest(ways.size());
  for (const auto& [chunk, way] : changes) {
    std::uint32_t number = ways.at(way);
    const column::RowContext& context = *chunk.context;
    for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
      std::uint32_t row = chunk.selection[i];
      std::string_view key = key_of(context.rests[row], key_types);
      auto [known, is_new] = latest[number].try_emplace(key, context.event_times_ms[row]);
      known->second = std::max(known->second, context.event_times_ms[row]);
      entries.push_back(
          {known->second, key, number, static_cast<std::uint32_t>(chunks.size()), row});
    }
    chunks.push_back(chunk);
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Change& a, const Change& b) {
    return std::tie(a.time_ms, a.key, a.way) < std::tie(b.time_ms, b.key, b.way);
  });
  return without_numbers(parts_of(chunks, entries));
}

}  // namespace leat::stream
