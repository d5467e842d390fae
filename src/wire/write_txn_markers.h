// WriteTxnMarkers: ends transactions in partitions, past their coordinator: for tools that end one
// that hangs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire/api_key.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/versions.h"

namespace leat::wire {

struct WriteTxnMarkersResponse {
  static constexpr ApiKey key = ApiKey::write_txn_markers;
  static constexpr Versions valid{0, 1};
  static constexpr Versions flexible = since(1);

  struct Marker {
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
    std::int64_t producer_id = -1;
    std::vector<Topic> topics;
    static void fields(auto& m, auto& v) {
      v("producer_id", m.producer_id);
      v("topics", m.topics);
    }
  };
  std::vector<Marker> markers;
  static void fields(auto& m, auto& v) { v("markers", m.markers); }
};

struct WriteTxnMarkersRequest {
  static constexpr ApiKey key = ApiKey::write_txn_markers;
  static constexpr Versions valid{0, 1};
  static constexpr Versions flexible = since(1);
  using Response = WriteTxnMarkersResponse;

  struct Marker {
    struct Topic {
      std::string name;
      std::vector<std::int32_t> partitions;
      static void fields(auto& m, auto& v) {
        v("name", m.name);
        v("partitions", m.partitions);
      }
    };
    std::int64_t producer_id = -1;
    std::int16_t producer_epoch = -1;
    bool is_commit = false;
    std::vector<Topic> topics;
    std::int32_t coordinator_epoch = 0;
    static void fields(auto& m, auto& v) {
      v("producer_id", m.producer_id);
      v("producer_epoch", m.producer_epoch);
      v("is_commit", m.is_commit);
      v("topics", m.topics);
      v("coordinator_epoch", m.coordinator_epoch);
    }
  };
  std::vector<Marker> markers;
  static void fields(auto& m, auto& v) { v("markers", m.markers); }
};

}  // namespace leat::wire
