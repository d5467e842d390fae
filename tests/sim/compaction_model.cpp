#include "sim/compaction_model.h"

#include <algorithm>
#include <set>

#include <fmt/core.h>

namespace leat::sim {

std::uint64_t CompactionModel::add(const Written& record) {
  records_.push_back({record, {}, Fate::unknown});
  return records_.size() - 1;
}

std::uint64_t CompactionModel::begin_transaction() {
  transactions_.push_back(Fate::open);
  return transactions_.size() - 1;
}

CompactionModel::Fate CompactionModel::fate(const Record& record) const {
  std::uint64_t transaction = record.written.transaction;
  return transaction == 0 ? record.fate : transactions_[transaction];
}

std::string CompactionModel::place(std::uint64_t number, std::int64_t offset) {
  Record& record = records_[number];
  std::int32_t partition = record.written.partition;
  if (record.offset && *record.offset != offset) {
    return fmt::format("record {} of partition {} was at {} and is at {}", number, partition,
                       *record.offset, offset);
  }
  record.offset = offset;
  return occupy(number, offset);
}

std::string CompactionModel::occupy(std::uint64_t number, std::int64_t offset) {
  std::int32_t partition = records_[number].written.partition;
  auto [at, is_new] = places_.try_emplace({partition, offset}, number);
  if (at->second == number) return {};
  return fmt::format("record {} is at {} of partition {}, where {} was", number, offset, partition,
                     at->second);
}

std::string CompactionModel::acknowledged(std::uint64_t number, std::int64_t offset) {
  records_[number].fate = Fate::kept;
  return place(number, offset);
}

/// What a reader sees is so from now on.
std::string CompactionModel::take(std::int32_t partition, const Read& read) {
  if (read.number == 0 || read.number >= records_.size()) {
    return fmt::format("nobody wrote what is at {} of partition {}", read.offset, partition);
  }
  Record& record = records_[read.number];
  const Written& written = record.written;
  bool is_same = written.partition == partition && written.key == read.key &&
                 written.is_tombstone == read.is_tombstone;
  if (!is_same) return fmt::format("record {} was not written like this", read.number);
  // What nobody had acknowledged when a crash came is aborted where it stands; sent again, it gets
  // a second place, in the same transaction.
  bool may_move = written.transaction != 0 && !read.is_committed;
  std::string objection =
      may_move ? occupy(read.number, read.offset) : place(read.number, read.offset);
  if (!objection.empty() || !read.is_committed) return objection;
  if (written.transaction == 0) {
    record.fate = Fate::kept;
    return {};
  }
  Fate& fate = transactions_[written.transaction];
  if (fate == Fate::open || fate == Fate::aborted) {
    return fmt::format("record {} is read, whose transaction is {}", read.number,
                       fate == Fate::open ? "open" : "aborted");
  }
  fate = Fate::kept;
  return {};
}

std::string CompactionModel::check(std::int32_t partition, std::int64_t start,
                                   const std::vector<Read>& reading) {
  std::map<int, std::uint64_t> last;
  for (const Read& read : reading) {
    std::string objection = take(partition, read);
    if (!objection.empty()) return objection;
    const Written& written = records_[read.number].written;
    if (written.transaction != 0 && !read.is_committed) continue;
    std::uint64_t& before = last[written.writer];
    if (read.number <= before) {
      return fmt::format("record {} is behind {} of the same writer", read.number, before);
    }
    before = read.number;
  }
  std::set<std::string> keys;
  for (const Record& record : records_) {
    if (record.written.partition == partition) keys.insert(record.written.key);
  }
  for (const std::string& key : keys) {
    std::string objection = check_key(partition, key, start, reading);
    if (!objection.empty()) return objection;
  }
  return {};
}

const CompactionModel::Record* CompactionModel::newest(std::int32_t partition,
                                                       const std::string& key) const {
  const Record* newest = nullptr;
  for (const Record& record : records_) {
    bool counts = record.written.partition == partition && record.written.key == key &&
                  record.offset && fate(record) == Fate::kept;
    if (counts && (newest == nullptr || *newest->offset < *record.offset)) newest = &record;
  }
  return newest;
}

std::string CompactionModel::check_key(std::int32_t partition, const std::string& key,
                                       std::int64_t start, const std::vector<Read>& reading) const {
  const Record* must_be = newest(partition, key);
  if (must_be == nullptr || *must_be->offset < start) return {};
  bool is_there = false;
  bool is_older_there = false;
  for (const Read& read : reading) {
    if (read.key != key) continue;
    is_there = is_there || read.offset == *must_be->offset;
    is_older_there = is_older_there || (read.is_committed && read.offset < *must_be->offset);
  }
  if (is_there || (must_be->written.is_tombstone && !is_older_there)) return {};
  // A tombstone of which nobody knows may have come behind it, and gone.
  bool is_excused = std::ranges::any_of(records_, [&](const Record& other) {
    return other.written.partition == partition && other.written.key == key &&
           other.written.is_tombstone && fate(other) == Fate::unknown &&
           (!other.offset || *other.offset > *must_be->offset);
  });
  if (is_excused && !is_older_there) return {};
  return fmt::format("the newest record of {} in partition {}, at {}, is lost", key, partition,
                     *must_be->offset);
}

}  // namespace leat::sim
