// InitProducerId: gives a producer its id. One with a transactional id gets the id's, and a new
// epoch, with which it fences whoever had it before.
#include <utility>

#include "broker/transactions.h"
#include "server/handlers.h"
#include "server/wire_error.h"

namespace leat::server {
namespace {

/// Older clients know the code of partitions only.
constexpr wire::Version first_version_with_fenced = 4;

}  // namespace

void handle(Call<wire::InitProducerIdRequest> call) {
  auto shared = std::make_shared<Call<wire::InitProducerIdRequest>>(std::move(call));
  auto answer = [shared](const Result<broker::ProducerIdentity>& given) {
    wire::InitProducerIdResponse response;
    if (given) {
      response.producer_id = given->id.value();
      response.producer_epoch = given->epoch;
    } else {
      response.error_code = to_wire(given.error().code);
      bool is_old = shared->version() < first_version_with_fenced;
      if (is_old && given.error().code == Errc::producer_fenced) {
        response.error_code = wire::ErrorCode::invalid_producer_epoch;
      }
    }
    shared->answer(response);
  };
  const wire::InitProducerIdRequest& request = shared->request();
  broker::Broker& broker = shared->broker();
  if (!request.transactional_id) {
    return broker.producer_ids().draw([answer](Result<ProducerId> id) {
      if (!id) return answer(fail(Errc::coordinator_not_available, id.error().what));
      answer(broker::ProducerIdentity{*id, 0});
    });
  }
  std::optional<broker::ProducerIdentity> expected;
  if (request.producer_id >= 0) {
    expected = broker::ProducerIdentity{ProducerId{request.producer_id}, request.producer_epoch};
  }
  broker.transactions().init_producer(*request.transactional_id, request.transaction_timeout_ms,
                                      expected, answer);
}

}  // namespace leat::server
