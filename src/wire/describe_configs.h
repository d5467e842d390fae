// DescribeConfigs: the configuration of topics and brokers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wire/api_key.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/versions.h"

namespace leat::wire {

/// What a configuration belongs to.
enum class ConfigResourceType : std::int8_t { unknown = 0, topic = 2, broker = 4 };

/// Where a value comes from.
enum class ConfigSource : std::int8_t {
  unknown = 0,
  topic_config = 1,
  dynamic_broker_config = 2,
  dynamic_default_broker_config = 3,
  static_broker_config = 4,
  default_config = 5,
};

enum class ConfigType : std::int8_t {
  unknown = 0,
  boolean_type = 1,
  string_type = 2,
  int_type = 3,
  short_type = 4,
  long_type = 5,
  double_type = 6,
  list_type = 7,
  class_type = 8,
  password_type = 9,
};

struct DescribeConfigsResponse {
  static constexpr ApiKey key = ApiKey::describe_configs;
  static constexpr Versions valid{0, 4};
  static constexpr Versions flexible = since(4);

  struct Synonym {
    std::string name;
    std::optional<std::string> value;
    ConfigSource source = ConfigSource::unknown;
    static void fields(auto& m, auto& v) {
      v("name", m.name);
      v("value", m.value);
      v("source", m.source);
    }
  };
  struct Config {
    std::string name;
    std::optional<std::string> value;
    bool read_only = false;
    bool is_default = false;  // version 0 has this instead of the source
    ConfigSource config_source = ConfigSource::unknown;
    bool is_sensitive = false;
    std::vector<Synonym> synonyms;
    ConfigType config_type = ConfigType::unknown;
    std::optional<std::string> documentation;
    static void fields(auto& m, auto& v) {
      v("name", m.name);
      v("value", m.value);
      v("read_only", m.read_only);
      v("is_default", m.is_default, only(0));
      v("config_source", m.config_source, since(1));
      v("is_sensitive", m.is_sensitive);
      v("synonyms", m.synonyms, since(1));
      v("config_type", m.config_type, since(3));
      v("documentation", m.documentation, since(3));
    }
  };
  struct Resource {
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    ConfigResourceType resource_type = ConfigResourceType::unknown;
    std::string resource_name;
    std::vector<Config> configs;
    static void fields(auto& m, auto& v) {
      v("error_code", m.error_code);
      v("error_message", m.error_message);
      v("resource_type", m.resource_type);
      v("resource_name", m.resource_name);
      v("configs", m.configs);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Resource> results;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms);
    v("results", m.results);
  }
};

struct DescribeConfigsRequest {
  static constexpr ApiKey key = ApiKey::describe_configs;
  static constexpr Versions valid{0, 4};
  static constexpr Versions flexible = since(4);
  using Response = DescribeConfigsResponse;

  struct Resource {
    ConfigResourceType resource_type = ConfigResourceType::unknown;
    std::string resource_name;
    std::optional<std::vector<std::string>> configuration_keys;  // null: all
    static void fields(auto& m, auto& v) {
      v("resource_type", m.resource_type);
      v("resource_name", m.resource_name);
      v("configuration_keys", m.configuration_keys);
    }
  };
  std::vector<Resource> resources;
  bool include_synonyms = false;
  bool include_documentation = false;
  static void fields(auto& m, auto& v) {
    v("resources", m.resources);
    v("include_synonyms", m.include_synonyms, since(1));
    v("include_documentation", m.include_documentation, since(3));
  }
};

}  // namespace leat::wire
