// IncrementalAlterConfigs: changes single settings of topics and brokers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wire/api_key.h"
#include "wire/describe_configs.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/versions.h"

namespace leat::wire {

/// `append` and `subtract` are for settings that are lists.
enum class AlterConfigOperation : std::int8_t { set = 0, remove = 1, append = 2, subtract = 3 };

struct IncrementalAlterConfigsResponse {
  static constexpr ApiKey key = ApiKey::incremental_alter_configs;
  static constexpr Versions valid{0, 1};
  static constexpr Versions flexible = since(1);

  struct Resource {
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    ConfigResourceType resource_type = ConfigResourceType::unknown;
    std::string resource_name;
    static void fields(auto& m, auto& v) {
      v("error_code", m.error_code);
      v("error_message", m.error_message);
      v("resource_type", m.resource_type);
      v("resource_name", m.resource_name);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Resource> responses;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms);
    v("responses", m.responses);
  }
};

struct IncrementalAlterConfigsRequest {
  static constexpr ApiKey key = ApiKey::incremental_alter_configs;
  static constexpr Versions valid{0, 1};
  static constexpr Versions flexible = since(1);
  using Response = IncrementalAlterConfigsResponse;

  struct Config {
    std::string name;
    AlterConfigOperation config_operation = AlterConfigOperation::set;
    std::optional<std::string> value;
    static void fields(auto& m, auto& v) {
      v("name", m.name);
      v("config_operation", m.config_operation);
      v("value", m.value);
    }
  };
  struct Resource {
    ConfigResourceType resource_type = ConfigResourceType::unknown;
    std::string resource_name;
    std::vector<Config> configs;
    static void fields(auto& m, auto& v) {
      v("resource_type", m.resource_type);
      v("resource_name", m.resource_name);
      v("configs", m.configs);
    }
  };
  std::vector<Resource> resources;
  bool validate_only = false;
  static void fields(auto& m, auto& v) {
    v("resources", m.resources);
    v("validate_only", m.validate_only);
  }
};

}  // namespace leat::wire
