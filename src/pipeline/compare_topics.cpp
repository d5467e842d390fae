#include "pipeline/compare_topics.h"

#include <xxhash.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "record/batch.h"
#include "record/record.h"

namespace leat::pipeline {

namespace {

constexpr std::size_t read_bytes = std::size_t{1} << 20;
/// Of which something is kept at a time.
constexpr std::uint64_t groups_max = 2'000'000;
constexpr std::size_t first_max = 10;
constexpr std::size_t shown_bytes_max = 300;
constexpr std::uint64_t null_seed = 0x9e37'79b9'7f4a'7c15;

std::uint64_t hash_of(std::optional<BytesView> bytes, std::uint64_t seed) {
  if (!bytes) return XXH3_64bits_withSeed(nullptr, 0, seed ^ null_seed);
  return XXH3_64bits_withSeed(bytes->data(), bytes->size(), seed);
}

/// Of the key and the time, by which records are grouped.
struct GroupId {
  std::int64_t timestamp_ms = 0;
  std::uint64_t key_hash = 0;
  friend auto operator<=>(const GroupId&, const GroupId&) = default;
};

struct GroupIdHash {
  std::size_t operator()(const GroupId& id) const {
    return id.key_hash ^ (static_cast<std::uint64_t>(id.timestamp_ms) * null_seed);
  }
};

/// What one side has of a group: the sum of hashes does not depend on their order.
struct Tally {
  std::uint64_t records = 0;
  std::uint64_t sum = 0;
  std::uint64_t last = 0;
};

struct Group {
  Tally live;
  Tally other;
};

std::uint64_t content_hash(const record::Record& record) {
  std::uint64_t hash = hash_of(record.value, 0);
  return record.headers.empty() ? hash : hash_of(record.headers.encoded(), hash);
}

GroupId id_of(const record::Record& record) {
  return {record.timestamp_ms, hash_of(record.key, 1)};
}

std::string shown(std::optional<BytesView> bytes) {
  if (!bytes) return "null";
  std::string text(as_text(*bytes));
  if (text.size() > shown_bytes_max) text = text.substr(0, shown_bytes_max) + "…";
  return text;
}

/// Calls `take` with the records of the ranges, in their order.
class OutputReader {
 public:
  OutputReader(stream::TopicStore& topics, const std::atomic<bool>& stop)
      : topics_(topics), stop_(stop) {}

  template <class Take>
  Result<void> read(const std::vector<OutputRange>& ranges, PartitionId partition, Take take) {
    for (const OutputRange& range : ranges) {
      if (range.partition != partition || range.begin >= range.end) continue;
      auto reader = open(range.topic);
      if (!reader) return fail(reader);
      auto readable = (*reader)->readable();
      if (!readable) return fail(readable);
      // What retention has removed cannot be compared.
      Offset next =
          std::max(range.begin, readable->at(static_cast<std::size_t>(partition.value())).start);
      while (next < range.end) {
        if (stop_) return fail(Errc::cancelled, "the server is stopping");
        auto batches = (*reader)->read(partition, next, read_bytes);
        if (!batches) return fail(batches);
        if (batches->bytes.empty()) break;
        auto read = read_batches(batches->bytes, next, range.end, take);
        if (!read) return read;
      }
    }
    return {};
  }

 private:
  Result<stream::TopicReader*> open(const std::string& topic) {
    auto& reader = readers_[topic];
    if (reader) return reader.get();
    auto found = topics_.find_topic(topic);
    if (!found) return fail(found);
    auto opened = topics_.open(*found);
    if (!opened) return fail(opened);
    reader = std::move(*opened);
    return reader.get();
  }

  template <class Take>
  Result<void> read_batches(BytesView rest, Offset& next, Offset end, Take& take) {
    Offset from = next;
    while (!rest.empty()) {
      auto batch = record::BatchView::parse(rest);
      if (!batch) return fail(batch);
      rest = rest.subspan(batch->size_bytes());
      next = std::max(next, batch->next_offset());
      if (batch->is_control()) continue;
      record::RecordIterator records(*batch, scratch_);
      while (const record::Record* record = records.next()) {
        if (record->offset >= from && record->offset < end) take(*record);
      }
      if (const Error* error = records.error()) return fail(error->code, error->what);
    }
    return {};
  }

  stream::TopicStore& topics_;
  const std::atomic<bool>& stop_;
  record::Scratch scratch_;
  std::map<std::string, std::unique_ptr<stream::TopicReader>> readers_;
};

/// One partition of one topic.
class PartitionComparison {
 public:
  PartitionComparison(OutputReader& reader, const Comparison& comparison,
                      const Comparison::Topic& topic, PartitionId partition)
      : reader_(reader), comparison_(comparison), topic_(topic), partition_(partition) {}

  Result<void> run(Difference& difference) {
    if (comparison_.is_from_first) {
      from_ms_ = std::numeric_limits<std::int64_t>::max();
      auto found = reader_.read(topic_.other, partition_, [&](const record::Record& record) {
        from_ms_ = std::min(from_ms_, record.timestamp_ms);
      });
      if (!found) return found;
    }
    std::uint64_t records = size_of(topic_.live) + size_of(topic_.other);
    std::uint64_t passes = records / groups_max + 1;
    for (std::uint64_t pass = 0; pass < passes; ++pass) {
      if (auto tallied = tally(passes, pass, difference); !tallied) return tallied;
      count(difference);
    }
    return show(difference);
  }

 private:
  std::uint64_t size_of(const std::vector<OutputRange>& ranges) const {
    std::uint64_t records = 0;
    for (const OutputRange& range : ranges) {
      if (range.partition != partition_ || range.end <= range.begin) continue;
      records += static_cast<std::uint64_t>(range.end - range.begin);
    }
    return records;
  }

  bool counts(const record::Record& record) const {
    std::int64_t from_ms = std::max(from_ms_, comparison_.from_ms);
    return record.timestamp_ms >= from_ms && record.timestamp_ms < comparison_.to_ms;
  }

  Result<void> tally(std::uint64_t passes, std::uint64_t pass, Difference& difference) {
    groups_.clear();
    auto side = [&](Tally Group::*member, std::uint64_t& all, std::uint64_t& sequence) {
      return [this, member, &all, &sequence, passes, pass](const record::Record& record) {
        if (!counts(record)) return;
        GroupId id = id_of(record);
        std::uint64_t content = content_hash(record);
        if (pass == 0) {
          ++all;
          std::uint64_t parts[] = {sequence, static_cast<std::uint64_t>(id.timestamp_ms),
                                   id.key_hash, content};
          sequence = XXH3_64bits(parts, sizeof parts);
        }
        if (GroupIdHash()(id) % passes != pass) return;
        Tally& tally = groups_[id].*member;
        ++tally.records;
        tally.sum += content;
        tally.last = content;
      };
    };
    std::uint64_t live_sequence = 0;
    std::uint64_t other_sequence = 0;
    auto live = reader_.read(topic_.live, partition_,
                             side(&Group::live, difference.live_records, live_sequence));
    if (!live) return live;
    auto other = reader_.read(topic_.other, partition_,
                              side(&Group::other, difference.other_records, other_sequence));
    if (!other) return other;
    if (live_sequence != other_sequence) difference.is_identical = false;
    return {};
  }

  bool is_same(const Group& group) const {
    if (topic_.only_last) return group.live.last == group.other.last;
    return group.live.records == group.other.records && group.live.sum == group.other.sum;
  }

  void count(Difference& difference) {
    for (const auto& [id, group] : groups_) {
      if (group.live.records == 0) {
        ++difference.other_only_groups;
      } else if (group.other.records == 0) {
        ++difference.live_only_groups;
      } else if (is_same(group)) {
        ++difference.same_groups;
        continue;
      } else {
        ++difference.changed_groups;
      }
      first_.emplace(id, group);
      if (first_.size() > first_max) first_.erase(std::prev(first_.end()));
    }
  }

  /// Reads once more, for what the first that differ look like.
  Result<void> show(Difference& difference) {
    if (first_.empty()) return {};
    std::map<GroupId, DifferentGroup> found;
    auto side = [&](std::string DifferentGroup::*value) {
      return [this, &found, value](const record::Record& record) {
        GroupId id = id_of(record);
        if (!counts(record) || !first_.contains(id)) return;
        DifferentGroup& group = found[id];
        group.key = shown(record.key);
        group.*value = shown(record.value);
      };
    };
    auto live = reader_.read(topic_.live, partition_, side(&DifferentGroup::live_value));
    if (!live) return live;
    auto other = reader_.read(topic_.other, partition_, side(&DifferentGroup::other_value));
    if (!other) return other;
    for (auto& [id, group] : found) {
      group.topic = topic_.name;
      group.timestamp_ms = id.timestamp_ms;
      group.live_records = first_.at(id).live.records;
      group.other_records = first_.at(id).other.records;
      difference.first.push_back(std::move(group));
    }
    return {};
  }

  OutputReader& reader_;
  const Comparison& comparison_;
  const Comparison::Topic& topic_;
  PartitionId partition_;
  std::int64_t from_ms_ = std::numeric_limits<std::int64_t>::min();
  std::unordered_map<GroupId, Group, GroupIdHash> groups_;
  std::map<GroupId, Group> first_;
};

}  // namespace

Result<Difference> compare_topics(stream::TopicStore& topics, const Comparison& comparison,
                                  const std::atomic<bool>& stop) {
  Difference difference;
  OutputReader reader(topics, stop);
  for (const Comparison::Topic& topic : comparison.topics) {
    std::set<PartitionId> partitions;
    for (const auto* side : {&topic.live, &topic.other}) {
      for (const OutputRange& range : *side) partitions.insert(range.partition);
    }
    for (PartitionId partition : partitions) {
      auto compared = PartitionComparison(reader, comparison, topic, partition).run(difference);
      if (!compared) return fail(compared);
    }
  }
  std::sort(difference.first.begin(), difference.first.end(),
            [](const DifferentGroup& a, const DifferentGroup& b) {
              return std::tie(a.timestamp_ms, a.topic, a.key) <
                     std::tie(b.timestamp_ms, b.topic, b.key);
            });
  if (difference.first.size() > first_max) difference.first.resize(first_max);
  return difference;
}

void CompareTopics::begin(Comparison comparison, Done done) {
  executor_.post([this, comparison = std::move(comparison), done = std::move(done)]() mutable {
    if (stop_) return done(fail(Errc::cancelled, "the server is stopping"));
    done(compare_topics(topics_, comparison, stop_));
  });
}

}  // namespace leat::pipeline
