// DescribeConfigs: all settings of a topic, and those of the broker that tools look for.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "server/broker_configs.h"
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
  broker::TopicPtr topic = broker.find_topic(resource.resource_name);
  if (!topic) {
    return refuse(resource, wire::ErrorCode::unknown_topic_or_partition,
                  fmt::format("there is no topic '{:.200}'", resource.resource_name));
  }
  for (const TopicConfig& topic_config : topic_configs(topic->info.configs)) {
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
    // Named as the broker's setting that would give it, as Kafka does.
    std::string_view default_name = key.broker_name.empty() ? key.name : key.broker_name;
    config.synonyms.push_back(
        {std::string(default_name), std::string(key.default_value), ConfigSource::default_config});
  }
}

void describe_broker(const Call<DescribeConfigsRequest>& call, Resource& resource) {
  const Node& node = call.node();
  if (resource.resource_name.empty()) return;  // defaults of all brokers: there are none
  if (resource.resource_name != std::to_string(node.id)) {
    return refuse(
        resource, wire::ErrorCode::invalid_request,
        fmt::format("the only broker is {}, not '{:.200}'", node.id, resource.resource_name));
  }
  for (BrokerConfig& shown : broker_configs(node.options, node.id, call.advertised())) {
    Config& config = resource.configs.emplace_back();
    config.name = std::move(shown.name);
    config.value = shown.value;
    config.read_only = true;  // they are given at the start
    config.config_source = shown.source();
    config.is_default = config.config_source == ConfigSource::default_config;
    config.config_type = shown.type;
    config.documentation = std::move(shown.documentation);
    if (!config.is_default) {
      config.synonyms.push_back({config.name, config.value, ConfigSource::static_broker_config});
    }
    if (config.is_default || !shown.default_value.empty()) {
      config.synonyms.push_back(
          {config.name, std::move(shown.default_value), ConfigSource::default_config});
    }
  }
}

/// Leaves what was asked for.
void trim(const DescribeConfigsRequest& request, const DescribeConfigsRequest::Resource& asked,
          Resource& resource) {
  // An empty list asks for all, as a null one does.
  if (asked.configuration_keys && !asked.configuration_keys->empty()) {
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
