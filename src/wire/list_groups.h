// ListGroups: the groups that a coordinator knows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire/api_key.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/versions.h"

namespace leat::wire {

struct ListGroupsResponse {
  static constexpr ApiKey key = ApiKey::list_groups;
  static constexpr Versions valid{0, 5};
  static constexpr Versions flexible = since(3);

  struct Group {
    std::string group_id;
    std::string protocol_type;
    std::string group_state;
    std::string group_type;
    static void fields(auto& m, auto& v) {
      v("group_id", m.group_id);
      v("protocol_type", m.protocol_type);
      v("group_state", m.group_state, since(4));
      v("group_type", m.group_type, since(5));
    }
  };
  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<Group> groups;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms, since(1));
    v("error_code", m.error_code);
    v("groups", m.groups);
  }
};

struct ListGroupsRequest {
  static constexpr ApiKey key = ApiKey::list_groups;
  static constexpr Versions valid{0, 5};
  static constexpr Versions flexible = since(3);
  using Response = ListGroupsResponse;

  std::vector<std::string> states_filter;  // none: all
  std::vector<std::string> types_filter;   // none: all
  static void fields(auto& m, auto& v) {
    v("states_filter", m.states_filter, since(4));
    v("types_filter", m.types_filter, since(5));
  }
};

}  // namespace leat::wire
