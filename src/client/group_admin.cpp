#include "client/group_admin.h"

#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/core.h>

#include "client/cluster.h"
#include "client/group_coordinator.h"
#include "client/wire_error.h"
#include "wire/consumer_group_describe.h"
#include "wire/delete_groups.h"
#include "wire/describe_groups.h"
#include "wire/list_groups.h"
#include "wire/offset_commit.h"
#include "wire/offset_fetch.h"

namespace leat::client {

using wire::ErrorCode;

namespace {

tl::unexpected<Error> refused(ErrorCode code, const GroupCoordinator& coordinator) {
  return tl::unexpected(broker_error(code, "group " + coordinator.group(), coordinator.address()));
}

Error no_such_group(const std::string& group) {
  return {Errc::not_found, fmt::format("there is no group {}", group),
          static_cast<std::int16_t>(ErrorCode::group_id_not_found)};
}

MemberDescription to_member(const wire::DescribeGroupsResponse::Member& from) {
  MemberDescription member{
      from.member_id, from.group_instance_id, from.client_id, from.client_host, {}};
  // What members of other kinds of groups do is not ours to read.
  if (auto assignment = decode_assignment(from.member_assignment)) {
    member.assignment = std::move(*assignment);
  }
  return member;
}

MemberDescription to_member(const wire::ConsumerGroupDescribeResponse::Member& from) {
  MemberDescription member{from.member_id, from.instance_id, from.client_id, from.client_host, {}};
  for (const auto& topic : from.assignment.topic_partitions) {
    member.assignment[topic.topic_name] = topic.partitions;
  }
  return member;
}

/// A group of the new protocol, which DescribeGroups does not tell of.
net::Task<Result<GroupDescription>> describe_consumer_group(Caller caller, std::string group) {
  GroupCoordinator coordinator(caller, group);
  wire::ConsumerGroupDescribeRequest request;
  request.group_ids = {group};
  auto code_of = [](const wire::ConsumerGroupDescribeResponse& response) {
    return response.groups.empty() ? ErrorCode::none : response.groups[0].error_code;
  };
  auto timeout = caller.cluster->options().request_timeout;
  auto answer = co_await coordinator.ask(request, code_of, timeout);
  // A broker that does not have the request has no such group.
  bool is_missing = !answer && answer.error().code == Errc::unsupported_version;
  if (is_missing) co_return tl::unexpected(no_such_group(group));
  if (!answer) co_return fail(answer);
  if (answer->groups.empty()) co_return tl::unexpected(no_such_group(group));
  const auto& described = answer->groups[0];
  if (described.error_code == ErrorCode::group_id_not_found) {
    co_return tl::unexpected(no_such_group(group));
  }
  if (described.error_code != ErrorCode::none) co_return refused(described.error_code, coordinator);
  GroupDescription description{
      group, described.group_state, "consumer", described.assignor_name, {}};
  for (const auto& member : described.members) description.members.push_back(to_member(member));
  co_return description;
}

}  // namespace

net::Task<Result<std::vector<ListedGroup>>> list_groups(Caller caller) {
  std::vector<std::string> no_topics;
  Result<void> refreshed = co_await caller.cluster->refresh(no_topics);
  if (!refreshed) co_return fail(refreshed);
  std::vector<ListedGroup> groups;
  auto brokers = caller.cluster->metadata().brokers();
  for (const auto& [id, address] : brokers) {
    Result<Connection::Ptr> opened = co_await caller.cluster->broker(id);
    if (!opened) co_return fail(opened);
    Connection::Ptr connection = *opened;
    wire::ListGroupsRequest request;
    auto timeout = caller.cluster->options().request_timeout;
    auto answer = co_await connection->call(request, timeout);
    if (!answer) co_return fail(answer);
    if (answer->message.error_code != ErrorCode::none) {
      co_return tl::unexpected(broker_error(answer->message.error_code, "listing groups",
                                            connection->address().to_string()));
    }
    for (const auto& group : answer->message.groups) {
      groups.push_back({group.group_id, group.protocol_type, group.group_state});
    }
  }
  std::sort(groups.begin(), groups.end(), [](auto& a, auto& b) { return a.id < b.id; });
  co_return groups;
}

net::Task<Result<GroupDescription>> describe_group(Caller caller, std::string group) {
  GroupCoordinator coordinator(caller, group);
  wire::DescribeGroupsRequest request;
  request.groups = {group};
  auto code_of = [](const wire::DescribeGroupsResponse& response) {
    return response.groups.empty() ? ErrorCode::none : response.groups[0].error_code;
  };
  auto timeout = caller.cluster->options().request_timeout;
  auto answer = co_await coordinator.ask(request, code_of, timeout);
  if (!answer) co_return fail(answer);
  if (answer->groups.empty()) co_return tl::unexpected(no_such_group(group));
  const auto& described = answer->groups[0];
  bool is_unknown = described.error_code == ErrorCode::group_id_not_found ||
                    (described.error_code == ErrorCode::none && described.group_state == "Dead");
  if (is_unknown) {
    auto of_consumers = co_await describe_consumer_group(caller, group);
    co_return of_consumers;
  }
  if (described.error_code != ErrorCode::none) co_return refused(described.error_code, coordinator);
  GroupDescription description{
      group, described.group_state, described.protocol_type, described.protocol_data, {}};
  for (const auto& member : described.members) description.members.push_back(to_member(member));
  co_return description;
}

net::Task<Result<std::vector<GroupOffset>>> group_offsets(Caller caller, std::string group) {
  GroupCoordinator coordinator(caller, group);
  wire::OffsetFetchRequest request;
  request.group_id = group;
  request.groups.emplace_back().group_id = group;
  auto code_of = [](const wire::OffsetFetchResponse& response) {
    return response.groups.empty() ? response.error_code : response.groups[0].error_code;
  };
  auto timeout = caller.cluster->options().request_timeout;
  auto answer = co_await coordinator.ask(request, code_of, timeout);
  if (!answer) co_return fail(answer);
  if (code_of(*answer) != ErrorCode::none) co_return refused(code_of(*answer), coordinator);
  std::vector<GroupOffset> offsets;
  const auto& topics = answer->groups.empty() ? answer->topics : answer->groups[0].topics;
  for (const auto& topic : topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.error_code != ErrorCode::none)
        co_return refused(partition.error_code, coordinator);
      if (partition.committed_offset < 0) continue;
      offsets.push_back({topic.name, partition.partition_index, partition.committed_offset,
                         partition.metadata.value_or("")});
    }
  }
  std::sort(offsets.begin(), offsets.end(), [](const GroupOffset& a, const GroupOffset& b) {
    return std::pair(a.topic, a.partition) < std::pair(b.topic, b.partition);
  });
  co_return offsets;
}

net::Task<Result<void>> commit_group_offsets(Caller caller, std::string group,
                                             std::vector<GroupOffset> offsets) {
  GroupCoordinator coordinator(caller, group);
  wire::OffsetCommitRequest request;
  request.group_id = group;
  for (const GroupOffset& offset : offsets) {
    if (request.topics.empty() || request.topics.back().name != offset.topic) {
      request.topics.emplace_back().name = offset.topic;
    }
    wire::OffsetCommitRequest::Partition partition;
    partition.partition_index = offset.partition;
    partition.committed_offset = offset.offset;
    partition.committed_metadata = offset.metadata;
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
  auto timeout = caller.cluster->options().request_timeout;
  auto answer = co_await coordinator.ask(request, code_of, timeout);
  if (!answer) co_return fail(answer);
  ErrorCode code = code_of(*answer);
  if (code == ErrorCode::unknown_member_id || code == ErrorCode::rebalance_in_progress) {
    co_return tl::unexpected(
        Error(Errc::broker_error,
              fmt::format("group {} has members, and only they commit; stop them first", group),
              static_cast<std::int16_t>(ErrorCode::unknown_member_id)));
  }
  if (code != ErrorCode::none) co_return refused(code, coordinator);
  co_return Result<void>{};
}

net::Task<Result<void>> delete_group(Caller caller, std::string group) {
  GroupCoordinator coordinator(caller, group);
  wire::DeleteGroupsRequest request;
  request.group_names = {group};
  auto code_of = [](const wire::DeleteGroupsResponse& response) {
    return response.results.empty() ? ErrorCode::none : response.results[0].error_code;
  };
  auto timeout = caller.cluster->options().request_timeout;
  auto answer = co_await coordinator.ask(request, code_of, timeout);
  if (!answer) co_return fail(answer);
  ErrorCode code = code_of(*answer);
  if (code == ErrorCode::group_id_not_found) co_return tl::unexpected(no_such_group(group));
  if (code == ErrorCode::non_empty_group) {
    co_return tl::unexpected(Error(Errc::broker_error,
                                   fmt::format("group {} has members; stop them first", group),
                                   static_cast<std::int16_t>(code)));
  }
  if (code != ErrorCode::none) co_return refused(code, coordinator);
  co_return Result<void>{};
}

}  // namespace leat::client
