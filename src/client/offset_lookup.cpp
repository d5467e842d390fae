#include "client/offset_lookup.h"

#include <boost/asio/use_awaitable.hpp>

#include <map>
#include <utility>

#include <fmt/core.h>

#include "client/attempt.h"
#include "wire/list_offsets.h"

namespace leat::client {

using wire::ErrorCode;

namespace {

/// Looks up the offsets of several queries, some of which may have been answered before.
class OffsetLookup {
 public:
  OffsetLookup(Cluster& cluster, const std::vector<OffsetQuery>& queries, bool read_committed)
      : cluster_(cluster),
        queries_(queries),
        read_committed_(read_committed),
        found_(queries.size()),
        done_(queries.size(), false) {}

  /// One attempt at all that is not answered yet.
  net::Task<Attempt<void>> attempt();
  std::vector<OffsetFound> take_found() { return std::move(found_); }

 private:
  net::Task<Attempt<void>> ask(std::int32_t leader, std::vector<std::size_t> which);
  Attempt<void> take(std::size_t query, const wire::ListOffsetsResponse& response,
                     const Connection& connection);

  Cluster& cluster_;
  const std::vector<OffsetQuery>& queries_;
  bool read_committed_;
  std::vector<OffsetFound> found_;
  std::vector<bool> done_;
};

net::Task<Attempt<void>> OffsetLookup::attempt() {
  std::vector<std::pair<std::string, std::int32_t>> partitions;
  for (std::size_t i = 0; i < queries_.size(); ++i)
    if (!done_[i]) partitions.emplace_back(queries_[i].topic, queries_[i].partition);
  Attempt<void> refreshed = co_await find_leaders(cluster_, std::move(partitions));
  if (!refreshed) co_return refreshed;
  // A request may name a partition once only, so each kind of question has its own.
  std::map<std::pair<std::int32_t, std::int64_t>, std::vector<std::size_t>> requests;
  for (std::size_t i = 0; i < queries_.size(); ++i) {
    if (done_[i]) continue;
    auto leader = cluster_.metadata().leader(queries_[i].topic, queries_[i].partition);
    requests[{leader.value_or(-1), queries_[i].at}].push_back(i);
  }
  Attempt<void> first_failure;
  for (auto& [leader_and_time, which] : requests) {
    std::int32_t leader = leader_and_time.first;
    Attempt<void> asked = co_await ask(leader, std::move(which));
    if (!asked && first_failure) first_failure = asked;
  }
  co_return first_failure;
}

net::Task<Attempt<void>> OffsetLookup::ask(std::int32_t leader, std::vector<std::size_t> which) {
  Result<Connection::Ptr> opened = co_await cluster_.broker(leader);
  if (!opened) {
    for (std::size_t i : which)
      cluster_.metadata().forget_leader(queries_[i].topic, queries_[i].partition);
    co_return lost_connection(opened.error());
  }
  Connection::Ptr connection = *opened;
  wire::ListOffsetsRequest request;
  request.isolation_level = read_committed_ ? 1 : 0;
  auto timeout = cluster_.options().request_timeout;
  request.timeout_ms = static_cast<std::int32_t>(timeout.count());
  for (std::size_t i : which) {
    const OffsetQuery& query = queries_[i];
    if (request.topics.empty() || request.topics.back().name != query.topic)
      request.topics.push_back({.name = query.topic, .partitions = {}});
    wire::ListOffsetsRequest::Partition asked;
    asked.partition_index = query.partition;
    asked.timestamp = query.at;
    request.topics.back().partitions.push_back(asked);
  }
  auto answer = co_await connection->call(request, timeout);
  if (!answer) co_return lost_connection(answer.error());
  for (std::size_t i : which) {
    Attempt<void> taken = take(i, answer->message, *connection);
    if (!taken) co_return taken;
  }
  co_return Attempt<void>{};
}

Attempt<void> OffsetLookup::take(std::size_t index, const wire::ListOffsetsResponse& response,
                                 const Connection& connection) {
  const OffsetQuery& query = queries_[index];
  std::string about = fmt::format("{}/{}", query.topic, query.partition);
  for (const auto& topic : response.topics) {
    if (topic.name != query.topic) continue;
    for (const auto& partition : topic.partitions) {
      if (partition.partition_index != query.partition) continue;
      if (partition.error_code != ErrorCode::none) {
        cluster_.metadata().forget_leader(query.topic, query.partition);
        return answered(partition.error_code, about, connection);
      }
      if (partition.offset >= 0) found_[index] = partition.offset;
      done_[index] = true;
      return {};
    }
  }
  return final_failure({Errc::malformed, about + ": the broker left the partition out"});
}

}  // namespace

net::Task<Result<std::vector<OffsetFound>>> list_offsets(Caller caller,
                                                         std::vector<OffsetQuery> queries,
                                                         bool read_committed) {
  OffsetLookup lookup(*caller.cluster, queries, read_committed);
  Patience patience(caller);
  while (true) {
    Attempt<void> attempt = co_await lookup.attempt();
    if (attempt) co_return lookup.take_found();
    if (!patience.bears(attempt.error())) co_return tl::unexpected(attempt.error().error);
    co_await caller.cluster->back_off(patience.attempts());
  }
}

}  // namespace leat::client
