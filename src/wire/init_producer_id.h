// InitProducerId: gives a producer its id and epoch; with a transactional id, fences its past ones.
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

struct InitProducerIdResponse {
  static constexpr ApiKey key = ApiKey::init_producer_id;
  static constexpr Versions valid{0, 5};
  static constexpr Versions flexible = since(2);

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms);
    v("error_code", m.error_code);
    v("producer_id", m.producer_id);
    v("producer_epoch", m.producer_epoch);
  }
};

struct InitProducerIdRequest {
  static constexpr ApiKey key = ApiKey::init_producer_id;
  static constexpr Versions valid{0, 5};
  static constexpr Versions flexible = since(2);
  using Response = InitProducerIdResponse;

  std::optional<std::string> transactional_id;
  std::int32_t transaction_timeout_ms = 0;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  static void fields(auto& m, auto& v) {
    v("transactional_id", m.transactional_id);
    v("transaction_timeout_ms", m.transaction_timeout_ms);
    v("producer_id", m.producer_id, since(3));
    v("producer_epoch", m.producer_epoch, since(3));
  }
};

}  // namespace leat::wire
