// CreateTopics.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "wire/api_key.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/versions.h"

namespace leat::wire {

struct CreateTopicsResponse {
  static constexpr ApiKey key = ApiKey::create_topics;
  static constexpr Versions valid{0, 7};
  static constexpr Versions flexible = since(5);

  struct Config {
    std::string name;
    std::optional<std::string> value;
    bool read_only = false;
    std::int8_t config_source = -1;
    bool is_sensitive = false;
    static void fields(auto& m, auto& v) {
      v("name", m.name);
      v("value", m.value);
      v("read_only", m.read_only);
      v("config_source", m.config_source);
      v("is_sensitive", m.is_sensitive);
    }
  };
  struct Topic {
    std::string name;
    Uuid topic_id;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    ErrorCode topic_config_error_code = ErrorCode::none;
    std::int32_t num_partitions = -1;
    std::int16_t replication_factor = -1;
    std::optional<std::vector<Config>> configs;
    static void fields(auto& m, auto& v) {
      v("name", m.name);
      v("topic_id", m.topic_id, since(7));
      v("error_code", m.error_code);
      v("error_message", m.error_message, since(1));
      v.tagged(0, "topic_config_error_code", m.topic_config_error_code, since(5));
      v("num_partitions", m.num_partitions, since(5));
      v("replication_factor", m.replication_factor, since(5));
      v("configs", m.configs, since(5));
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms, since(2));
    v("topics", m.topics);
  }
};

struct CreateTopicsRequest {
  static constexpr ApiKey key = ApiKey::create_topics;
  static constexpr Versions valid{0, 7};
  static constexpr Versions flexible = since(5);
  using Response = CreateTopicsResponse;

  struct Assignment {
    std::int32_t partition_index = 0;
    std::vector<std::int32_t> broker_ids;
    static void fields(auto& m, auto& v) {
      v("partition_index", m.partition_index);
      v("broker_ids", m.broker_ids);
    }
  };
  struct Config {
    std::string name;
    std::optional<std::string> value;
    static void fields(auto& m, auto& v) {
      v("name", m.name);
      v("value", m.value);
    }
  };
  struct Topic {
    std::string name;
    std::int32_t num_partitions = 0;      // -1: by assignment, or the server's default
    std::int16_t replication_factor = 0;  // -1: likewise
    std::vector<Assignment> assignments;
    std::vector<Config> configs;
    static void fields(auto& m, auto& v) {
      v("name", m.name);
      v("num_partitions", m.num_partitions);
      v("replication_factor", m.replication_factor);
      v("assignments", m.assignments);
      v("configs", m.configs);
    }
  };
  std::vector<Topic> topics;
  std::int32_t timeout_ms = 60'000;
  bool validate_only = false;
  static void fields(auto& m, auto& v) {
    v("topics", m.topics);
    v("timeout_ms", m.timeout_ms);
    v("validate_only", m.validate_only, since(1));
  }
};

}  // namespace leat::wire
