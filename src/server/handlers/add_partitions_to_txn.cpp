// AddPartitionsToTxn: begins a transaction, or adds partitions to it: all that are asked for or
// none. Other brokers send many in one request, and may only ask whether partitions are in there.
#include <memory>
#include <utility>
#include <vector>

#include "broker/topic_name.h"
#include "broker/transactions.h"
#include "server/handlers.h"
#include "server/transaction_error.h"

namespace leat::server {
namespace {

using wire::AddPartitionsToTxnRequest;
using wire::AddPartitionsToTxnResponse;
using wire::ErrorCode;
using AddCall = Call<AddPartitionsToTxnRequest>;
using Asked = AddPartitionsToTxnRequest::Transaction;
using Results = std::vector<AddPartitionsToTxnResponse::Topic>;

constexpr wire::Version first_version_of_brokers = 4;
constexpr wire::Version first_version_with_abortable = 5;

ErrorCode look_for(const broker::TopicTable& topics, const std::string& topic,
                   std::int32_t partition) {
  broker::TopicPtr found = topics.find(topic);
  bool is_there = found && found->partition(PartitionId{partition});
  if (!is_there) return ErrorCode::unknown_topic_or_partition;
  return broker::is_internal_topic(topic) ? ErrorCode::invalid_topic_exception : ErrorCode::none;
}

/// Fills in what is wrong with each partition; false where something is.
bool lay_out(const Asked& asked, const broker::TopicTable& topics, Results& results) {
  bool are_good = true;
  for (const auto& topic : asked.topics) {
    auto& result = results.emplace_back();
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

void replace_all(Results& results, ErrorCode from, ErrorCode to) {
  for (auto& topic : results) {
    for (auto& partition : topic.partitions) {
      if (partition.error_code == from) partition.error_code = to;
    }
  }
}

/// A request whose transactions are being added to; whoever finishes the last of them answers.
struct Pending {
  explicit Pending(AddCall from) : call(std::move(from)) {}
  AddCall call;
  AddPartitionsToTxnResponse response;
  std::size_t left = 1;

  void finish_one() {
    if (--left == 0) call.answer(response);
  }
};

void verify(Pending& pending, const Asked& asked, Results& results) {
  broker::Transactions& transactions = pending.call.broker().transactions();
  broker::ProducerIdentity producer{ProducerId{asked.producer_id}, asked.producer_epoch};
  bool knows_abortable = pending.call.version() >= first_version_with_abortable;
  for (auto& topic : results) {
    for (auto& partition : topic.partitions) {
      auto is_open = transactions.check_open(asked.transactional_id, producer, topic.name,
                                             PartitionId{partition.partition_index});
      partition.error_code =
          is_open ? ErrorCode::none : to_wire(is_open.error().code, knows_abortable);
    }
  }
}

/// `results` stays where it is until the answer.
void add(const std::shared_ptr<Pending>& pending, const Asked& asked, Results& results) {
  bool are_good = lay_out(asked, *pending->call.broker().topics(), results);
  if (asked.verify_only) return verify(*pending, asked, results);
  if (!are_good) return replace_all(results, ErrorCode::none, ErrorCode::operation_not_attempted);
  broker::TransactionPartitions partitions;
  for (const auto& topic : asked.topics) {
    for (std::int32_t partition : topic.partitions) {
      partitions[topic.name].insert(PartitionId{partition});
    }
  }
  ++pending->left;
  auto added = [pending, &results](const Result<void>& done) {
    if (!done) {
      ErrorCode error = transaction_error(done.error(), pending->call.version());
      replace_all(results, ErrorCode::none, error);
    }
    pending->finish_one();
  };
  broker::ProducerIdentity producer{ProducerId{asked.producer_id}, asked.producer_epoch};
  bool is_of_broker = pending->call.version() >= first_version_of_brokers;
  auto protocol =
      is_of_broker ? broker::TransactionProtocol::second : broker::TransactionProtocol::first;
  pending->call.broker().transactions().add_partitions(asked.transactional_id, producer,
                                                       std::move(partitions), added, protocol);
}

}  // namespace

void handle(AddCall call) {
  auto pending = std::make_shared<Pending>(std::move(call));
  const AddPartitionsToTxnRequest& request = pending->call.request();
  if (pending->call.version() < first_version_of_brokers) {
    Asked one{request.transactional_id, request.producer_id, request.producer_epoch, false,
              request.topics};
    add(pending, one, pending->response.results);
    return pending->finish_one();
  }
  auto& transactions = pending->response.transactions;
  transactions.resize(request.transactions.size());
  for (std::size_t i = 0; i < transactions.size(); ++i) {
    transactions[i].transactional_id = request.transactions[i].transactional_id;
    add(pending, request.transactions[i], transactions[i].topics);
  }
  pending->finish_one();
}

}  // namespace leat::server
