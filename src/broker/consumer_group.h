// One group of the new protocol (KIP-848), in which the broker hands out the partitions.
//
// The group's epoch rises when a member comes, goes or wants other topics, or when those topics
// change. Then an assignor makes a new target: what each member is to have. Each member goes there
// on its own, with its heartbeats: first it gives up what it is not to have any more, and says so;
// then it has the target's epoch, and is given what nobody else has any more. So a partition never
// has two owners, and who keeps his partitions is not disturbed.
//
//   Empty ── join ──► Assigning ── target ──► Reconciling ── all have what they are to ──► Stable
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "base/unique_function.h"
#include "broker/assignors.h"
#include "broker/consumer_group_records.h"
#include "broker/consumer_group_types.h"

namespace leat::broker {

/// A state machine without sockets, log, clock or chance, as Group is: whoever calls anything has
/// to fetch what is to be written by take_save(), and answers by take_answers(). An answer comes
/// when all is durable that it follows from.
class ConsumerGroup {
 public:
  using Time = std::chrono::nanoseconds;
  using Done = UniqueFunction<void(ConsumerHeartbeatResult)>;

  struct Member {
    ConsumerMemberRecord about;
    Assignment target;
    CurrentAssignment current;
    /// When its session ends.
    Time expires{0};
    /// When it must have given up what it has to; Time::max() if nothing.
    Time revoke_due = Time::max();
    std::uint64_t counted_bytes = 0;
  };
  using Members = std::map<std::string, Member, std::less<>>;

  /// The options outlive the group.
  ConsumerGroup(std::string id, const GroupOptions& options);
  /// As it was stored, with a whole session before every member.
  ConsumerGroup(std::string id, const GroupOptions& options, StoredConsumerGroup stored, Time now);

  /// What is wrong with a request, whatever group it is for; `has_id` if its member must have one.
  static ConsumerHeartbeatResult check(const ConsumerHeartbeat& request, bool has_id);
  /// REQUIRES: checked, with a member id.
  void heartbeat(ConsumerHeartbeat request, const GroupTopics& topics, Time now, Done done);
  /// Whether that member, or whoever is none, may commit. `knows_epochs`: its client understands
  /// what we answer (OffsetCommit 9 and later).
  GroupError check_commit(const MemberIdentity& member, bool is_transactional,
                          bool knows_epochs) const;
  GroupError check_fetch(const std::optional<std::string>& member_id, std::int32_t epoch) const;

  /// Ends sessions, and the patience with those that do not give up their partitions.
  void tick(Time now);
  std::optional<Time> next_due() const;

  /// What has changed and must outlive this process. saved() is to be called with the number, in
  /// the order of the numbers.
  struct Save {
    std::uint64_t number = 0;
    std::vector<RecordChange> changes;
  };
  std::optional<Save> take_save();
  void saved(std::uint64_t number, bool is_written);
  std::vector<Work> take_answers() { return std::exchange(answers_, {}); }
  /// What makes all records of the group void, once nobody is in it: also those that could not be
  /// taken out yet, or may come to be so.
  std::vector<RecordChange> tombstones() const;

  const std::string& id() const { return id_; }
  ConsumerGroupState state() const;
  std::int32_t epoch() const { return epoch_; }
  std::int32_t target_epoch() const { return target_epoch_; }
  Assignor assignor() const;
  const Members& members() const { return members_; }
  /// But for the id.
  std::uint64_t memory_bytes() const { return memory_bytes_ + matched_bytes_; }
  /// Those that any member wants; nullopt as long as it is not known what expressions match.
  std::optional<std::set<std::string>> subscribed_topics() const;

 private:
  using Kind = ConsumerGroupKey::Kind;
  using Dirty = std::set<std::pair<Kind, std::string>>;
  using Place = std::pair<Uuid, std::int32_t>;

  GroupError find_or_add(const ConsumerHeartbeat& request, Members::iterator& found);
  GroupError find_static(const ConsumerHeartbeat& request, Members::iterator& found);
  GroupError add_member(const ConsumerHeartbeat& request, Members::iterator& found);
  void replace_static(Members::iterator& member, const std::string& new_id);
  void rejoin(Members::iterator member);
  GroupError leave(const ConsumerHeartbeat& request);
  void remove_member(Members::iterator member);
  bool update(Members::iterator member, const ConsumerHeartbeat& request);
  void count_subscription(const Member& member, int change);
  void recount(const std::string& member_id, Member& member);
  void recount_matches();

  void refresh_topics(const GroupTopics& topics, bool has_changed);
  std::int64_t hash_topics(const GroupTopics& topics);
  std::set<std::string> wanted_topics() const;
  std::set<Uuid> find_topics(const Member& member, const GroupTopics& topics) const;
  void make_target(const GroupTopics& topics);
  void reconcile(Members::iterator member, const std::optional<Assignment>& owned, Time now);
  CurrentAssignment next_assignment(const Member& member,
                                    const std::optional<Assignment>& owned) const;
  void set_current(Members::iterator member, CurrentAssignment next);
  void forget_owner(const Member& member);
  void claim(const Member& member);
  void claim_all();

  void mark(Kind kind, const std::string& member = {}) {
    dirty_.emplace(kind, member);
    wants_save_ = true;
  }
  RecordChange change_of(Kind kind, const std::string& member) const;
  void answer(Done done, ConsumerHeartbeatResult result);
  /// As answer(), when all that has changed so far is durable.
  void answer_when_saved(Done done, ConsumerHeartbeatResult result);

  std::string id_;
  const GroupOptions* options_;
  std::int32_t epoch_ = 0;
  std::int32_t target_epoch_ = 0;
  std::int64_t topics_hash_ = 0;
  std::uint64_t topics_version_ = 0;  // as last seen; 0: to be looked at again
  Members members_;
  std::map<std::string, std::string, std::less<>> static_ids_;  // by instance
  std::map<Place, const Member*> owners_;            // who has a partition, or may still have it
  std::map<std::string, std::size_t> topic_counts_;  // members that want it
  std::map<std::string, std::size_t> regex_counts_;
  std::map<std::string, std::set<std::string>> matches_;  // of each expression, as of that version
  Time due_ = Time::max();                                // nothing ends before
  std::uint64_t memory_bytes_ = 0;                        // of the members
  std::uint64_t matched_bytes_ = 0;

  std::vector<Work> answers_;
  struct Waiting {
    std::uint64_t number;
    Done done;
    ConsumerHeartbeatResult result;
  };
  std::vector<Waiting> waiting_;
  Dirty dirty_;
  bool wants_save_ = false;
  std::map<std::uint64_t, Dirty> saving_;
  std::uint64_t begun_save_ = 0;
  std::uint64_t failed_save_ = 0;  // up to here nothing counts as written
};

}  // namespace leat::broker
