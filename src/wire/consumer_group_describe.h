// ConsumerGroupDescribe: state and members of consumer groups (KIP-848), and what each member has
// and is to have.
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

struct ConsumerGroupDescribeResponse {
  static constexpr ApiKey key = ApiKey::consumer_group_describe;
  static constexpr Versions valid{0, 1};
  static constexpr Versions flexible = always;

  struct TopicPartitions {
    Uuid topic_id;
    std::string topic_name;
    std::vector<std::int32_t> partitions;
    static void fields(auto& m, auto& v) {
      v("topic_id", m.topic_id);
      v("topic_name", m.topic_name);
      v("partitions", m.partitions);
    }
  };
  struct Assignment {
    std::vector<TopicPartitions> topic_partitions;
    static void fields(auto& m, auto& v) { v("topic_partitions", m.topic_partitions); }
  };
  struct Member {
    std::string member_id;
    std::optional<std::string> instance_id;
    std::optional<std::string> rack_id;
    std::int32_t member_epoch = 0;
    std::string client_id;
    std::string client_host;
    std::vector<std::string> subscribed_topic_names;
    std::optional<std::string> subscribed_topic_regex;
    Assignment assignment;
    Assignment target_assignment;
    std::int8_t member_type = -1;  // 0: of the classic protocol, 1: of this one
    static void fields(auto& m, auto& v) {
      v("member_id", m.member_id);
      v("instance_id", m.instance_id);
      v("rack_id", m.rack_id);
      v("member_epoch", m.member_epoch);
      v("client_id", m.client_id);
      v("client_host", m.client_host);
      v("subscribed_topic_names", m.subscribed_topic_names);
      v("subscribed_topic_regex", m.subscribed_topic_regex);
      v("assignment", m.assignment);
      v("target_assignment", m.target_assignment);
      v("member_type", m.member_type, since(1));
    }
  };
  struct Group {
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    std::string group_id;
    std::string group_state;
    std::int32_t group_epoch = 0;
    std::int32_t assignment_epoch = 0;
    std::string assignor_name;
    std::vector<Member> members;
    std::int32_t authorized_operations = INT32_MIN;
    static void fields(auto& m, auto& v) {
      v("error_code", m.error_code);
      v("error_message", m.error_message);
      v("group_id", m.group_id);
      v("group_state", m.group_state);
      v("group_epoch", m.group_epoch);
      v("assignment_epoch", m.assignment_epoch);
      v("assignor_name", m.assignor_name);
      v("members", m.members);
      v("authorized_operations", m.authorized_operations);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Group> groups;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms);
    v("groups", m.groups);
  }
};

struct ConsumerGroupDescribeRequest {
  static constexpr ApiKey key = ApiKey::consumer_group_describe;
  static constexpr Versions valid{0, 1};
  static constexpr Versions flexible = always;
  using Response = ConsumerGroupDescribeResponse;

  std::vector<std::string> group_ids;
  bool include_authorized_operations = false;
  static void fields(auto& m, auto& v) {
    v("group_ids", m.group_ids);
    v("include_authorized_operations", m.include_authorized_operations);
  }
};

}  // namespace leat::wire
