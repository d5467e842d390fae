// TxnOffsetCommit: a group's offsets, which count once the transaction is committed. From version 5
// on it adds their partition to that.
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

struct TxnOffsetCommitResponse {
  static constexpr ApiKey key = ApiKey::txn_offset_commit;
  static constexpr Versions valid{0, 5};
  static constexpr Versions flexible = since(3);

  struct Topic {
    struct Partition {
      std::int32_t partition_index = 0;
      ErrorCode error_code = ErrorCode::none;
      static void fields(auto& m, auto& v) {
        v("partition_index", m.partition_index);
        v("error_code", m.error_code);
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

struct TxnOffsetCommitRequest {
  static constexpr ApiKey key = ApiKey::txn_offset_commit;
  static constexpr Versions valid{0, 5};
  static constexpr Versions flexible = since(3);
  using Response = TxnOffsetCommitResponse;

  struct Topic {
    struct Partition {
      std::int32_t partition_index = 0;
      std::int64_t committed_offset = 0;
      std::int32_t committed_leader_epoch = -1;
      std::optional<std::string> committed_metadata;
      static void fields(auto& m, auto& v) {
        v("partition_index", m.partition_index);
        v("committed_offset", m.committed_offset);
        v("committed_leader_epoch", m.committed_leader_epoch, since(2));
        v("committed_metadata", m.committed_metadata);
      }
    };
    std::string name;
    std::vector<Partition> partitions;
    static void fields(auto& m, auto& v) {
      v("name", m.name);
      v("partitions", m.partitions);
    }
  };
  std::string transactional_id;
  std::string group_id;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::int32_t generation_id = -1;
  std::string member_id;
  std::optional<std::string> group_instance_id;
  std::vector<Topic> topics;
  static void fields(auto& m, auto& v) {
    v("transactional_id", m.transactional_id);
    v("group_id", m.group_id);
    v("producer_id", m.producer_id);
    v("producer_epoch", m.producer_epoch);
    v("generation_id", m.generation_id, since(3));
    v("member_id", m.member_id, since(3));
    v("group_instance_id", m.group_instance_id, since(3));
    v("topics", m.topics);
  }
};

}  // namespace leat::wire
