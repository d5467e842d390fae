// OffsetFetch: what groups have committed. One group up to version 7, several from 8 on.
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

struct OffsetFetchResponse {
  static constexpr ApiKey key = ApiKey::offset_fetch;
  static constexpr Versions valid{1, 9};
  static constexpr Versions flexible = since(6);

  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t committed_offset = -1;  // -1: none
    std::int32_t committed_leader_epoch = -1;
    std::optional<std::string> metadata;
    ErrorCode error_code = ErrorCode::none;
    static void fields(auto& m, auto& v) {
      v("partition_index", m.partition_index);
      v("committed_offset", m.committed_offset);
      v("committed_leader_epoch", m.committed_leader_epoch, since(5));
      v("metadata", m.metadata);
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
  struct Group {
    std::string group_id;
    std::vector<Topic> topics;
    ErrorCode error_code = ErrorCode::none;
    static void fields(auto& m, auto& v) {
      v("group_id", m.group_id);
      v("topics", m.topics);
      v("error_code", m.error_code);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;
  ErrorCode error_code = ErrorCode::none;
  std::vector<Group> groups;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms, since(3));
    v("topics", m.topics, until(7));
    v("error_code", m.error_code, Versions{2, 7});
    v("groups", m.groups, since(8));
  }
};

struct OffsetFetchRequest {
  static constexpr ApiKey key = ApiKey::offset_fetch;
  static constexpr Versions valid{1, 9};
  static constexpr Versions flexible = since(6);
  using Response = OffsetFetchResponse;

  struct Topic {
    std::string name;
    std::vector<std::int32_t> partition_indexes;
    static void fields(auto& m, auto& v) {
      v("name", m.name);
      v("partition_indexes", m.partition_indexes);
    }
  };
  struct Group {
    std::string group_id;
    std::optional<std::string> member_id;
    std::int32_t member_epoch = -1;
    std::optional<std::vector<Topic>> topics;  // null: all that the group has
    static void fields(auto& m, auto& v) {
      v("group_id", m.group_id);
      v("member_id", m.member_id, since(9));
      v("member_epoch", m.member_epoch, since(9));
      v("topics", m.topics);
    }
  };
  std::string group_id;
  std::optional<std::vector<Topic>> topics;  // null: all that the group has
  std::vector<Group> groups;
  /// Offsets that a transaction is about to change are an error.
  bool require_stable = false;
  static void fields(auto& m, auto& v) {
    v("group_id", m.group_id, until(7));
    v("topics", m.topics, until(7), since(2));
    v("groups", m.groups, since(8));
    v("require_stable", m.require_stable, since(7));
  }
};

}  // namespace leat::wire
