#include "expression/wide.h"

namespace leat::expression {

using column::Int128;
using column::Uint128;

namespace {

constexpr int word_bits = 32;

}  // namespace

Wide::Wide(Uint128 value) {
  for (std::size_t i = 0; value != 0; value >>= word_bits) {
    words_[i++] = static_cast<std::uint32_t>(value);
  }
}

Wide operator*(const Wide& a, const Wide& b) {
  Wide product;
  for (std::size_t i = 0; i < Wide::word_count; ++i) {
    std::uint64_t carry = 0;
    for (std::size_t j = 0; i + j < Wide::word_count; ++j) {
      carry += std::uint64_t{a.words_[i]} * b.words_[j] + product.words_[i + j];
      product.words_[i + j] = static_cast<std::uint32_t>(carry);
      carry >>= word_bits;
    }
  }
  return product;
}

Wide operator+(const Wide& a, const Wide& b) {
  Wide sum;
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < Wide::word_count; ++i) {
    carry += std::uint64_t{a.words_[i]} + b.words_[i];
    sum.words_[i] = static_cast<std::uint32_t>(carry);
    carry >>= word_bits;
  }
  return sum;
}

Wide operator-(const Wide& a, const Wide& b) {
  Wide difference;
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < Wide::word_count; ++i) {
    std::uint64_t left = std::uint64_t{a.words_[i]} - b.words_[i] - borrow;
    difference.words_[i] = static_cast<std::uint32_t>(left);
    borrow = left >> 63;
  }
  return difference;
}

std::strong_ordering operator<=>(const Wide& a, const Wide& b) {
  for (std::size_t i = Wide::word_count; i-- > 0;) {
    if (a.words_[i] != b.words_[i]) return a.words_[i] <=> b.words_[i];
  }
  return std::strong_ordering::equal;
}

// One bit after the other.
Wide::Division Wide::divided_by(const Wide& divisor) const {
  Division division;
  for (std::size_t i = word_count * word_bits; i-- > 0;) {
    std::uint32_t bit = words_[i / word_bits] >> (i % word_bits) & 1;
    division.rest = division.rest + division.rest;
    division.rest.words_[0] |= bit;
    if (division.rest < divisor) continue;
    division.rest = division.rest - divisor;
    division.quotient.words_[i / word_bits] |= std::uint32_t{1} << (i % word_bits);
  }
  return division;
}

bool Wide::fits_int128() const {
  std::uint32_t above = words_[3] >> (word_bits - 1);
  for (std::size_t i = 4; i < word_count; ++i) above |= words_[i];
  return above == 0;
}

Int128 Wide::to_int128() const {
  Uint128 value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << word_bits | words_[i];
  return static_cast<Int128>(value);
}

}  // namespace leat::expression
