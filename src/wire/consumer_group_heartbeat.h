// ConsumerGroupHeartbeat: a member of a consumer group (KIP-848) says that it lives, what it wants
// and what it has, and hears what it is to have. It joins and leaves in the same way.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "wire/api_key.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/versions.h"

namespace leat::wire {

struct ConsumerGroupHeartbeatResponse {
  static constexpr ApiKey key = ApiKey::consumer_group_heartbeat;
  static constexpr Versions valid{0, 1};
  static constexpr Versions flexible = always;

  struct TopicPartitions {
    Uuid topic_id;
    std::vector<std::int32_t> partitions;
    static void fields(auto& m, auto& v) {
      v("topic_id", m.topic_id);
      v("partitions", m.partitions);
    }
  };
  struct Assignment {
    std::vector<TopicPartitions> topic_partitions;
    static void fields(auto& m, auto& v) { v("topic_partitions", m.topic_partitions); }
  };
  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string> error_message;
  std::optional<std::string> member_id;
  std::int32_t member_epoch = 0;
  std::int32_t heartbeat_interval_ms = 0;
  std::optional<Assignment> assignment;  // null: as before
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms);
    v("error_code", m.error_code);
    v("error_message", m.error_message);
    v("member_id", m.member_id);
    v("member_epoch", m.member_epoch);
    v("heartbeat_interval_ms", m.heartbeat_interval_ms);
    v("assignment", m.assignment);
  }
};

struct ConsumerGroupHeartbeatRequest {
  static constexpr ApiKey key = ApiKey::consumer_group_heartbeat;
  static constexpr Versions valid{0, 1};
  static constexpr Versions flexible = always;
  using Response = ConsumerGroupHeartbeatResponse;

  std::string group_id;
  std::string member_id;  // from version 1 on made by the client
  std::int32_t member_epoch = 0;
  // null, or -1: as before
  std::optional<std::string> instance_id;
  std::optional<std::string> rack_id;
  std::int32_t rebalance_timeout_ms = -1;
  std::optional<std::vector<std::string>> subscribed_topic_names;
  std::optional<std::string> subscribed_topic_regex;
  std::optional<std::string> server_assignor;
  std::optional<std::vector<ConsumerGroupHeartbeatResponse::TopicPartitions>> topic_partitions;
  static void fields(auto& m, auto& v) {
    v("group_id", m.group_id);
    v("member_id", m.member_id);
    v("member_epoch", m.member_epoch);
    v("instance_id", m.instance_id);
    v("rack_id", m.rack_id);
    v("rebalance_timeout_ms", m.rebalance_timeout_ms);
    v("subscribed_topic_names", m.subscribed_topic_names);
    v("subscribed_topic_regex", m.subscribed_topic_regex, since(1));
    v("server_assignor", m.server_assignor);
    v("topic_partitions", m.topic_partitions);
  }
};

}  // namespace leat::wire
