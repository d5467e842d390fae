// JoinGroup: a member enters a group, or comes back in a rebalance; answered when all have.
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

struct JoinGroupResponse {
  static constexpr ApiKey key = ApiKey::join_group;
  static constexpr Versions valid{0, 9};
  static constexpr Versions flexible = since(6);

  struct Member {
    std::string member_id;
    std::optional<std::string> group_instance_id;
    Bytes metadata;
    static void fields(auto& m, auto& v) {
      v("member_id", m.member_id);
      v("group_instance_id", m.group_instance_id, since(5));
      v("metadata", m.metadata);
    }
  };
  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::int32_t generation_id = -1;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol_name;
  std::string leader;
  bool skip_assignment = false;
  std::string member_id;
  std::vector<Member> members;  // for the leader only
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms, since(2));
    v("error_code", m.error_code);
    v("generation_id", m.generation_id);
    v("protocol_type", m.protocol_type, since(7));
    v("protocol_name", m.protocol_name, always, since(7));
    v("leader", m.leader);
    v("skip_assignment", m.skip_assignment, since(9));
    v("member_id", m.member_id);
    v("members", m.members);
  }
};

struct JoinGroupRequest {
  static constexpr ApiKey key = ApiKey::join_group;
  static constexpr Versions valid{0, 9};
  static constexpr Versions flexible = since(6);
  using Response = JoinGroupResponse;

  struct Protocol {
    std::string name;
    Bytes metadata;
    static void fields(auto& m, auto& v) {
      v("name", m.name);
      v("metadata", m.metadata);
    }
  };
  std::string group_id;
  std::int32_t session_timeout_ms = 0;
  std::int32_t rebalance_timeout_ms = -1;
  std::string member_id;  // empty for one that is new
  std::optional<std::string> group_instance_id;
  std::string protocol_type;
  std::vector<Protocol> protocols;  // best first
  std::optional<std::string> reason;
  static void fields(auto& m, auto& v) {
    v("group_id", m.group_id);
    v("session_timeout_ms", m.session_timeout_ms);
    v("rebalance_timeout_ms", m.rebalance_timeout_ms, since(1));
    v("member_id", m.member_id);
    v("group_instance_id", m.group_instance_id, since(5));
    v("protocol_type", m.protocol_type);
    v("protocols", m.protocols);
    v("reason", m.reason, since(8));
  }
};

}  // namespace leat::wire
