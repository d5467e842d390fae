#include "client/admin.h"

#include <boost/asio/use_awaitable.hpp>

#include <utility>

#include "client/attempt.h"
#include "wire/create_partitions.h"
#include "wire/create_topics.h"
#include "wire/delete_topics.h"
#include "wire/describe_configs.h"
#include "wire/incremental_alter_configs.h"

namespace leat::client {

using wire::ErrorCode;

namespace {

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

net::Task<Attempt<void>> try_alter(Cluster& cluster, const std::string& name,
                                   const std::vector<ConfigChange>& changes) {
  Attempt<Connection::Ptr> found = co_await find_controller(cluster);
  if (!found) co_return tl::unexpected(found.error());
  Connection::Ptr connection = *found;
  wire::IncrementalAlterConfigsRequest request;
  wire::IncrementalAlterConfigsRequest::Resource resource;
  resource.resource_type = wire::ConfigResourceType::topic;
  resource.resource_name = name;
  for (const ConfigChange& change : changes) {
    auto operation =
        change.value ? wire::AlterConfigOperation::set : wire::AlterConfigOperation::remove;
    resource.configs.push_back(
        {.name = change.name, .config_operation = operation, .value = change.value});
  }
  request.resources.push_back(std::move(resource));
  auto timeout = cluster.options().request_timeout;
  auto answer = co_await connection->call(request, timeout);
  if (!answer) co_return lost_connection(answer.error());
  for (const auto& altered : answer->message.responses)
    if (altered.error_code != ErrorCode::none)
      co_return answered(altered.error_code, "topic " + name, *connection, altered.error_message);
  co_return Attempt<void>{};
}

net::Task<Attempt<void>> try_create_partitions(Cluster& cluster, const std::string& name,
                                               std::int32_t count) {
  Attempt<Connection::Ptr> found = co_await find_controller(cluster);
  if (!found) co_return tl::unexpected(found.error());
  Connection::Ptr connection = *found;
  wire::CreatePartitionsRequest request;
  request.topics.push_back({.name = name, .count = count, .assignments = std::nullopt});
  auto timeout = cluster.options().request_timeout;
  request.timeout_ms = static_cast<std::int32_t>(timeout.count());
  auto answer = co_await connection->call(request, timeout);
  if (!answer) co_return lost_connection(answer.error());
  for (const auto& created : answer->message.results)
    if (created.error_code != ErrorCode::none)
      co_return answered(created.error_code, "topic " + name, *connection, created.error_message);
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

}  // namespace

net::Task<Result<void>> create_topic(Caller caller, NewTopic topic) {
  Patience patience(caller);
  while (true) {
    Attempt<void> created = co_await try_create(*caller.cluster, topic);
    if (created) co_return Result<void>{};
    if (!patience.bears(created.error())) co_return tl::unexpected(created.error().error);
    co_await caller.cluster->back_off(patience.attempts());
  }
}

net::Task<Result<void>> delete_topic(Caller caller, std::string name) {
  Patience patience(caller);
  while (true) {
    Attempt<void> deleted = co_await try_delete(*caller.cluster, name);
    if (deleted) co_return Result<void>{};
    if (!patience.bears(deleted.error())) co_return tl::unexpected(deleted.error().error);
    co_await caller.cluster->back_off(patience.attempts());
  }
}

net::Task<Result<void>> alter_topic(Caller caller, std::string name,
                                    std::vector<ConfigChange> changes) {
  Patience patience(caller);
  while (true) {
    Attempt<void> altered = co_await try_alter(*caller.cluster, name, changes);
    if (altered) co_return Result<void>{};
    if (!patience.bears(altered.error())) co_return tl::unexpected(altered.error().error);
    co_await caller.cluster->back_off(patience.attempts());
  }
}

net::Task<Result<void>> create_partitions(Caller caller, std::string name, std::int32_t count) {
  Patience patience(caller);
  while (true) {
    Attempt<void> created = co_await try_create_partitions(*caller.cluster, name, count);
    if (created) co_return Result<void>{};
    if (!patience.bears(created.error())) co_return tl::unexpected(created.error().error);
    co_await caller.cluster->back_off(patience.attempts());
  }
}

net::Task<Result<ClusterDescription>> describe_cluster(Caller caller) {
  std::vector<std::string> no_topics;
  Result<void> refreshed = co_await caller.cluster->refresh(no_topics);
  if (!refreshed) co_return fail(refreshed);
  const Metadata& metadata = caller.cluster->metadata();
  co_return ClusterDescription{metadata.cluster_id(), metadata.controller(), metadata.brokers()};
}

net::Task<Result<std::vector<TopicMetadata>>> list_topics(Caller caller) {
  Result<void> refreshed = co_await caller.cluster->refresh(std::nullopt);
  if (!refreshed) co_return fail(refreshed);
  std::vector<TopicMetadata> topics;
  for (const auto& [name, topic] : caller.cluster->metadata().topics()) topics.push_back(topic);
  co_return topics;
}

net::Task<Result<TopicMetadata>> describe_topic(Caller caller, std::string name, bool create) {
  Patience patience(caller);
  while (true) {
    Attempt<TopicMetadata> described = co_await try_describe(*caller.cluster, name, create);
    if (described) co_return std::move(*described);
    if (!patience.bears(described.error())) co_return tl::unexpected(described.error().error);
    co_await caller.cluster->back_off(patience.attempts());
  }
}

net::Task<Result<std::vector<TopicConfig>>> topic_configs(Caller caller, std::string name) {
  Patience patience(caller);
  while (true) {
    Attempt<std::vector<TopicConfig>> configs = co_await try_configs(*caller.cluster, name);
    if (configs) co_return std::move(*configs);
    if (!patience.bears(configs.error())) co_return tl::unexpected(configs.error().error);
    co_await caller.cluster->back_off(patience.attempts());
  }
}

}  // namespace leat::client
