// Variances and standard deviations, of all digits: n times the sum of the squares less the square
// of the sum, exactly, then rounded once, so that no order of rows and nothing that was taken away
// shows. A square is the double next to it and the double next to what that leaves.
//
// In a snapshot, for each group:
//
//   variance := count:u64 beyond:u64 sum squares      `beyond`: how many have no double as square;
//                                                     the sums as exact_sum.h writes them
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "aggregate/accumulators_of.h"
#include "aggregate/exact_sum.h"
#include "aggregate/kinds.h"
#include "column/value.h"

namespace leat::aggregate {

namespace {

using column::Uint128;

/// A whole number of units of 2^-2148, as squares of a sum have.
class Wide {
 public:
  static constexpr int unit_exponent = -2148;

  /// Adds a * b, moved up by so many words. REQUIRES: room for it.
  void add_product(const ExactSum::Words& a, std::uint64_t b, std::size_t at) {
    if (b == 0) return;
    Uint128 carry = 0;
    std::size_t end = a.size();
    while (end > 0 && a[end - 1] == 0) --end;
    std::size_t i = 0;
    for (; i < end; ++i) {
      carry += Uint128{a[i]} * b + words_[at + i];
      words_[at + i] = static_cast<std::uint64_t>(carry);
      carry >>= word_bits;
    }
    for (; carry != 0; ++i) {
      carry += words_[at + i];
      words_[at + i] = static_cast<std::uint64_t>(carry);
      carry >>= word_bits;
    }
  }
  void shift_left(int bits) {
    for (std::size_t i = words_.size(); i-- > 1;) {
      words_[i] = words_[i] << bits | words_[i - 1] >> (word_bits - bits);
    }
    words_[0] <<= bits;
  }
  /// this - other; false if that is below 0.
  bool subtract(const Wide& other) {
    bool borrow = false;
    for (std::size_t i = 0; i < words_.size(); ++i) {
      Uint128 taken = Uint128{other.words_[i]} + (borrow ? 1 : 0);
      borrow = words_[i] < taken;
      words_[i] -= static_cast<std::uint64_t>(taken);
    }
    return !borrow;
  }

  /// The number as `mantissa` * 2^exponent, rounded to 53 digits, halves to the even one.
  double round(int& exponent) const {
    std::size_t top = words_.size();
    while (top > 0 && words_[top - 1] == 0) --top;
    if (top == 0) return 0;
    constexpr int digits = std::numeric_limits<double>::digits;
    int count = static_cast<int>(top) * word_bits - std::countl_zero(words_[top - 1]);
    int cut = std::max(count - digits, 0);
    std::uint64_t mantissa = 0;
    for (int i = count; i-- > cut;) mantissa = mantissa << 1 | (bit(i) ? 1 : 0);
    bool half = cut > 0 && bit(cut - 1);
    if (half && ((mantissa & 1) != 0 || any_below(cut - 1))) ++mantissa;
    exponent = cut + unit_exponent;
    return static_cast<double>(mantissa);
  }

 private:
  static constexpr int word_bits = 64;

  bool bit(int at) const {
    return (words_[static_cast<std::size_t>(at / word_bits)] >> (at % word_bits) & 1) != 0;
  }
  bool any_below(int end) const {
    auto word = static_cast<std::size_t>(end / word_bits);
    if (std::any_of(words_.begin(), words_.begin() + static_cast<std::ptrdiff_t>(word),
                    [](std::uint64_t each) { return each != 0; }))
      return true;
    return (words_[word] & ((std::uint64_t{1} << (end % word_bits)) - 1)) != 0;
  }

  std::array<std::uint64_t, 72> words_{};
};

ExactSum::Words magnitude(ExactSum::Words words) {
  if (words.back() >> 63 == 0) return words;
  bool carry = true;
  for (std::uint64_t& word : words) {
    word = ~word + (carry ? 1 : 0);
    carry = carry && word == 0;
  }
  return words;
}

template <bool of_sample, bool root>
struct Variance {
  struct State {
    std::uint64_t count = 0;
    std::uint64_t beyond = 0;
    ExactSum sum;
    ExactSum squares;
  };

  const column::Vector* known(const Input& input) const { return input.argument; }
  auto adder(const Input& input) const {
    return [values = input.argument->reals()](State& state, std::uint32_t row) {
      double value = values[row], square = value * value;
      ++state.count;
      state.sum.add(value);
      if (!std::isfinite(square)) {
        ++state.beyond;
        return;
      }
      state.squares.add(square);
      state.squares.add(std::fma(value, value, -square));
    };
  }
  auto subtracter(const Input& input) const {
    return [values = input.argument->reals()](State& state, std::uint32_t row) {
      double value = values[row], square = value * value;
      --state.count;
      state.sum.subtract(value);
      if (!std::isfinite(square)) {
        --state.beyond;
        return;
      }
      state.squares.subtract(square);
      state.squares.subtract(std::fma(value, value, -square));
    };
  }
  void merge(State& state, const State& other) const {
    state.count += other.count;
    state.beyond += other.beyond;
    state.sum.merge(other.sum);
    state.squares.merge(other.squares);
  }
  bool result(const State& state, const Cell& cell) const {
    if (state.count < (of_sample ? 2 : 1)) {
      cell.out.set_null(cell.row);
      return true;
    }
    double variance = state.beyond > 0 ? std::numeric_limits<double>::infinity() : compute(state);
    if (!std::isfinite(variance)) {
      cell.reason = "double out of range: overflow";
      return false;
    }
    cell.out.set_real(cell.row, root ? std::sqrt(variance) : variance);
    return true;
  }
  void write(const State& state, StateWriter& writer) const {
    writer.write(state.count);
    writer.write(state.beyond);
    state.sum.snapshot(writer);
    state.squares.snapshot(writer);
  }
  void read(State& state, StateReader& reader) const {
    state.count = reader.read<std::uint64_t>();
    state.beyond = reader.read<std::uint64_t>();
    state.sum.restore(reader);
    state.squares.restore(reader);
  }
  std::size_t heap_bytes(const State& state) const {
    return state.sum.heap_bytes() + state.squares.heap_bytes();
  }

 private:
  static double compute(const State& state) {
    // Units of sums are 2^-1074, those of their squares 2^-2148.
    constexpr std::size_t up_words = 1074 / 64;
    constexpr int up_bits = 1074 % 64;
    Wide all, square_of_sum;
    all.add_product(state.squares.words(), state.count, up_words);
    all.shift_left(up_bits);
    ExactSum::Words sum = magnitude(state.sum.words());
    for (std::size_t i = 0; i < sum.size(); ++i) square_of_sum.add_product(sum, sum[i], i);
    if (!all.subtract(square_of_sum)) return 0;  // by what the squares of tiny ones were rounded
    int exponent = 0;
    double rounded = all.round(exponent);
    auto count = static_cast<double>(state.count);
    return std::ldexp(rounded / (count * (of_sample ? count - 1 : count)), exponent);
  }
};

}  // namespace

std::unique_ptr<Accumulators> make_variances(const plan::BoundAggregate& aggregate) {
  const std::string& function = aggregate.aggregate->function;
  if (function == "var_pop") return accumulators_of(Variance<false, false>{});
  if (function == "var_samp") return accumulators_of(Variance<true, false>{});
  if (function == "stddev_pop") return accumulators_of(Variance<false, true>{});
  return accumulators_of(Variance<true, true>{});
}

}  // namespace leat::aggregate
