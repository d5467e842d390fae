// Whole numbers that sums need more bits for than a machine has.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/state.h"
#include "column/value.h"

namespace leat::aggregate {

/// 256 bits, in two's complement.
class WideNumber {
 public:
  using Words = std::array<std::uint64_t, 4>;  // the lowest first

  explicit WideNumber(const Words& words) : words_(words) {}
  void multiply(std::uint64_t factor);
  /// To the nearest whole number, halves away from zero. REQUIRES: 0 < divisor < 2^63.
  WideNumber divided_rounded(std::uint64_t divisor) const;
  /// Nothing if it does not fit.
  std::optional<column::Int128> to_int128() const;

 private:
  bool negative() const { return words_[3] >> 63 != 0; }
  void negate();
  void increment();

  Words words_;
};

/// The sum of up to 2^63 bigints, in 16 bytes that need no alignment to so many.
class IntegerTotal {
 public:
  void add(std::int64_t value) { add_wide(value); }
  void subtract(std::int64_t value) { add_wide(-column::Int128{value}); }
  void merge(const IntegerTotal& other) { add_wide(other.value()); }
  column::Int128 value() const {
    return static_cast<column::Int128>(static_cast<column::Uint128>(high_) << 64 | low_);
  }
  void snapshot(StateWriter& writer) const;
  void restore(StateReader& reader);

 private:
  void add_wide(column::Int128 value) {
    auto sum = static_cast<column::Uint128>(this->value() + value);
    low_ = static_cast<std::uint64_t>(sum);
    high_ = static_cast<std::int64_t>(sum >> 64);
  }

  std::uint64_t low_ = 0;
  std::int64_t high_ = 0;
};

/// The sum of up to 2^63 decimals' units, of 127 bits each.
class DecimalTotal {
 public:
  void add(column::Int128 units) {
    add_words(static_cast<column::Uint128>(units), units < 0 ? -1 : 0);
  }
  void subtract(column::Int128 units) { add(-units); }
  void merge(const DecimalTotal& other) { add_words(other.low(), other.high_); }
  WideNumber value() const;
  void snapshot(StateWriter& writer) const;
  void restore(StateReader& reader);

 private:
  column::Uint128 low() const { return static_cast<column::Uint128>(middle_) << 64 | low_; }
  void add_words(column::Uint128 low, std::int64_t high) {
    column::Uint128 sum = this->low() + low;
    high_ += high + (sum < low ? 1 : 0);
    low_ = static_cast<std::uint64_t>(sum);
    middle_ = static_cast<std::uint64_t>(sum >> 64);
  }

  std::uint64_t low_ = 0;
  std::uint64_t middle_ = 0;
  std::int64_t high_ = 0;
};

}  // namespace leat::aggregate
