// The broker of the simulated consumers, asked as its handlers ask it.
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "server/wire_error.h"
#include "sim/client_consumer_simulation.h"

namespace leat::sim {
namespace {

using broker::GroupError;
using std::chrono::milliseconds;
using wire::ErrorCode;

}  // namespace

void ClientConsumerSimulation::serve(Consumer&, const wire::FindCoordinatorRequest& request,
                                     std::function<void(wire::FindCoordinatorResponse)> done) {
  wire::FindCoordinatorResponse response;
  response.coordinators.push_back({request.coordinator_key, 1, "", 0, ErrorCode::none, {}});
  done(response);
}

void ClientConsumerSimulation::serve(Consumer& consumer, const wire::JoinGroupRequest& request,
                                     std::function<void(wire::JoinGroupResponse)> done) {
  broker::JoinRequest join;
  join.group_id = request.group_id;
  join.member_id = request.member_id;
  join.instance_id = request.group_instance_id;
  join.session_timeout = milliseconds(request.session_timeout_ms);
  join.rebalance_timeout = milliseconds(request.rebalance_timeout_ms);
  join.protocol_type = request.protocol_type;
  for (const auto& protocol : request.protocols) {
    join.protocols.push_back({protocol.name, protocol.metadata});
  }
  join.takes_id_first = join.can_skip_assignment = true;
  trace("consumer {} joins as '{}'", consumer.number, join.member_id);
  broker_->groups().join(std::move(join), [done](broker::JoinResult result) {
    wire::JoinGroupResponse response;
    response.error_code = server::to_wire(result.error);
    response.generation_id = result.generation;
    response.protocol_type = result.protocol_type;
    response.protocol_name = result.protocol;
    response.leader = result.leader;
    response.skip_assignment = result.skip_assignment;
    response.member_id = result.member_id;
    for (broker::JoinedMember& member : result.members) {
      response.members.push_back({member.member_id, member.instance_id, member.metadata});
    }
    done(response);
  });
}

void ClientConsumerSimulation::serve(Consumer& consumer, const wire::SyncGroupRequest& request,
                                     std::function<void(wire::SyncGroupResponse)> done) {
  broker::SyncRequest sync;
  sync.group_id = request.group_id;
  sync.member = {request.member_id, request.group_instance_id, request.generation_id};
  sync.protocol_type = request.protocol_type;
  sync.protocol = request.protocol_name;
  for (const auto& part : request.assignments) {
    sync.assignments.push_back({part.member_id, part.assignment});
  }
  trace("consumer {} asks for its part of generation {}", consumer.number, request.generation_id);
  broker_->groups().sync(std::move(sync), [done](const broker::SyncResult& result) {
    wire::SyncGroupResponse response;
    response.error_code = server::to_wire(result.error);
    response.assignment = result.assignment;
    done(response);
  });
}

void ClientConsumerSimulation::serve(Consumer&, const wire::HeartbeatRequest& request,
                                     std::function<void(wire::HeartbeatResponse)> done) {
  GroupError error = broker_->groups().heartbeat(
      request.group_id, {request.member_id, request.group_instance_id, request.generation_id});
  done({0, server::to_wire(error)});
}

void ClientConsumerSimulation::serve(Consumer&, const wire::LeaveGroupRequest& request,
                                     std::function<void(wire::LeaveGroupResponse)> done) {
  broker_->groups().leave(request.group_id, {{request.members.at(0).member_id, {}, -1}});
  done({});
}

void ClientConsumerSimulation::serve(const wire::OffsetCommitRequest& request,
                                     std::function<void(wire::OffsetCommitResponse)> done) {
  if (!broker_) return;
  broker::CommitRequest commit;
  commit.group_id = request.group_id;
  commit.member = {request.member_id, request.group_instance_id, request.generation_id};
  std::vector<std::pair<std::int32_t, std::int64_t>> offsets;
  const auto& asked = request.topics.at(0);
  for (const auto& part : asked.partitions) {
    commit.partitions.push_back(
        {asked.name, part.partition_index, part.committed_offset, part.committed_leader_epoch});
    offsets.emplace_back(part.partition_index, part.committed_offset);
  }
  broker_->groups().commit(std::move(commit), [this, done, offsets, topic = asked.name](
                                                  const std::vector<GroupError>& errors) {
    if (!alive()) return;
    wire::OffsetCommitResponse response;
    auto& parts = response.topics.emplace_back();
    parts.name = topic;
    for (std::size_t i = 0; i < errors.size(); ++i) {
      auto [partition, offset] = offsets[i];
      parts.partitions.push_back({partition, server::to_wire(errors[i])});
      if (errors[i] != GroupError::none) continue;
      auto cut = cut_.find(partition);
      bool is_cut = cut != cut_.end() && offset >= cut->second;
      if (offset < committed_[partition] && !is_cut) {
        object(fmt::format("{} goes back from {} to {}", partition, committed_[partition], offset));
      }
      std::int64_t most = is_cut ? most_processed_[partition] : processed_[partition];
      if (offset > most) object("what is committed was not processed");
      committed_[partition] = offset;
    }
    done(response);
  });
}

void ClientConsumerSimulation::serve(const wire::OffsetFetchRequest& request,
                                     std::function<void(wire::OffsetFetchResponse)> done) {
  if (!broker_) return;
  wire::OffsetFetchResponse response;
  auto& answer = response.groups.emplace_back();
  answer.group_id = request.group_id;
  auto& parts = answer.topics.emplace_back();
  const auto& asked = request.topics->at(0);
  parts.name = asked.name;
  for (std::int32_t partition : asked.partition_indexes) {
    broker::FetchedOffset told =
        broker_->groups().fetch(request.group_id, asked.name, partition, request.require_stable);
    std::int64_t offset = told.value ? told.value->offset : -1;
    if (committed_[partition] > 0 && offset < committed_[partition]) {
      object(fmt::format("the group is told {} of {}, which is at {}", offset, partition,
                         committed_[partition]));
    }
    std::int32_t epoch = told.value ? told.value->leader_epoch : -1;
    parts.partitions.push_back({partition, offset, epoch, "", server::to_wire(told.error)});
  }
  done(response);
}

}  // namespace leat::sim
