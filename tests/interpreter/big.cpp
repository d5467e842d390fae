#include "interpreter/big.h"

#include <bit>
#include <cmath>
#include <utility>

#include "base/assert.h"

namespace leat::interpreter {

namespace {

using Bits = std::vector<bool>;

Bits add_bits(const Bits& a, const Bits& b) {
  Bits sum;
  bool carry = false;
  for (std::size_t i = 0; i < a.size() || i < b.size() || carry; ++i) {
    int ones = (i < a.size() && a[i] ? 1 : 0) + (i < b.size() && b[i] ? 1 : 0) + (carry ? 1 : 0);
    sum.push_back(ones % 2 == 1);
    carry = ones >= 2;
  }
  return sum;
}

// REQUIRES: a >= b.
Bits subtract_bits(const Bits& a, const Bits& b) {
  Bits difference;
  bool borrow = false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    int left = (a[i] ? 1 : 0) - (i < b.size() && b[i] ? 1 : 0) - (borrow ? 1 : 0);
    difference.push_back(left == 1 || left == -1);
    borrow = left < 0;
  }
  return difference;
}

int compare_bits(const Bits& a, const Bits& b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  for (std::size_t i = a.size(); i-- > 0;) {
    if (a[i] != b[i]) return a[i] ? 1 : -1;
  }
  return 0;
}

}  // namespace

Big::Big(plan::Int128 value) : negative_(value < 0) {
  for (; value != 0; value /= 2) bits_.push_back(value % 2 != 0);
}

Big Big::from_bits(Bits bits, bool negative) {
  while (!bits.empty() && !bits.back()) bits.pop_back();
  Big big;
  big.negative_ = negative && !bits.empty();
  big.bits_ = std::move(bits);
  return big;
}

Big operator+(const Big& a, const Big& b) {
  if (a.negative_ == b.negative_) return Big::from_bits(add_bits(a.bits_, b.bits_), a.negative_);
  if (compare_bits(a.bits_, b.bits_) < 0) return b + a;
  return Big::from_bits(subtract_bits(a.bits_, b.bits_), a.negative_);
}

Big operator*(const Big& a, const Big& b) {
  Big product;
  for (std::size_t i = 0; i < b.bits_.size(); ++i) {
    if (b.bits_[i]) product = product + a.magnitude().shifted_left(i);
  }
  return Big::from_bits(product.bits_, a.negative_ != b.negative_);
}

Big Big::negated() const {
  return from_bits(bits_, !negative_);
}

Big Big::shifted_left(std::size_t bits) const {
  Bits shifted(bits, false);
  shifted.insert(shifted.end(), bits_.begin(), bits_.end());
  return from_bits(std::move(shifted), negative_);
}

Big::Division Big::divided_by(const Big& divisor) const {
  ASSERT(divisor.sign() != 0);
  Division division;
  Bits quotient(bits_.size(), false);
  for (std::size_t i = bits_.size(); i-- > 0;) {
    division.rest = division.rest.shifted_left(1);
    if (bits_[i]) division.rest = division.rest + Big(1);
    if (compare_magnitudes(division.rest, divisor) < 0) continue;
    division.rest = division.rest - divisor.magnitude();
    quotient[i] = true;
  }
  division.quotient = from_bits(std::move(quotient), false);
  return division;
}

std::optional<plan::Int128> Big::to_int128() const {
  if (bits_.size() > 127) return {};
  plan::Int128 value = 0;
  for (std::size_t i = bits_.size(); i-- > 0;) value = value * 2 + (bits_[i] ? 1 : 0);
  return negative_ ? -value : value;
}

int Big::compare_magnitudes(const Big& a, const Big& b) {
  return compare_bits(a.bits_, b.bits_);
}

Big divide_rounded(const Big& a, const Big& b) {
  auto [quotient, rest] = a.divided_by(b);
  if (Big::compare_magnitudes(rest + rest, b) >= 0) quotient = quotient + Big(1);
  return a.sign() * b.sign() < 0 ? quotient.negated() : quotient;
}

void ExactSum::add(double value) {
  auto bits = std::bit_cast<std::uint64_t>(value);
  std::uint64_t exponent = (bits >> 52) & 0x7ff;
  std::uint64_t mantissa = bits & ((std::uint64_t{1} << 52) - 1);
  ASSERT(exponent != 0x7ff);
  if (exponent > 0) mantissa |= std::uint64_t{1} << 52;
  Big big = Big(mantissa).shifted_left(exponent > 0 ? exponent - 1 : 0);
  sum_ = sum_ + (value < 0 ? big.negated() : big);
}

double ExactSum::rounded() const {
  constexpr std::size_t digits = 53;
  std::size_t count = sum_.bit_count();
  std::size_t cut = count > digits ? count - digits : 0;
  std::uint64_t mantissa = 0;
  for (std::size_t i = count; i-- > cut;) mantissa = mantissa * 2 + (sum_.bit(i) ? 1 : 0);
  bool half = cut > 0 && sum_.bit(cut - 1);
  bool more = false;
  for (std::size_t i = 0; i + 1 < cut; ++i) more = more || sum_.bit(i);
  if (half && (more || mantissa % 2 == 1)) ++mantissa;
  double value = std::ldexp(static_cast<double>(mantissa), static_cast<int>(cut) - 1074);
  return sum_.sign() < 0 ? -value : value;
}

}  // namespace leat::interpreter
