// One group of the classic protocol: who is in it, in which generation, and who waits for what.
//
//   Empty ── join ──► PreparingRebalance ── all are back, or time is up ──► CompletingRebalance
//     ▲                 ▲   │ nobody is left                                  │ the leader's
//     └─────────────────┼───┘                                                 │ assignment is
//                       └── a member comes, goes or changes ── Stable ◄───────┘ durable
//
// What members know and are to do is opaque: eager and cooperative rebalancing are the same here.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/unique_function.h"
#include "broker/group_records.h"
#include "broker/group_types.h"

namespace leat::broker {

/// A state machine without sockets, log, clock or chance: what happens follows from the calls and
/// the times in them, which are monotonic. Answers are not given but collected: whoever calls
/// anything has to fetch them by take_answers(), and what is to be written down by take_save().
class Group {
 public:
  using Time = std::chrono::nanoseconds;
  using JoinDone = UniqueFunction<void(JoinResult)>;
  using SyncDone = UniqueFunction<void(SyncResult)>;

  struct Member {
    std::string id;
    std::optional<std::string> instance_id;
    std::string client_id;
    std::string client_host;
    std::chrono::milliseconds session_timeout{0};
    std::chrono::milliseconds rebalance_timeout{0};
    std::vector<GroupProtocol> protocols;
    Bytes assignment;
    /// When its session ends, unless it waits for an answer of ours.
    Time expires{0};
    /// Its client cannot know its id before it is answered.
    bool is_unnamed = false;
    /// It is in this generation, and has not asked yet for its part of the work.
    bool has_to_sync = false;
    JoinDone join_done = {};
    SyncDone sync_done = {};
    std::uint64_t ticket = 0;  // of the call that waits

    bool is_waiting() const { return join_done || sync_done; }
    /// Of the protocol of that name; empty if it has none.
    BytesView metadata(std::string_view protocol) const;
  };
  using Members = std::map<std::string, Member, std::less<>>;

  /// The options outlive the group.
  Group(std::string id, const GroupOptions& options);
  /// As it was when `record` was written, with a whole session before every member.
  Group(std::string id, const GroupOptions& options, const GroupRecord& record, Time now);

  /// `new_id` is for a member that has none, `ticket` for give_up().
  void join(JoinRequest request, std::string new_id, std::uint64_t ticket, Time now, JoinDone done);
  void sync(SyncRequest request, std::uint64_t ticket, Time now, SyncDone done);
  GroupError heartbeat(const MemberIdentity& member, Time now);
  /// A member that has an instance need not give its id, so that an admin can send it away.
  GroupError leave(const MemberIdentity& member, Time now);
  /// Whether that member, or whoever is none, may commit offsets; counts as a sign of life. What a
  /// transaction commits need not be of the present generation.
  GroupError check_commit(const MemberIdentity& member, bool is_transactional, Time now);
  /// Nobody waits any more for the call with that ticket, which is answered. Its member has a
  /// session left to come back, unless its client does not even know its id.
  void give_up(std::uint64_t ticket, Time now);

  /// Puts a whole session before every member, as after a time in which none could speak.
  void restart_sessions(Time now);
  /// Ends what is over by `now`: sessions, and the patience of a rebalance.
  void tick(Time now);
  /// No call of tick() does anything before then; nullopt: ever.
  std::optional<Time> next_due() const;

  std::vector<Work> take_answers() { return std::exchange(answers_, {}); }
  /// The group has changed in a way that must outlive this process: record() is to be written, and
  /// saved() called with this number. nullopt: nothing has.
  std::optional<std::uint64_t> take_save();
  void saved(std::uint64_t number, bool is_written, Time now);
  /// The state's time is left to the caller.
  GroupRecord record() const;

  const std::string& id() const { return id_; }
  GroupState state() const { return state_; }
  std::int32_t generation() const { return generation_; }
  /// Empty where there never was a member.
  const std::string& protocol_type() const { return protocol_type_; }
  const std::optional<std::string>& protocol() const { return protocol_; }
  const std::string& leader() const { return leader_; }
  const Members& members() const { return members_; }
  /// What its members take, about.
  std::uint64_t memory_bytes() const { return memory_bytes_; }
  /// Whether nobody is in it, nor is about to be.
  bool is_idle() const { return state_ == GroupState::empty && pending_ids_.empty(); }
  /// Whether nobody ever was, either.
  bool is_blank() const { return is_idle() && generation_ == 0; }
  /// The topics that members have asked for; nullopt if any says it in words that we do not know.
  std::optional<std::set<std::string>> subscribed_topics() const;

 private:
  GroupError check_identity(const MemberIdentity& member) const;
  bool supports(const JoinRequest& request) const;
  bool is_full() const { return members_.size() + pending_ids_.size() >= options_->members_max; }
  std::optional<std::string> choose_protocol() const;

  void join_new(JoinRequest request, std::string new_id, std::uint64_t ticket, Time now,
                JoinDone done);
  void join_again(JoinRequest request, std::uint64_t ticket, Time now, JoinDone done);
  void replace_static(JoinRequest request, std::string new_id, std::uint64_t ticket, Time now,
                      JoinDone done);
  void add_member(JoinRequest request, std::string id, std::uint64_t ticket, Time now,
                  JoinDone done);
  void update(Member& member, JoinRequest& request);
  /// Takes a member out, and leaves the rest as it is: go_on_without() has to follow.
  void erase_member(const std::string& id);
  void go_on_without(Time now);
  void count_protocols(const Member& member, int change);
  void wait_to_join(Member& member, std::uint64_t ticket, JoinDone done);
  void touch(Member& member, Time now);

  template <class Condition>
  bool erase_members(Condition condition);
  void end_sessions(Time now);
  void prepare_rebalance(Time now);
  void maybe_complete_join(Time now);
  void complete_join(Time now);
  void become_empty();
  void finish_sync(GroupError error, Time now);
  JoinResult joined(const Member& member) const;
  void answer_join(Member& member, JoinResult result);
  void answer_sync(Member& member, SyncResult result);
  void answer(JoinDone done, JoinResult result);
  void answer(SyncDone done, SyncResult result);
  void request_save() { ++wanted_save_; }
  std::chrono::milliseconds longest_rebalance() const;

  std::string id_;
  const GroupOptions* options_;
  GroupState state_ = GroupState::empty;
  std::int32_t generation_ = 0;
  std::string protocol_type_;
  std::optional<std::string> protocol_;
  std::string leader_;
  Members members_;
  std::map<std::string, std::string, std::less<>> static_ids_;  // by instance
  std::map<std::string, Time, std::less<>> pending_ids_;        // told, and not back yet; their end
  std::map<std::string, std::size_t, std::less<>> protocol_counts_;
  std::size_t joining_ = 0;      // members that wait for the next generation
  Time rebalance_due_{0};        // while preparing or completing
  Time hold_until_{0};           // no first generation before
  Time scan_due_ = Time::max();  // no session ends before
  std::uint64_t memory_bytes_ = 0;

  std::vector<Work> answers_;
  std::uint64_t wanted_save_ = 0;
  std::uint64_t begun_save_ = 0;
  std::uint64_t sync_save_ = 0;  // the one that makes the leader's assignment durable; 0: none
  struct AfterSave {
    std::uint64_t number;
    JoinDone done;
    JoinResult result;
  };
  std::vector<AfterSave> after_save_;  // static members that came back
};

}  // namespace leat::broker
