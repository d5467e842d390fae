// One partition as clients see it: what may be appended, where a fetch may read.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "broker/topic_config.h"
#include "log/log.h"
#include "record/end_marker.h"
#include "record/scratch.h"
#include "record/validate.h"

namespace leat::broker {

/// A produce that was taken.
struct Appended {
  Offset base_offset;
  /// The broker's time for topics with LogAppendTime, else -1.
  std::int64_t append_time_ms = -1;
  Offset start_offset;
};

/// The answer to ListOffsets.
struct ListedOffset {
  Offset offset;
  std::int64_t timestamp_ms = -1;
  LeaderEpoch leader_epoch;
};

/// ListOffsets' special timestamps.
inline constexpr std::int64_t latest_timestamp = -1;
inline constexpr std::int64_t earliest_timestamp = -2;
inline constexpr std::int64_t max_timestamp = -3;
inline constexpr std::int64_t earliest_local_timestamp = -4;
inline constexpr std::int64_t latest_tiered_timestamp = -5;

/// Whoever knows of transactions, as partitions need it. Any thread may call.
class TransactionGate {
 public:
  using Verdict = UniqueFunction<void(Result<void>)>;
  using Noted = UniqueFunction<void(const Result<void>&)>;
  virtual ~TransactionGate() = default;
  /// Whether the producer has a transaction open that may write to the partition. `verdict` is
  /// called on `executor`, before a marker of that transaction gets there. Errors:
  /// invalid_producer_epoch, invalid_txn_state. Where the batch `adds` its partition, it may, and
  /// begins the transaction if none is open; then also concurrent_transactions, where that is being
  /// decided. After a good one, `noted` is called there too, when it is durable that the partition
  /// is in the transaction, and before that with an error each time that it cannot be written; not
  /// any more when the transaction is ended. One that asks again takes the place of the one before.
  virtual void admit(ProducerId producer, std::int16_t epoch, bool adds,
                     const TopicPartition& partition, Executor& executor, Verdict verdict,
                     Noted noted) = 0;
  /// Whether somebody will end the transaction that the producer has open in the partition since
  /// before a start; invalid_txn_state where nobody will. `last_marker` is the coordinator epoch of
  /// the last marker before it. `verdict` as above.
  virtual void adopt(ProducerId producer, std::int32_t last_marker, const TopicPartition& partition,
                     Executor& executor, Verdict verdict) = 0;
  /// The marker that ends the producer's transaction in the partition is durable, at `marker`.
  virtual void decided(ProducerId producer, const TopicPartition& partition, bool is_commit,
                       Offset marker) = 0;
};

/// Lives on the executor of its shard, like its log; what is const, but settings(), is thread-safe.
class Partition : public std::enable_shared_from_this<Partition> {
 public:
  /// What all partitions of an executor share. Outlives them.
  struct Environment {
    Executor& executor;
    const Clock& clock;
    record::Scratch& scratch;
    /// Null where no transaction is taken.
    TransactionGate* transactions = nullptr;
  };
  Partition(std::shared_ptr<log::Log> log, const Environment& environment, std::string topic,
            const TopicSettings& settings);
  Partition(const Partition&) = delete;
  Partition& operator=(const Partition&) = delete;

  /// Calls `listener` when this partition goes, because its topic is deleted or the broker ends,
  /// until the ticket dies; at once if it has gone. Whoever holds a partition should let go of it
  /// then, so that its files can be given back.
  using Ticket = std::shared_ptr<void>;
  [[nodiscard]] Ticket on_gone(UniqueFunction<void()> listener);
  /// The broker has forgotten it: tells whoever listens. The caller holds it meanwhile.
  void set_gone();
  /// The broker ends: what waits is not called any more, but let go, since it may hold this one.
  void abandon() { std::exchange(loading_, {}); }

  /// Its topic is not durable yet. What is appended from here on is answered when that is, or fails
  /// with it: a start would not find it.
  void begin_making();
  void end_making(const Result<void>& made);

  using AppendDone = UniqueFunction<void(Result<Appended>)>;
  /// Checks a producer's bytes (record/validate.h; the codes of Kafka's LogValidator) and appends
  /// them. `done` is called exactly once, never before append() returned. `records` are changed in
  /// place and kept alive by `owner` until then. `produce_version` decides what is allowed (zstd),
  /// and whether a batch adds the partition to its transaction.
  /// `rejected`, if given, gets the records to blame before append() returns.
  void append(std::shared_ptr<const void> owner, MutableBytes records, int produce_version,
              AppendDone done, std::vector<record::RecordError>* rejected = nullptr);

  /// Appends what is known to be a good batch, such as one of our own. `done` is called later.
  void append_checked(log::Batch batch, log::Log::AppendDone done);
  /// Appends a batch of our own to its producer's transaction. Before `done`, calls `kept` when it
  /// is in the log, durably, which the transaction's end decides on then: also where `done` gets an
  /// error, because it cannot be noted that the partition is in the transaction.
  using Kept = UniqueFunction<void(Offset)>;
  void append_in_transaction(log::Batch batch, Kept kept, log::Log::AppendDone done);
  /// Writes the end of a transaction, once: written again with the same coordinator epoch, it is
  /// the one that there is. Behind every batch that append() was called with before. Where it
  /// fails, the producer's next transaction is kept out until it was written, since the marker
  /// would end that one too; whoever calls has to try again, unless it is no coordinator.
  void append_marker(ProducerId producer, std::int16_t epoch, const record::EndMarker& marker,
                     UniqueFunction<void(Result<Offset>)> done);
  // What epochs append (broker/epochs.h) waits for nothing that other producers have on the way.
  /// Whether the topic's settings allow a batch of an epoch, which is in a transaction. Errors:
  /// those of append().
  Result<log::Batch> check_epoch(std::shared_ptr<const void> owner, MutableBytes records) const;
  /// Appends what is checked, or a good batch of our own, and gives its base offset at once. `done`
  /// as for log::Log::append(). REQUIRES, where it has a producer id: load_producers() is done.
  Result<Offset> place(log::Batch batch, log::Log::AppendDone done);
  /// Ends an epoch: where it is committed, the last stable offset passes it, at once if the log
  /// knows its producers; then the marker is appended, of a commit with the next commit of the
  /// journal. `done` when it is durable.
  void end_epoch(ProducerId producer, const record::EndMarker& marker,
                 UniqueFunction<void(Result<Offset>)> done);

  /// Has the log read what is known of producers, and ends transactions that nobody will end.
  /// `done` is called later, when the view has a last stable offset.
  void load_producers(UniqueFunction<void(Result<void>)> done);

  /// Moves the start up to `offset`, or to the high watermark for -1, durably; gives the start that
  /// there is then. Errors: offset_out_of_range above the high watermark, policy_violation where
  /// the topic is only compacted.
  void delete_records(std::int64_t offset, UniqueFunction<void(Result<Offset>)> done);

  std::shared_ptr<const log::LogView> view() const { return log_->view(); }
  log::Log& log() { return *log_; }
  const log::Log& log() const { return *log_; }
  const std::string& topic() const { return topic_; }
  /// The one that it lives on.
  Executor& executor() const { return environment_.executor; }
  PartitionId id() const { return log_->id().partition; }

  /// -1 (client does not say) passes; Errc::fenced_leader_epoch or unknown_leader_epoch else, where
  /// the client's epoch is not ours.
  Result<void> check_leader_epoch(std::int32_t client_epoch) const;

  void set_settings(const TopicSettings& settings);
  const TopicSettings& settings() const { return settings_; }

 private:
  Result<log::Batch> check(std::shared_ptr<const void> owner, MutableBytes records,
                           int produce_version, std::int64_t now_ms,
                           std::vector<record::RecordError>* rejected) const;

  /// A batch with a producer id on its way into the log.
  struct Entering {
    log::Batch batch;
    log::Log::AppendDone done;
    ProducerId producer;
    std::int16_t epoch = 0;
    /// Of a transaction that may not be open here yet.
    bool needs_transaction = false;
    bool is_marker = false;
    /// It adds the partition to its transaction.
    bool adds = false;
    Kept kept = {};
  };
  /// Answers that wait until it is durable that a transaction has this partition. Each is of a
  /// request that is under way, which bounds them.
  struct Unnoted {
    std::vector<TransactionGate::Noted> answers;
    std::optional<Result<void>> outcome;
  };
  void enter(Entering entering);
  /// Appends what can be, in order, until the first one has to wait.
  void let_in();
  bool must_ask(const Entering& entering) const;
  void ask(Entering& entering);
  /// Appends it, unless it would get into a transaction that it is not of.
  void go(Entering entering);
  Result<void> check_ended(const Entering& entering) const;
  void refuse_all(const Error& error);
  /// Nothing has to wait any more for it to be noted that the producer's transaction is here.
  void set_noted(ProducerId producer, const Result<void>& outcome);
  void producers_loaded(const Result<void>& loaded);
  void end_orphan(ProducerId producer, std::int16_t epoch);
  Entering make_marker(ProducerId producer, std::int16_t epoch, const record::EndMarker& marker,
                       UniqueFunction<void(Result<Offset>)> done);
  void orphans_ended();

  std::shared_ptr<log::Log> log_;
  Environment environment_;
  std::string topic_;
  TopicSettings settings_;
  std::vector<std::weak_ptr<UniqueFunction<void()>>> gone_listeners_;
  bool is_gone_ = false;
  /// The topic is being made, or could not be; and the answers that wait for that.
  bool is_being_made_ = false;
  std::optional<Error> unmade_;
  std::vector<TransactionGate::Noted> unanswered_;
  std::deque<Entering> entering_;
  /// The first of them waits for a verdict, or for the log.
  bool is_asking_ = false;
  std::vector<UniqueFunction<void(Result<void>)>> loading_;
  std::size_t orphans_left_ = 0;
  /// It was asked who ends what a start found open. The log may know its producers before.
  bool has_asked_ = false;
  /// Of producers whose transaction is not noted durably yet. Shared with what is being appended.
  std::map<ProducerId, std::shared_ptr<Unnoted>> unnoted_;
  /// Coordinator epochs of markers that were asked for and are not durable.
  std::map<ProducerId, std::int32_t> ending_;
  /// Where transactions begin that nobody else ends, until that is durable.
  std::map<ProducerId, Offset> orphans_;
};

/// Finds an offset by time or by one of the special timestamps, in `view`. Blocks on the disk for
/// real timestamps and max_timestamp; any thread. nullopt: no such record (offset -1 on the wire).
/// With `is_committed` only of what is below the last stable offset, which REQUIRES that one.
Result<std::optional<ListedOffset>> list_offset(const log::LogView& view, LeaderEpoch epoch,
                                                std::int64_t timestamp, bool is_committed = false);

/// The last leader epoch that is not above the one asked for, and the offset at which it ended.
struct EpochEnd {
  LeaderEpoch epoch;
  Offset offset;
};

/// Finds where `epoch` ended in `view`, of which `current` is the newest epoch. Blocks on the disk
/// for past epochs, any thread. nullopt for an epoch that has not begun.
Result<std::optional<EpochEnd>> find_epoch_end(const log::LogView& view, LeaderEpoch current,
                                               std::int32_t epoch);

}  // namespace leat::broker
