// ConsumerGroupHeartbeat: answered when all is durable that the answer says.
#include <chrono>
#include <memory>
#include <utility>

#include "server/group_calls.h"
#include "server/handlers.h"

namespace leat::server {
namespace {

using broker::GroupError;
using wire::ConsumerGroupHeartbeatRequest;
using wire::ConsumerGroupHeartbeatResponse;
using HeartbeatCall = Call<ConsumerGroupHeartbeatRequest>;

broker::Assignment to_broker(
    const std::vector<ConsumerGroupHeartbeatResponse::TopicPartitions>& topic_partitions) {
  broker::Assignment assignment;
  for (const auto& topic : topic_partitions) {
    if (topic.partitions.empty()) continue;
    assignment[topic.topic_id].insert(topic.partitions.begin(), topic.partitions.end());
  }
  return assignment;
}

broker::ConsumerHeartbeat to_broker(const HeartbeatCall& call) {
  const ConsumerGroupHeartbeatRequest& request = call.request();
  broker::ConsumerHeartbeat heartbeat;
  heartbeat.group_id = request.group_id;
  heartbeat.member_id = request.member_id;
  heartbeat.epoch = request.member_epoch;
  heartbeat.instance_id = request.instance_id;
  heartbeat.rack_id = request.rack_id;
  if (request.rebalance_timeout_ms >= 0) {
    heartbeat.rebalance_timeout = std::chrono::milliseconds(request.rebalance_timeout_ms);
  }
  heartbeat.topics = request.subscribed_topic_names;
  heartbeat.topic_regex = request.subscribed_topic_regex;
  heartbeat.assignor = request.server_assignor;
  if (request.topic_partitions) heartbeat.owned = to_broker(*request.topic_partitions);
  heartbeat.client_id = call.client_id();
  heartbeat.client_host = "/" + call.peer_host();
  return heartbeat;
}

ConsumerGroupHeartbeatResponse make_response(broker::ConsumerHeartbeatResult result) {
  ConsumerGroupHeartbeatResponse response;
  response.error_code = to_wire(result.error);
  if (result.error != GroupError::none) {
    if (!result.message.empty()) response.error_message = std::move(result.message);
    return response;
  }
  response.member_id = std::move(result.member_id);
  response.member_epoch = result.epoch;
  response.heartbeat_interval_ms = static_cast<std::int32_t>(result.heartbeat_interval.count());
  if (!result.assignment) return response;
  auto& assignment = response.assignment.emplace();
  for (const auto& [topic, partitions] : *result.assignment) {
    assignment.topic_partitions.push_back({topic, {partitions.begin(), partitions.end()}});
  }
  return response;
}

void heartbeat(HeartbeatCall given, broker::Groups& groups, GroupError error) {
  if (error != GroupError::none) return given.answer(make_response({error}));
  auto call = std::make_shared<HeartbeatCall>(std::move(given));
  groups.heartbeat(to_broker(*call), call->version() >= 1,
                   [call](broker::ConsumerHeartbeatResult result) {
                     call->answer(make_response(std::move(result)));
                   });
}

}  // namespace

void handle(HeartbeatCall call) {
  with_groups(std::move(call), heartbeat);
}

}  // namespace leat::server
