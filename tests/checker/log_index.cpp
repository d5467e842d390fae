#include "checker/log_index.h"

#include <algorithm>

namespace leat::checker {
namespace {

std::vector<const LoggedBatch*> in_order(const std::vector<LoggedBatch>& batches) {
  std::vector<const LoggedBatch*> sorted;
  for (const LoggedBatch& batch : batches) sorted.push_back(&batch);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const LoggedBatch* a, const LoggedBatch* b) { return a->base < b->base; });
  return sorted;
}

}  // namespace

LogIndex::LogIndex(const History& history) {
  for (const auto& [partition, batches] : history.log) {
    add_partition(partition, in_order(batches));
  }
  for (const auto& [partition, records] : records_) {
    for (const LoggedRecord& record : records) {
      places_[std::string(record.uid)].push_back({&partition, record});
    }
  }
}

void LogIndex::add_partition(const Partition& partition,
                             const std::vector<const LoggedBatch*>& batches) {
  // Backwards, so that the marker of a batch is known when the batch is met.
  std::vector<Fate> fates(batches.size(), Fate::committed);
  std::map<std::int64_t, Fate> decided;
  for (std::size_t i = batches.size(); i-- > 0;) {
    const LoggedBatch& batch = *batches[i];
    if (batch.marker != LoggedBatch::Marker::none) {
      decided[batch.producer] =
          batch.marker == LoggedBatch::Marker::commit ? Fate::committed : Fate::aborted;
    } else if (batch.is_transactional) {
      auto marker = decided.find(batch.producer);
      fates[i] = marker == decided.end() ? Fate::open : marker->second;
    }
  }
  records_[partition];
  for (std::size_t i = 0; i < batches.size(); ++i) add_batch(partition, *batches[i], fates[i]);
}

void LogIndex::add_batch(const Partition& partition, const LoggedBatch& batch, Fate fate) {
  std::int64_t& end = ends_[partition];
  end = std::max(end, batch.next);
  std::vector<LoggedRecord>& records = records_[partition];
  for (const LoggedBatch::Record& record : batch.records) {
    records.push_back({record.offset, record.uid, fate});
  }
  for (const LoggedBatch::GroupOffset& commit : batch.group_offsets) {
    commits_[{commit.group, commit.partition}].push_back(
        {commit.offset, commit.value, commit.uid, fate});
    if (!commit.uid.empty()) commit_fates_[commit.uid] = fate;
  }
}

const std::vector<Place>& LogIndex::places(const std::string& uid) const {
  static const std::vector<Place> none;
  auto found = places_.find(uid);
  return found == places_.end() ? none : found->second;
}

const LoggedRecord* LogIndex::at(const Partition& partition, std::int64_t offset) const {
  auto found = records_.find(partition);
  if (found == records_.end()) return nullptr;
  auto record = std::lower_bound(
      found->second.begin(), found->second.end(), offset,
      [](const LoggedRecord& logged, std::int64_t wanted) { return logged.offset < wanted; });
  return record != found->second.end() && record->offset == offset ? &*record : nullptr;
}

const LoggedRecord* LogIndex::first_visible(const Partition& partition, std::int64_t from,
                                            std::int64_t to, bool is_committed) const {
  auto found = records_.find(partition);
  if (found == records_.end()) return nullptr;
  auto record = std::lower_bound(
      found->second.begin(), found->second.end(), from,
      [](const LoggedRecord& logged, std::int64_t wanted) { return logged.offset < wanted; });
  for (; record != found->second.end() && record->offset < to; ++record) {
    if (!is_committed || record->fate == Fate::committed) return &*record;
  }
  return nullptr;
}

std::int64_t LogIndex::end(const Partition& partition) const {
  auto found = ends_.find(partition);
  return found == ends_.end() ? 0 : found->second;
}

const Fate* LogIndex::commit_fate(const std::string& uid) const {
  auto found = commit_fates_.find(uid);
  return found == commit_fates_.end() ? nullptr : &found->second;
}

}  // namespace leat::checker
