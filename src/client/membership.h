// A consumer's place in a group: it joins, is given partitions, says that it lives, commits,
// leaves.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "client/cluster.h"
#include "client/error.h"
#include "client/group_admin.h"
#include "client/group_coordinator.h"
#include "client/group_protocol.h"
#include "net/task.h"
#include "wire/join_group.h"

namespace leat::client {

struct MembershipOptions {
  std::string group;
  std::vector<std::string> topics;
  std::chrono::milliseconds session_timeout{30'000};
  /// For a member to give back its partitions and come again.
  std::chrono::milliseconds rebalance_timeout{60'000};
  std::chrono::milliseconds heartbeat_interval{3'000};
};

/// Who a member is to its coordinator.
struct MemberId {
  std::string id;
  std::int32_t generation = -1;
};

/// Lives on the cluster's executor, but for must_join(). Partitions are shared out by range, by
/// whichever member leads.
class Membership : public std::enable_shared_from_this<Membership> {
 public:
  Membership(std::shared_ptr<Cluster> cluster, MembershipOptions options);

  /// Waits until the group has settled, for as long as its members may take. Gives what is ours.
  net::Task<Result<TopicPartitions>> join();
  /// Says from now on that we live, until the group wants us to join again.
  void start_heartbeats();
  /// What the group has committed of all its topics.
  net::Task<Result<std::vector<GroupOffset>>> committed();
  /// Says no more; as whom it would have to commit and leave.
  net::Task<Result<MemberId>> end();
  void stop();

  /// Whether what we were given is ours no more. Thread-safe.
  bool must_join() const { return must_join_; }
  const MemberId& self() const { return self_; }

 private:
  net::Task<Result<wire::JoinGroupResponse>> join_once();
  net::Task<Result<Bytes>> sync(const wire::JoinGroupResponse& joined, bool& is_over);
  net::Task<Result<std::map<std::string, Bytes>>> assign(const wire::JoinGroupResponse& joined);
  net::Task<void> beat(std::shared_ptr<Membership> self);

  std::shared_ptr<Cluster> cluster_;
  MembershipOptions options_;
  GroupCoordinator coordinator_;
  MemberId self_;
  boost::asio::steady_timer timer_;
  std::atomic<bool> must_join_{true};
  bool is_stopped_ = false;
  bool is_beating_ = false;
};

/// Commits as that member. Errc::cancelled where the group has gone on without it.
net::Task<Result<void>> commit_as(std::shared_ptr<Cluster> cluster, std::string group,
                                  MemberId member, std::vector<GroupOffset> offsets);
net::Task<Result<void>> leave_group(std::shared_ptr<Cluster> cluster, std::string group,
                                    MemberId member);

}  // namespace leat::client
