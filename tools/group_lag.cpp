#include "tools/group_lag.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include <fmt/core.h>

#include "client/blocking_consumer.h"
#include "client/record_reader.h"

namespace leat::tools {
namespace {

/// For the first unread records of all partitions together.
constexpr std::chrono::milliseconds read_patience{3'000};

using Lags = std::map<std::pair<std::string, std::int32_t>, PartitionLag>;

PartitionLag& lag_of(Lags& lags, const std::string& topic, std::int32_t partition) {
  PartitionLag& lag = lags[{topic, partition}];
  lag.topic = topic;
  lag.partition = partition;
  return lag;
}

/// Where partitions end now. A topic that is gone has none.
void find_ends(client::BlockingClient& client, Lags& lags) {
  std::set<std::string> topics;
  for (const auto& [place, lag] : lags) topics.insert(lag.topic);
  for (const std::string& topic : topics) {
    std::vector<client::OffsetQuery> queries;
    std::vector<PartitionLag*> asked;
    for (auto& [place, lag] : lags) {
      if (lag.topic != topic) continue;
      queries.push_back({topic, lag.partition, client::at_end});
      asked.push_back(&lag);
    }
    auto ends = client.list_offsets(std::move(queries), false);
    if (!ends) continue;
    for (std::size_t i = 0; i < asked.size(); ++i) asked[i]->end = (*ends)[i];
  }
}

/// Reads the first record that is unread of each partition, for its time.
void find_times(const client::BlockingClient& client, Lags& lags, std::int64_t now_ms) {
  std::vector<client::Assignment> assignments;
  for (const auto& [place, lag] : lags) {
    if (lag.records().value_or(0) == 0) continue;
    assignments.push_back({lag.topic, lag.partition, *lag.committed, *lag.end});
  }
  std::size_t left = assignments.size();
  if (left == 0) return;
  ConsumerOptions options;
  // The first batch of each is enough, and a broker sends at least that.
  options.partition_fetch_bytes = 1;
  options.prefetch_bytes = 1 << 20;
  options.read_committed = false;
  client::BlockingConsumer consumer(client, std::move(assignments), options);
  record::Scratch scratch;
  auto deadline = std::chrono::steady_clock::now() + read_patience;
  while (left > 0 && std::chrono::steady_clock::now() < deadline) {
    auto fetched = consumer.poll(std::chrono::milliseconds(100));
    if (!fetched || (!*fetched && consumer.finished())) return;
    if (!*fetched) continue;
    PartitionLag& lag = lag_of(lags, std::string((*fetched)->topic), (*fetched)->partition);
    if (lag.behind_ms) continue;
    client::RecordReader records(**fetched, scratch);
    const record::Record* record = records.next();
    if (record == nullptr) continue;
    lag.behind_ms = std::max<std::int64_t>(now_ms - record->timestamp_ms, 0);
    --left;
  }
}

}  // namespace

Result<std::vector<PartitionLag>> find_lag(client::BlockingClient& client,
                                           const client::GroupDescription& group,
                                           std::int64_t now_ms) {
  auto offsets = client.group_offsets(group.id);
  if (!offsets) return fail(offsets);
  Lags lags;
  for (const client::GroupOffset& offset : *offsets) {
    lag_of(lags, offset.topic, offset.partition).committed = offset.offset;
  }
  for (const client::MemberDescription& member : group.members) {
    for (const auto& [topic, partitions] : member.assignment) {
      for (std::int32_t partition : partitions) {
        lag_of(lags, topic, partition).member_id = member.id;
      }
    }
  }
  find_ends(client, lags);
  find_times(client, lags, now_ms);
  std::vector<PartitionLag> found;
  for (auto& [place, lag] : lags) found.push_back(std::move(lag));
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
