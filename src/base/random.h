// A small seeded generator (xoshiro256**, Blackman and Vigna 2018): the same numbers on every
// machine, which simulations and tests need to be run again by their seed.
#pragma once

#include <array>
#include <cstdint>

#include "base/assert.h"

namespace leat {

/// Not thread-safe; give each thread its own.
class Random {
 public:
  explicit Random(std::uint64_t seed) {
    // splitmix64 spreads a small seed over the whole state.
    for (auto& word : state_) {
      seed += 0x9e3779b97f4a7c15ULL;
      std::uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
      word = z ^ (z >> 31);
    }
  }

  /// Seeded from the operating system: for ids, never for what must be repeatable.
  static Random from_entropy();

  std::uint64_t next() {
    std::uint64_t result = rotate(state_[1] * 5, 7) * 9;
    std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

  /// Uniform in [0, bound). REQUIRES: bound > 0. The bias of the modulo is below 2^-32 for the
  /// bounds in use.
  std::uint64_t below(std::uint64_t bound) {
    ASSERT(bound > 0);
    return next() % bound;
  }
  /// Uniform in [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high) {
    // Ranges may be wider than what is signed.
    std::uint64_t from = static_cast<std::uint64_t>(low);
    return static_cast<std::int64_t>(from + below(static_cast<std::uint64_t>(high) - from + 1));
  }
  /// True once in `n` calls on average.
  bool one_in(std::uint64_t n) { return below(n) == 0; }

 private:
  static std::uint64_t rotate(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace leat
