// OffsetCommit: how far a group has come in each partition.
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

struct OffsetCommitResponse {
  static constexpr ApiKey key = ApiKey::offset_commit;
  static constexpr Versions valid{1, 9};
  static constexpr Versions flexible = since(8);

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
  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms, since(3));
    v("topics", m.topics);
  }
};

struct OffsetCommitRequest {
  static constexpr ApiKey key = ApiKey::offset_commit;
  static constexpr Versions valid{1, 9};
  static constexpr Versions flexible = since(8);
  using Response = OffsetCommitResponse;

  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t committed_offset = 0;
    std::int32_t committed_leader_epoch = -1;
    std::int64_t commit_timestamp_ms = -1;  // version 1 only
    std::optional<std::string> committed_metadata;
    static void fields(auto& m, auto& v) {
      v("partition_index", m.partition_index);
      v("committed_offset", m.committed_offset);
      v("committed_leader_epoch", m.committed_leader_epoch, since(6));
      v("commit_timestamp_ms", m.commit_timestamp_ms, only(1));
      v("committed_metadata", m.committed_metadata);
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
  std::string group_id;
  std::int32_t generation_id = -1;  // -1: from no member, as an admin's
  std::string member_id;
  std::optional<std::string> group_instance_id;
  std::int64_t retention_time_ms = -1;  // -1: the server's
  std::vector<Topic> topics;
  static void fields(auto& m, auto& v) {
    v("group_id", m.group_id);
    v("generation_id", m.generation_id);
    v("member_id", m.member_id);
    v("group_instance_id", m.group_instance_id, since(7));
    v("retention_time_ms", m.retention_time_ms, Versions{2, 4});
    v("topics", m.topics);
  }
};

}  // namespace leat::wire
