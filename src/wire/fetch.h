// Fetch: reads record batches from partitions, and waits for them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "wire/api_key.h"
#include "wire/current_leader.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/records.h"
#include "wire/versions.h"

namespace leat::wire {

struct FetchResponse {
  static constexpr ApiKey key = ApiKey::fetch;
  static constexpr Versions valid{4, 16};
  static constexpr Versions flexible = since(12);

  struct EpochEndOffset {
    std::int32_t epoch = -1;
    std::int64_t end_offset = -1;
    static void fields(auto& m, auto& v) {
      v("epoch", m.epoch);
      v("end_offset", m.end_offset);
    }
  };
  struct SnapshotId {
    std::int64_t end_offset = -1;
    std::int32_t epoch = -1;
    static void fields(auto& m, auto& v) {
      v("end_offset", m.end_offset);
      v("epoch", m.epoch);
    }
  };
  struct AbortedTransaction {
    std::int64_t producer_id = 0;
    std::int64_t first_offset = 0;
    static void fields(auto& m, auto& v) {
      v("producer_id", m.producer_id);
      v("first_offset", m.first_offset);
    }
  };
  struct Partition {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;
    std::int64_t high_watermark = 0;
    std::int64_t last_stable_offset = -1;
    std::int64_t log_start_offset = -1;
    std::optional<EpochEndOffset> diverging_epoch;
    std::optional<CurrentLeader> current_leader;
    std::optional<SnapshotId> snapshot_id;
    std::optional<std::vector<AbortedTransaction>> aborted_transactions;
    std::int32_t preferred_read_replica = -1;
    Records records;
    static void fields(auto& m, auto& v) {
      v("partition_index", m.partition_index);
      v("error_code", m.error_code);
      v("high_watermark", m.high_watermark);
      v("last_stable_offset", m.last_stable_offset);
      v("log_start_offset", m.log_start_offset, since(5));
      v.tagged(0, "diverging_epoch", m.diverging_epoch, since(12));
      v.tagged(1, "current_leader", m.current_leader, since(12));
      v.tagged(2, "snapshot_id", m.snapshot_id, since(12));
      v("aborted_transactions", m.aborted_transactions);
      v("preferred_read_replica", m.preferred_read_replica, since(11));
      v("records", m.records);
    }
  };
  struct Topic {
    std::string topic;
    Uuid topic_id;
    std::vector<Partition> partitions;
    static void fields(auto& m, auto& v) {
      v("topic", m.topic, until(12));
      v("topic_id", m.topic_id, since(13));
      v("partitions", m.partitions);
    }
  };
  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::int32_t session_id = 0;
  std::vector<Topic> responses;
  std::vector<NodeEndpoint> node_endpoints;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms);
    v("error_code", m.error_code, since(7));
    v("session_id", m.session_id, since(7));
    v("responses", m.responses);
    v.tagged(0, "node_endpoints", m.node_endpoints, since(16));
  }
};

struct FetchRequest {
  static constexpr ApiKey key = ApiKey::fetch;
  static constexpr Versions valid{4, 16};
  static constexpr Versions flexible = since(12);
  using Response = FetchResponse;

  struct ReplicaState {
    std::int32_t replica_id = -1;
    std::int64_t replica_epoch = -1;
    static void fields(auto& m, auto& v) {
      v("replica_id", m.replica_id);
      v("replica_epoch", m.replica_epoch);
    }
  };
  struct Partition {
    std::int32_t partition = 0;
    std::int32_t current_leader_epoch = -1;
    std::int64_t fetch_offset = 0;
    std::int32_t last_fetched_epoch = -1;
    std::int64_t log_start_offset = -1;  // a follower's
    std::int32_t partition_max_bytes = 0;
    static void fields(auto& m, auto& v) {
      v("partition", m.partition);
      v("current_leader_epoch", m.current_leader_epoch, since(9));
      v("fetch_offset", m.fetch_offset);
      v("last_fetched_epoch", m.last_fetched_epoch, since(12));
      v("log_start_offset", m.log_start_offset, since(5));
      v("partition_max_bytes", m.partition_max_bytes);
    }
  };
  struct Topic {
    std::string topic;
    Uuid topic_id;
    std::vector<Partition> partitions;
    static void fields(auto& m, auto& v) {
      v("topic", m.topic, until(12));
      v("topic_id", m.topic_id, since(13));
      v("partitions", m.partitions);
    }
  };
  /// Partitions to drop from the fetch session.
  struct ForgottenTopic {
    std::string topic;
    Uuid topic_id;
    std::vector<std::int32_t> partitions;
    static void fields(auto& m, auto& v) {
      v("topic", m.topic, until(12));
      v("topic_id", m.topic_id, since(13));
      v("partitions", m.partitions);
    }
  };
  std::optional<std::string> cluster_id;
  std::int32_t replica_id = -1;  // -1: a consumer
  std::optional<ReplicaState> replica_state;
  std::int32_t max_wait_ms = 0;
  std::int32_t min_bytes = 0;
  std::int32_t max_bytes = INT32_MAX;
  std::int8_t isolation_level = 0;  // 1: read_committed
  std::int32_t session_id = 0;
  std::int32_t session_epoch = -1;
  std::vector<Topic> topics;
  std::vector<ForgottenTopic> forgotten_topics_data;
  std::string rack_id;
  static void fields(auto& m, auto& v) {
    v.tagged(0, "cluster_id", m.cluster_id, since(12));
    v("replica_id", m.replica_id, until(14));
    v.tagged(1, "replica_state", m.replica_state, since(15));
    v("max_wait_ms", m.max_wait_ms);
    v("min_bytes", m.min_bytes);
    v("max_bytes", m.max_bytes);
    v("isolation_level", m.isolation_level);
    v("session_id", m.session_id, since(7));
    v("session_epoch", m.session_epoch, since(7));
    v("topics", m.topics);
    v("forgotten_topics_data", m.forgotten_topics_data, since(7));
    v("rack_id", m.rack_id, since(11));
  }
};

}  // namespace leat::wire
