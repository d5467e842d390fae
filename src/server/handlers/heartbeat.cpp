// Heartbeat: a member's sign of life.
#include <utility>

#include "server/group_calls.h"
#include "server/handlers.h"

namespace leat::server {

void handle(Call<wire::HeartbeatRequest> call) {
  with_groups(std::move(call), [](auto ready, broker::Groups& groups, broker::GroupError error) {
    const wire::HeartbeatRequest& request = ready.request();
    if (error == broker::GroupError::none) {
      error = groups.heartbeat(
          request.group_id, {request.member_id, request.group_instance_id, request.generation_id});
    }
    wire::HeartbeatResponse response;
    response.error_code = to_wire(error);
    ready.answer(response);
  });
}

}  // namespace leat::server
