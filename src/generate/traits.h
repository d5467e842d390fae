// What makes events that are made up like real ones.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace leat::generate {

/// How an event differs from what readers were told.
enum class Drift : std::uint8_t {
  none,
  added,    // it has a field that is new
  renamed,  // a field has another name
  retyped,  // a field is a text, and was a number
  missing,  // a field is not there
  any,      // each of these in turn, by chance
};

/// Fractions are of all events, 0 to 1; 0 switches off what they are about. A kind has defaults of
/// its own (kinds.h).
struct Traits {
  std::uint64_t seed = 1;
  /// Events are numbered. A stream that begins later is the rest of the one that begins at 0, but
  /// for what that one holds back at this point.
  std::uint64_t first_event = 0;
  /// When event 0 happened.
  std::int64_t start_ms = 1'772'409'600'000;  // 2026-03-02
  /// Events a second of event time.
  double rate = 10;

  /// How many keys there are, and which part of the events has one of the first `hot_keys`.
  std::int64_t keys = 1000;
  double hot = 0;
  std::int64_t hot_keys = 10;

  /// Which part of the events arrives late, and by how much at most.
  double disorder = 0;
  std::int64_t disorder_ms = 30'000;
  /// In groups of so many, events arrive in another order. 1 is none.
  std::int64_t group = 1;
  /// Which part of the events arrives once more, the same bytes, and how long after the first time
  /// at most.
  double duplicates = 0;
  std::int64_t duplicates_ms = 60'000;

  /// Events belong to partitions by their key, as Kafka's producers have it.
  std::int32_t partitions = 4;
  /// So many partitions at a time, but never all, are silent in the last `idle_ms` of every
  /// `idle_every_ms`: what would have arrived there then does not exist.
  std::int32_t idle_partitions = 0;
  std::int64_t idle_ms = 60'000;
  std::int64_t idle_every_ms = 300'000;

  /// Which part of the events drifts, how, and from which event on.
  double drift = 0;
  Drift drift_as = Drift::added;
  std::uint64_t drift_after = 5000;
};

/// Errc::invalid_argument, naming the trait that makes no sense.
Result<void> check(const Traits& traits);

}  // namespace leat::generate
