// Whole numbers of 384 bits: what decimals come to on the way to a result that fits again.
#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "column/value.h"

namespace leat::expression {

inline column::Uint128 magnitude(column::Int128 value) {
  auto bits = static_cast<column::Uint128>(value);
  return value < 0 ? -bits : bits;
}

/// Not negative. Enough for a decimal times 10^76. Slow: common numbers do without.
class Wide {
 public:
  Wide() = default;
  explicit Wide(column::Uint128 value);

  /// REQUIRES of all: a result that fits and is not negative.
  friend Wide operator*(const Wide& a, const Wide& b);
  friend Wide operator+(const Wide& a, const Wide& b);
  friend Wide operator-(const Wide& a, const Wide& b);
  friend std::strong_ordering operator<=>(const Wide& a, const Wide& b);
  friend bool operator==(const Wide&, const Wide&) = default;

  struct Division;
  /// REQUIRES: divisor != 0.
  Division divided_by(const Wide& divisor) const;

  /// Whether it is below 2^127.
  bool fits_int128() const;
  /// REQUIRES: fits_int128().
  column::Int128 to_int128() const;

 private:
  static constexpr std::size_t word_count = 12;
  std::array<std::uint32_t, word_count> words_{};  // the lowest first
};

struct Wide::Division {
  Wide quotient;
  Wide rest;
};

}  // namespace leat::expression
