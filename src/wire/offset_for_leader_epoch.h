// OffsetForLeaderEpoch: where a leader epoch ended. A consumer learns by it that records which it
// has seen are gone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire/api_key.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/versions.h"

namespace leat::wire {

struct OffsetForLeaderEpochResponse {
  static constexpr ApiKey key = ApiKey::offset_for_leader_epoch;
  static constexpr Versions valid{0, 4};
  static constexpr Versions flexible = since(4);

  struct Partition {
    ErrorCode error_code = ErrorCode::none;
    std::int32_t partition = 0;
    std::int32_t leader_epoch = -1;
    std::int64_t end_offset = -1;
    static void fields(auto& m, auto& v) {
      v("error_code", m.error_code);
      v("partition", m.partition);
      v("leader_epoch", m.leader_epoch, since(1));
      v("end_offset", m.end_offset);
    }
  };
  struct Topic {
    std::string topic;
    std::vector<Partition> partitions;
    static void fields(auto& m, auto& v) {
      v("topic", m.topic);
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

struct OffsetForLeaderEpochRequest {
  static constexpr ApiKey key = ApiKey::offset_for_leader_epoch;
  static constexpr Versions valid{0, 4};
  static constexpr Versions flexible = since(4);
  using Response = OffsetForLeaderEpochResponse;

  struct Partition {
    std::int32_t partition = 0;
    std::int32_t current_leader_epoch = -1;
    std::int32_t leader_epoch = 0;
    static void fields(auto& m, auto& v) {
      v("partition", m.partition);
      v("current_leader_epoch", m.current_leader_epoch, since(2));
      v("leader_epoch", m.leader_epoch);
    }
  };
  struct Topic {
    std::string topic;
    std::vector<Partition> partitions;
    static void fields(auto& m, auto& v) {
      v("topic", m.topic);
      v("partitions", m.partitions);
    }
  };
  std::int32_t replica_id = -2;  // -1: a consumer, -2: one that may see all
  std::vector<Topic> topics;
  static void fields(auto& m, auto& v) {
    v("replica_id", m.replica_id, since(3));
    v("topics", m.topics);
  }
};

}  // namespace leat::wire
