// ListPartitionReassignments: which partitions are being moved between brokers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wire/api_key.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/versions.h"

namespace leat::wire {

struct ListPartitionReassignmentsResponse {
  static constexpr ApiKey key = ApiKey::list_partition_reassignments;
  static constexpr Versions valid{0, 0};
  static constexpr Versions flexible = since(0);

  struct Partition {
    std::int32_t partition_index = 0;
    std::vector<std::int32_t> replicas;
    std::vector<std::int32_t> adding_replicas;
    std::vector<std::int32_t> removing_replicas;
    static void fields(auto& m, auto& v) {
      v("partition_index", m.partition_index);
      v("replicas", m.replicas);
      v("adding_replicas", m.adding_replicas);
      v("removing_replicas", m.removing_replicas);
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
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string> error_message;
  std::vector<Topic> topics;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms);
    v("error_code", m.error_code);
    v("error_message", m.error_message);
    v("topics", m.topics);
  }
};

struct ListPartitionReassignmentsRequest {
  static constexpr ApiKey key = ApiKey::list_partition_reassignments;
  static constexpr Versions valid{0, 0};
  static constexpr Versions flexible = since(0);
  using Response = ListPartitionReassignmentsResponse;

  struct Topic {
    std::string name;
    std::vector<std::int32_t> partition_indexes;
    static void fields(auto& m, auto& v) {
      v("name", m.name);
      v("partition_indexes", m.partition_indexes);
    }
  };
  std::int32_t timeout_ms = 60'000;
  std::optional<std::vector<Topic>> topics;  // null: all
  static void fields(auto& m, auto& v) {
    v("timeout_ms", m.timeout_ms);
    v("topics", m.topics);
  }
};

}  // namespace leat::wire
