// AddPartitionsToTxn: names partitions that a transaction is going to write to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire/api_key.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/versions.h"

namespace leat::wire {

struct AddPartitionsToTxnResponse {
  static constexpr ApiKey key = ApiKey::add_partitions_to_txn;
  static constexpr Versions valid{0, 3};
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
  std::vector<Topic> results;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms);
    v("results", m.results);
  }
};

struct AddPartitionsToTxnRequest {
  static constexpr ApiKey key = ApiKey::add_partitions_to_txn;
  static constexpr Versions valid{0, 3};
  static constexpr Versions flexible = since(3);
  using Response = AddPartitionsToTxnResponse;

  struct Topic {
    std::string name;
    std::vector<std::int32_t> partitions;
    static void fields(auto& m, auto& v) {
      v("name", m.name);
      v("partitions", m.partitions);
    }
  };
  std::string transactional_id;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::vector<Topic> topics;
  static void fields(auto& m, auto& v) {
    v("transactional_id", m.transactional_id);
    v("producer_id", m.producer_id);
    v("producer_epoch", m.producer_epoch);
    v("topics", m.topics);
  }
};

}  // namespace leat::wire
