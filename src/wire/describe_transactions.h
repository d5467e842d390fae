// DescribeTransactions: the state of transactional ids.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire/api_key.h"
#include "wire/error_code.h"
#include "wire/message.h"
#include "wire/versions.h"

namespace leat::wire {

struct DescribeTransactionsResponse {
  static constexpr ApiKey key = ApiKey::describe_transactions;
  static constexpr Versions valid{0, 0};
  static constexpr Versions flexible = since(0);

  struct Transaction {
    struct Topic {
      std::string name;
      std::vector<std::int32_t> partitions;
      static void fields(auto& m, auto& v) {
        v("name", m.name);
        v("partitions", m.partitions);
      }
    };
    ErrorCode error_code = ErrorCode::none;
    std::string transactional_id;
    std::string transaction_state;
    std::int32_t transaction_timeout_ms = 0;
    std::int64_t transaction_start_time_ms = -1;
    std::int64_t producer_id = -1;
    std::int16_t producer_epoch = -1;
    std::vector<Topic> topics;
    static void fields(auto& m, auto& v) {
      v("error_code", m.error_code);
      v("transactional_id", m.transactional_id);
      v("transaction_state", m.transaction_state);
      v("transaction_timeout_ms", m.transaction_timeout_ms);
      v("transaction_start_time_ms", m.transaction_start_time_ms);
      v("producer_id", m.producer_id);
      v("producer_epoch", m.producer_epoch);
      v("topics", m.topics);
    }
  };
  std::int32_t throttle_time_ms = 0;
  std::vector<Transaction> transactions;
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms);
    v("transactions", m.transactions);
  }
};

struct DescribeTransactionsRequest {
  static constexpr ApiKey key = ApiKey::describe_transactions;
  static constexpr Versions valid{0, 0};
  static constexpr Versions flexible = since(0);
  using Response = DescribeTransactionsResponse;

  std::vector<std::string> transactional_ids;
  static void fields(auto& m, auto& v) { v("transactional_ids", m.transactional_ids); }
};

}  // namespace leat::wire
