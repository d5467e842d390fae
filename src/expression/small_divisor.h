// Division of many numbers by one.
#pragma once

#include <cstdint>
#include <optional>

#include "expression/kernel.h"

namespace leat::expression {

/// A divisor for numbers of 32 bits without sign, by two multiplications (Lemire, Kaser and Kurz:
/// Faster remainder by direct computation).
class SmallDivisor {
 public:
  /// Nothing if it is none.
  static std::optional<SmallDivisor> of(std::int64_t value) {
    return value < 2 || value >> 32 != 0 ? std::nullopt : std::optional(SmallDivisor(value));
  }
  /// Nothing if the rows of an operand do not have one for all.
  static std::optional<SmallDivisor> of(const Operand& divisor) {
    if (!divisor.constant || divisor.is_null(0)) return {};
    return of(divisor.vector->integer(0));
  }

  /// Bad if `a` is no number of 32 bits without sign.
  Checked<std::int64_t> divide(std::int64_t a) const {
    return {high_part(fraction_, unsigned_of(a)), unsigned_of(a) >> 32};
  }
  Checked<std::int64_t> remainder(std::int64_t a) const {
    return {high_part(fraction_ * unsigned_of(a), value_), unsigned_of(a) >> 32};
  }

 private:
  explicit SmallDivisor(std::int64_t value)
      : value_(unsigned_of(value)), fraction_(~std::uint64_t{0} / value_ + 1) {}
  static std::uint64_t unsigned_of(std::int64_t value) { return static_cast<std::uint64_t>(value); }
  static std::int64_t high_part(std::uint64_t a, std::uint64_t b) {
    return static_cast<std::int64_t>(column::Uint128{a} * b >> 64);
  }

  std::uint64_t value_;
  std::uint64_t fraction_;  // of 2^64, rounded up
};

}  // namespace leat::expression
