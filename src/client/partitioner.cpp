#include "client/partitioner.h"

#include "base/assert.h"

namespace leat::client {

std::uint32_t murmur2(BytesView bytes) {
  constexpr std::uint32_t seed = 0x9747b28c;
  constexpr std::uint32_t mix = 0x5bd1e995;
  constexpr int shift = 24;
  auto byte_at = [&](std::size_t i) { return std::to_integer<std::uint32_t>(bytes[i]); };
  auto hash = seed ^ static_cast<std::uint32_t>(bytes.size());
  std::size_t at = 0;
  for (; at + 4 <= bytes.size(); at += 4) {
    std::uint32_t word =
        byte_at(at) | byte_at(at + 1) << 8 | byte_at(at + 2) << 16 | byte_at(at + 3) << 24;
    word *= mix;
    word ^= word >> shift;
    word *= mix;
    hash = hash * mix ^ word;
  }
  if (at < bytes.size()) {
    for (std::size_t i = bytes.size(); i-- > at;) hash ^= byte_at(i) << 8 * (i - at);
    hash *= mix;
  }
  hash ^= hash >> 13;
  hash *= mix;
  hash ^= hash >> 15;
  return hash;
}

std::int32_t partition_for_key(BytesView key, std::int32_t partition_count) {
  ASSERT(partition_count > 0);
  // The sign bit is dropped, as where the hash is a signed number.
  return static_cast<std::int32_t>(murmur2(key) & 0x7fff'ffff) % partition_count;
}

}  // namespace leat::client
