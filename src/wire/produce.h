// Produce: appends record batches to partitions. From version 12 on it adds them to the
// transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wire/api_key.h"
#include "wire/current_leader.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/records.h"
#include "wire/versions.h"

namespace leat::wire {

struct ProduceResponse {
  static constexpr ApiKey key = ApiKey::produce;
  static constexpr Versions valid{3, 12};
  static constexpr Versions flexible = since(9);

  struct RecordError {
    std::int32_t batch_index = 0;
    std::optional<std::string> batch_index_error_message;
    static void fields(auto& m, auto& v) {
      v("batch_index", m.batch_index);
      v("batch_index_error_message", m.batch_index_error_message);
    }
  };
  struct Partition {
    std::int32_t index = 0;
    ErrorCode error_code = ErrorCode::none;
    std::int64_t base_offset = 0;
    std::int64_t log_append_time_ms = -1;  // -1: the records keep their own time
    std::int64_t log_start_offset = -1;
    std::vector<RecordError> record_errors;
    std::optional<std::string> error_message;
    std::optional<CurrentLeader> current_leader;
    static void fields(auto& m, auto& v) {
      v("index", m.index);
      v("error_code", m.error_code);
      v("base_offset", m.base_offset);
      v("log_append_time_ms", m.log_append_time_ms);
      v("log_start_offset", m.log_start_offset, since(5));
      v("record_errors", m.record_errors, since(8));
      v("error_message", m.error_message, since(8));
      v.tagged(0, "current_leader", m.current_leader, since(10));
    }
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partition_responses;
    static void fields(auto& m, auto& v) {
      v("name", m.name);
      v("partition_responses", m.partition_responses);
    }
  };
  std::vector<Topic> responses;
  std::int32_t throttle_time_ms = 0;
  std::vector<NodeEndpoint> node_endpoints;
  static void fields(auto& m, auto& v) {
    v("responses", m.responses);
    v("throttle_time_ms", m.throttle_time_ms);
    v.tagged(0, "node_endpoints", m.node_endpoints, since(10));
  }
};

struct ProduceRequest {
  static constexpr ApiKey key = ApiKey::produce;
  static constexpr Versions valid{3, 12};
  static constexpr Versions flexible = since(9);
  // Old librdkafka compresses only where version 0 is on offer, though it sends a later one.
  static constexpr Versions advertised{0, 12};
  using Response = ProduceResponse;

  struct Partition {
    std::int32_t index = 0;
    Records records;
    static void fields(auto& m, auto& v) {
      v("index", m.index);
      v("records", m.records);
    }
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partition_data;
    static void fields(auto& m, auto& v) {
      v("name", m.name);
      v("partition_data", m.partition_data);
    }
  };
  std::optional<std::string> transactional_id;
  std::int16_t acks = 0;  // 0: no response at all, 1, or -1 for all
  std::int32_t timeout_ms = 0;
  std::vector<Topic> topic_data;
  static void fields(auto& m, auto& v) {
    v("transactional_id", m.transactional_id);
    v("acks", m.acks);
    v("timeout_ms", m.timeout_ms);
    v("topic_data", m.topic_data);
  }
};

}  // namespace leat::wire
