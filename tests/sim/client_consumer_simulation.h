// One seeded history of a client's consumers in a group, on a broker's real groups: members come,
// read, commit, leave and die, requests and answers are late or lost, the broker is killed. What
// they read has leaders of its own, who are elected anew, and may have less than the one before.
//
// What must be true, whatever happens:
//
//  - In one generation a partition is one member's, and each record is processed by one of them.
//  - No record is processed twice, unless somebody who had it lost it, or died, before he
//  committed.
//  - None is left out, nor one that stands where another one was cut off.
//  - What is committed was processed, and never goes back but to where the log was cut.
//  - When nobody disturbs them, everything is processed and committed, and every partition has one
//    owner.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "broker/groups.h"
#include "client/fetch_plan.h"
#include "client/group_member.h"
#include "client/positions.h"
#include "sim/broker_lives.h"

namespace leat::sim {

class ClientConsumerSimulation : public BrokerLives {
 public:
  ClientConsumerSimulation(std::uint64_t seed, bool verbose, const CrashPoint* point = nullptr);

 private:
  using Time = std::chrono::nanoseconds;
  using Change = client::GroupMember::Change;

  /// A process, if there is a member.
  struct Consumer {
    int number = 0;
    std::unique_ptr<client::GroupMember> member;
    std::unique_ptr<client::Positions> positions;
    std::unique_ptr<client::FetchPlan> plan;
    std::map<std::int32_t, std::int32_t> epochs;  // of leaders, as it knows them, by partition
    std::deque<Change> revoking;
    /// Partitions.
    std::set<std::int32_t> reading;
    std::int32_t generation = -1;  // in which it was told last what it has
    std::uint64_t life = 0;        // since it started, or had lost all
    bool is_leaving = false;
    Time cut_until{0};  // from the network
    Time retry_at{0};   // about offsets
    /// What becomes of the calls under way if no answer comes.
    std::map<std::uint64_t, std::function<void()>> under_way;
  };

  void opened() override;
  void live() override;
  void ended() override;
  void finish() override;

  Time now() const { return executor_.monotonic(); }
  void pass(std::chrono::milliseconds time);
  void start(Consumer& consumer);
  void die(Consumer& consumer);
  void leave(Consumer& consumer);
  void stop(Consumer& consumer);
  void produce();
  void elect();

  // What its machines ask for.
  void act(Consumer& consumer);
  void take_changes(Consumer& consumer);
  void assigned(Consumer& consumer, const Change& change);
  void send_member_request(Consumer& consumer);
  void mind_offsets(Consumer& consumer);
  void give_up(Consumer& consumer);
  void fetch_offsets(Consumer& consumer);
  void commit(Consumer& consumer, const client::MemberIdentity& identity);
  void process(Consumer& consumer);
  void check_positions(Consumer& consumer);
  void take(Consumer& consumer, client::FetchPlan::Outcome outcome);
  wire::FetchResponse::Partition fetch(const wire::FetchRequest::Partition& asked);
  client::FetchPlan::LeaderOf leader_of(Consumer& consumer) const;
  void stop_reading(Consumer& consumer, std::int32_t partition);
  void process(Consumer& consumer, std::int32_t partition, std::int64_t offset);
  void excuse(const client::TopicPartitions& partitions);
  bool is_held_by_another(const Consumer& consumer, std::int32_t partition) const;

  // The network and the broker.
  bool loses(const Consumer& consumer);
  std::chrono::milliseconds delay();
  void fail_call(Consumer& consumer, std::uint64_t call);
  template <class Response>
  void call(Consumer& consumer, std::function<void(std::function<void(Response)>)> deliver,
            std::function<void(Response)> answered, std::function<void()> failed);
  template <class Request>
  void ask(Consumer& consumer, std::uint64_t ticket, const Request& request);
  void serve(Consumer& consumer, const wire::FindCoordinatorRequest& request,
             std::function<void(wire::FindCoordinatorResponse)> done);
  void serve(Consumer& consumer, const wire::JoinGroupRequest& request,
             std::function<void(wire::JoinGroupResponse)> done);
  void serve(Consumer& consumer, const wire::SyncGroupRequest& request,
             std::function<void(wire::SyncGroupResponse)> done);
  void serve(Consumer& consumer, const wire::HeartbeatRequest& request,
             std::function<void(wire::HeartbeatResponse)> done);
  void serve(Consumer& consumer, const wire::LeaveGroupRequest& request,
             std::function<void(wire::LeaveGroupResponse)> done);
  void serve(const wire::OffsetCommitRequest& request,
             std::function<void(wire::OffsetCommitResponse)> done);
  void serve(const wire::OffsetFetchRequest& request,
             std::function<void(wire::OffsetFetchResponse)> done);
  bool is_settled() const;

  std::deque<Consumer> consumers_;
  Assignor assignor_;
  std::int32_t count_ = 3;  // of partitions, as metadata has it
  bool is_disturbed_ = true;
  std::uint64_t last_life_ = 0;
  std::uint64_t last_call_ = 0;

  /// A partition's records, by their offsets: of which epoch each is.
  using Log = std::vector<std::int32_t>;

  // By partition:
  std::map<std::int32_t, Log> logs_;
  std::map<std::int32_t, std::int32_t> leader_epochs_;
  std::map<std::int32_t, std::int64_t> cut_;  // the lowest offset from which it ever was
  std::map<std::int32_t, std::int64_t> most_processed_;
  std::map<std::int32_t, std::int64_t> processed_;  // up to there, by anybody
  std::map<std::int32_t, std::int64_t> excused_;    // may be processed again up to there
  std::map<std::int32_t, std::int64_t> committed_;
  std::map<std::int32_t, std::int32_t> given_in_;  // the last generation
  /// Who processed a record, by the generation.
  std::map<std::pair<std::int32_t, std::int64_t>, std::map<std::int32_t, std::uint64_t>> by_whom_;
  Bytes batch_;  // that was fetched last
};

}  // namespace leat::sim
