#include "tools/group_lag.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include <fmt/core.h>

namespace leat::tools {
namespace {

/// For the first unread records of all partitions together.
constexpr std::chrono::milliseconds read_patience{3'000};

using Lags = std::map<Partition, PartitionLag>;

PartitionLag& lag_of(Lags& lags, const Partition& partition) {
  PartitionLag& lag = lags[partition];
  lag.topic = partition.topic;
  lag.partition = partition.number;
  return lag;
}

/// Where partitions end now. A topic that is gone has none.
void find_ends(blocking::Admin& admin, Lags& lags) {
  std::set<std::string> topics;
  for (const auto& [partition, lag] : lags) topics.insert(partition.topic);
  for (const std::string& topic : topics) {
    std::vector<OffsetQuery> queries;
    std::vector<PartitionLag*> asked;
    for (auto& [partition, lag] : lags) {
      if (partition.topic != topic) continue;
      queries.push_back({partition, OffsetQuery::Kind::end});
      asked.push_back(&lag);
    }
    try {
      auto ends = admin.list_offsets(std::move(queries));
      for (std::size_t i = 0; i < asked.size(); ++i) asked[i]->end = ends[i];
    } catch (const Exception&) {
      // What is known otherwise is worth showing.
    }
  }
}

/// Reads the first record that is unread of each partition, for its time.
void find_times(const ClientOptions& connect, Lags& lags, std::int64_t now_ms) {
  std::vector<PartitionOffset> unread;
  for (const auto& [partition, lag] : lags)
    if (lag.records().value_or(0) > 0) unread.push_back({partition, *lag.committed});
  std::size_t left = unread.size();
  if (left == 0) return;
  ConsumerOptions options;
  // The first batch of each is enough, and a broker sends at least that.
  options.partition_fetch_bytes = 1;
  options.prefetch_bytes = 1 << 20;
  options.read_committed = false;
  blocking::Consumer consumer(connect, options);
  consumer.assign(std::move(unread));
  auto deadline = std::chrono::steady_clock::now() + read_patience;
  while (left > 0 && std::chrono::steady_clock::now() < deadline) {
    Records records = consumer.poll(std::chrono::milliseconds(100));
    for (const InRecord& record : records) {
      Partition partition{std::string(record.topic), record.partition};
      PartitionLag& lag = lag_of(lags, partition);
      if (lag.behind_ms) continue;
      std::int64_t time_ms = record.timestamp.time_since_epoch().count();
      lag.behind_ms = std::max<std::int64_t>(now_ms - time_ms, 0);
      consumer.pause(partition);
      --left;
    }
  }
}

}  // namespace

std::vector<PartitionLag> find_lag(blocking::Admin& admin, const ClientOptions& connect,
                                   const GroupDescription& group, std::int64_t now_ms) {
  Lags lags;
  for (const CommittedOffset& offset : admin.group_offsets(group.id))
    lag_of(lags, offset.partition).committed = offset.offset;
  for (const MemberDescription& member : group.members)
    for (const Partition& partition : member.assignment)
      lag_of(lags, partition).member_id = member.id;
  find_ends(admin, lags);
  try {
    find_times(connect, lags, now_ms);
  } catch (const Exception&) {
    // As far as they are known.
  }
  std::vector<PartitionLag> found;
  for (auto& [partition, lag] : lags) found.push_back(std::move(lag));
  return found;
}

std::string describe_duration(std::int64_t ms) {
  struct Unit {
    std::int64_t ms;
    const char* name;
  };
  constexpr Unit units[] = {{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "min"}};
  for (const Unit& unit : units) {
    if (ms >= 2 * unit.ms) return fmt::format("{} {}", ms / unit.ms, unit.name);
  }
  return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
}

}  // namespace leat::tools
