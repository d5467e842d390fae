// ListOffsets: a partition's first, last or timestamped offset.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire/api_key.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/versions.h"

namespace leat::wire {

/// What ListOffsets may ask for instead of a time.
constexpr std::int64_t latest_timestamp = -1;
constexpr std::int64_t earliest_timestamp = -2;
constexpr std::int64_t max_timestamp = -3;
constexpr std::int64_t earliest_local_timestamp = -4;
constexpr std::int64_t latest_tiered_timestamp = -5;

struct ListOffsetsResponse {
  static constexpr ApiKey key = ApiKey::list_offsets;
  static constexpr Versions valid{1, 10};
  static constexpr Versions flexible = since(6);

  struct Partition {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;
    std::int64_t timestamp = -1;
    std::int64_t offset = -1;
    std::int32_t leader_epoch = -1;
    static void fields(auto& m, auto& v) {
      v("partition_index", m.partition_index);
      v("error_code", m.error_code);
      v("timestamp", m.timestamp);
      v("offset", m.offset);
      v("leader_epoch", m.leader_epoch, since(4));
    }
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partitions;
    static void fields(auto& m, auto& v) {
      v("name", m.name);
      v("partitions", m.partitions);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms, since(2));
    v("topics", m.topics);
  }
};

struct ListOffsetsRequest {
  static constexpr ApiKey key = ApiKey::list_offsets;
  static constexpr Versions valid{1, 10};
  static constexpr Versions flexible = since(6);
  using Response = ListOffsetsResponse;

  struct Partition {
    std::int32_t partition_index = 0;
    std::int32_t current_leader_epoch = -1;
    std::int64_t timestamp = 0;
    static void fields(auto& m, auto& v) {
      v("partition_index", m.partition_index);
      v("current_leader_epoch", m.current_leader_epoch, since(4));
      v("timestamp", m.timestamp);
    }
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partitions;
    static void fields(auto& m, auto& v) {
      v("name", m.name);
      v("partitions", m.partitions);
    }
  };
  std::int32_t replica_id = -1;     // -1: a consumer
  std::int8_t isolation_level = 0;  // 1: read_committed
  std::vector<Topic> topics;
  std::int32_t timeout_ms = 0;
  static void fields(auto& m, auto& v) {
    v("replica_id", m.replica_id);
    v("isolation_level", m.isolation_level, since(2));
    v("topics", m.topics);
    v("timeout_ms", m.timeout_ms, since(10));
  }
};

}  // namespace leat::wire
