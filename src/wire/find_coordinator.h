// FindCoordinator: which broker coordinates a group or a transactional id.
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

/// What the key of a FindCoordinator request names.
enum class CoordinatorKeyType : std::int8_t { group = 0, transaction = 1, share = 2 };

struct FindCoordinatorResponse {
  static constexpr ApiKey key = ApiKey::find_coordinator;
  static constexpr Versions valid{0, 6};
  static constexpr Versions flexible = since(3);

  struct Coordinator {
    std::string key;
    std::int32_t node_id = 0;
    std::string host;
    std::int32_t port = 0;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    static void fields(auto& m, auto& v) {
      v("key", m.key);
      v("node_id", m.node_id);
      v("host", m.host);
      v("port", m.port);
      v("error_code", m.error_code);
      v("error_message", m.error_message);
    }
  };
  std::int32_t throttle_time_ms = 0;
  // Up to version 3 the answer for the one key; from 4 on one for each key in `coordinators`.
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string> error_message;
  std::int32_t node_id = 0;
  std::string host;
  std::int32_t port = 0;
  std::vector<Coordinator> coordinators;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms, since(1));
    v("error_code", m.error_code, until(3));
    v("error_message", m.error_message, Versions{1, 3});
    v("node_id", m.node_id, until(3));
    v("host", m.host, until(3));
    v("port", m.port, until(3));
    v("coordinators", m.coordinators, since(4));
  }
};

struct FindCoordinatorRequest {
  static constexpr ApiKey key = ApiKey::find_coordinator;
  static constexpr Versions valid{0, 6};
  static constexpr Versions flexible = since(3);
  using Response = FindCoordinatorResponse;

  std::string coordinator_key;  // up to version 3
  CoordinatorKeyType key_type = CoordinatorKeyType::group;
  std::vector<std::string> coordinator_keys;  // from version 4 on
  static void fields(auto& m, auto& v) {
    v("key", m.coordinator_key, until(3));
    v("key_type", m.key_type, since(1));
    v("coordinator_keys", m.coordinator_keys, since(4));
  }
};

}  // namespace leat::wire
