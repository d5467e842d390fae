// FindCoordinator: every group and every transactional id has this node for its coordinator.
#include "server/handlers.h"

namespace leat::server {

void handle(Call<wire::FindCoordinatorRequest> call) {
  const wire::FindCoordinatorRequest& request = call.request();
  wire::FindCoordinatorResponse response;
  response.node_id = call.node().id;
  response.host = call.advertised().host;
  response.port = call.advertised().port;
  for (const std::string& key : request.coordinator_keys) {
    wire::FindCoordinatorResponse::Coordinator& coordinator = response.coordinators.emplace_back();
    coordinator.key = key;
    coordinator.node_id = response.node_id;
    coordinator.host = response.host;
    coordinator.port = response.port;
  }
  call.answer(response);
}

}  // namespace leat::server
