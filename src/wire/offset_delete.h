// OffsetDelete: forgets what a group has committed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire/api_key.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/versions.h"

namespace leat::wire {

struct OffsetDeleteResponse {
  static constexpr ApiKey key = ApiKey::offset_delete;
  static constexpr Versions valid = only(0);
  static constexpr Versions flexible = since(1);

  struct Partition {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;
    static void fields(auto& m, auto& v) {
      v("partition_index", m.partition_index);
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
  ErrorCode error_code = ErrorCode::none;
  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;
  static void fields(auto& m, auto& v) {
    v("error_code", m.error_code);
    v("throttle_time_ms", m.throttle_time_ms);
    v("topics", m.topics);
  }
};

struct OffsetDeleteRequest {
  static constexpr ApiKey key = ApiKey::offset_delete;
  static constexpr Versions valid = only(0);
  static constexpr Versions flexible = since(1);
  using Response = OffsetDeleteResponse;

  struct Partition {
    std::int32_t partition_index = 0;
    static void fields(auto& m, auto& v) { v("partition_index", m.partition_index); }
  };
  struct Topic {
    std::string name;
    std::vector<Partition> partitions;
    static void fields(auto& m, auto& v) {
      v("name", m.name);
      v("partitions", m.partitions);
    }
  };
  std::string group_id;
  std::vector<Topic> topics;
  static void fields(auto& m, auto& v) {
    v("group_id", m.group_id);
    v("topics", m.topics);
  }
};

}  // namespace leat::wire
