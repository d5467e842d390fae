// A consumer's place in a group of the classic protocol, without its sockets: it finds the
// coordinator, joins, shares out the partitions if it leads, says that it lives, joins again when
// the group wants it to, leaves.
//
//   joining ──► assigning (if it leads) ──► syncing ──► stable ──► joining, leaving
//
// All but `stable` end when the member is told that it is none any more, and begin anew; what was
// its own is lost then. Eager members give up all before they join; cooperative ones keep what they
// have, give up afterwards what others are to have, and join once more for these to get it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "client/assignors.h"
#include "client/error.h"
#include "client/topic_partitions.h"
#include "wire/error_code.h"
#include "wire/find_coordinator.h"
#include "wire/heartbeat.h"
#include "wire/join_group.h"
#include "wire/leave_group.h"
#include "wire/sync_group.h"

namespace leat::client {

struct GroupMemberOptions {
  std::string group;
  std::vector<std::string> topics;
  /// Best first. Cooperative only if all of them are.
  std::vector<Assignor> assignors{Assignor::cooperative_sticky};
  /// What makes the member a static one: it does not leave, and finds its partitions again.
  std::optional<std::string> instance_id;
  std::chrono::milliseconds session_timeout{45'000};
  /// For a member to give back its partitions and come again.
  std::chrono::milliseconds rebalance_timeout{300'000};
  std::chrono::milliseconds heartbeat_interval{3'000};
  std::chrono::milliseconds retry_backoff{50};
  std::chrono::milliseconds retry_backoff_max{1000};
};

/// Who a member is to its coordinator.
struct MemberIdentity {
  std::string id;
  std::optional<std::string> instance_id;
  std::int32_t generation = no_generation;
};

/// Not thread-safe. Times are of one monotonic clock.
class GroupMember {
 public:
  using Time = std::chrono::nanoseconds;

  /// What is to be sent. One request is under way at a time.
  struct Outgoing {
    std::uint64_t ticket = 0;
    /// -1: any broker will do.
    std::int32_t broker = -1;
    std::variant<wire::FindCoordinatorRequest, wire::JoinGroupRequest, wire::SyncGroupRequest,
                 wire::HeartbeatRequest, wire::LeaveGroupRequest>
        request;
  };
  struct Change {
    enum class Kind {
      assigned,  // ours from now on
      revoked,   // to be given up; given_up() says that it is, and what is to be committed was
      lost,      // ours no more: nothing of it can be committed
    };
    Kind kind = Kind::assigned;
    TopicPartitions partitions;
    std::uint64_t number = 0;
  };

  explicit GroupMember(GroupMemberOptions options);

  // What to do. After every call of the functions further down, these may have something new.

  /// To be called until there is none.
  std::optional<Outgoing> next_request(Time now);
  /// Nothing happens by itself before then; nullopt: ever.
  std::optional<Time> next_due() const;
  /// In their order. Until a `revoked` is given up, the group waits.
  std::vector<Change> take_changes() { return std::exchange(changes_, {}); }
  /// The topics whose partitions are to be told to take_counts(): without it the group waits, too.
  std::optional<std::vector<std::string>> wants_counts() const;
  /// The topics of which a change in the numbers of partitions is to be told to take_counts().
  std::vector<std::string> watched_topics() const;

  // What happened.

  /// Who gives the answers that come next, for texts.
  void hears(std::string broker) { broker_ = std::move(broker); }
  void answered(std::uint64_t ticket, const wire::FindCoordinatorResponse& response, Time now);
  void answered(std::uint64_t ticket, const wire::JoinGroupResponse& response, Time now);
  void answered(std::uint64_t ticket, const wire::SyncGroupResponse& response, Time now);
  void answered(std::uint64_t ticket, const wire::HeartbeatResponse& response, Time now);
  void answered(std::uint64_t ticket, const wire::LeaveGroupResponse& response, Time now);
  /// No answer will come, or it came too late: whether the coordinator has heard it is not known.
  void failed(std::uint64_t ticket, Time now);
  /// No answer will ever come: the broker does not speak that request, say.
  void failed_for_good(std::uint64_t ticket, Error error);
  /// Of all topics that were asked for and exist. A member that leads joins again when they have
  /// other numbers of partitions than those that it has shared out.
  void take_counts(const PartitionCounts& counts);
  /// The partitions of the change with that number.
  void given_up(std::uint64_t number);
  /// What the coordinator said to a commit of that generation.
  void refused(wire::ErrorCode code, std::int32_t generation, Time now);
  void coordinator_lost(Time now);

  void subscribe(std::vector<std::string> topics);
  /// Ends the membership; what is owned must have been given up. A static member just falls silent.
  void leave();

  /// A place in the group, to commit with; nullopt while there is none.
  std::optional<MemberIdentity> identity() const;
  std::int32_t coordinator() const { return coordinator_; }
  const TopicPartitions& owned() const { return owned_; }
  bool has_left() const { return state_ == State::left; }
  /// What ended the membership for good.
  const std::optional<Error>& error() const { return error_; }
  const GroupMemberOptions& options() const { return options_; }

 private:
  enum class State { joining, assigning, syncing, stable, leaving, left, failed };
  enum class Verdict { fine, join_again, forget_self, find_again, retry, fatal };

  static Verdict verdict_of(wire::ErrorCode code);
  Outgoing send(decltype(Outgoing::request) request, Time now);
  wire::JoinGroupRequest join_request() const;
  wire::SyncGroupRequest sync_request() const;
  /// nullopt: nobody is to be told, as of a member that was never heard of, or a static one.
  std::optional<wire::LeaveGroupRequest> leave_request() const;
  bool take_ticket(std::uint64_t ticket);
  /// Whether the answer is a good one; if not, does what its code asks for.
  bool judge(wire::ErrorCode code, Time now);
  void retry_later(Time now);
  void end_session(Time now);
  void begin_rebalance();
  void lose_all();
  void fail(Error error);
  void change(Change::Kind kind, TopicPartitions partitions);
  void lead(const wire::JoinGroupResponse& response);
  std::vector<std::string> group_topics() const;
  PartitionCounts known_counts(const PartitionCounts& counts) const;
  void take_assignment(const TopicPartitions& assignment);

  GroupMemberOptions options_;
  bool is_cooperative_;
  State state_ = State::joining;
  std::int32_t coordinator_ = -1;
  std::string broker_;
  std::string id_;
  std::int32_t generation_ = no_generation;
  Assignor assignor_ = Assignor::range;
  std::optional<Error> error_;

  bool leads_ = false;
  bool is_complete_ = true;              // what was shared out
  std::vector<AssignorMember> members_;  // of a leader
  std::optional<PartitionCounts> shared_out_;
  Assignments assignments_;

  TopicPartitions owned_;
  Possession last_;  // what was given last, for sticky assignors
  TopicPartitions giving_up_;
  std::uint64_t revocation_ = 0;
  bool must_join_ = false;
  std::vector<Change> changes_;
  std::uint64_t last_change_ = 0;

  std::uint64_t in_flight_ = 0;
  std::uint64_t last_ticket_ = 0;
  Time sent_{0};
  bool is_waiting_ = false;  // the request in flight may take as long as a rebalance
  /// When the last request was sent that the coordinator took for a sign of life.
  Time heard_{0};
  Time heartbeat_due_{0};
  /// A leader joins again by then: what it held back is nobody's until somebody does.
  std::optional<Time> settle_due_;
  Time retry_at_{0};
  int attempts_ = 0;
};

}  // namespace leat::client
