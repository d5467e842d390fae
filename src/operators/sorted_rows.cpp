#include "operators/sorted_rows.h"

#include <algorithm>
#include <iterator>

namespace leat::operators {

void SortedRows::add(const column::Chunk& chunk, std::span<const std::uint32_t> rows) {
  if (rows.empty()) return;
  std::vector<RowId> ids;
  ids.reserve(rows.size());
  store_.add(chunk, rows, ids);
  Entries entries;
  entries.reserve(ids.size());
  for (RowId id : ids) {
    StoredRow row = store_.row(id);
    column::Position position = row.position();
    entries.push_back({row.time_ms(), position.origin, position.place, id});
  }
  sort(entries);
  add_run(std::move(entries));
}

std::vector<RowId> SortedRows::take(Watermark watermark) {
  Entries taken;
  for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
    auto from = run->entries.begin() + static_cast<std::ptrdiff_t>(run->begin);
    auto to = std::partition_point(from, run->entries.end(),
                                   [&](const Entry& entry) { return entry.time_ms < watermark; });
    if (from == to) continue;
    std::span<const Entry> first(from, to);
    if (taken.empty())
      taken.assign(from, to);
    else
      taken = merge(taken, first);
    run->begin += first.size();
    if (run->begin * 2 < run->entries.size()) continue;
    run->entries.erase(run->entries.begin(), to);
    run->begin = 0;
  }
  std::erase_if(runs_, [](const Run& run) { return run.size() == 0; });
  std::vector<RowId> ids;
  ids.reserve(taken.size());
  for (const auto& entry : taken) ids.push_back(entry.id);
  return ids;
}

std::size_t SortedRows::waiting() const {
  std::size_t count = 0;
  for (const auto& run : runs_) count += run.size();
  return count;
}

std::size_t SortedRows::bytes() const {
  std::size_t bytes = store_.bytes();
  for (const auto& run : runs_) bytes += run.entries.capacity() * sizeof(Entry);
  return bytes;
}

void SortedRows::snapshot(StateWriter& writer) const {
  writer.write(static_cast<std::uint32_t>(waiting()));
  for (const auto& run : runs_) {
    for (std::size_t i = run.begin; i < run.entries.size(); ++i) {
      store_.write(writer, run.entries[i].id);
    }
  }
}

void SortedRows::restore(StateReader& reader) {
  constexpr std::size_t row_bytes_min = 26;
  std::uint32_t count = reader.read_count(row_bytes_min);
  Entries entries;
  entries.reserve(count);
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    RowId id = store_.read(reader);
    StoredRow row = store_.row(id);
    column::Position position = row.position();
    entries.push_back({row.time_ms(), position.origin, position.place, id});
  }
  sort(entries);
  if (!entries.empty()) add_run(std::move(entries));
}

bool SortedRows::less(const Entry& a, const Entry& b) const {
  if (a.time_ms != b.time_ms) return a.time_ms < b.time_ms;
  if (a.origin != b.origin) return a.origin < b.origin;
  if (a.place != b.place) return a.place < b.place;
  return store_.row(a.id).rest() < store_.row(b.id).rest();
}

// Rows of a partition are nearly sorted: most go on from the largest before them. The others are
// sorted alone.
void SortedRows::sort(Entries& entries) const {
  auto before = [this](const Entry& a, const Entry& b) { return less(a, b); };
  Entries ahead, behind;
  ahead.reserve(entries.size());
  for (const auto& entry : entries) {
    (ahead.empty() || less(ahead.back(), entry) ? ahead : behind).push_back(entry);
  }
  std::sort(behind.begin(), behind.end(), before);
  entries = behind.empty() ? std::move(ahead) : merge(ahead, behind);
}

SortedRows::Entries SortedRows::merge(std::span<const Entry> a, std::span<const Entry> b) const {
  Entries merged;
  merged.reserve(a.size() + b.size());
  std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(merged),
             [this](const Entry& x, const Entry& y) { return less(x, y); });
  return merged;
}

void SortedRows::add_run(Entries entries) {
  bool goes_on = !runs_.empty() && less(runs_.back().entries.back(), entries.front());
  if (goes_on) {
    auto& last = runs_.back().entries;
    last.insert(last.end(), entries.begin(), entries.end());
  } else {
    runs_.push_back({std::move(entries)});
  }
  while (runs_.size() > 1) {
    Run& last = runs_.back();
    Run& before = runs_[runs_.size() - 2];
    if (before.size() >= 2 * last.size()) return;
    auto rest_of = [](const Run& run) {
      return std::span<const Entry>(run.entries).subspan(run.begin);
    };
    before = {merge(rest_of(before), rest_of(last))};
    runs_.pop_back();
  }
}

}  // namespace leat::operators
