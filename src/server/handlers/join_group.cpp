// JoinGroup: waits until all members of the group have come, or their time is up.
#include <chrono>
#include <memory>
#include <utility>

#include "server/group_calls.h"
#include "server/handlers.h"

namespace leat::server {
namespace {

using broker::GroupError;
using broker::Groups;
using wire::JoinGroupRequest;
using wire::JoinGroupResponse;
using JoinCall = Call<JoinGroupRequest>;

broker::JoinRequest to_broker(const JoinCall& call) {
  const JoinGroupRequest& request = call.request();
  broker::JoinRequest join;
  join.group_id = request.group_id;
  join.member_id = request.member_id;
  join.instance_id = request.group_instance_id;
  join.client_id = call.client_id();
  join.client_host = "/" + call.peer_host();
  join.session_timeout = std::chrono::milliseconds(request.session_timeout_ms);
  join.rebalance_timeout = std::chrono::milliseconds(request.rebalance_timeout_ms);
  join.protocol_type = request.protocol_type;
  for (const auto& protocol : request.protocols) {
    join.protocols.push_back({protocol.name, protocol.metadata});
  }
  join.takes_id_first = call.version() >= 4;
  join.can_skip_assignment = call.version() >= 9;
  return join;
}

JoinGroupResponse make_response(broker::JoinResult result) {
  JoinGroupResponse response;
  response.error_code = to_wire(result.error);
  response.generation_id = result.generation;
  response.protocol_type = std::move(result.protocol_type);
  response.protocol_name = std::move(result.protocol);
  response.leader = std::move(result.leader);
  response.skip_assignment = result.skip_assignment;
  response.member_id = std::move(result.member_id);
  for (broker::JoinedMember& member : result.members) {
    response.members.push_back(
        {std::move(member.member_id), std::move(member.instance_id), std::move(member.metadata)});
  }
  return response;
}

void join(JoinCall given, Groups& groups, GroupError error) {
  if (error != GroupError::none) {
    broker::JoinResult refused{error};
    refused.member_id = given.request().member_id;
    return given.answer(make_response(std::move(refused)));
  }
  auto call = std::make_shared<JoinCall>(std::move(given));
  std::uint64_t ticket = groups.join(to_broker(*call), [call](broker::JoinResult result) {
    call->answer(make_response(std::move(result)));
  });
  // Not the call itself, which may be answered long before the connection ends.
  Executor& home = call->broker().executor();
  call->on_hurry([&groups, &home, group = call->request().group_id, ticket] {
    home.post([&groups, group, ticket] { groups.give_up(group, ticket); });
  });
}

}  // namespace

void handle(JoinCall call) {
  with_groups(std::move(call), join);
}

}  // namespace leat::server
