// What a partition remembers of producers that number their batches (idempotence), and of their
// transactions.
//
// A producer's batch that is one of the last five is a duplicate, and is answered with the offset
// it got; any other must follow the last one, or it is refused. The state moves when a batch is
// appended. What a failed commit takes back, is taken back here as well.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "log/aborted_transactions.h"
#include "log/scan.h"
#include "record/end_marker.h"

namespace leat::log {

/// A batch that a producer may send again.
struct RememberedBatch {
  std::int32_t base_sequence = 0;
  std::int32_t last_sequence = 0;
  Offset base_offset;
  Offset next_offset;
  std::int64_t timestamp_ms = -1;
  /// Aborted because nobody knew of its transaction: it may come again, and is then no duplicate.
  bool is_lost() const { return base_offset < Offset{0}; }
  friend bool operator==(const RememberedBatch&, const RememberedBatch&) = default;
};

struct Producer {
  /// Any sequence may come next: what the producer sent before is not known.
  static constexpr std::int32_t any_sequence = -2;
  /// 0 must come next, with which an epoch begins.
  static constexpr std::int32_t before_first = -1;

  std::int16_t epoch = -1;
  std::int32_t last_sequence = any_sequence;
  /// Of the last marker, and that marker's offset.
  std::int32_t coordinator_epoch = -1;
  Offset marker_offset{-1};
  /// Where its open transaction begins in this partition.
  std::optional<Offset> transaction;
  /// That one is committed, and only its marker is missing. Not in snapshots: after a start,
  /// whoever commits this way knows.
  bool is_committed = false;
  /// When it was last heard of, by the broker's clock.
  std::int64_t used_ms = 0;
  /// The last ones, oldest first.
  static constexpr std::size_t batches_max = 5;
  std::array<RememberedBatch, batches_max> batches{};
  std::uint8_t batch_count = 0;
  friend bool operator==(const Producer&, const Producer&) = default;
};

/// Not thread-safe. A copy is a state of its own but for the aborted transactions, which are kept
/// by whoever owns the table.
class ProducerTable {
 public:
  /// At most so many producers, but for those with an open transaction: beyond it, an eighth is
  /// forgotten, those not heard of for longest. An unknown producer may send any sequence.
  explicit ProducerTable(std::size_t producers_max = 10'000) : producers_max_(producers_max) {}

  /// Whether `batch`, which has a producer id, may be appended: nullopt where it may, or what it
  /// repeats. Errors: invalid_producer_epoch for an older epoch, out_of_order_sequence,
  /// invalid_txn_state for a batch outside of the transaction that its producer has open here,
  /// request_timed_out for one before the marker of a transaction that is committed.
  Result<std::optional<RememberedBatch>> check(
      const BatchHead& batch, const std::optional<record::EndMarker>& marker) const;
  /// Takes notice of a batch with its offsets.
  void append(const BatchHead& batch, const std::optional<record::EndMarker>& marker,
              std::int64_t now_ms);
  /// What was appended below `end` stays. Gives the transactions whose abort that was.
  std::vector<AbortedTransaction> commit(Offset end);
  /// What was appended at or above `end` never was.
  void roll_back(Offset end);

  /// The transaction that the producer has open is committed from now on, and its marker follows.
  /// REQUIRES: it has one, of which nothing waits for a commit.
  void commit_before_marker(ProducerId id);

  /// Where the first transaction begins that is open, or whose end is not committed yet.
  std::optional<Offset> first_unstable() const;
  /// Whether nothing waits for a commit.
  bool is_settled() const { return undo_.empty(); }
  /// Forgets producers not heard of since `before_ms`, but for those with an open transaction.
  void expire(std::int64_t before_ms);
  /// Sequences may be missing behind what is known here: any may come next.
  void expect_any();

  bool empty() const { return producers_.empty(); }
  std::size_t size() const { return producers_.size(); }
  const std::unordered_map<ProducerId, Producer>& producers() const { return producers_; }
  const Producer* find(ProducerId id) const;
  /// For a snapshot that is read.
  void restore(ProducerId id, const Producer& producer);

 private:
  /// How to take an append back.
  struct Undo {
    Offset base_offset;
    Offset next_offset;
    ProducerId id;
    std::optional<Producer> before;
    bool begins_transaction = false;
    /// Of the transaction that this marker ends: where it began.
    std::optional<Offset> ended;
    std::optional<AbortedTransaction> aborted;
  };
  void append_marker(Producer& producer, const BatchHead& batch, const record::EndMarker& marker,
                     Undo& undo);
  static void remember(Producer& producer, const BatchHead& batch);
  static void lose(Producer& producer, Offset begin);
  static void append_data(Producer& producer, const BatchHead& batch, Undo& undo);
  void make_room();

  std::size_t producers_max_;
  std::unordered_map<ProducerId, Producer> producers_;
  std::deque<Undo> undo_;
  /// Begins of transactions that are open, or whose end is not committed.
  std::set<Offset> unstable_;
  /// Of those, the ones whose marker was not appended.
  std::set<Offset> open_;
};

}  // namespace leat::log
