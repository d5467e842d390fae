// AddOffsetsToTxn: the partition in which groups are kept becomes part of the transaction.
#include <memory>
#include <utility>

#include "broker/groups.h"
#include "broker/topic_name.h"
#include "broker/transactions.h"
#include "server/handlers.h"
#include "server/transaction_error.h"

namespace leat::server {

void handle(Call<wire::AddOffsetsToTxnRequest> call) {
  auto shared = std::make_shared<Call<wire::AddOffsetsToTxnRequest>>(std::move(call));
  const wire::AddOffsetsToTxnRequest& request = shared->request();
  auto answer = [shared](const Result<void>& added) {
    wire::AddOffsetsToTxnResponse response;
    if (!added) response.error_code = transaction_error(added.error(), shared->version());
    shared->answer(response);
  };
  broker::Broker& broker = shared->broker();
  if (request.group_id.empty()) {
    wire::AddOffsetsToTxnResponse response;
    response.error_code = wire::ErrorCode::invalid_group_id;
    return shared->answer(response);
  }
  if (auto ready = broker.groups().ensure_partition(); !ready) return answer(ready);
  broker::TransactionPartitions partitions{
      {std::string(broker::group_topic), {broker::group_partition().partition}}};
  broker::ProducerIdentity producer{ProducerId{request.producer_id}, request.producer_epoch};
  broker.transactions().add_partitions(request.transactional_id, producer, std::move(partitions),
                                       answer);
}

}  // namespace leat::server
