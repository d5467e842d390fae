// TxnOffsetCommit: a group's offsets in a batch of the producer's transaction, which count when
// that is committed. From version 5 on it adds their partition to that.
#include <memory>
#include <utility>
#include <vector>

#include "broker/topic_name.h"
#include "broker/transactions.h"
#include "server/group_calls.h"
#include "server/handlers.h"
#include "server/wire_error.h"

namespace leat::server {
namespace {

using broker::GroupError;
using wire::ErrorCode;
using CommitCall = Call<wire::TxnOffsetCommitRequest>;
using CommitPtr = std::shared_ptr<CommitCall>;

constexpr wire::Version first_version_with_abortable = 4;
constexpr wire::Version first_version_that_adds = 5;

broker::CommitRequest to_broker(const wire::TxnOffsetCommitRequest& request) {
  broker::CommitRequest commit;
  commit.group_id = request.group_id;
  commit.member = {request.member_id, request.group_instance_id, request.generation_id};
  for (const auto& topic : request.topics) {
    for (const auto& partition : topic.partitions) {
      commit.partitions.push_back({topic.name, partition.partition_index,
                                   partition.committed_offset, partition.committed_leader_epoch,
                                   partition.committed_metadata.value_or("")});
    }
  }
  return commit;
}

/// `code_of` gives that of the request's partitions, by their number.
template <class CodeOf>
void answer(CommitCall& call, const CodeOf& code_of) {
  wire::TxnOffsetCommitResponse response;
  std::size_t next = 0;
  for (const auto& topic : call.request().topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    for (const auto& partition : topic.partitions) {
      answered.partitions.push_back({partition.partition_index, code_of(next++)});
    }
  }
  call.answer(response);
}

void refuse(CommitCall& call, ErrorCode code) {
  answer(call, [code](std::size_t) { return code; });
}

/// Clients of this request know of fenced producers by the code of partitions. What a crash took of
/// a transaction can be aborted; of the codes that old clients have, illegal_generation makes them
/// do that and go on, while they never recover from invalid_txn_state.
ErrorCode code_of(const CommitCall& call, Errc error) {
  if (error == Errc::producer_fenced) return ErrorCode::invalid_producer_epoch;
  bool knows_abortable = call.version() >= first_version_with_abortable;
  bool is_lost = error == Errc::invalid_txn_state && !knows_abortable;
  return is_lost ? ErrorCode::illegal_generation : to_wire(error, knows_abortable);
}

void refuse(CommitCall& call, const Error& error) {
  refuse(call, code_of(call, error.code));
}

broker::ProducerIdentity producer_of(const CommitCall& call) {
  return {ProducerId{call.request().producer_id}, call.request().producer_epoch};
}

void commit(const CommitPtr& call) {
  const wire::TxnOffsetCommitRequest& request = call->request();
  broker::Broker& broker = call->broker();
  broker::ProducerIdentity producer = producer_of(*call);
  auto is_open = broker.transactions().check_open(
      request.transactional_id, producer, broker::group_topic, broker::group_partition().partition);
  if (!is_open) return refuse(*call, is_open.error());
  broker.groups().commit_in_transaction(
      to_broker(request), {producer.id, producer.epoch},
      [call](const std::vector<GroupError>& errors) {
        answer(*call, [&errors](std::size_t i) { return to_wire(errors[i]); });
      });
}

/// The log of groups knows its producers.
void add(const CommitPtr& call, const Result<void>& loaded) {
  if (!loaded) return refuse(*call, ErrorCode::coordinator_not_available);
  if (call->version() < first_version_that_adds) return commit(call);
  broker::TransactionPartitions partitions{
      {std::string(broker::group_topic), {broker::group_partition().partition}}};
  auto added = [call](const Result<void>& done) {
    if (!done) return refuse(*call, done.error());
    commit(call);
  };
  call->broker().transactions().add_partitions(call->request().transactional_id, producer_of(*call),
                                               std::move(partitions), added,
                                               broker::TransactionProtocol::second);
}

}  // namespace

void handle(CommitCall given) {
  with_groups(std::move(given), [](CommitCall ready, broker::Groups& groups, GroupError error) {
    auto call = std::make_shared<CommitCall>(std::move(ready));
    if (error != GroupError::none) return refuse(*call, to_wire(error));
    if (auto made = groups.ensure_partition(); !made) {
      return refuse(*call, ErrorCode::coordinator_not_available);
    }
    TopicPartition where = broker::group_partition();
    auto partition = call->broker().find_partition(where.topic_id, where.partition);
    // It lives at home, as handlers do.
    if (partition->log().has_producers()) return add(call, {});
    partition->load_producers([call](const Result<void>& loaded) { add(call, loaded); });
  });
}

}  // namespace leat::server
