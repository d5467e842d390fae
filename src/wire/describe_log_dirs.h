// DescribeLogDirs: the data directories and how much each partition takes in them.
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

struct DescribeLogDirsResponse {
  static constexpr ApiKey key = ApiKey::describe_log_dirs;
  static constexpr Versions valid{0, 4};
  static constexpr Versions flexible = since(2);

  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t partition_size = 0;
    std::int64_t offset_lag = 0;
    bool is_future_key = false;
    static void fields(auto& m, auto& v) {
      v("partition_index", m.partition_index);
      v("partition_size", m.partition_size);
      v("offset_lag", m.offset_lag);
      v("is_future_key", m.is_future_key);
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
  struct Directory {
    ErrorCode error_code = ErrorCode::none;
    std::string log_dir;
    std::vector<Topic> topics;
    std::int64_t total_bytes = -1;
    std::int64_t usable_bytes = -1;
    static void fields(auto& m, auto& v) {
      v("error_code", m.error_code);
      v("log_dir", m.log_dir);
      v("topics", m.topics);
      v("total_bytes", m.total_bytes, since(4));
      v("usable_bytes", m.usable_bytes, since(4));
    }
  };
  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<Directory> results;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms);
    v("error_code", m.error_code, since(3));
    v("results", m.results);
  }
};

struct DescribeLogDirsRequest {
  static constexpr ApiKey key = ApiKey::describe_log_dirs;
  static constexpr Versions valid{0, 4};
  static constexpr Versions flexible = since(2);
  using Response = DescribeLogDirsResponse;

  struct Topic {
    std::string topic;
    std::vector<std::int32_t> partitions;
    static void fields(auto& m, auto& v) {
      v("topic", m.topic);
      v("partitions", m.partitions);
    }
  };
  std::optional<std::vector<Topic>> topics;  // null: all
  static void fields(auto& m, auto& v) { v("topics", m.topics); }
};

}  // namespace leat::wire
