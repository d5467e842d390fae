// A topic's settings as tools are shown them: all there are, given or by default.
#pragma once

#include <string>
#include <vector>

#include "broker/topic_config.h"
#include "wire/describe_configs.h"

namespace leat::server {

struct TopicConfig {
  const broker::ConfigKey* key = nullptr;
  std::string value;
  bool is_given = false;  // for this topic, as opposed to by default

  wire::ConfigSource source() const {
    return is_given ? wire::ConfigSource::topic_config : wire::ConfigSource::default_config;
  }
};

/// By name.
std::vector<TopicConfig> topic_configs(const broker::ConfigMap& given);

}  // namespace leat::server
