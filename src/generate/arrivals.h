// In which order events arrive.
#pragma once

#include <cstdint>
#include <vector>

#include "generate/timeline.h"
#include "generate/traits.h"

namespace leat::generate {

struct Arrival {
  std::uint64_t number = 0;
  std::int64_t time_ms = 0;     // when it happened
  std::int64_t first_ms = 0;    // when it arrives for the first time
  std::int64_t arrival_ms = 0;  // never before the one of the arrival before

  bool is_repeat() const { return arrival_ms != first_ms; }
};

/// The numbers from Traits::first_event on, each once and some twice, in the order of their
/// arrival. Holds what is under way: rate * (disorder * disorder_ms + duplicates * duplicates_ms) /
/// 2 of them, 32 bytes each. Not thread-safe.
class Arrivals {
 public:
  /// Of events under way, on average: 640 MB.
  static constexpr std::int64_t held_max = 20'000'000;
  static constexpr std::int64_t group_max = 1'000'000;
  /// Event i of a group of g is the one at i * 953 mod g. As Nexmark's generator has it, which for
  /// multiples of 953 repeats some events and loses the others.
  static constexpr std::int64_t group_prime = 953;

  /// REQUIRES: check(traits) is fine. Of the traits only those of time, disorder, groups and
  /// duplicates count.
  explicit Arrivals(const Traits& traits);

  Arrival next() {
    if (is_plain_) [[likely]] {
      std::int64_t time_ms = timeline_.time_ms(next_);
      return {next_++, time_ms, time_ms, time_ms};
    }
    return next_of_many();
  }
  const Timeline& timeline() const { return timeline_; }

 private:
  Arrival next_of_many();
  std::uint64_t in_group(std::uint64_t number) const;
  void hold(const Arrival& arrival);
  Arrival release();

  Timeline timeline_;
  bool is_plain_;
  std::uint64_t group_;
  double disorder_;
  std::int64_t disorder_ms_;
  double duplicates_;
  std::int64_t duplicates_ms_;
  std::uint64_t seed_;
  std::uint64_t next_;
  std::vector<Arrival> held_;  // a heap, the first to arrive on top
};

}  // namespace leat::generate
