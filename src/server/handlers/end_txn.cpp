// EndTxn: decides a transaction. It is answered when the decision is durable; markers follow.
#include <utility>

#include "broker/transactions.h"
#include "server/handlers.h"
#include "server/transaction_error.h"

namespace leat::server {

void handle(Call<wire::EndTxnRequest> call) {
  auto shared = std::make_shared<Call<wire::EndTxnRequest>>(std::move(call));
  const wire::EndTxnRequest& request = shared->request();
  broker::ProducerIdentity producer{ProducerId{request.producer_id}, request.producer_epoch};
  auto answer = [shared](const Result<void>& decided) {
    wire::EndTxnResponse response;
    if (!decided) response.error_code = transaction_error(decided.error(), shared->version());
    shared->answer(response);
  };
  shared->broker().transactions().end(request.transactional_id, producer, request.committed,
                                      answer);
}

}  // namespace leat::server
