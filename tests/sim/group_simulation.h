// One seeded history of groups of both protocols on the fake file system: members join, are given
// their work, commit, fall silent and leave, while the server is killed and its disk fails.
//
// What must be true, whatever happens:
//
//  - A commit that was acknowledged, or told to anybody, is not lost and does not go back. What was
//    forgotten stays so.
//  - Members of one generation were told parts of one and the same assignment, across crashes; the
//    generations and epochs that a member is told do not go back.
//  - No partition is given to a member of the new protocol while another one may still use it.
//  - Nobody commits for an older generation, nor who has left, nor an outsider while others work.
//  - Who speaks in time, and whose server lives, stays a member.
//  - When nobody disturbs them, groups get stable.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker/groups.h"
#include "sim/broker_lives.h"
#include "sim/offsets_model.h"

namespace leat::sim {

class GroupSimulation : public BrokerLives {
 public:
  GroupSimulation(std::uint64_t seed, bool verbose, const CrashPoint* point = nullptr);

 private:
  using Time = std::chrono::nanoseconds;
  using Place = std::pair<Uuid, std::int32_t>;
  using Parts = std::map<std::string, Bytes>;  // by member

  /// The wall's clock jumps; the other one does not.
  class JumpingClock final : public Clock {
   public:
    explicit JumpingClock(const Clock& steady) : steady_(steady) {}
    std::int64_t wall_ms() const override { return steady_.wall_ms() + ahead_ms_; }
    Time monotonic() const override { return steady_.monotonic(); }
    void jump(std::int64_t ms) { ahead_ms_ += ms; }

   private:
    const Clock& steady_;
    std::int64_t ahead_ms_ = 0;
  };

  struct Group {
    std::string name;
    bool is_new = false;  // of the new protocol
    /// The newest generation whose work was told to anybody, or the newest epoch.
    std::int32_t told = 0;
    /// What leaders have proposed for each generation, as far as it fits what was told.
    std::map<std::int32_t, std::vector<Parts>> proposals;
    std::set<std::int32_t> has_told;  // generations
    bool may_be_gone = false;         // and begin anew
  };
  enum class Step { out, joined, in };
  struct Member {
    int number = 0;
    Group* group = nullptr;
    Step step = Step::out;
    std::string id;
    std::int32_t generation = -1;
    std::int32_t told_epoch = -1;  // under this id
    std::uint64_t call = 0;        // answers to others come too late
    bool is_waiting = false;
    Time call_began{0};
    Time first_call{0};  // since the last answer
    /// It is a member at least until then, if nobody disturbs it.
    Time held_until{0};
    bool is_disturbed = false;
    Parts proposal;  // of a leader
    std::set<Place> owned;
    std::map<Place, Time> revoking;              // and how long it may have it
    std::vector<broker::MemberIdentity> before;  // who it was
  };

  const Clock& clock() const override { return clock_; }
  void opened() override;
  void live() override;
  void ended() override;
  void finish() override;

  Time now() const { return executor_.monotonic(); }
  void break_disk();
  void act(Member& member);
  std::uint64_t begin_call(Member& member);
  bool end_call(Member& member, std::uint64_t call);
  void is_in(Member& member, Time session);
  void fall_silent(Member& member);
  void leave(Member& member);
  void send_away(Member& member, bool with_id);
  void forget_self(Member& member, bool with_id);
  void refused(Member& member, broker::GroupError error);
  bool is_there(const Member& member) const;
  bool is_held(const Member& member) const;
  bool is_group_held(const Group& group) const;
  void check_available(broker::GroupError error);
  void tell_generation(Group& group, std::int32_t generation);
  void begin_anew(Group& group);

  void act_classic(Member& member);
  void join(Member& member);
  void joined(Member& member, const broker::JoinResult& result);
  void sync(Member& member);
  void synced(Member& member, const broker::SyncResult& result);

  void heartbeat_new(Member& member);
  void heard(Member& member, const broker::ConsumerHeartbeatResult& result);
  void assigned(Member& member, const broker::Assignment& assignment);
  void revoke(Member& member);

  void commit(Member& member);
  void commit(Group& group, const broker::MemberIdentity& as, bool must_fail);
  void fetch(Group& group, std::int32_t partition);
  void forget_offsets(Group& group);
  void remove(Group& group);
  bool is_settled(const Group& group) const;

  JumpingClock clock_{executor_};
  std::deque<Group> groups_;
  std::deque<Member> members_;
  OffsetsModel offsets_;
  std::uint64_t last_id_ = 0;
  bool with_failing_syncs_ = false;
  bool is_disk_excused_ = false;  // in this life
};

}  // namespace leat::sim
