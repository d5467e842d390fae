// In a snapshot:
//
//   sum := 0x00 high:f64 low:f64                    their sum
//        | 0x01 word:u64 * 34                       a number in two's complement, the lowest word
//                                                   first, in units of 2^-1074
#include "aggregate/exact_sum.h"

#include <bit>
#include <cstdint>

#include "column/value.h"

namespace leat::aggregate {

namespace {

using column::Uint128;

constexpr int mantissa_bits = 52;
constexpr int unit_exponent = -1074;  // of the smallest double
constexpr int word_bits = 64;

}  // namespace

/// From 2^-1074 to 2^1024 and 63 bits more for so many summands, and the sign.
class ExactSum::AllDigits {
 public:
  void add(double value) {
    auto bits = std::bit_cast<std::uint64_t>(value);
    auto exponent = static_cast<int>(bits >> mantissa_bits & 0x7ff);
    std::uint64_t mantissa = bits & ((std::uint64_t{1} << mantissa_bits) - 1);
    if (exponent > 0) mantissa |= std::uint64_t{1} << mantissa_bits;
    int shift = exponent > 0 ? exponent - 1 : 0;
    auto at = static_cast<std::size_t>(shift / word_bits);
    Uint128 part = Uint128{mantissa} << (shift % word_bits);
    if (value < 0)
      subtract_at(at, part);
    else
      add_at(at, part);
  }
  void add(const AllDigits& other) {
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < words_.size(); ++i) {
      Uint128 sum = Uint128{words_[i]} + other.words_[i] + carry;
      words_[i] = static_cast<std::uint64_t>(sum);
      carry = static_cast<std::uint64_t>(sum >> word_bits);
    }
  }

  double round() const {
    AllDigits magnitude = *this;
    bool negative = words_.back() >> (word_bits - 1) != 0;
    if (negative) magnitude.negate();
    int top = magnitude.top_bit();
    if (top < 0) return 0;
    int cut = top > mantissa_bits ? top - mantissa_bits : 0;
    std::uint64_t mantissa = 0;
    for (int i = top; i >= cut; --i) mantissa = mantissa << 1 | (magnitude.bit(i) ? 1 : 0);
    bool half = cut > 0 && magnitude.bit(cut - 1);
    if (half && ((mantissa & 1) != 0 || magnitude.any_below(cut - 1))) ++mantissa;
    double value = std::ldexp(static_cast<double>(mantissa), cut + unit_exponent);
    return negative ? -value : value;
  }

  const Words& words() const { return words_; }

  void snapshot(StateWriter& writer) const {
    for (std::uint64_t word : words_) writer.write(word);
  }
  void restore(StateReader& reader) {
    for (std::uint64_t& word : words_) word = reader.read<std::uint64_t>();
  }

 private:
  void add_at(std::size_t at, Uint128 part) {
    for (; part != 0 && at < words_.size(); ++at) {
      Uint128 sum = Uint128{words_[at]} + static_cast<std::uint64_t>(part);
      words_[at] = static_cast<std::uint64_t>(sum);
      part = (part >> word_bits) + (sum >> word_bits);
    }
  }
  void subtract_at(std::size_t at, Uint128 part) {
    for (; part != 0 && at < words_.size(); ++at) {
      auto word = static_cast<std::uint64_t>(part);
      bool borrow = words_[at] < word;
      words_[at] -= word;
      part = (part >> word_bits) + (borrow ? 1 : 0);
    }
  }
  void negate() {
    for (std::uint64_t& word : words_) word = ~word;
    add_at(0, 1);
  }
  int top_bit() const {
    for (std::size_t i = words_.size(); i-- > 0;) {
      if (words_[i] == 0) continue;
      return static_cast<int>(i) * word_bits + word_bits - 1 - std::countl_zero(words_[i]);
    }
    return -1;
  }
  bool bit(int at) const {
    return (words_[static_cast<std::size_t>(at / word_bits)] >> (at % word_bits) & 1) != 0;
  }
  bool any_below(int end) const {
    auto word = static_cast<std::size_t>(end / word_bits);
    for (std::size_t i = 0; i < word; ++i) {
      if (words_[i] != 0) return true;
    }
    return (words_[word] & ((std::uint64_t{1} << (end % word_bits)) - 1)) != 0;
  }

  Words words_{};
};

ExactSum::ExactSum() = default;
ExactSum::~ExactSum() = default;
ExactSum::ExactSum(ExactSum&&) noexcept = default;
ExactSum& ExactSum::operator=(ExactSum&&) noexcept = default;

void ExactSum::add_to_all_digits(double value) {
  if (!all_digits_) {
    all_digits_ = std::make_unique<AllDigits>();
    all_digits_->add(high_);
    all_digits_->add(low_);
    high_ = low_ = 0;
  }
  all_digits_->add(value);
}

void ExactSum::merge(const ExactSum& other) {
  if (!other.all_digits_) {
    double high = other.high_, low = other.low_;
    add(high);
    add(low);
    return;
  }
  if (!all_digits_) add_to_all_digits(0);
  all_digits_->add(*other.all_digits_);
}

double ExactSum::round() const {
  return all_digits_ ? all_digits_->round() : high_;
}

ExactSum::Words ExactSum::words() const {
  if (all_digits_) return all_digits_->words();
  AllDigits sum;
  sum.add(high_);
  sum.add(low_);
  return sum.words();
}

void ExactSum::snapshot(StateWriter& writer) const {
  writer.write(static_cast<std::uint8_t>(all_digits_ ? 1 : 0));
  if (all_digits_) return all_digits_->snapshot(writer);
  writer.write_double(high_);
  writer.write_double(low_);
}

void ExactSum::restore(StateReader& reader) {
  all_digits_ = nullptr;
  high_ = low_ = 0;
  if (reader.read<std::uint8_t>() == 0) {
    high_ = reader.read_double();
    low_ = reader.read_double();
    return;
  }
  all_digits_ = std::make_unique<AllDigits>();
  all_digits_->restore(reader);
}

std::size_t ExactSum::heap_bytes() const {
  return all_digits_ ? sizeof(AllDigits) : 0;
}

}  // namespace leat::aggregate
