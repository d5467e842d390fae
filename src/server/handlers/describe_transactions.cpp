// DescribeTransactions: what the coordinator knows of transactional ids.
#include "broker/transactions.h"
#include "server/handlers.h"
#include "server/wire_error.h"

namespace leat::server {

void handle(Call<wire::DescribeTransactionsRequest> call) {
  wire::DescribeTransactionsResponse response;
  for (const std::string& id : call.request().transactional_ids) {
    auto& answer = response.transactions.emplace_back();
    answer.transactional_id = id;
    auto found = call.broker().transactions().describe(id);
    if (!found) {
      answer.error_code = to_wire(found.error().code);
      continue;
    }
    answer.transaction_state = name(found->state);
    answer.transaction_timeout_ms = found->timeout_ms;
    bool is_open = found->state == broker::TransactionState::ongoing;
    answer.transaction_start_time_ms = is_open ? found->started_ms : -1;
    answer.producer_id = found->producer.value();
    answer.producer_epoch = found->epoch;
    for (const auto& [topic, partitions] : found->partitions) {
      auto& described = answer.topics.emplace_back();
      described.name = topic;
      for (PartitionId partition : partitions) described.partitions.push_back(partition.value());
    }
  }
  call.answer(response);
}

}  // namespace leat::server
