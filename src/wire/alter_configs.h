// AlterConfigs: replaces all settings of a topic or a broker. What is not named goes back to its
// default; incremental_alter_configs.h is what newer clients send.
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

struct AlterConfigsResponse {
  static constexpr ApiKey key = ApiKey::alter_configs;
  static constexpr Versions valid{0, 2};
  static constexpr Versions flexible = since(2);

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

struct AlterConfigsRequest {
  static constexpr ApiKey key = ApiKey::alter_configs;
  static constexpr Versions valid{0, 2};
  static constexpr Versions flexible = since(2);
  using Response = AlterConfigsResponse;

  struct Config {
    std::string name;
    std::optional<std::string> value;
    static void fields(auto& m, auto& v) {
      v("name", m.name);
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
