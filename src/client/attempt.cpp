#include "client/attempt.h"

#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

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
    Error error{Errc::request_timed_out, fmt::format("{}/{}: the partition has no leader",
                                                     partition.first, partition.second)};
    co_return tl::unexpected(Failure{std::move(error), true});
  }
  co_return Attempt<void>{};
}

}  // namespace leat::client
