#include "client/attempt.h"

#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

#include <fmt/core.h>

namespace leat::client {

net::Task<Attempt<void>> find_leaders(
    Cluster& cluster, std::vector<std::pair<std::string, std::int32_t>> partitions) {
  auto is_led = [&](const auto& partition) {
    return cluster.metadata().leader(partition.first, partition.second).has_value();
  };
  std::erase_if(partitions, is_led);
  if (partitions.empty()) co_return Attempt<void>{};
  std::vector<std::string> topics;
  for (const auto& [topic, partition] : partitions) topics.push_back(topic);
  std::sort(topics.begin(), topics.end());
  topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
  Result<void> refreshed = co_await cluster.refresh(std::move(topics));
  if (!refreshed) co_return lost_connection(refreshed.error());
  for (const auto& partition : partitions) {
    if (is_led(partition)) continue;
    const auto& [name, number] = partition;
    const TopicMetadata* topic = cluster.metadata().topic(name);
    bool is_missing = !topic || topic->error == wire::ErrorCode::unknown_topic_or_partition;
    if (!is_missing && topic->error == wire::ErrorCode::none)
      is_missing = number < 0 || std::cmp_greater_equal(number, topic->partitions.size());
    Error error{Errc::request_timed_out,
                fmt::format("{}/{}: the partition has no leader", name, number)};
    // It may have been made just now, and the broker that was asked not know of it yet.
    if (is_missing)
      error = {Errc::unknown_topic_or_partition,
               fmt::format("{}/{}: there is no such partition", name, number)};
    co_return tl::unexpected(Failure{std::move(error), true});
  }
  co_return Attempt<void>{};
}

}  // namespace leat::client
