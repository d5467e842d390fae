// SyncGroup: the leader hands in what each member is to do, every member gets its part.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "wire/api_key.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/versions.h"

namespace leat::wire {

struct SyncGroupResponse {
  static constexpr ApiKey key = ApiKey::sync_group;
  static constexpr Versions valid{0, 5};
  static constexpr Versions flexible = since(4);

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol_name;
  Bytes assignment;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms, since(1));
    v("error_code", m.error_code);
    v("protocol_type", m.protocol_type, since(5));
    v("protocol_name", m.protocol_name, since(5));
    v("assignment", m.assignment);
  }
};

struct SyncGroupRequest {
  static constexpr ApiKey key = ApiKey::sync_group;
  static constexpr Versions valid{0, 5};
  static constexpr Versions flexible = since(4);
  using Response = SyncGroupResponse;

  struct Assignment {
    std::string member_id;
    Bytes assignment;
    static void fields(auto& m, auto& v) {
      v("member_id", m.member_id);
      v("assignment", m.assignment);
    }
  };
  std::string group_id;
  std::int32_t generation_id = 0;
  std::string member_id;
  std::optional<std::string> group_instance_id;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol_name;
  std::vector<Assignment> assignments;  // from the leader only
  static void fields(auto& m, auto& v) {
    v("group_id", m.group_id);
    v("generation_id", m.generation_id);
    v("member_id", m.member_id);
    v("group_instance_id", m.group_instance_id, since(3));
    v("protocol_type", m.protocol_type, since(5));
    v("protocol_name", m.protocol_name, since(5));
    v("assignments", m.assignments);
  }
};

}  // namespace leat::wire
