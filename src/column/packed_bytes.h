// Short strings of bytes as two words.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace leat::column {

/// Up to 15 bytes, compared as two words. In memory they lie as they were, with zeros behind them
/// and one more than their number in the last byte. So it is never all zeros, as one that is made
/// without arguments is; and one that is made of numbers is none of bytes.
class PackedBytes {
 public:
  static constexpr std::size_t size_max = 2 * sizeof(std::uint64_t) - 1;

  PackedBytes() = default;
  /// REQUIRES: at most size_max.
  explicit PackedBytes(std::string_view bytes);
  /// Two numbers in their place, of which the second one is below 2^56.
  static PackedBytes of_numbers(std::uint64_t first, std::uint64_t second) {
    return {first, with_tag(second, numbers_tag)};
  }
  /// The key of one integer that is not NULL, as column/row_key.h has it.
  static PackedBytes of_integer_key(std::int64_t value);

  bool is_empty() const { return last_ == 0; }
  bool is_of_numbers() const { return tag() == numbers_tag; }
  std::uint64_t first() const { return first_; }
  /// REQUIRES: it is of numbers.
  std::uint64_t second() const { return is_little ? last_ << 8 >> 8 : last_ >> 8; }
  /// Good as long as this is there. REQUIRES: it is of bytes.
  std::string_view view() const { return {reinterpret_cast<const char*>(this), tag() - 1}; }
  bool operator==(const PackedBytes&) const = default;

  /// Of which the upper 32 bits are well mixed.
  std::uint64_t hash() const {
    constexpr std::uint64_t odd = 0x9e37'79b9'7f4a'7c15, other = 0xd6e8'feb8'6659'fd93;
    std::uint64_t mixed = first_ * odd;
    mixed = (mixed ^ mixed >> 32 ^ last_) * other;
    return (mixed ^ mixed >> 29) * odd;
  }

 private:
  static constexpr bool is_little = std::endian::native == std::endian::little;
  static constexpr std::uint64_t numbers_tag = 0xff;

  PackedBytes(std::uint64_t first, std::uint64_t last) : first_(first), last_(last) {}
  static std::uint64_t with_tag(std::uint64_t number, std::uint64_t tag) {
    return is_little ? number | tag << 56 : number << 8 | tag;
  }
  std::size_t tag() const {
    return static_cast<std::size_t>(is_little ? last_ >> 56 : last_ & 0xff);
  }

  std::uint64_t first_ = 0;
  std::uint64_t last_ = 0;
};

inline PackedBytes::PackedBytes(std::string_view bytes) {
  auto load = [&]<class T>(std::size_t at, T word) -> std::uint64_t {
    std::memcpy(&word, bytes.data() + at, sizeof word);
    return word;
  };
  std::size_t size = bytes.size();
  if constexpr (!is_little) {
    char room[sizeof(PackedBytes)]{};
    for (std::size_t i = 0; i < size; ++i) room[i] = bytes[i];
    std::memcpy(&first_, room, sizeof first_);
    std::memcpy(&last_, room + sizeof first_, sizeof last_);
    last_ |= size + 1;
    return;
  }
  // Of words that overlap the same bytes come to lie upon each other.
  if (size >= 8) {
    first_ = load(0, std::uint64_t{});
    if (size > 8) last_ = load(size - 8, std::uint64_t{}) >> 8 * (16 - size);
  } else if (size >= 4) {
    first_ = load(0, std::uint32_t{}) | load(size - 4, std::uint32_t{}) << 8 * (size - 4);
  } else if (size > 0) {
    first_ = load(0, std::uint8_t{}) | load(size / 2, std::uint8_t{}) << 8 * (size / 2) |
             load(size - 1, std::uint8_t{}) << 8 * (size - 1);
  }
  last_ |= static_cast<std::uint64_t>(size + 1) << 56;
}

inline PackedBytes PackedBytes::of_integer_key(std::int64_t value) {
  constexpr std::uint64_t present = 0x01, tag = 1 + sizeof value + 1;
  auto ordered = static_cast<std::uint64_t>(value) ^ std::uint64_t{1} << 63;
  if constexpr (!is_little) return {ordered >> 8 | present << 56, ordered << 56 | tag};
  std::uint64_t bytes = __builtin_bswap64(ordered);
  return {bytes << 8 | present, bytes >> 56 | tag << 56};
}

}  // namespace leat::column
