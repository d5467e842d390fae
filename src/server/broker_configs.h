// The broker's own settings under Kafka's names, as tools are shown them.
#pragma once

#include <string>
#include <vector>

#include "net/address.h"
#include "server/options.h"
#include "wire/describe_configs.h"

namespace leat::server {

struct BrokerConfig {
  std::string name;
  wire::ConfigType type = wire::ConfigType::unknown;
  std::string value;
  std::string documentation;
  /// What it is where nobody sets it.
  std::string default_value;

  wire::ConfigSource source() const {
    return value == default_value ? wire::ConfigSource::default_config
                                  : wire::ConfigSource::static_broker_config;
  }
};

/// By name. `advertised` is what the client that asks connected to.
std::vector<BrokerConfig> broker_configs(const ServerOptions& options, std::int32_t node_id,
                                         const net::Address& advertised);

}  // namespace leat::server
