// Hashing and comparing the bytes of keys, which are short.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace leat::operators {

namespace detail {

inline std::uint64_t word_at(std::string_view bytes, std::size_t at) {
  std::uint64_t word;
  std::memcpy(&word, bytes.data() + at, sizeof word);
  return word;
}

}  // namespace detail

/// Of a key of 8 to 16 bytes its first and its last eight, which may overlap, are all of it: two
/// multiplications for them cost less than a call.
inline std::uint32_t key_hash(std::uint64_t first, std::uint64_t last, std::size_t size) {
  constexpr std::uint64_t odd = 0x9e37'79b9'7f4a'7c15, other = 0xd6e8'feb8'6659'fd93;
  std::uint64_t mixed = first * odd;
  mixed = (mixed ^ mixed >> 32 ^ last ^ size) * other;
  return static_cast<std::uint32_t>((mixed ^ mixed >> 29) * odd >> 32);
}

/// 32 well mixed bits.
inline std::uint32_t key_hash(std::string_view key) {
  constexpr std::size_t word = sizeof(std::uint64_t);
  if (key.empty()) return 0;
  if (key.size() < word || key.size() > 2 * word) {
    return static_cast<std::uint32_t>(XXH3_64bits(key.data(), key.size()) >> 32);
  }
  return key_hash(detail::word_at(key, 0), detail::word_at(key, key.size() - word), key.size());
}

/// memcmp() without a call, for keys of usual length.
inline bool equal_keys(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  constexpr std::size_t word = sizeof(std::uint64_t);
  if (a.size() < word || a.size() > 4 * word) return a == b;
  for (std::size_t at = 0; at + word < a.size(); at += word) {
    if (detail::word_at(a, at) != detail::word_at(b, at)) return false;
  }
  return detail::word_at(a, a.size() - word) == detail::word_at(b, b.size() - word);
}

}  // namespace leat::operators
