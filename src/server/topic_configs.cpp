#include "server/topic_configs.h"

namespace leat::server {

std::vector<TopicConfig> topic_configs(const broker::ConfigMap& given) {
  std::vector<TopicConfig> configs;
  for (const broker::ConfigKey& key : broker::topic_config_keys()) {
    TopicConfig& config = configs.emplace_back();
    config.key = &key;
    config.value = broker::config_value(given, key.name);
    config.is_given = given.contains(std::string(key.name));
  }
  return configs;
}

}  // namespace leat::server
