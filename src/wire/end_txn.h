// EndTxn: commits or aborts a transaction. From version 5 on it raises the producer's epoch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire/api_key.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/versions.h"

namespace leat::wire {

struct EndTxnResponse {
  static constexpr ApiKey key = ApiKey::end_txn;
  static constexpr Versions valid{0, 5};
  static constexpr Versions flexible = since(3);

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms);
    v("error_code", m.error_code);
    v("producer_id", m.producer_id, since(5));
    v("producer_epoch", m.producer_epoch, since(5));
  }
};

struct EndTxnRequest {
  static constexpr ApiKey key = ApiKey::end_txn;
  static constexpr Versions valid{0, 5};
  static constexpr Versions flexible = since(3);
  using Response = EndTxnResponse;

  std::string transactional_id;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  bool committed = false;
  static void fields(auto& m, auto& v) {
    v("transactional_id", m.transactional_id);
    v("producer_id", m.producer_id);
    v("producer_epoch", m.producer_epoch);
    v("committed", m.committed);
  }
};

}  // namespace leat::wire
