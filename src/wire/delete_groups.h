// DeleteGroups: forgets groups that have no members, with all they have committed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire/api_key.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/versions.h"

namespace leat::wire {

struct DeleteGroupsResponse {
  static constexpr ApiKey key = ApiKey::delete_groups;
  static constexpr Versions valid{0, 2};
  static constexpr Versions flexible = since(2);

  struct Group {
    std::string group_id;
    ErrorCode error_code = ErrorCode::none;
    static void fields(auto& m, auto& v) {
      v("group_id", m.group_id);
      v("error_code", m.error_code);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Group> results;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms);
    v("results", m.results);
  }
};

struct DeleteGroupsRequest {
  static constexpr ApiKey key = ApiKey::delete_groups;
  static constexpr Versions valid{0, 2};
  static constexpr Versions flexible = since(2);
  using Response = DeleteGroupsResponse;

  std::vector<std::string> group_names;
  static void fields(auto& m, auto& v) { v("group_names", m.group_names); }
};

}  // namespace leat::wire
