// SyncGroup: waits until the leader's assignment is there and durable.
#include <memory>
#include <utility>

#include "server/group_calls.h"
#include "server/handlers.h"

namespace leat::server {
namespace {

using broker::GroupError;
using wire::SyncGroupRequest;
using wire::SyncGroupResponse;
using SyncCall = Call<SyncGroupRequest>;

broker::SyncRequest to_broker(const SyncGroupRequest& request) {
  broker::SyncRequest sync;
  sync.group_id = request.group_id;
  sync.member = {request.member_id, request.group_instance_id, request.generation_id};
  sync.protocol_type = request.protocol_type;
  sync.protocol = request.protocol_name;
  for (const auto& given : request.assignments) {
    sync.assignments.push_back({given.member_id, given.assignment});
  }
  return sync;
}

SyncGroupResponse make_response(broker::SyncResult result) {
  SyncGroupResponse response;
  response.error_code = to_wire(result.error);
  response.protocol_type = std::move(result.protocol_type);
  response.protocol_name = std::move(result.protocol);
  response.assignment = std::move(result.assignment);
  return response;
}

void sync(SyncCall given, broker::Groups& groups, GroupError error) {
  if (error != GroupError::none) return given.answer(make_response({error}));
  auto call = std::make_shared<SyncCall>(std::move(given));
  std::uint64_t ticket = groups.sync(to_broker(call->request()), [call](broker::SyncResult result) {
    call->answer(make_response(std::move(result)));
  });
  Executor& home = call->broker().executor();
  call->on_hurry([&groups, &home, group = call->request().group_id, ticket] {
    home.post([&groups, group, ticket] { groups.give_up(group, ticket); });
  });
}

}  // namespace

void handle(SyncCall call) {
  with_groups(std::move(call), sync);
}

}  // namespace leat::server
