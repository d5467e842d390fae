// DescribeProducers: which producers partitions remember, and their open transactions.
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

struct DescribeProducersResponse {
  static constexpr ApiKey key = ApiKey::describe_producers;
  static constexpr Versions valid{0, 0};
  static constexpr Versions flexible = since(0);

  struct Topic {
    struct Partition {
      struct Producer {
        std::int64_t producer_id = -1;
        std::int32_t producer_epoch = -1;
        std::int32_t last_sequence = -1;
        std::int64_t last_timestamp = -1;
        std::int32_t coordinator_epoch = -1;
        std::int64_t current_txn_start_offset = -1;
        static void fields(auto& m, auto& v) {
          v("producer_id", m.producer_id);
          v("producer_epoch", m.producer_epoch);
          v("last_sequence", m.last_sequence);
          v("last_timestamp", m.last_timestamp);
          v("coordinator_epoch", m.coordinator_epoch);
          v("current_txn_start_offset", m.current_txn_start_offset);
        }
      };
      std::int32_t partition_index = 0;
      ErrorCode error_code = ErrorCode::none;
      std::optional<std::string> error_message;
      std::vector<Producer> active_producers;
      static void fields(auto& m, auto& v) {
        v("partition_index", m.partition_index);
        v("error_code", m.error_code);
        v("error_message", m.error_message);
        v("active_producers", m.active_producers);
      }
    };
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
    v("throttle_time_ms", m.throttle_time_ms);
    v("topics", m.topics);
  }
};

struct DescribeProducersRequest {
  static constexpr ApiKey key = ApiKey::describe_producers;
  static constexpr Versions valid{0, 0};
  static constexpr Versions flexible = since(0);
  using Response = DescribeProducersResponse;

  struct Topic {
    std::string name;
    std::vector<std::int32_t> partitions;
    static void fields(auto& m, auto& v) {
      v("name", m.name);
      v("partitions", m.partitions);
    }
  };
  std::vector<Topic> topics;
  static void fields(auto& m, auto& v) { v("topics", m.topics); }
};

}  // namespace leat::wire
