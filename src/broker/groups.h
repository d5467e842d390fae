// The coordinator of all groups: their members, what they have committed, and the topic in which
// both are remembered, __consumer_offsets (broker/group_records.h).
//
// That topic has one partition, which lives at home, and is made when there is something to write.
// It is read in the background when a broker opens: whoever asks meanwhile waits. What is answered
// is durable. A batch of a transaction counts when a marker of its producer says so.
//
// All members and offsets together are bounded by GroupOptions::memory_bytes_max, beyond which new
// members and new offsets are refused.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "base/uuid.h"
#include "broker/committed_offsets.h"
#include "broker/consumer_group.h"
#include "broker/group.h"
#include "broker/group_types.h"
#include "broker/partition.h"
#include "broker/topic_table.h"
#include "record/builder.h"

namespace leat::broker {

class Broker;
class GroupsReader;

/// The partition in which groups are kept.
TopicPartition group_partition();

struct PartitionCommit {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int32_t leader_epoch = -1;
  std::string metadata = {};
};

/// What OffsetCommit asks for, and TxnOffsetCommit.
struct CommitRequest {
  std::string group_id;
  /// Without id and generation: an admin, who may commit while the group has no members.
  MemberIdentity member;
  /// The client knows what members of consumer groups are answered (OffsetCommit 9 and later).
  bool knows_epochs = false;
  /// -1: as the server's options say.
  std::int64_t retention_ms = -1;
  std::vector<PartitionCommit> partitions = {};
};

/// Who writes in a transaction.
struct TransactionProducer {
  ProducerId id;
  std::int16_t epoch = 0;
};

struct GroupPartition {
  std::string topic;
  std::int32_t partition = 0;
};

struct FetchedOffset {
  GroupError error = GroupError::none;
  /// nullopt: none was committed.
  std::optional<OffsetRecord> value = {};
};

/// Lives at home, like its broker, which outlives it. A `done` is never called from within the call
/// that it completes.
class Groups {
 public:
  using Done = UniqueFunction<void(GroupError)>;
  /// One for each partition, in the order of the request.
  using CommitDone = UniqueFunction<void(std::vector<GroupError>)>;
  struct Entry {
    /// Of the classic protocol. Blank where `consumers` is there.
    Group group;
    /// Of the new protocol, if it is such a group. Shared with its records on their way.
    std::shared_ptr<ConsumerGroup> consumers = {};
    CommittedOffsets offsets = {};
    /// When the group came into its state, by the broker's clock; -1: not known.
    std::int64_t state_ms = -1;
    Executor::TimerId timer = 0;
    Group::Time timer_due{0};
    std::uint32_t writes = 0;
    std::uint64_t counted_bytes = 0;

    bool is_empty() const;
    std::string_view state_name() const;
    /// Kafka's name of its protocol: "classic" or "consumer".
    std::string_view type() const { return consumers ? "consumer" : "classic"; }
    std::string_view protocol_type() const;
    std::size_t member_count() const;
    /// nullopt if they are not known.
    std::optional<std::set<std::string>> subscribed_topics() const;
  };
  using Table = std::map<std::string, Entry, std::less<>>;

  Groups(Broker& broker, const GroupOptions& options, Random random);
  ~Groups();
  Groups(const Groups&) = delete;
  Groups& operator=(const Groups&) = delete;

  /// Begins to read what was written, if there is anything. To be called once.
  void load();
  /// Calls `work` when the groups are known, at once if they are; with an error where they cannot
  /// be, because what was written is damaged. Everything below may be called from then on.
  void when_ready(UniqueFunction<void(GroupError)> work);

  /// The ticket for give_up().
  std::uint64_t join(JoinRequest request, Group::JoinDone done);
  std::uint64_t sync(SyncRequest request, Group::SyncDone done);
  /// Nobody waits for the answer any more, which comes at once.
  void give_up(const std::string& group_id, std::uint64_t ticket);
  GroupError heartbeat(std::string_view group_id, const MemberIdentity& member);
  /// A sign of life by the new protocol; `has_id` if its member must have an id of its own.
  void heartbeat(ConsumerHeartbeat request, bool has_id, ConsumerGroup::Done done);
  /// One for each member.
  std::vector<GroupError> leave(std::string_view group_id,
                                const std::vector<MemberIdentity>& members);

  /// Durable and visible when `done` is called.
  void commit(CommitRequest request, CommitDone done);
  FetchedOffset fetch(std::string_view group_id, std::string_view topic, std::int32_t partition,
                      bool require_stable) const;
  /// Whether that member of a consumer group may ask for offsets; without id anybody may.
  GroupError check_fetch(std::string_view group_id, const std::optional<std::string>& member_id,
                         std::int32_t epoch) const;
  /// Forgets offsets; `done` as for commit. group_id_not_found and non_empty_group are for all.
  void forget_offsets(const std::string& group_id, std::vector<GroupPartition> partitions,
                      CommitDone done);
  /// Forgets a group without members, and all its offsets.
  void remove(const std::string& group_id, Done done);
  /// Forgets what was committed of a topic that goes.
  void forget_topic(const std::string& topic);
  const Table& table() const { return groups_; }
  /// nullptr if there is none.
  const Entry* find(std::string_view group_id) const;

  /// Makes sure that group_partition() exists, before it becomes part of a transaction.
  Result<void> ensure_partition();
  /// As commit(), in a batch of the producer's transaction: `done` when that is durable. The
  /// offsets are visible when end_transaction() says that it was committed; until then
  /// they are unstable.
  void commit_in_transaction(CommitRequest request, const TransactionProducer& producer,
                             CommitDone done);
  /// The marker that ends the producer's transaction is in group_partition() at the offset,
  /// durably. What stands behind it is of the next one.
  void end_transaction(ProducerId producer, bool is_committed, Offset marker);

 private:
  friend class GroupsReader;
  using AppendDone = UniqueFunction<void(Result<Offset>)>;
  /// An offset that a transaction has committed, as long as that is open.
  struct Undecided {
    std::string group;
    std::string topic;
    std::int32_t partition = 0;
    OffsetRecord value;
    Offset log_offset;
  };
  /// A commit on its way to the disk.
  struct Written {
    CommitRequest request;
    std::optional<ProducerId> producer;
    std::int64_t commit_ms = 0;
    std::vector<GroupError> errors = {};
    CommitDone done = {};
    /// It stands in the log, in its transaction, whatever is answered.
    bool is_kept = false;
  };

  Group::Time now() const;
  Entry* find_entry(std::string_view group_id);
  Entry& find_or_make(const std::string& group_id);
  /// Does what a change of the group asks for: answers, writes, sets its timer. Drops the entry if
  /// there is nothing to remember of it.
  void settle(Entry& entry);
  void set_timer(Entry& entry);
  void save(Entry& entry, std::uint64_t number);
  void count_memory(Entry& entry);
  std::string new_member_id(const Entry& entry, const JoinRequest& request);
  void post_answers(std::vector<Work> answers);

  // The kinds of groups:
  GroupError make_consumers(Entry& entry);
  GroupError make_classic(Entry& entry);
  void save_consumers(Entry& entry);
  /// Writes them in batches, without anything between them; `done` when all are durable, or not.
  void write_changes(Entry& entry, std::vector<RecordChange> changes,
                     UniqueFunction<void(bool)> done);
  const GroupTopics& group_topics();

  void commit(CommitRequest request, const std::optional<TransactionProducer>& producer,
              CommitDone done);
  std::vector<GroupError> check_commit(Entry& entry, const CommitRequest& request,
                                       bool is_transactional);
  static OffsetRecord value_of(const Written& written, const PartitionCommit& partition);
  /// It is in the log, from `base` on: its transaction's end decides on it.
  void keep_undecided(Written& written, Offset base);
  void end_commit(Written& written, const Result<Offset>& base);
  /// Writes that there is nothing any more under these keys, and forgets it when that is durable.
  void write_tombstones(const std::string& group_id, std::vector<GroupPartition> partitions,
                        bool with_group, Done done);
  struct Tombstones;
  void write_next_tombstones(const std::shared_ptr<Tombstones>& tombstones);
  void forget(Entry& entry, const GroupPartition& partition);
  void post(CommitDone done, std::vector<GroupError> errors);
  /// Appends what the builder has; `kept` as Partition has it, for what is of a transaction.
  void append(const record::BatchOptions& options, AppendDone done, Partition::Kept kept = {});

  // Replay, by GroupsReader:
  void apply(const GroupKey& key, const std::optional<GroupRecord>& value);
  void apply(const OffsetKey& key, std::optional<OffsetRecord> value, Offset log_offset,
             std::optional<ProducerId> producer);
  Result<void> apply(const ConsumerGroupKey& key, std::optional<BytesView> value,
                     std::int64_t written_ms);
  void finish_load(const std::optional<Error>& error);
  /// Has it found out who ends what a crash left undecided.
  void ask_who_ends();

  void schedule_expiry();
  void expire(std::string after);
  std::vector<GroupPartition> expired_offsets(const Entry& entry) const;

  Broker& broker_;
  const GroupOptions options_;
  Random random_;
  record::BatchBuilder builder_;
  Table groups_;
  std::map<ProducerId, std::vector<Undecided>> undecided_;
  std::uint64_t memory_bytes_ = 0;
  std::uint64_t next_ticket_ = 1;

  bool is_ready_ = false;
  GroupError load_error_ = GroupError::none;
  std::vector<UniqueFunction<void(GroupError)>> waiting_;
  std::shared_ptr<const TopicTable> topics_at_load_;
  std::map<std::string, StoredConsumerGroup> stored_;  // while they are read
  GroupTopics group_topics_;
  std::weak_ptr<const TopicTable> group_topics_of_;  // what they were made of
  Executor::TimerId expiry_timer_ = 0;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace leat::broker
