// AddPartitionsToTxn: names partitions that a transaction is going to write to. Versions from 4 on
// are those of other brokers, with many transactions in one, and may only ask.
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
  struct Transaction {
    std::string transactional_id;
    std::vector<Topic> topics;
    static void fields(auto& m, auto& v) {
      v("transactional_id", m.transactional_id);
      v("topics", m.topics);
    }
  };
  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<Transaction> transactions;
  std::vector<Topic> results;  // of the one transaction that there is up to version 3
  static void fields(auto& m, auto& v) {
    v("throttle_time_ms", m.throttle_time_ms);
    v("error_code", m.error_code, since(4));
    v("transactions", m.transactions, since(4));
    v("results", m.results, until(3));
  }
};

struct AddPartitionsToTxnRequest {
  static constexpr ApiKey key = ApiKey::add_partitions_to_txn;
  static constexpr Versions valid{0, 5};
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
  struct Transaction {
    std::string transactional_id;
    std::int64_t producer_id = -1;
    std::int16_t producer_epoch = -1;
    bool verify_only = false;
    std::vector<Topic> topics;
    static void fields(auto& m, auto& v) {
      v("transactional_id", m.transactional_id);
      v("producer_id", m.producer_id);
      v("producer_epoch", m.producer_epoch);
      v("verify_only", m.verify_only);
      v("topics", m.topics);
    }
  };
  std::vector<Transaction> transactions;
  // The one transaction that there is up to version 3.
  std::string transactional_id;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::vector<Topic> topics;
  static void fields(auto& m, auto& v) {
    v("transactions", m.transactions, since(4));
    v("transactional_id", m.transactional_id, until(3));
    v("producer_id", m.producer_id, until(3));
    v("producer_epoch", m.producer_epoch, until(3));
    v("topics", m.topics, until(3));
  }
};

}  // namespace leat::wire
