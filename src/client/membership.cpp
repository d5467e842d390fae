#include "client/membership.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

#include "client/assignors.h"
#include "client/wire_error.h"
#include "wire/heartbeat.h"
#include "wire/leave_group.h"
#include "wire/offset_commit.h"
#include "wire/sync_group.h"

namespace leat::client {

namespace asio = boost::asio;
using wire::ErrorCode;

namespace {

constexpr const char* range_protocol = "range";

auto error_code_of = [](const auto& response) { return response.error_code; };

/// What the coordinator says to a member that has to join again.
bool is_over(ErrorCode code) {
  return code == ErrorCode::rebalance_in_progress || code == ErrorCode::illegal_generation ||
         code == ErrorCode::unknown_member_id;
}

tl::unexpected<Error> refused(ErrorCode code, const std::string& group) {
  return tl::unexpected(broker_error(code, "group " + group, "its coordinator"));
}

}  // namespace

Membership::Membership(std::shared_ptr<Cluster> cluster, MembershipOptions options)
    : cluster_(std::move(cluster)),
      options_(std::move(options)),
      coordinator_(cluster_, options_.group, Lane::coordinator),
      timer_(cluster_->executor()) {}

net::Task<Result<TopicPartitions>> Membership::join() {
  auto self = shared_from_this();
  for (int attempts = 1; !is_stopped_; ++attempts) {
    Result<wire::JoinGroupResponse> joined = co_await join_once();
    if (!joined) co_return fail(joined);
    ErrorCode code = joined->error_code;
    if (code == ErrorCode::member_id_required) {
      self_.id = joined->member_id;
      continue;
    }
    if (code == ErrorCode::unknown_member_id) self_.id.clear();
    if (code != ErrorCode::none && !client::is_over(code)) co_return refused(code, options_.group);
    if (code == ErrorCode::none) {
      self_ = {joined->member_id, joined->generation_id};
      bool is_sync_over = false;
      Result<Bytes> assignment = co_await sync(*joined, is_sync_over);
      if (assignment) {
        must_join_ = false;
        co_return decode_assignment(*assignment);
      }
      if (!is_sync_over) co_return fail(assignment);
    }
    co_await cluster_->back_off(attempts);
  }
  co_return fail(Errc::cancelled, "stopped");
}

net::Task<Result<wire::JoinGroupResponse>> Membership::join_once() {
  wire::JoinGroupRequest request;
  request.group_id = options_.group;
  request.session_timeout_ms = static_cast<std::int32_t>(options_.session_timeout.count());
  request.rebalance_timeout_ms = static_cast<std::int32_t>(options_.rebalance_timeout.count());
  request.member_id = self_.id;
  request.protocol_type = consumer_protocol_type;
  Subscription subscription;
  subscription.topics = options_.topics;
  request.protocols.push_back({range_protocol, encode_subscription(subscription)});
  auto timeout = cluster_->options().request_timeout + options_.rebalance_timeout;
  Result<wire::JoinGroupResponse> joined =
      co_await coordinator_.ask(request, error_code_of, timeout);
  co_return joined;
}

net::Task<Result<std::map<std::string, Bytes>>> Membership::assign(
    const wire::JoinGroupResponse& joined) {
  std::vector<AssignorMember> members;
  std::vector<std::string> topics;
  for (const auto& member : joined.members) {
    auto subscription = decode_subscription(member.metadata);
    if (!subscription) co_return fail(subscription);
    topics.insert(topics.end(), subscription->topics.begin(), subscription->topics.end());
    members.push_back({member.member_id, member.group_instance_id, std::move(*subscription)});
  }
  Result<void> refreshed = co_await cluster_->refresh(topics);
  if (!refreshed) co_return fail(refreshed);
  std::map<std::string, std::int32_t> counts;
  for (const auto& [name, topic] : cluster_->metadata().topics()) {
    counts[name] = static_cast<std::int32_t>(topic.partitions.size());
  }
  std::map<std::string, Bytes> assignments;
  for (const auto& [id, partitions] : client::assign(Assignor::range, members, counts)) {
    assignments[id] = encode_assignment(partitions);
  }
  co_return assignments;
}

/// `is_over` where the group has gone on to another rebalance.
net::Task<Result<Bytes>> Membership::sync(const wire::JoinGroupResponse& joined, bool& is_over) {
  wire::SyncGroupRequest request;
  request.group_id = options_.group;
  request.generation_id = self_.generation;
  request.member_id = self_.id;
  request.protocol_type = consumer_protocol_type;
  request.protocol_name = range_protocol;
  if (joined.leader == self_.id) {
    auto assignments = co_await assign(joined);
    if (!assignments) co_return fail(assignments);
    for (auto& [id, assignment] : *assignments) {
      request.assignments.push_back({id, std::move(assignment)});
    }
  }
  auto timeout = cluster_->options().request_timeout + options_.rebalance_timeout;
  Result<wire::SyncGroupResponse> synced =
      co_await coordinator_.ask(request, error_code_of, timeout);
  if (!synced) co_return fail(synced);
  is_over = client::is_over(synced->error_code);
  if (synced->error_code == ErrorCode::unknown_member_id) self_.id.clear();
  if (synced->error_code != ErrorCode::none) co_return refused(synced->error_code, options_.group);
  co_return std::move(synced->assignment);
}

void Membership::start_heartbeats() {
  if (is_beating_) return;
  is_beating_ = true;
  asio::co_spawn(cluster_->executor(), beat(shared_from_this()), asio::detached);
}

net::Task<void> Membership::beat([[maybe_unused]] std::shared_ptr<Membership> self) {
  boost::system::error_code ignored;
  auto token = asio::redirect_error(asio::use_awaitable, ignored);
  while (!is_stopped_ && !must_join_ && !cluster_->closed()) {
    timer_.expires_after(options_.heartbeat_interval);
    co_await timer_.async_wait(token);
    if (is_stopped_ || must_join_) break;
    wire::HeartbeatRequest request;
    request.group_id = options_.group;
    request.generation_id = self_.generation;
    request.member_id = self_.id;
    auto timeout = options_.session_timeout;
    auto answer = co_await coordinator_.ask(request, error_code_of, timeout);
    if (!answer || !client::is_over(answer->error_code)) continue;
    if (answer->error_code == ErrorCode::unknown_member_id) self_.id.clear();
    must_join_ = true;
  }
  is_beating_ = false;
}

net::Task<Result<std::vector<GroupOffset>>> Membership::committed() {
  Result<std::vector<GroupOffset>> offsets = co_await group_offsets(cluster_, options_.group);
  co_return offsets;
}

net::Task<Result<MemberId>> Membership::end() {
  stop();
  co_return self_;
}

void Membership::stop() {
  is_stopped_ = true;
  timer_.cancel();
}

net::Task<Result<void>> commit_as(std::shared_ptr<Cluster> cluster, std::string group,
                                  MemberId member, std::vector<GroupOffset> offsets) {
  GroupCoordinator coordinator(cluster, group);
  wire::OffsetCommitRequest request;
  request.group_id = group;
  request.generation_id = member.generation;
  request.member_id = member.id;
  for (const GroupOffset& offset : offsets) {
    if (request.topics.empty() || request.topics.back().name != offset.topic) {
      request.topics.emplace_back().name = offset.topic;
    }
    wire::OffsetCommitRequest::Partition partition;
    partition.partition_index = offset.partition;
    partition.committed_offset = offset.offset;
    partition.committed_metadata = "";
    request.topics.back().partitions.push_back(std::move(partition));
  }
  auto code_of = [](const wire::OffsetCommitResponse& response) {
    for (const auto& topic : response.topics) {
      for (const auto& partition : topic.partitions) {
        if (partition.error_code != ErrorCode::none) return partition.error_code;
      }
    }
    return ErrorCode::none;
  };
  auto timeout = cluster->options().request_timeout;
  auto answer = co_await coordinator.ask(request, code_of, timeout);
  if (!answer) co_return fail(answer);
  ErrorCode code = code_of(*answer);
  if (is_over(code)) co_return fail(Errc::cancelled, "the group has gone on without this member");
  if (code != ErrorCode::none) co_return refused(code, group);
  co_return Result<void>{};
}

net::Task<Result<void>> leave_group(std::shared_ptr<Cluster> cluster, std::string group,
                                    MemberId member) {
  GroupCoordinator coordinator(cluster, group);
  wire::LeaveGroupRequest request;
  request.group_id = group;
  request.member_id = member.id;
  request.members.push_back({member.id, {}, {}});
  auto timeout = cluster->options().request_timeout;
  auto answer = co_await coordinator.ask(request, error_code_of, timeout);
  if (!answer) co_return fail(answer);
  co_return Result<void>{};
}

}  // namespace leat::client
