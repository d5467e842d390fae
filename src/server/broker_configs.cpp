#include "server/broker_configs.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/core.h>

namespace leat::server {
namespace {

using wire::ConfigType;

std::string flag(bool value) {
  return value ? "true" : "false";
}

template <class Number>
std::string number(Number value) {
  return fmt::format("{}", value);
}

/// What is told of these options, without order and without defaults.
std::vector<BrokerConfig> describe(const ServerOptions& options) {
  const broker::BrokerOptions& broker = options.broker;
  const Limits& limits = options.limits;
  return {
      {"auto.create.topics.enable", ConfigType::boolean_type, flag(broker.auto_create_topics),
       "Makes a topic that is asked for and missing.", ""},
      {"connections.max.idle.ms", ConfigType::long_type, number(limits.idle_timeout.count()),
       "A connection silent for so long is closed.", ""},
      {"default.replication.factor", ConfigType::int_type, "1", "A single node keeps one replica.",
       ""},
      {"delete.topic.enable", ConfigType::boolean_type, "true", "Topics can be deleted.", ""},
      {"fetch.max.bytes", ConfigType::int_type, number(limits.fetch_bytes_max),
       "The most that one Fetch is answered with.", ""},
      {"inter.broker.protocol.version", ConfigType::string_type, "3.9",
       "There is no other broker; tools tell by it what can be asked for.", ""},
      {"log.dirs", ConfigType::string_type, broker.store.directory, "The data directory.", ""},
      {"log.retention.check.interval.ms", ConfigType::long_type,
       number(broker.retention_check_interval.count()), "How often old segments are looked for.",
       ""},
      {"max.connections", ConfigType::int_type, number(limits.connections_max),
       "Connections beyond this many are closed.", ""},
      {"max.connections.per.ip", ConfigType::int_type, number(limits.connections_per_address_max),
       "The same for each address.", ""},
      {"max.incremental.fetch.session.cache.slots", ConfigType::int_type,
       number(limits.fetch_sessions_max), "Fetch sessions at most.", ""},
      {"num.partitions", ConfigType::int_type, number(broker.default_partitions),
       "Partitions of a topic made without a count.", ""},
      {"offsets.topic.replication.factor", ConfigType::short_type, "1",
       "A single node keeps one replica.", ""},
      {"queued.max.request.bytes", ConfigType::long_type, number(limits.request_memory_bytes),
       "Memory for the requests that are being received or answered.", ""},
      {"socket.request.max.bytes", ConfigType::int_type, number(limits.frame_bytes_max),
       "The largest request.", ""},
      {"transaction.state.log.replication.factor", ConfigType::short_type, "1",
       "A single node keeps one replica.", ""},
  };
}

/// What topics get that have no setting of their own.
void add_topic_defaults(std::vector<BrokerConfig>& configs) {
  for (const broker::ConfigKey& key : broker::topic_config_keys()) {
    if (key.broker_name.empty()) continue;
    std::string value(key.default_value);
    configs.push_back({std::string(key.broker_name), static_cast<ConfigType>(key.type), value,
                       fmt::format("The default of a topic's {}.", key.name), value});
  }
}

}  // namespace

std::vector<BrokerConfig> broker_configs(const ServerOptions& options, std::int32_t node_id,
                                         const net::Address& advertised) {
  std::vector<BrokerConfig> configs = describe(options);
  std::vector<BrokerConfig> defaults = describe(ServerOptions{});
  for (std::size_t i = 0; i < configs.size(); ++i) configs[i].default_value = defaults[i].value;
  add_topic_defaults(configs);
  std::string listener = "PLAINTEXT://" + advertised.to_string();
  configs.push_back({"advertised.listeners", ConfigType::string_type, listener,
                     "Where this client finds the server.", ""});
  configs.push_back({"listeners", ConfigType::string_type,
                     "PLAINTEXT://" + options.kafka.to_string(), "Where it listens.", ""});
  for (std::string name : {"broker.id", "node.id"}) {
    configs.push_back(
        {name, ConfigType::int_type, number(node_id), "The number of this node.", "-1"});
  }
  std::sort(configs.begin(), configs.end(),
            [](const BrokerConfig& a, const BrokerConfig& b) { return a.name < b.name; });
  return configs;
}

}  // namespace leat::server
