// CreatePartitions: gives topics more partitions.
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

struct CreatePartitionsResponse {
  static constexpr ApiKey key = ApiKey::create_partitions;
  static constexpr Versions valid{0, 3};
  static constexpr Versions flexible = since(2);

  struct Topic {
    std::string name;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    static void fields(auto& m, auto& v) {
      v("name", m.name);
      v("error_code", m.error_code);
      v("error_message", m.error_message);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> results;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms);
    v("results", m.results);
  }
};

struct CreatePartitionsRequest {
  static constexpr ApiKey key = ApiKey::create_partitions;
  static constexpr Versions valid{0, 3};
  static constexpr Versions flexible = since(2);
  using Response = CreatePartitionsResponse;

  struct Assignment {
    std::vector<std::int32_t> broker_ids;
    static void fields(auto& m, auto& v) { v("broker_ids", m.broker_ids); }
  };
  struct Topic {
    std::string name;
    std::int32_t count = 0;                              // of all partitions, old ones included
    std::optional<std::vector<Assignment>> assignments;  // one for each new one
    static void fields(auto& m, auto& v) {
      v("name", m.name);
      v("count", m.count);
      v("assignments", m.assignments);
    }
  };
  std::vector<Topic> topics;
  std::int32_t timeout_ms = 0;
  bool validate_only = false;
  static void fields(auto& m, auto& v) {
    v("topics", m.topics);
    v("timeout_ms", m.timeout_ms);
    v("validate_only", m.validate_only);
  }
};

}  // namespace leat::wire
