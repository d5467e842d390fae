// LeaveGroup: one member up to version 2, any number of them later.
#include <utility>
#include <vector>

#include "server/group_calls.h"
#include "server/handlers.h"

namespace leat::server {
namespace {

using LeaveCall = Call<wire::LeaveGroupRequest>;

void leave(LeaveCall call, broker::Groups& groups, broker::GroupError error) {
  const wire::LeaveGroupRequest& request = call.request();
  wire::LeaveGroupResponse response;
  std::vector<broker::MemberIdentity> members;
  if (call.version() < 3) members.push_back({request.member_id});
  for (const auto& member : request.members) {
    members.push_back({member.member_id, member.group_instance_id});
  }
  if (error != broker::GroupError::none) {
    response.error_code = to_wire(error);
    return call.answer(response);
  }
  std::vector<broker::GroupError> errors = groups.leave(request.group_id, members);
  if (call.version() < 3) {
    response.error_code = to_wire(errors.front());
    return call.answer(response);
  }
  for (std::size_t i = 0; i < members.size(); ++i) {
    response.members.push_back(
        {std::move(members[i].member_id), std::move(members[i].instance_id), to_wire(errors[i])});
  }
  call.answer(response);
}

}  // namespace

void handle(LeaveCall call) {
  with_groups(std::move(call), leave);
}

}  // namespace leat::server
