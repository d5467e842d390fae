// What is remembered of each transactional id: the records of the internal topic
// __transaction_state, in Kafka's form. The last record of a key is the truth.
//
//   key    := version:i16=0 transactional_id
//   value  := absent: the id is forgotten
//           | version:i16=0 producer_id:i64 producer_epoch:i16 timeout_ms:i32 state:i8
//             topic_count:i32 topic* updated_ms:i64 started_ms:i64
//           | version:i16=1 as above, of compact kinds, with tagged fields at the end
//   topic  := name partition_count:i32 partition:i32*
//
// A name is an i16 length and its bytes. `topic_count` is -1 for none. All numbers are big-endian.
// Version 1 has compact counts and lengths (a uvarint, one more than there are), and is written
// where there are tagged fields to write: Kafka's, and our own, which its tools pass over:
//
//   tag 0     := previous_producer_id:i64
//   tag 1     := next_producer_id:i64
//   tag 2     := client_transaction_version:i16
//   tag 10000 := producer_id:i64 producer_epoch:i16 state:i8 started_ms:i64 topic_count topic*
//   tag 10001 := topic_count topic*
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "broker/partition.h"

namespace leat::broker {

/// The one partition of that topic; it lives at home.
TopicPartition transaction_partition();

/// Kafka's numbers.
enum class TransactionState : std::int8_t {
  empty = 0,
  ongoing = 1,
  prepare_commit = 2,
  prepare_abort = 3,
  complete_commit = 4,
  complete_abort = 5,
};
/// Kafka's name, such as "PrepareCommit".
std::string_view name(TransactionState state);

/// How a client speaks of its transactions, by Kafka's levels of transaction.version. In the second
/// protocol (KIP-890) batches add their partitions, and each end raises the producer's epoch, so
/// that a transaction is known by its producer's id and epoch.
enum class TransactionProtocol : std::int16_t { first = 0, second = 2 };

/// The partitions of a transaction, by topic.
using TransactionPartitions = std::map<std::string, std::set<PartitionId>, std::less<>>;

/// A transaction that is decided, and whose markers may not be durable yet.
struct EndedTransaction {
  ProducerId producer{-1};
  std::int16_t epoch = -1;
  bool is_commit = false;
  std::int64_t started_ms = -1;
  TransactionPartitions partitions;
  friend bool operator==(const EndedTransaction&, const EndedTransaction&) = default;
};

/// What its markers carry, so that they are known again: 31 bits of its beginning.
inline std::int32_t coordinator_epoch(const EndedTransaction& ended) {
  return static_cast<std::int32_t>(ended.started_ms & 0x7fff'ffff);
}

struct Transaction {
  ProducerId producer{-1};
  std::int16_t epoch = -1;
  std::int32_t timeout_ms = 0;
  TransactionState state = TransactionState::empty;
  TransactionPartitions partitions;
  std::int64_t updated_ms = 0;
  std::int64_t started_ms = -1;
  /// Of an ongoing one: the one before, and partitions that it may write to and has not.
  std::optional<EndedTransaction> ended;
  TransactionPartitions unwritten = {};
  /// That of whoever began it, or ended it.
  TransactionProtocol protocol = TransactionProtocol::first;
  /// Where its end used up the epochs of the producer: whoever had it before, of one that is
  /// complete, and whoever has it next, of one that is decided.
  ProducerId previous{-1};
  ProducerId next{-1};
  friend bool operator==(const Transaction&, const Transaction&) = default;
};

Bytes encode_transaction_key(std::string_view id);
Bytes encode(const Transaction& transaction);
/// corrupt_message for what is none, unsupported_format for another version.
Result<std::string> decode_transaction_key(BytesView key);
Result<Transaction> decode_transaction(BytesView value);

/// Calls `take` with each record's id and transaction, nullopt for one that was forgotten. Blocks.
Result<void> replay_transactions(
    const log::LogView& view,
    const std::function<void(std::string id, std::optional<Transaction>)>& take);

/// Appends a record to transaction_partition(); `done` is called later, when it is durable.
void append_transaction(Partition& partition, std::string_view id,
                        const std::optional<Transaction>& transaction, std::int64_t now_ms,
                        UniqueFunction<void(Result<void>)> done);

}  // namespace leat::broker
