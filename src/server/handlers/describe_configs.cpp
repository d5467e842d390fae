// DescribeConfigs: all settings of a topic, and those of the broker that tools look for.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "server/handlers.h"
#include "server/topic_configs.h"
#include "server/wire_error.h"

namespace leat::server {
namespace {

using wire::ConfigSource;
using wire::ConfigType;
using wire::DescribeConfigsRequest;
using wire::DescribeConfigsResponse;

using Resource = DescribeConfigsResponse::Resource;
using Config = DescribeConfigsResponse::Config;

void refuse(Resource& resource, wire::ErrorCode code, std::string why) {
  resource.error_code = code;
  resource.error_message = std::move(why);
}

void describe_topic(const broker::Broker& broker, Resource& resource) {
  const broker::TopicInfo* info = broker.find_topic(resource.resource_name);
  if (info == nullptr) {
    return refuse(resource, wire::ErrorCode::unknown_topic_or_partition,
                  fmt::format("there is no topic '{}'", resource.resource_name));
  }
  for (const TopicConfig& topic_config : topic_configs(info->configs)) {
    const broker::ConfigKey& key = *topic_config.key;
    Config& config = resource.configs.emplace_back();
    config.name = key.name;
    config.value = topic_config.value;
    config.is_default = !topic_config.is_given;
    config.config_source = topic_config.source();
    config.config_type = static_cast<ConfigType>(key.type);
    config.documentation = std::string(key.documentation);
    if (topic_config.is_given) {
      config.synonyms.push_back({config.name, config.value, ConfigSource::topic_config});
    }
    config.synonyms.push_back(
        {config.name, std::string(key.default_value), ConfigSource::default_config});
  }
}

/// A setting of the broker under Kafka's name. Read-only: they are given at the start.
void add(Resource& resource, std::string name, ConfigType type, std::string value,
         std::string documentation) {
  Config& config = resource.configs.emplace_back();
  config.name = std::move(name);
  config.value = std::move(value);
  config.read_only = true;
  config.config_source = ConfigSource::static_broker_config;
  config.config_type = type;
  config.documentation = std::move(documentation);
  config.synonyms.push_back({config.name, config.value, ConfigSource::static_broker_config});
}

void describe_broker(const Call<DescribeConfigsRequest>& call, Resource& resource) {
  const Node& node = call.node();
  if (resource.resource_name.empty()) return;  // defaults of all brokers: there are none
  if (resource.resource_name != std::to_string(node.id)) {
    return refuse(resource, wire::ErrorCode::invalid_request,
                  fmt::format("the only broker is {}, not '{}'", node.id, resource.resource_name));
  }
  const broker::BrokerOptions& options = node.broker.options();
  const Limits& limits = node.options.limits;
  std::string listener = "PLAINTEXT://" + call.advertised().to_string();
  auto number = [](auto value) { return fmt::format("{}", value); };
  add(resource, "advertised.listeners", ConfigType::string_type, listener,
      "Where this client finds the server.");
  add(resource, "auto.create.topics.enable", ConfigType::boolean_type,
      options.auto_create_topics ? "true" : "false",
      "Makes a topic that is asked for and missing.");
  add(resource, "broker.id", ConfigType::int_type, number(node.id), "The number of this node.");
  add(resource, "compression.type", ConfigType::string_type, "producer",
      "Batches keep the codec of their producer.");
  add(resource, "connections.max.idle.ms", ConfigType::long_type,
      number(limits.idle_timeout.count()), "A connection silent for so long is closed.");
  add(resource, "default.replication.factor", ConfigType::int_type, "1",
      "A single node keeps one replica.");
  add(resource, "delete.topic.enable", ConfigType::boolean_type, "true", "Topics can be deleted.");
  add(resource, "inter.broker.protocol.version", ConfigType::string_type, "3.9",
      "There is no other broker; tools tell by it what can be asked for.");
  add(resource, "log.cleanup.policy", ConfigType::list_type, "delete",
      "The default of a topic's cleanup.policy.");
  add(resource, "log.dirs", ConfigType::string_type, options.store.directory,
      "The data directory.");
  add(resource, "log.retention.ms", ConfigType::long_type, broker::config_value({}, "retention.ms"),
      "The default of a topic's retention.ms.");
  add(resource, "log.segment.bytes", ConfigType::int_type,
      broker::config_value({}, "segment.bytes"), "The default of a topic's segment.bytes.");
  add(resource, "max.connections", ConfigType::int_type, number(limits.connections_max),
      "Connections beyond this many are closed.");
  add(resource, "max.connections.per.ip", ConfigType::int_type,
      number(limits.connections_per_address_max), "The same for each address.");
  add(resource, "message.max.bytes", ConfigType::int_type,
      broker::config_value({}, "max.message.bytes"), "The default of a topic's max.message.bytes.");
  add(resource, "min.insync.replicas", ConfigType::int_type, "1",
      "A single node keeps one replica.");
  add(resource, "node.id", ConfigType::int_type, number(node.id), "The number of this node.");
  add(resource, "num.partitions", ConfigType::int_type, number(options.default_partitions),
      "Partitions of a topic made without a count.");
  add(resource, "offsets.topic.replication.factor", ConfigType::short_type, "1",
      "A single node keeps one replica.");
  add(resource, "socket.request.max.bytes", ConfigType::int_type, number(limits.frame_bytes_max),
      "The largest request.");
}

/// Leaves what was asked for.
void trim(const DescribeConfigsRequest& request, const DescribeConfigsRequest::Resource& asked,
          Resource& resource) {
  if (asked.configuration_keys) {
    const auto& names = *asked.configuration_keys;
    std::erase_if(resource.configs, [&](const Config& config) {
      return std::find(names.begin(), names.end(), config.name) == names.end();
    });
  }
  for (Config& config : resource.configs) {
    if (!request.include_synonyms) config.synonyms.clear();
    if (!request.include_documentation) config.documentation.reset();
  }
}

}  // namespace

void handle(Call<DescribeConfigsRequest> call) {
  const DescribeConfigsRequest& request = call.request();
  DescribeConfigsResponse response;
  for (const auto& asked : request.resources) {
    Resource& resource = response.results.emplace_back();
    resource.resource_type = asked.resource_type;
    resource.resource_name = asked.resource_name;
    switch (asked.resource_type) {
      case wire::ConfigResourceType::topic: describe_topic(call.broker(), resource); break;
      case wire::ConfigResourceType::broker: describe_broker(call, resource); break;
      default:
        refuse(resource, wire::ErrorCode::invalid_request,
               fmt::format("resources of type {} have no settings here",
                           static_cast<int>(asked.resource_type)));
    }
    trim(request, asked, resource);
  }
  call.answer(response);
}

}  // namespace leat::server
