// DeleteRecords: moves the start of partitions up.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire/api_key.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/versions.h"

namespace leat::wire {

struct DeleteRecordsResponse {
  static constexpr ApiKey key = ApiKey::delete_records;
  static constexpr Versions valid{0, 2};
  static constexpr Versions flexible = since(2);

  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t low_watermark = -1;  // the new log start offset
    ErrorCode error_code = ErrorCode::none;
    static void fields(auto& m, auto& v) {
      v("partition_index", m.partition_index);
      v("low_watermark", m.low_watermark);
      v("error_code", m.error_code);
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
    v("throttle_time_ms", m.throttle_time_ms);
    v("topics", m.topics);
  }
};

struct DeleteRecordsRequest {
  static constexpr ApiKey key = ApiKey::delete_records;
  static constexpr Versions valid{0, 2};
  static constexpr Versions flexible = since(2);
  using Response = DeleteRecordsResponse;

  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t offset = 0;  // the first that is kept; -1: the high watermark
    static void fields(auto& m, auto& v) {
      v("partition_index", m.partition_index);
      v("offset", m.offset);
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
  std::vector<Topic> topics;
  std::int32_t timeout_ms = 0;
  static void fields(auto& m, auto& v) {
    v("topics", m.topics);
    v("timeout_ms", m.timeout_ms);
  }
};

}  // namespace leat::wire
