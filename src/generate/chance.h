// Draws that are the same on every machine.
#pragma once

#include <cstdint>

#include "base/random.h"

namespace leat::generate {

/// What seeds are drawn for: what is chosen by one of them says nothing of what another one gives.
enum class Purpose : std::uint64_t {
  arrivals = 1,
  silence,
  drift,
  orders,
  transactions,
  bursts,
  clicks,
  sessions,
  customers,
  products,
  nexmark,
  nexmark_texts,
};

/// Event `n` of a stream is made with a generator of its own, `Random(seed + n)`: so it is the same
/// whichever events were made before it.
inline std::uint64_t seed_for(Purpose purpose, std::uint64_t seed) {
  constexpr std::uint64_t apart = 0xd1342543de82ef95;  // odd: no two purposes meet
  return Random(seed + static_cast<std::uint64_t>(purpose) * apart).next();
}

/// True with that probability.
inline bool happens(Random& random, double fraction) {
  constexpr double unit = 9'007'199'254'740'992;  // 2^53, so that nothing is rounded
  return static_cast<double>(random.next() >> 11) < fraction * unit;
}

/// Uniform in [0, bound), of 32 random bits. REQUIRES: bound <= 2^32. As even as Random::below(),
/// without its division.
inline std::uint64_t scaled(std::uint32_t bits, std::uint64_t bound) {
  return (bits * bound) >> 32;
}

}  // namespace leat::generate
