// DescribeGroups: who is in a group, and what each of them does.
#include <string>
#include <utility>

#include <fmt/core.h>

#include "server/group_calls.h"
#include "server/handlers.h"

namespace leat::server {
namespace {

using broker::GroupError;
using wire::DescribeGroupsResponse;
using DescribeCall = Call<wire::DescribeGroupsRequest>;

Bytes copy(BytesView bytes) {
  return Bytes(bytes.begin(), bytes.end());
}

void describe(const broker::Group& group, DescribeGroupsResponse::Group& out) {
  out.group_state = name(group.state());
  out.protocol_type = group.protocol_type();
  // Only in a stable group what members wanted and what they got belong together.
  bool is_stable = group.state() == broker::GroupState::stable;
  out.protocol_data = is_stable ? group.protocol().value_or("") : "";
  for (const auto& [id, member] : group.members()) {
    auto& described = out.members.emplace_back();
    described.member_id = id;
    described.group_instance_id = member.instance_id;
    described.client_id = member.client_id;
    described.client_host = member.client_host;
    if (!is_stable) continue;
    described.member_metadata = copy(member.metadata(out.protocol_data));
    described.member_assignment = member.assignment;
  }
}

void describe_all(DescribeCall call, broker::Groups& groups, GroupError error) {
  DescribeGroupsResponse response;
  for (const std::string& id : call.request().groups) {
    auto& out = response.groups.emplace_back();
    out.group_id = id;
    out.error_code = to_wire(error);
    if (error != GroupError::none) continue;
    if (call.request().include_authorized_operations) {
      out.authorized_operations = all_group_operations;
    }
    const broker::Groups::Entry* entry = groups.find(id);
    if (entry != nullptr && !entry->consumers) {
      describe(entry->group, out);
      continue;
    }
    // Up to version 5, a group that nobody knows is one that has died. Of the new protocol another
    // request tells.
    out.group_state = name(broker::GroupState::dead);
    if (call.version() < 6) continue;
    out.error_code = wire::ErrorCode::group_id_not_found;
    out.error_message = entry == nullptr ? fmt::format("Group {:.200} not found.", id)
                                         : fmt::format("Group {:.200} is not a classic group.", id);
  }
  call.answer(response);
}

}  // namespace

void handle(DescribeCall call) {
  with_groups(std::move(call), describe_all);
}

}  // namespace leat::server
