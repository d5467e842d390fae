// Whole numbers of any size, slow and plain: with these nothing has to be rounded or to overflow
// before the end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plan/expression.h"

namespace leat::interpreter {

class Big {
 public:
  Big() = default;
  Big(plan::Int128 value);

  friend Big operator+(const Big& a, const Big& b);
  friend Big operator-(const Big& a, const Big& b) { return a + b.negated(); }
  friend Big operator*(const Big& a, const Big& b);
  /// -1, 0 or 1.
  int sign() const { return bits_.empty() ? 0 : negative_ ? -1 : 1; }
  Big negated() const;
  Big magnitude() const { return negative_ ? negated() : *this; }
  Big shifted_left(std::size_t bits) const;

  /// Of magnitudes: `this` = quotient * divisor + rest. REQUIRES: a divisor that is not zero.
  struct Division;
  Division divided_by(const Big& divisor) const;

  std::size_t bit_count() const { return bits_.size(); }
  bool bit(std::size_t i) const { return i < bits_.size() && bits_[i]; }

  /// Nothing if it does not fit.
  std::optional<plan::Int128> to_int128() const;

  static int compare_magnitudes(const Big& a, const Big& b);

 private:
  static Big from_bits(std::vector<bool> bits, bool negative);

  std::vector<bool> bits_;  // of the magnitude, the lowest first, the highest set
  bool negative_ = false;
};

struct Big::Division {
  Big quotient;
  Big rest;
};

/// a / b to the nearest whole number, halves away from zero. REQUIRES: b != 0.
Big divide_rounded(const Big& a, const Big& b);

/// Sums doubles as the whole numbers of 2^-1074 that they are.
class ExactSum {
 public:
  void add(double value);
  const Big& units() const { return sum_; }
  /// The double nearest to the sum, of two the even one; infinite if it is beyond all.
  double rounded() const;

 private:
  Big sum_;
};

}  // namespace leat::interpreter
