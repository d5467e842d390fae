// What waits to be sent to one partition, in which order it goes, and under which sequences.
//
// Order. Batches go in the order of their records. One that failed is sent again before those
// behind it, and alone: first whatever else is under way comes back. So a retry cannot be
// overtaken, nor can two attempts at one batch race each other.
//
// Without idempotence one batch is under way at a time, and may be there twice after a lost answer.
//
// With idempotence up to `max_in_flight` are, as many as a broker remembers of a producer. It takes
// a batch only if its sequence follows on the last one's, and knows one that it has. So not more
// than these are sent from the first one on of which nobody knows, those that were acknowledged
// behind it included: else the broker would forget it, and take it for new. Until a first batch of
// an epoch is acknowledged, one is under way at a time here too: of a producer that it does not
// know, a broker takes any sequence, also that of a second batch before the first.
//
// A batch that is given up leaves a gap that no later one gets over, and only a new epoch does:
// sequences begin at 0 again. The epoch is counted on here, by each partition for itself, as
// brokers keep it; nobody is asked, since who comes with the id of an idempotent producer is that
// producer (KIP-360). A broker refuses the epoch before from the first batch of the new one on, so
// that what is delayed on its way does no harm; a new producer id would not shut it out. What may
// be there already keeps its sequence until its fate is known; only what certainly is not there
// gets a new one.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <vector>

#include "client/produce_batch.h"

namespace leat::client {

/// Kafka's brokers remember the last five batches of a producer.
inline constexpr std::size_t max_in_flight = 5;
/// They forget one that was silent for a day, unless they are told otherwise.
inline constexpr std::chrono::minutes producer_remembered{5};

/// Not thread-safe.
class PartitionQueue {
 public:
  using Time = ProduceBatch::Time;
  enum class Mode : std::uint8_t {
    plain,
    idempotent,
    /// Never renumbers: a transaction that lost a batch can only be aborted.
    transactional,
  };
  explicit PartitionQueue(Mode mode) : mode_(mode) {}

  bool empty() const { return waiting_.empty(); }
  bool is_idle() const { return waiting_.empty() && under_way_.empty(); }
  /// REQUIRES: not empty().
  ProduceBatch& front() { return waiting_.front(); }
  const ProduceBatch& front() const { return waiting_.front(); }

  /// Adds a batch behind all others.
  void push(ProduceBatch batch);
  /// Whether the first batch, or a new one if there is none, may go to `broker`.
  bool can_send(std::int32_t broker, Time now) const;
  /// Whether that needs a producer id that is not there.
  bool needs_producer(const ProducerEpoch& producer) const;
  /// Takes the first batch to be sent to `broker`, with its sequence. REQUIRES: can_send().
  ProduceBatch take(std::int32_t broker, const ProducerEpoch& producer);

  /// A batch came back, and is neither waiting nor under way. Each of these must be followed by one
  /// of those below.
  void came_back(const ProduceBatch& batch);
  void acknowledged(const ProduceBatch& batch, Time now);
  /// Puts it back in its place.
  void retry(ProduceBatch batch);
  /// It failed, and is not sent again.
  void gave_up(const ProduceBatch& batch);
  /// It is replaced by its halves.
  void split(std::pair<ProduceBatch, ProduceBatch> halves);

  /// Notes that the last attempt may have succeeded, unless that is impossible.
  void doubt(ProduceBatch& batch) const;
  /// What a refusal of the batch's sequence means.
  enum class Refusal : std::uint8_t {
    /// Something before it is still to be settled: send it again then.
    wait,
    /// It is not there, and can be sent under another sequence.
    renumber,
    /// It can neither be sent again nor be called lost.
    give_up,
  };
  /// `is_unknown`: the broker does not know the producer at all.
  Refusal refused_sequence(ProduceBatch& batch, bool is_unknown);
  /// Begins a new epoch if it is time. The producer id, if that has no more epochs.
  std::optional<ProducerId> renumber_if_due();

  /// Gives up what waits and is over at `now`: hands it to `give_up`.
  template <class GiveUp>
  void expire(Time now, GiveUp give_up) {
    while (!waiting_.empty() && waiting_.front().deadline <= now) {
      ProduceBatch batch = std::move(waiting_.front());
      waiting_.pop_front();
      gave_up(batch);
      give_up(std::move(batch));
    }
  }

 private:
  bool is_numbered() const { return mode_ != Mode::plain; }
  bool has_doubts() const;
  /// Whether everything sent before the batch is settled.
  bool is_first(const ProduceBatch& batch) const;
  void begin_epoch(ProducerEpoch producer);

  static constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();

  Mode mode_;
  /// By number. Those that were sent before, and have a numbering, are in front.
  std::deque<ProduceBatch> waiting_;
  struct UnderWay {
    std::uint64_t number = 0;
    std::uint64_t ordinal = 0;
  };
  /// Rising; all at one broker.
  std::vector<UnderWay> under_way_;
  std::int32_t broker_ = -1;

  ProducerEpoch producer_;
  std::int32_t next_sequence_ = 0;
  std::uint64_t next_ordinal_ = 0;
  /// The broker knows the producer until then at least.
  Time known_until_{};
  /// There is a gap in the epoch's sequences.
  bool is_broken_ = false;
  /// A batch was given up that may be there, or get there yet.
  bool has_lost_ = false;
  /// In this epoch the batches from this one on are not there, and never will be.
  std::uint64_t absent_from_ = none;
};

}  // namespace leat::client
