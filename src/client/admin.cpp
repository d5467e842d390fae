#include "client/admin.h"

#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include <fmt/core.h>

#include "client/cluster.h"
#include "client/wire_error.h"
#include "wire/create_topics.h"
#include "wire/delete_topics.h"
#include "wire/describe_configs.h"
#include "wire/incremental_alter_configs.h"
#include "wire/list_offsets.h"

namespace leat::client {

using wire::ErrorCode;

namespace {

/// Why one attempt failed.
struct Failure {
  Error error;
  bool retriable = false;
};
template <class T>
using Attempt = tl::expected<T, Failure>;

tl::unexpected<Failure> final_failure(Error error) {
  return tl::unexpected(Failure{std::move(error), false});
}
tl::unexpected<Failure> lost_connection(Error error) {
  bool retriable = is_transient(error);
  return tl::unexpected(Failure{std::move(error), retriable});
}
tl::unexpected<Failure> answered(ErrorCode code, std::string_view about,
                                 const Connection& connection,
                                 const std::optional<std::string>& words = std::nullopt) {
  return tl::unexpected(
      Failure{broker_error(code, about, connection.address().to_string(), words),
              wire::retriable(code) && code != ErrorCode::unknown_topic_or_partition});
}

/// Counts attempts and knows when to stop.
class Patience {
 public:
  explicit Patience(const Cluster& cluster)
      : deadline_(std::chrono::steady_clock::now() + cluster.options().operation_timeout) {}
  bool bears(const Failure& failure) {
    ++attempts_;
    return failure.retriable && std::chrono::steady_clock::now() < deadline_;
  }
  int attempts() const { return attempts_; }

 private:
  std::chrono::steady_clock::time_point deadline_;
  int attempts_ = 0;
};

net::Task<Attempt<Connection::Ptr>> find_controller(Cluster& cluster) {
  if (cluster.metadata().brokers().empty()) {
    std::vector<std::string> none;
    Result<void> refreshed = co_await cluster.refresh(std::move(none));
    // A cluster that nobody answers for is not waited for: the user may have mistyped it.
    if (!refreshed) co_return final_failure(refreshed.error());
  }
  Result<Connection::Ptr> connection = co_await cluster.controller();
  if (!connection) co_return lost_connection(connection.error());
  co_return *connection;
}

net::Task<Attempt<void>> try_create(Cluster& cluster, const NewTopic& topic) {
  Attempt<Connection::Ptr> found = co_await find_controller(cluster);
  if (!found) co_return tl::unexpected(found.error());
  Connection::Ptr connection = *found;
  Result<wire::Version> version = connection->version_of<wire::CreateTopicsRequest>();
  if (!version) co_return final_failure(version.error());
  constexpr wire::Version first_with_defaults = 4;
  bool has_defaults = *version >= first_with_defaults;
  wire::CreateTopicsRequest request;
  wire::CreateTopicsRequest::Topic asked;
  asked.name = topic.name;
  asked.num_partitions = topic.partitions.value_or(has_defaults ? -1 : 1);
  asked.replication_factor = topic.replication_factor.value_or(has_defaults ? -1 : 1);
  for (const auto& [key, value] : topic.configs) asked.configs.push_back({key, value});
  request.topics.push_back(std::move(asked));
  auto timeout = cluster.options().request_timeout;
  request.timeout_ms = static_cast<std::int32_t>(timeout.count());
  auto answer = co_await connection->call(request, timeout);
  if (!answer) co_return lost_connection(answer.error());
  for (const auto& created : answer->message.topics)
    if (created.error_code != ErrorCode::none)
      co_return answered(created.error_code, "topic " + topic.name, *connection,
                         created.error_message);
  co_return Attempt<void>{};
}

net::Task<Attempt<void>> try_delete(Cluster& cluster, const std::string& name) {
  Attempt<Connection::Ptr> found = co_await find_controller(cluster);
  if (!found) co_return tl::unexpected(found.error());
  Connection::Ptr connection = *found;
  wire::DeleteTopicsRequest request;
  request.topics.push_back({.name = name, .topic_id = {}});
  request.topic_names.push_back(name);
  auto timeout = cluster.options().request_timeout;
  request.timeout_ms = static_cast<std::int32_t>(timeout.count());
  auto answer = co_await connection->call(request, timeout);
  if (!answer) co_return lost_connection(answer.error());
  for (const auto& deleted : answer->message.responses)
    if (deleted.error_code != ErrorCode::none)
      co_return answered(deleted.error_code, "topic " + name, *connection, deleted.error_message);
  co_return Attempt<void>{};
}

net::Task<Attempt<void>> try_alter(
    Cluster& cluster, const std::string& name,
    const std::vector<std::pair<std::string, std::string>>& configs) {
  Attempt<Connection::Ptr> found = co_await find_controller(cluster);
  if (!found) co_return tl::unexpected(found.error());
  Connection::Ptr connection = *found;
  wire::IncrementalAlterConfigsRequest request;
  wire::IncrementalAlterConfigsRequest::Resource resource;
  resource.resource_type = wire::ConfigResourceType::topic;
  resource.resource_name = name;
  for (const auto& [key, value] : configs)
    resource.configs.push_back(
        {.name = key, .config_operation = wire::AlterConfigOperation::set, .value = value});
  request.resources.push_back(std::move(resource));
  auto timeout = cluster.options().request_timeout;
  auto answer = co_await connection->call(request, timeout);
  if (!answer) co_return lost_connection(answer.error());
  for (const auto& altered : answer->message.responses)
    if (altered.error_code != ErrorCode::none)
      co_return answered(altered.error_code, "topic " + name, *connection, altered.error_message);
  co_return Attempt<void>{};
}

net::Task<Attempt<TopicMetadata>> try_describe(Cluster& cluster, const std::string& name,
                                               bool create) {
  std::vector<std::string> names{name};
  Result<void> refreshed = co_await cluster.refresh(std::move(names), create);
  if (!refreshed) {
    bool was_connected = !cluster.metadata().brokers().empty();
    if (!was_connected) co_return final_failure(refreshed.error());
    co_return lost_connection(refreshed.error());
  }
  const TopicMetadata* topic = cluster.metadata().topic(name);
  ErrorCode error = topic ? topic->error : ErrorCode::unknown_topic_or_partition;
  if (error != ErrorCode::none) {
    // A topic that is being made is unknown, or without leader, for a moment.
    bool retriable =
        wire::retriable(error) && (create || error != ErrorCode::unknown_topic_or_partition);
    co_return tl::unexpected(Failure{
        broker_error(error, "topic " + name, cluster.addresses().front().to_string()), retriable});
  }
  co_return *topic;
}

net::Task<Attempt<std::vector<TopicConfig>>> try_configs(Cluster& cluster,
                                                         const std::string& name) {
  Attempt<Connection::Ptr> found = co_await find_controller(cluster);
  if (!found) co_return tl::unexpected(found.error());
  Connection::Ptr connection = *found;
  wire::DescribeConfigsRequest request;
  request.resources.push_back({.resource_type = wire::ConfigResourceType::topic,
                               .resource_name = name,
                               .configuration_keys = std::nullopt});
  auto timeout = cluster.options().request_timeout;
  auto answer = co_await connection->call(request, timeout);
  if (!answer) co_return lost_connection(answer.error());
  std::vector<TopicConfig> configs;
  for (const auto& resource : answer->message.results) {
    if (resource.error_code != ErrorCode::none)
      co_return answered(resource.error_code, "topic " + name, *connection, resource.error_message);
    for (const auto& config : resource.configs) {
      bool is_default = config.config_source == wire::ConfigSource::unknown
                            ? config.is_default
                            : config.config_source != wire::ConfigSource::topic_config;
      configs.push_back({config.name, config.value, is_default});
    }
  }
  co_return configs;
}

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
  net::Task<Attempt<void>> refresh_leaders();
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
  Attempt<void> refreshed = co_await refresh_leaders();
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

net::Task<Attempt<void>> OffsetLookup::refresh_leaders() {
  std::vector<std::string> topics;
  auto is_led = [&](const OffsetQuery& query) {
    return cluster_.metadata().leader(query.topic, query.partition).has_value();
  };
  for (std::size_t i = 0; i < queries_.size(); ++i)
    if (!done_[i] && !is_led(queries_[i])) topics.push_back(queries_[i].topic);
  if (topics.empty()) co_return Attempt<void>{};
  std::sort(topics.begin(), topics.end());
  topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
  Result<void> refreshed = co_await cluster_.refresh(std::move(topics));
  if (!refreshed) co_return lost_connection(refreshed.error());
  for (std::size_t i = 0; i < queries_.size(); ++i)
    if (!done_[i] && !is_led(queries_[i]))
      co_return tl::unexpected(
          Failure{{Errc::request_timed_out, fmt::format("{}/{}: the partition has no leader",
                                                        queries_[i].topic, queries_[i].partition)},
                  true});
  co_return Attempt<void>{};
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

net::Task<Result<void>> create_topic(std::shared_ptr<Cluster> cluster, NewTopic topic) {
  Patience patience(*cluster);
  while (true) {
    Attempt<void> created = co_await try_create(*cluster, topic);
    if (created) co_return Result<void>{};
    if (!patience.bears(created.error())) co_return tl::unexpected(created.error().error);
    co_await cluster->back_off(patience.attempts());
  }
}

net::Task<Result<void>> delete_topic(std::shared_ptr<Cluster> cluster, std::string name) {
  Patience patience(*cluster);
  while (true) {
    Attempt<void> deleted = co_await try_delete(*cluster, name);
    if (deleted) co_return Result<void>{};
    if (!patience.bears(deleted.error())) co_return tl::unexpected(deleted.error().error);
    co_await cluster->back_off(patience.attempts());
  }
}

net::Task<Result<void>> alter_topic(std::shared_ptr<Cluster> cluster, std::string name,
                                    std::vector<std::pair<std::string, std::string>> configs) {
  Patience patience(*cluster);
  while (true) {
    Attempt<void> altered = co_await try_alter(*cluster, name, configs);
    if (altered) co_return Result<void>{};
    if (!patience.bears(altered.error())) co_return tl::unexpected(altered.error().error);
    co_await cluster->back_off(patience.attempts());
  }
}

net::Task<Result<ClusterDescription>> describe_cluster(std::shared_ptr<Cluster> cluster) {
  std::vector<std::string> no_topics;
  Result<void> refreshed = co_await cluster->refresh(no_topics);
  if (!refreshed) co_return fail(refreshed);
  const Metadata& metadata = cluster->metadata();
  co_return ClusterDescription{metadata.cluster_id(), metadata.controller(), metadata.brokers()};
}

net::Task<Result<std::vector<TopicMetadata>>> list_topics(std::shared_ptr<Cluster> cluster) {
  Result<void> refreshed = co_await cluster->refresh(std::nullopt);
  if (!refreshed) co_return fail(refreshed);
  std::vector<TopicMetadata> topics;
  for (const auto& [name, topic] : cluster->metadata().topics()) topics.push_back(topic);
  co_return topics;
}

net::Task<Result<TopicMetadata>> describe_topic(std::shared_ptr<Cluster> cluster, std::string name,
                                                bool create) {
  Patience patience(*cluster);
  while (true) {
    Attempt<TopicMetadata> described = co_await try_describe(*cluster, name, create);
    if (described) co_return std::move(*described);
    if (!patience.bears(described.error())) co_return tl::unexpected(described.error().error);
    co_await cluster->back_off(patience.attempts());
  }
}

net::Task<Result<std::vector<TopicConfig>>> topic_configs(std::shared_ptr<Cluster> cluster,
                                                          std::string name) {
  Patience patience(*cluster);
  while (true) {
    Attempt<std::vector<TopicConfig>> configs = co_await try_configs(*cluster, name);
    if (configs) co_return std::move(*configs);
    if (!patience.bears(configs.error())) co_return tl::unexpected(configs.error().error);
    co_await cluster->back_off(patience.attempts());
  }
}

net::Task<Result<std::vector<OffsetFound>>> list_offsets(std::shared_ptr<Cluster> cluster,
                                                         std::vector<OffsetQuery> queries,
                                                         bool read_committed) {
  OffsetLookup lookup(*cluster, queries, read_committed);
  Patience patience(*cluster);
  while (true) {
    Attempt<void> attempt = co_await lookup.attempt();
    if (attempt) co_return lookup.take_found();
    if (!patience.bears(attempt.error())) co_return tl::unexpected(attempt.error().error);
    co_await cluster->back_off(patience.attempts());
  }
}

}  // namespace leat::client
