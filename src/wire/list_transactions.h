// ListTransactions: the transactional ids there are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire/api_key.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/versions.h"

namespace leat::wire {

struct ListTransactionsResponse {
  static constexpr ApiKey key = ApiKey::list_transactions;
  static constexpr Versions valid{0, 1};
  static constexpr Versions flexible = since(0);

  struct Transaction {
    std::string transactional_id;
    std::int64_t producer_id = -1;
    std::string transaction_state;
    static void fields(auto& m, auto& v) {
      v("transactional_id", m.transactional_id);
      v("producer_id", m.producer_id);
      v("transaction_state", m.transaction_state);
    }
  };
  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<std::string> unknown_state_filters;
  std::vector<Transaction> transactions;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms);
    v("error_code", m.error_code);
    v("unknown_state_filters", m.unknown_state_filters);
    v("transactions", m.transactions);
  }
};

struct ListTransactionsRequest {
  static constexpr ApiKey key = ApiKey::list_transactions;
  static constexpr Versions valid{0, 1};
  static constexpr Versions flexible = since(0);
  using Response = ListTransactionsResponse;

  std::vector<std::string> state_filters;
  std::vector<std::int64_t> producer_id_filters;
  std::int64_t duration_filter_ms = -1;
  static void fields(auto& m, auto& v) {
    v("state_filters", m.state_filters);
    v("producer_id_filters", m.producer_id_filters);
    v("duration_filter_ms", m.duration_filter_ms, since(1));
  }
};

}  // namespace leat::wire
