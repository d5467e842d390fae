// DescribeGroups: state and members of groups.
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

struct DescribeGroupsResponse {
  static constexpr ApiKey key = ApiKey::describe_groups;
  static constexpr Versions valid{0, 6};
  static constexpr Versions flexible = since(5);

  struct Member {
    std::string member_id;
    std::optional<std::string> group_instance_id;
    std::string client_id;
    std::string client_host;
    Bytes member_metadata;
    Bytes member_assignment;
    static void fields(auto& m, auto& v) {
      v("member_id", m.member_id);
      v("group_instance_id", m.group_instance_id, since(4));
      v("client_id", m.client_id);
      v("client_host", m.client_host);
      v("member_metadata", m.member_metadata);
      v("member_assignment", m.member_assignment);
    }
  };
  struct Group {
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    std::string group_id;
    std::string group_state;
    std::string protocol_type;
    std::string protocol_data;  // the protocol's name
    std::vector<Member> members;
    std::int32_t authorized_operations = INT32_MIN;
    static void fields(auto& m, auto& v) {
      v("error_code", m.error_code);
      v("error_message", m.error_message, since(6));
      v("group_id", m.group_id);
      v("group_state", m.group_state);
      v("protocol_type", m.protocol_type);
      v("protocol_data", m.protocol_data);
      v("members", m.members);
      v("authorized_operations", m.authorized_operations, since(3));
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Group> groups;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms, since(1));
    v("groups", m.groups);
  }
};

struct DescribeGroupsRequest {
  static constexpr ApiKey key = ApiKey::describe_groups;
  static constexpr Versions valid{0, 6};
  static constexpr Versions flexible = since(5);
  using Response = DescribeGroupsResponse;

  std::vector<std::string> groups;
  bool include_authorized_operations = false;
  static void fields(auto& m, auto& v) {
    v("groups", m.groups);
    v("include_authorized_operations", m.include_authorized_operations, since(3));
  }
};

}  // namespace leat::wire
