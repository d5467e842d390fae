#include "operators/time_order.h"

#include <algorithm>
#include <iterator>

namespace leat::operators {

class TimeOrder::Less {
 public:
  explicit Less(const RowStore& store) : store_(store) {}
  bool operator()(const Entry& a, const Entry& b) const {
    if (a.time_ms != b.time_ms) return a.time_ms < b.time_ms;
    if (a.origin != b.origin) return a.origin < b.origin;
    if (a.place != b.place) return a.place < b.place;
    return store_.row(a.id).rest() < store_.row(b.id).rest();
  }
  Entries merge(std::span<const Entry> a, std::span<const Entry> b) const {
    Entries merged;
    merged.reserve(a.size() + b.size());
    std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(merged), *this);
    return merged;
  }

 private:
  const RowStore& store_;
};

void TimeOrder::add(const RowStore& store, std::span<const RowId> rows) {
  if (rows.empty()) return;
  Entries entries;
  entries.reserve(rows.size());
  for (RowId id : rows) {
    StoredRow row = store.row(id);
    column::Position position = row.position();
    entries.push_back({row.time_ms(), position.origin, position.place, id});
  }
  sort(store, entries);
  add_run(store, std::move(entries));
}

std::vector<RowId> TimeOrder::take(const RowStore& store, Watermark watermark) {
  Less less(store);
  Entries merged;
  std::span<const Entry> taken;  // mostly of one run
  for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
    auto from = run->entries.begin() + static_cast<std::ptrdiff_t>(run->begin);
    auto to = std::partition_point(from, run->entries.end(),
                                   [&](const Entry& entry) { return entry.time_ms < watermark; });
    if (from == to) continue;
    std::span<const Entry> some(from, to);
    run->begin += some.size();
    if (taken.empty()) {
      taken = some;
    } else {
      merged = less.merge(taken, some);
      taken = merged;
    }
  }
  std::vector<RowId> ids;
  ids.reserve(taken.size());
  for (const auto& entry : taken) ids.push_back(entry.id);
  for (auto& run : runs_) {
    if (run.begin * 2 < run.entries.size()) continue;
    run.entries.erase(run.entries.begin(),
                      run.entries.begin() + static_cast<std::ptrdiff_t>(run.begin));
    run.begin = 0;
  }
  std::erase_if(runs_, [](const Run& run) { return run.size() == 0; });
  return ids;
}

std::size_t TimeOrder::size() const {
  std::size_t count = 0;
  for (const auto& run : runs_) count += run.size();
  return count;
}

std::size_t TimeOrder::bytes() const {
  std::size_t bytes = 0;
  for (const auto& run : runs_) bytes += run.entries.capacity() * sizeof(Entry);
  return bytes;
}

std::vector<RowId> TimeOrder::rows() const {
  std::vector<RowId> ids;
  ids.reserve(size());
  for (const auto& run : runs_) {
    for (std::size_t i = run.begin; i < run.entries.size(); ++i) ids.push_back(run.entries[i].id);
  }
  return ids;
}

// Rows of a partition are nearly sorted: most go on from the largest before them. The others are
// sorted alone.
void TimeOrder::sort(const RowStore& store, Entries& entries) {
  Less less(store);
  if (std::is_sorted(entries.begin(), entries.end(), less)) return;
  Entries ahead, behind;
  ahead.reserve(entries.size());
  for (const auto& entry : entries) {
    (ahead.empty() || less(ahead.back(), entry) ? ahead : behind).push_back(entry);
  }
  std::sort(behind.begin(), behind.end(), less);
  entries = behind.empty() ? std::move(ahead) : less.merge(ahead, behind);
}

void TimeOrder::add_run(const RowStore& store, Entries entries) {
  Less less(store);
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
    before = {less.merge(rest_of(before), rest_of(last))};
    runs_.pop_back();
  }
}

}  // namespace leat::operators
