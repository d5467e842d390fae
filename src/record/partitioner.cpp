#include "record/partitioner.h"

namespace leat::record {

std::uint32_t murmur2(BytesView bytes) {
  constexpr std::uint32_t multiplier = 0x5bd1'e995;
  constexpr std::uint32_t seed = 0x9747'b28c;
  auto at = [&](std::size_t i) { return std::to_integer<std::uint32_t>(bytes[i]); };
  std::uint32_t hash = seed ^ static_cast<std::uint32_t>(bytes.size());
  std::size_t i = 0;
  for (; i + 4 <= bytes.size(); i += 4) {
    std::uint32_t word = at(i) | at(i + 1) << 8 | at(i + 2) << 16 | at(i + 3) << 24;
    word *= multiplier;
    word ^= word >> 24;
    word *= multiplier;
    hash = hash * multiplier ^ word;
  }
  if (i < bytes.size()) {
    for (std::size_t shift = 0, j = i; j < bytes.size(); ++j, shift += 8) hash ^= at(j) << shift;
    hash *= multiplier;
  }
  hash ^= hash >> 13;
  hash *= multiplier;
  return hash ^ hash >> 15;
}

}  // namespace leat::record
