// Heartbeat: a member says that it lives, and hears whether the group rebalances.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "wire/api_key.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/versions.h"

namespace leat::wire {

struct HeartbeatResponse {
  static constexpr ApiKey key = ApiKey::heartbeat;
  static constexpr Versions valid{0, 4};
  static constexpr Versions flexible = since(4);

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms, since(1));
    v("error_code", m.error_code);
  }
};

struct HeartbeatRequest {
  static constexpr ApiKey key = ApiKey::heartbeat;
  static constexpr Versions valid{0, 4};
  static constexpr Versions flexible = since(4);
  using Response = HeartbeatResponse;

  std::string group_id;
  std::int32_t generation_id = 0;
  std::string member_id;
  std::optional<std::string> group_instance_id;
  static void fields(auto& m, auto& v) {
    v("group_id", m.group_id);
    v("generation_id", m.generation_id);
    v("member_id", m.member_id);
    v("group_instance_id", m.group_instance_id, since(3));
  }
};

}  // namespace leat::wire
