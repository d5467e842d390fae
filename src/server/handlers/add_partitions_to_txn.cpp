// AddPartitionsToTxn: begins a transaction, or adds partitions to it: all that are asked for or
// none.
#include <utility>

#include "broker/topic_name.h"
#include "broker/transactions.h"
#include "server/handlers.h"
#include "server/transaction_error.h"

namespace leat::server {
namespace {

using wire::AddPartitionsToTxnRequest;
using wire::AddPartitionsToTxnResponse;
using wire::ErrorCode;

ErrorCode look_for(const broker::TopicTable& topics, const std::string& topic,
                   std::int32_t partition) {
  broker::TopicPtr found = topics.find(topic);
  bool is_there = found && found->partition(PartitionId{partition});
  if (!is_there) return ErrorCode::unknown_topic_or_partition;
  return broker::is_internal_topic(topic) ? ErrorCode::invalid_topic_exception : ErrorCode::none;
}

/// Fills in what is wrong with each partition; false where something is.
bool lay_out(const AddPartitionsToTxnRequest& request, const broker::TopicTable& topics,
             AddPartitionsToTxnResponse& response) {
  bool are_good = true;
  for (const auto& topic : request.topics) {
    auto& result = response.results.emplace_back();
    result.name = topic.name;
    for (std::int32_t partition : topic.partitions) {
      ErrorCode error = look_for(topics, topic.name, partition);
      are_good = are_good && error == ErrorCode::none;
      auto& answer = result.partitions.emplace_back();
      answer.partition_index = partition;
      answer.error_code = error;
    }
  }
  return are_good;
}

void replace_all(AddPartitionsToTxnResponse& response, ErrorCode from, ErrorCode to) {
  for (auto& topic : response.results) {
    for (auto& partition : topic.partitions) {
      if (partition.error_code == from) partition.error_code = to;
    }
  }
}

}  // namespace

void handle(Call<AddPartitionsToTxnRequest> call) {
  auto shared = std::make_shared<Call<AddPartitionsToTxnRequest>>(std::move(call));
  const AddPartitionsToTxnRequest& request = shared->request();
  auto response = std::make_shared<AddPartitionsToTxnResponse>();
  if (!lay_out(request, *shared->broker().topics(), *response)) {
    replace_all(*response, ErrorCode::none, ErrorCode::operation_not_attempted);
    return shared->answer(*response);
  }
  broker::TransactionPartitions partitions;
  for (const auto& topic : request.topics) {
    for (std::int32_t partition : topic.partitions) {
      partitions[topic.name].insert(PartitionId{partition});
    }
  }
  auto answer = [shared, response](const Result<void>& added) {
    if (!added) {
      ErrorCode error = transaction_error(added.error(), shared->version());
      replace_all(*response, ErrorCode::none, error);
    }
    shared->answer(*response);
  };
  broker::ProducerIdentity producer{ProducerId{request.producer_id}, request.producer_epoch};
  shared->broker().transactions().add_partitions(request.transactional_id, producer,
                                                 std::move(partitions), answer);
}

}  // namespace leat::server
