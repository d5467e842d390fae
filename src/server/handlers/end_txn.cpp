// EndTxn: decides a transaction. It is answered when the decision is durable; markers follow. From
// version 5 on the answer says who the producer is then.
#include <utility>

#include "broker/transactions.h"
#include "server/handlers.h"
#include "server/transaction_error.h"

namespace leat::server {
namespace {

constexpr wire::Version first_version_that_raises = 5;

}  // namespace

void handle(Call<wire::EndTxnRequest> call) {
  auto shared = std::make_shared<Call<wire::EndTxnRequest>>(std::move(call));
  const wire::EndTxnRequest& request = shared->request();
  broker::ProducerIdentity producer{ProducerId{request.producer_id}, request.producer_epoch};
  auto answer = [shared](const auto& decided) {
    wire::EndTxnResponse response;
    if (!decided) {
      response.error_code =
          transaction_error(decided.error(), shared->version(), shared->request().committed);
    }
    if constexpr (requires { decided->epoch; }) {
      if (decided) {
        response.producer_id = decided->id.value();
        response.producer_epoch = decided->epoch;
      }
    }
    shared->answer(response);
  };
  broker::Transactions& transactions = shared->broker().transactions();
  if (shared->version() >= first_version_that_raises) {
    return transactions.end_and_raise(request.transactional_id, producer, request.committed,
                                      answer);
  }
  transactions.end(request.transactional_id, producer, request.committed, answer);
}

}  // namespace leat::server
