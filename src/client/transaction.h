// A producer's transactions without sockets: which request goes to which coordinator next, and what
// an answer means for what may still be done.
//
//   uninitialized -> ready -> open -> committing or aborting -> ready
//
// An error that costs the transaction leaves only to abort it (`abortable`): a batch that failed, a
// refused partition, offsets of a member that is none any more. One that costs the producer is
// final (`fatal`): somebody else has its transactional id now.
//
// Two protocols. In the first, partitions and groups are added by requests of their own before
// anything is sent to them, and the epoch stays from one transaction to the next, unless something
// may be on its way still: then it is raised after an abort. In the second (KIP-890, transaction
// version 2), batches and offsets add what they are for by themselves, and each end raises the
// epoch.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/random.h"
#include "client/error.h"
#include "client/backoff.h"
#include "client/produce_batch.h"
#include "wire/add_offsets_to_txn.h"
#include "wire/add_partitions_to_txn.h"
#include "wire/end_txn.h"
#include "wire/init_producer_id.h"
#include "wire/txn_offset_commit.h"

namespace leat::client {

/// Who commits offsets: a member of a group, as its consumer knows itself.
struct GroupMetadata {
  std::string group;
  std::int32_t generation = -1;
  std::string member_id;
  std::optional<std::string> instance_id;
};

struct CommittedOffset {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int32_t leader_epoch = -1;
  std::string metadata;
};

/// Not thread-safe. Times are those of a monotonic clock.
class Transaction {
 public:
  using Time = std::chrono::nanoseconds;

  Transaction(std::string id, std::chrono::milliseconds timeout, Backoff backoff, Random random);

  enum class State : std::uint8_t {
    uninitialized,
    ready,
    open,
    committing,
    aborting,
    abortable,
    fatal,
  };
  State state() const { return state_; }
  /// Why it is abortable or fatal.
  const std::optional<Error>& error() const { return error_; }
  const ProducerEpoch& producer() const { return producer_; }
  const std::string& id() const { return id_; }
  bool is_second_protocol() const { return is_second_; }

  // What a program asks for. Errc::invalid_txn_state where that makes no sense now; then nothing
  // has changed. What takes requests has ended when take_ended() says so; one of them at a time.

  /// Gets the producer id, and shuts out those that had the transactional id before.
  Result<void> init();
  /// `is_second`: the cluster's transaction version is 2 or more.
  Result<void> begin(bool is_second);
  Result<void> send_offsets(std::vector<CommittedOffset> offsets, GroupMetadata member);
  /// Repeats what is under way already: it goes on where its result was not waited for.
  Result<void> commit();
  Result<void> abort();
  /// The result of what was asked for last, once.
  std::optional<Result<void>> take_ended();

  // What its batches need.

  /// Whether batches may go to the partition now. If not, it is being added.
  bool may_send(std::string_view topic, std::int32_t partition);
  /// A batch of the transaction was given up. `was_sent`: its sequence is used, and it may be
  /// there, or get there yet.
  void batch_failed(const Error& error, bool was_sent);

  // What goes to brokers.

  enum class To : std::uint8_t { transaction_coordinator, group_coordinator };
  using Request =
      std::variant<wire::InitProducerIdRequest, wire::AddPartitionsToTxnRequest,
                   wire::AddOffsetsToTxnRequest, wire::TxnOffsetCommitRequest, wire::EndTxnRequest>;
  struct Outgoing {
    To to = To::transaction_coordinator;
    Request request;
    /// In which version it goes at most.
    wire::Version version_max = 0;
  };
  /// The next request, if none is under way. `is_settled`: no batch is queued or under way. It must
  /// be followed by answered() or unanswered().
  std::optional<Outgoing> next(Time now, bool is_settled);
  /// When next() would have one, if it has not for having failed.
  std::optional<Time> retry_at() const;
  /// The group whose coordinator is meant.
  const std::string& group() const { return member_.group; }

  /// What an answer asks for besides.
  struct Effect {
    /// Look for the coordinator anew.
    bool is_coordinator_lost = false;
    /// The batches of partitions that waited to be added may go.
    bool has_added = false;
  };
  Effect answered(const wire::InitProducerIdResponse& response, std::string_view broker, Time now);
  Effect answered(const wire::AddPartitionsToTxnResponse& response, std::string_view broker,
                  Time now);
  Effect answered(const wire::AddOffsetsToTxnResponse& response, std::string_view broker, Time now);
  Effect answered(const wire::TxnOffsetCommitResponse& response, std::string_view broker, Time now);
  Effect answered(const wire::EndTxnResponse& response, std::string_view broker, Time now);
  Effect unanswered(Error error, Time now);

 private:
  using Partitions = std::map<std::string, std::set<std::int32_t>, std::less<>>;
  enum class Step : std::uint8_t { none, init, add_offsets, commit_offsets, end, raise_epoch };

  Request request(Step step) const;
  wire::AddPartitionsToTxnRequest add_partitions() const;
  wire::TxnOffsetCommitRequest offset_commit() const;
  /// What the code means wherever it comes from; nullopt where that depends on the request.
  std::optional<Effect> common(wire::ErrorCode code, std::string_view about,
                               std::string_view broker, Time now);
  Effect retry(Time now, bool is_coordinator_lost);
  /// To what was under way when the transaction began to be aborted: all that still counts is
  /// whether the coordinator knows of it.
  Effect overtaken(wire::ErrorCode code, Time now);
  void fail_transaction(Error error);
  void fail_for_good(Error error);
  void end(Result<void> result);
  void ended();

  std::string id_;
  std::chrono::milliseconds timeout_;
  Backoff backoff_;
  Random random_;

  State state_ = State::uninitialized;
  std::optional<Error> error_;
  ProducerEpoch producer_;
  bool is_second_ = false;

  /// What is to be done for the operation, and its result.
  Step step_ = Step::none;
  std::optional<Result<void>> result_;
  bool is_commits_result_ = false;
  bool is_under_way_ = false;
  int attempts_ = 0;
  Time retry_at_{};

  Partitions added_;
  Partitions to_add_;
  Partitions adding_;
  /// The coordinator knows of the transaction, or finds nothing wrong in being told to end it.
  bool has_begun_ = false;
  /// A request that may have told it, and was not answered. It goes again before an abort, which
  /// the first protocol refuses where nothing has begun.
  std::optional<Outgoing> doubtful_;
  /// Something may be on its way that the epoch must shut out.
  bool needs_epoch_ = false;
  GroupMetadata member_;
  std::vector<CommittedOffset> offsets_;
};

}  // namespace leat::client
