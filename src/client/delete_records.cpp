#include "client/delete_records.h"

#include <boost/asio/use_awaitable.hpp>

#include <map>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "client/attempt.h"
#include "wire/delete_records.h"

namespace leat::client {

using wire::ErrorCode;

namespace {

/// Deletes in several partitions, of which some may have been done before.
class Deletion {
 public:
  Deletion(Cluster& cluster, const std::vector<PartitionOffset>& before)
      : cluster_(cluster), before_(before), start_(before.size(), not_done) {}

  /// One attempt at all that is not done yet.
  net::Task<Attempt<void>> attempt();
  std::vector<std::int64_t> take_starts() { return std::move(start_); }

 private:
  static constexpr std::int64_t not_done = -1;

  net::Task<Attempt<void>> ask(std::int32_t leader, std::vector<std::size_t> which);
  Attempt<void> take(std::size_t index, const wire::DeleteRecordsResponse& response,
                     const Connection& connection);

  Cluster& cluster_;
  const std::vector<PartitionOffset>& before_;
  std::vector<std::int64_t> start_;
};

net::Task<Attempt<void>> Deletion::attempt() {
  std::vector<std::pair<std::string, std::int32_t>> partitions;
  for (std::size_t i = 0; i < before_.size(); ++i)
    if (start_[i] == not_done)
      partitions.emplace_back(before_[i].partition.topic, before_[i].partition.number);
  Attempt<void> found = co_await find_leaders(cluster_, std::move(partitions));
  if (!found) co_return found;
  std::map<std::int32_t, std::vector<std::size_t>> requests;
  for (std::size_t i = 0; i < before_.size(); ++i) {
    if (start_[i] != not_done) continue;
    auto leader =
        cluster_.metadata().leader(before_[i].partition.topic, before_[i].partition.number);
    requests[leader.value_or(-1)].push_back(i);
  }
  Attempt<void> first_failure;
  for (auto& [leader, which] : requests) {
    Attempt<void> asked = co_await ask(leader, std::move(which));
    if (!asked && first_failure) first_failure = asked;
  }
  co_return first_failure;
}

net::Task<Attempt<void>> Deletion::ask(std::int32_t leader, std::vector<std::size_t> which) {
  Result<Connection::Ptr> opened = co_await cluster_.broker(leader);
  if (!opened) {
    for (std::size_t i : which)
      cluster_.metadata().forget_leader(before_[i].partition.topic, before_[i].partition.number);
    co_return lost_connection(opened.error());
  }
  Connection::Ptr connection = *opened;
  wire::DeleteRecordsRequest request;
  auto timeout = cluster_.options().request_timeout;
  request.timeout_ms = static_cast<std::int32_t>(timeout.count());
  std::map<std::string, std::vector<wire::DeleteRecordsRequest::Partition>> by_topic;
  for (std::size_t i : which)
    by_topic[before_[i].partition.topic].push_back(
        {.partition_index = before_[i].partition.number, .offset = before_[i].offset});
  for (auto& [topic, partitions] : by_topic)
    request.topics.push_back({.name = topic, .partitions = std::move(partitions)});
  auto answer = co_await connection->call(request, timeout);
  if (!answer) co_return lost_connection(answer.error());
  Attempt<void> first_failure;
  for (std::size_t i : which) {
    Attempt<void> taken = take(i, answer->message, *connection);
    if (!taken && first_failure) first_failure = taken;
  }
  co_return first_failure;
}

Attempt<void> Deletion::take(std::size_t index, const wire::DeleteRecordsResponse& response,
                             const Connection& connection) {
  const auto& [topic_name, number] = before_[index].partition;
  std::string about = fmt::format("{}/{}", topic_name, number);
  for (const auto& topic : response.topics) {
    if (topic.name != topic_name) continue;
    for (const auto& partition : topic.partitions) {
      if (partition.partition_index != number) continue;
      if (needs_metadata(partition.error_code))
        cluster_.metadata().forget_leader(topic_name, number);
      if (partition.error_code != ErrorCode::none)
        return answered(partition.error_code, about, connection);
      start_[index] = partition.low_watermark;
      return {};
    }
  }
  return final_failure({Errc::malformed, about + ": the broker left the partition out"});
}

}  // namespace

net::Task<Result<std::vector<std::int64_t>>> delete_records(Caller caller,
                                                            std::vector<PartitionOffset> before) {
  Deletion deletion(*caller.cluster, before);
  Patience patience(caller);
  while (true) {
    Attempt<void> attempt = co_await deletion.attempt();
    if (attempt) co_return deletion.take_starts();
    if (!patience.bears(attempt.error())) co_return tl::unexpected(attempt.error().error);
    co_await caller.cluster->back_off(patience.attempts());
  }
}

}  // namespace leat::client
