// FindCoordinator: every group and every transactional id has this node for its coordinator.
#include <optional>
#include <string>

#include "server/handlers.h"

namespace leat::server {
namespace {

using wire::CoordinatorKeyType;
using wire::ErrorCode;

/// Sets what both forms of the answer have.
template <class Answer>
void fill(const Call<wire::FindCoordinatorRequest>& call, Answer& answer) {
  CoordinatorKeyType type = call.request().key_type;
  if (type == CoordinatorKeyType::group || type == CoordinatorKeyType::transaction) {
    answer.node_id = call.node().id;
    answer.host = call.advertised().host;
    answer.port = call.advertised().port;
    return;
  }
  answer.error_code = ErrorCode::invalid_request;
  answer.error_message = "there are coordinators of groups and of transactions only";
  answer.node_id = -1;
  answer.port = -1;
}

}  // namespace

void handle(Call<wire::FindCoordinatorRequest> call) {
  wire::FindCoordinatorResponse response;
  fill(call, response);
  for (const std::string& key : call.request().coordinator_keys) {
    wire::FindCoordinatorResponse::Coordinator& coordinator = response.coordinators.emplace_back();
    coordinator.key = key;
    fill(call, coordinator);
  }
  call.answer(response);
}

}  // namespace leat::server
