// LeaveGroup: members go, by themselves or, from version 3 on, sent away by an admin.
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

struct LeaveGroupResponse {
  static constexpr ApiKey key = ApiKey::leave_group;
  static constexpr Versions valid{0, 5};
  static constexpr Versions flexible = since(4);

  struct Member {
    std::string member_id;
    std::optional<std::string> group_instance_id;
    ErrorCode error_code = ErrorCode::none;
    static void fields(auto& m, auto& v) {
      v("member_id", m.member_id);
      v("group_instance_id", m.group_instance_id);
      v("error_code", m.error_code);
    }
  };
  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<Member> members;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms, since(1));
    v("error_code", m.error_code);
    v("members", m.members, since(3));
  }
};

struct LeaveGroupRequest {
  static constexpr ApiKey key = ApiKey::leave_group;
  static constexpr Versions valid{0, 5};
  static constexpr Versions flexible = since(4);
  using Response = LeaveGroupResponse;

  struct Member {
    std::string member_id;
    std::optional<std::string> group_instance_id;
    std::optional<std::string> reason;
    static void fields(auto& m, auto& v) {
      v("member_id", m.member_id);
      v("group_instance_id", m.group_instance_id);
      v("reason", m.reason, since(5));
    }
  };
  std::string group_id;
  std::string member_id;  // up to version 2
  std::vector<Member> members;
  static void fields(auto& m, auto& v) {
    v("group_id", m.group_id);
    v("member_id", m.member_id, until(2));
    v("members", m.members, since(3));
  }
};

}  // namespace leat::wire
