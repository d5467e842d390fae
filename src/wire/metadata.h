// Metadata: brokers, topics, and where their partitions are.
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

struct MetadataResponse {
  static constexpr ApiKey key = ApiKey::metadata;
  static constexpr Versions valid{0, 13};
  static constexpr Versions flexible = since(9);

  struct Broker {
    std::int32_t node_id = 0;
    std::string host;
    std::int32_t port = 0;
    std::optional<std::string> rack;
    static void fields(auto& m, auto& v) {
      v("node_id", m.node_id);
      v("host", m.host);
      v("port", m.port);
      v("rack", m.rack, since(1));
    }
  };
  struct Partition {
    ErrorCode error_code = ErrorCode::none;
    std::int32_t partition_index = 0;
    std::int32_t leader_id = 0;
    std::int32_t leader_epoch = -1;
    std::vector<std::int32_t> replica_nodes;
    std::vector<std::int32_t> isr_nodes;
    std::vector<std::int32_t> offline_replicas;
    static void fields(auto& m, auto& v) {
      v("error_code", m.error_code);
      v("partition_index", m.partition_index);
      v("leader_id", m.leader_id);
      v("leader_epoch", m.leader_epoch, since(7));
      v("replica_nodes", m.replica_nodes);
      v("isr_nodes", m.isr_nodes);
      v("offline_replicas", m.offline_replicas, since(5));
    }
  };
  struct Topic {
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> name;  // null: asked for by an id that is not there
    Uuid topic_id;                    // zero: asked for by a name that is not there
    bool is_internal = false;
    std::vector<Partition> partitions;
    std::int32_t topic_authorized_operations = INT32_MIN;  // not asked for
    static void fields(auto& m, auto& v) {
      v("error_code", m.error_code);
      v("name", m.name, always, since(12));
      v("topic_id", m.topic_id, since(10));
      v("is_internal", m.is_internal, since(1));
      v("partitions", m.partitions);
      v("topic_authorized_operations", m.topic_authorized_operations, since(8));
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Broker> brokers;
  std::optional<std::string> cluster_id;
  std::int32_t controller_id = -1;
  std::vector<Topic> topics;
  std::int32_t cluster_authorized_operations = INT32_MIN;  // not asked for
  ErrorCode error_code = ErrorCode::none;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms, since(3));
    v("brokers", m.brokers);
    v("cluster_id", m.cluster_id, since(2));
    v("controller_id", m.controller_id, since(1));
    v("topics", m.topics);
    v("cluster_authorized_operations", m.cluster_authorized_operations, Versions{8, 10});
    v("error_code", m.error_code, since(13));
  }
};

struct MetadataRequest {
  static constexpr ApiKey key = ApiKey::metadata;
  static constexpr Versions valid{0, 13};
  static constexpr Versions flexible = since(9);
  using Response = MetadataResponse;

  struct Topic {
    Uuid topic_id;                    // zero: by name
    std::optional<std::string> name;  // null: by id, from version 12 on
    static void fields(auto& m, auto& v) {
      v("topic_id", m.topic_id, since(10));
      v("name", m.name, always, since(10));
    }
  };
  // Null: all topics. Version 0 has no null: there an empty array means all, from 1 on it means
  // none.
  std::optional<std::vector<Topic>> topics;
  bool allow_auto_topic_creation = true;
  bool include_cluster_authorized_operations = false;
  bool include_topic_authorized_operations = false;
  static void fields(auto& m, auto& v) {
    v("topics", m.topics, always, since(1));
    v("allow_auto_topic_creation", m.allow_auto_topic_creation, since(4));
    v("include_cluster_authorized_operations", m.include_cluster_authorized_operations,
      Versions{8, 10});
    v("include_topic_authorized_operations", m.include_topic_authorized_operations, since(8));
  }
};

}  // namespace leat::wire
