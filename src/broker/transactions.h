// The transaction coordinator: who may write under a transactional id, which partitions a
// transaction has, and how it ends in all of them or in none.
//
//   Empty ──► Ongoing ──► PrepareCommit ──► CompleteCommit ──┐
//                │  └───► PrepareAbort ───► CompleteAbort ───┤
//                └───────────────◄──────────────────────────-┘
//
// The decision is the record of Prepare: once it is durable, markers are written to all partitions,
// after a crash as well. The next transaction of the id may begin meanwhile, behind the markers in
// every partition, but not be decided: until all markers are durable, the newest record of the id
// says which transaction they end. So there are two at most: one that is open, one that is ending.
//
// Of its two protocols (TransactionProtocol) the second differs in two things: a batch may begin
// the transaction, and add its partition, without a request before it; and each decision raises the
// epoch, which its markers carry and with which the producer goes on. So whatever comes late of a
// transaction is known by its epoch. An id's clients may change from one to the other.
//
// That a transaction is open is noted, too, but the requests that add partitions do not wait for
// it. The first batch in each partition does, before it is answered. So a crash forgets only
// partitions of which nothing was acknowledged: those abort what they find.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "broker/partition.h"
#include "broker/producer_ids.h"
#include "broker/transaction_log.h"

namespace leat::broker {

class Broker;

/// Who writes: an id that nobody else has, and the incarnation of whoever has it.
struct ProducerIdentity {
  ProducerId id{-1};
  std::int16_t epoch = -1;
  friend bool operator==(const ProducerIdentity&, const ProducerIdentity&) = default;
};

/// Lives on the broker's executor, where every member is called that does not say it is
/// thread-safe. A request that comes while the last transaction of its id is being ended waits for
/// that, for a second; then it is refused with concurrent_transactions, which clients retry.
///
/// Its memory is that of its ids, ids_max of them, and of the partitions of open transactions,
/// which are as many as were asked for.
class Transactions final : public TransactionGate {
 public:
  static constexpr std::int32_t timeout_max_ms = 15 * 60 * 1000;
  /// An id without a transaction is forgotten after so long, or when there are too many.
  static constexpr std::int64_t id_expiration_ms = std::int64_t{7} * 24 * 3600 * 1000;
  static constexpr std::size_t ids_max = 20'000;

  /// The broker and the producer ids outlive it.
  Transactions(Broker& broker, ProducerIds& producer_ids);
  ~Transactions() override;

  /// Reads the log, if there is one, and finishes what was decided. Blocks. What cannot be read
  /// stops transactions, not the broker.
  void open();

  using Done = UniqueFunction<void(Result<void>)>;
  using InitDone = UniqueFunction<void(Result<ProducerIdentity>)>;
  /// Gives the id to whoever asks, with a new epoch: a transaction that is open under it is
  /// aborted, and whoever had it is fenced. With `expected`, only if that is who has it. Errors:
  /// invalid_request, invalid_transaction_timeout, producer_fenced, concurrent_transactions,
  /// coordinator_not_available.
  void init_producer(const std::string& id, std::int32_t timeout_ms,
                     std::optional<ProducerIdentity> expected, InitDone done);
  /// Begins a transaction, or adds to it. That is durable when a batch of it is acknowledged.
  /// Errors: invalid_producer_id_mapping, producer_fenced, concurrent_transactions,
  /// coordinator_not_available.
  void add_partitions(const std::string& id, ProducerIdentity producer,
                      TransactionPartitions partitions, Done done,
                      TransactionProtocol protocol = TransactionProtocol::first);
  /// Decides the transaction. `done` when that is durable; records show, or never will, soon after.
  /// Errors: as above, and invalid_txn_state.
  void end(const std::string& id, ProducerIdentity producer, bool is_commit, Done done);
  /// The same in the second protocol: gives who the producer is from now on, with the epoch raised,
  /// or with another id where there is no epoch left; the same again to one that missed the answer.
  /// What is not open can be aborted, too.
  void end_and_raise(const std::string& id, ProducerIdentity producer, bool is_commit,
                     InitDone done);
  /// Whether the producer has a transaction open to which the partition was added.
  Result<void> check_open(const std::string& id, ProducerIdentity producer, std::string_view topic,
                          PartitionId partition);

  /// Errc::transactional_id_not_found.
  Result<Transaction> describe(const std::string& id) const;
  std::vector<std::pair<std::string, Transaction>> list() const;

  // Thread-safe:
  void admit(ProducerId producer, std::int16_t epoch, bool adds, const TopicPartition& partition,
             Executor& executor, Verdict verdict, Noted noted) override;
  void adopt(ProducerId producer, std::int32_t last_marker, const TopicPartition& partition,
             Executor& executor, Verdict verdict) override;
  void decided(ProducerId producer, const TopicPartition& partition, bool is_commit,
               Offset marker) override;

 private:
  /// A request that waits for the last transaction to be ended.
  struct Parked {
    Work retry;
    std::function<void(const Error&)> refuse;
  };
  /// A record that says which partitions a transaction has: these may have been written to.
  struct Note {
    TransactionPartitions partitions;
    bool is_durable = false;
    bool is_under_way = false;
    bool says_ended = false;  // that markers of the transaction before are to be written
    std::map<TopicPartition, Noted> waiting = {};  // until it is durable
  };
  /// A decided transaction, until its markers are durable.
  struct Ending {
    EndedTransaction transaction;
    /// Those that the records of the last start had.
    TransactionPartitions recovered;
    std::size_t markers_left = 0;
  };
  struct Entry {
    std::string id;
    Transaction now;
    std::optional<Ending> ending;
    /// Of the open transaction: the partitions that records had at the last start, and the newest
    /// note of all. Null before there is one.
    TransactionPartitions recovered;
    std::shared_ptr<Note> note;
    /// Nothing was begun under it since the start; and whether its producer was refused then with a
    /// transaction that it takes for open, so that it was lost in the crash.
    bool is_recovered = false;
    bool has_lost = false;
    /// The one before, where its producer asked for the new one, or this coordinator took it.
    std::int16_t last_epoch = -1;
    bool is_busy = false;  // a record is being written, or an id drawn
    /// When the open transaction began, by the monotonic clock: one that is set ends none, and
    /// keeps none.
    std::chrono::nanoseconds began{};
    std::vector<Parked> parked{};
    Executor::TimerId timer = 0;
    bool is_idle() const;
  };

  Entry* find(const std::string& id);
  const Entry* find(const std::string& id) const;
  Entry* find(ProducerId producer);
  Result<void> check_producer(const Entry* entry, ProducerIdentity producer) const;
  Result<void> check_admitted(ProducerId producer, std::int16_t epoch, bool adds,
                              const TopicPartition& partition);
  Result<void> join(Entry& entry, const TopicPartition& partition);
  Result<void> check_adopted(ProducerId producer, std::int32_t last_marker,
                             const TopicPartition& partition);
  bool has(const TransactionPartitions& partitions, const TopicPartition& partition) const;
  /// Begins a transaction, if none is open.
  void begin(Entry& entry, TransactionProtocol protocol);
  /// Calls `noted` when a record is durable that has the partition; writes one if need be.
  void note(Entry& entry, const TopicPartition& partition, Noted noted);
  void write_note(Entry& entry);

  void init_new(const std::string& id, std::int32_t timeout_ms, InitDone done);
  void init_known(Entry& entry, std::int32_t timeout_ms, std::optional<ProducerIdentity> expected,
                  InitDone done);
  void give_new_id(Entry& entry, std::int32_t timeout_ms, InitDone done);
  void give(Entry& entry, Transaction next, InitDone done);
  void make_room();
  /// Aborts under a new epoch, so that whoever has the id is fenced.
  void fence(Entry& entry);

  void park(Entry& entry, Work retry, std::function<void(const Error&)> refuse);
  void refuse_parked(Entry& entry, const Error& error);
  /// Goes on with what waited, if it need not wait any more.
  void settle(Entry& entry);
  void write(Entry& entry, Transaction next, Done then);
  /// What a producer asks to become of its transaction.
  struct Decision {
    bool is_commit = false;
    TransactionProtocol protocol = TransactionProtocol::first;
  };
  void end(const std::string& id, ProducerIdentity producer, Decision decision, InitDone done);
  /// Whether there is something to decide; if not, the answer is who has the id now.
  Result<bool> check_end(const Entry* entry, ProducerIdentity producer, Decision decision) const;
  Result<bool> check_not_open(const Entry& entry, Decision decision) const;
  void decide(Entry& entry, Decision decision, ProducerId next_id, InitDone done);
  Transaction prepared(const Entry& entry, bool is_commit) const;
  /// The decision in `now` is durable.
  void begin_ending(Entry& entry);
  void send_markers(Entry& entry);
  /// Where it cannot be written, it is sent again after `pause`, and after ever longer ones.
  void send_marker(const std::string& id, const std::string& topic, PartitionId partition,
                   std::chrono::milliseconds pause);
  void marker_done(Entry& entry);
  void complete(Entry& entry);
  /// The log's partition, made if it is missing.
  Result<std::shared_ptr<Partition>> log_partition();
  void arm();
  void tick();
  /// Forgets ids that nobody has used for long. Looks from time to time, when there is something to
  /// do anyway.
  void expire();
  void forget(Entry& entry);
  void answer(Done done, Result<void> result);
  void answer(InitDone done, Result<ProducerIdentity> result);
  template <class F>
  auto guarded(F work) const {
    return [guard = std::weak_ptr<void>(alive_), work = std::move(work)](auto&&... args) mutable {
      if (auto lock = guard.lock()) work(std::forward<decltype(args)>(args)...);
    };
  }

  Broker& broker_;
  ProducerIds& producer_ids_;
  Executor& executor_;
  const Clock& clock_;
  std::map<std::string, Entry> entries_;
  std::map<ProducerId, std::string> by_producer_;
  std::optional<Error> broken_;
  bool is_opening_ = false;
  Executor::TimerId timer_ = 0;
  std::optional<std::chrono::nanoseconds> expired_;  // when it looked last
  std::shared_ptr<void> alive_ = std::make_shared<int>(0);
};

}  // namespace leat::broker
