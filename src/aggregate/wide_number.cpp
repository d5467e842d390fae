#include "aggregate/wide_number.h"

namespace leat::aggregate {

using column::Int128;
using column::Uint128;

void WideNumber::multiply(std::uint64_t factor) {
  // Two's complement: what is beyond 256 bits is cut off, which is right for negative ones too.
  std::uint64_t carry = 0;
  for (std::uint64_t& word : words_) {
    Uint128 product = Uint128{word} * factor + carry;
    word = static_cast<std::uint64_t>(product);
    carry = static_cast<std::uint64_t>(product >> 64);
  }
}

WideNumber WideNumber::divided_rounded(std::uint64_t divisor) const {
  WideNumber quotient = *this;
  if (negative()) quotient.negate();
  std::uint64_t rest = 0;
  for (std::size_t i = quotient.words_.size(); i-- > 0;) {
    Uint128 part = Uint128{rest} << 64 | quotient.words_[i];
    quotient.words_[i] = static_cast<std::uint64_t>(part / divisor);
    rest = static_cast<std::uint64_t>(part % divisor);
  }
  if (rest >= divisor - rest) quotient.increment();
  if (negative()) quotient.negate();
  return quotient;
}

std::optional<Int128> WideNumber::to_int128() const {
  std::uint64_t sign = words_[1] >> 63 != 0 ? ~std::uint64_t{0} : 0;
  if (words_[2] != sign || words_[3] != sign) return {};
  return static_cast<Int128>(Uint128{words_[1]} << 64 | words_[0]);
}

void WideNumber::negate() {
  for (std::uint64_t& word : words_) word = ~word;
  increment();
}

void WideNumber::increment() {
  for (std::uint64_t& word : words_) {
    if (++word != 0) return;
  }
}

void IntegerTotal::snapshot(StateWriter& writer) const {
  writer.write(low_);
  writer.write(high_);
}

void IntegerTotal::restore(StateReader& reader) {
  low_ = reader.read<std::uint64_t>();
  high_ = reader.read<std::int64_t>();
}

WideNumber DecimalTotal::value() const {
  return WideNumber(
      {low_, middle_, static_cast<std::uint64_t>(high_), high_ < 0 ? ~std::uint64_t{0} : 0});
}

void DecimalTotal::snapshot(StateWriter& writer) const {
  writer.write(low_);
  writer.write(middle_);
  writer.write(high_);
}

void DecimalTotal::restore(StateReader& reader) {
  low_ = reader.read<std::uint64_t>();
  middle_ = reader.read<std::uint64_t>();
  high_ = reader.read<std::int64_t>();
}

}  // namespace leat::aggregate
