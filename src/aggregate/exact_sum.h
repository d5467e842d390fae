// Sums of doubles that do not depend on the order of the summands.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/state.h"

namespace leat::aggregate {

/// The exact sum of doubles, rounded only when asked for. So the same summands give the same result
/// in any order and any grouping, which is what replay needs, and can be taken away again.
///
/// It is the sum of two doubles as long as these hold all its digits, some 106 in a row: almost
/// always. Otherwise it is a number with all digits that doubles have, of 272 bytes elsewhere.
/// Up to 2^63 summands.
class ExactSum {
 public:
  ExactSum();
  ~ExactSum();
  ExactSum(ExactSum&&) noexcept;
  ExactSum& operator=(ExactSum&&) noexcept;

  /// REQUIRES: a finite value.
  void add(double value) {
    if (all_digits_ || !add_to_pair(value)) add_to_all_digits(value);
  }
  /// Takes away what was added. REQUIRES: a finite value.
  void subtract(double value) { add(-value); }
  void merge(const ExactSum& other);
  /// The double next to the exact sum, of two the even one; infinite if that is beyond the largest.
  double round() const;

  /// All its digits: a number in two's complement, the lowest word first, in units of 2^-1074.
  using Words = std::array<std::uint64_t, 34>;
  Words words() const;

  void snapshot(StateWriter& writer) const;
  void restore(StateReader& reader);
  /// Beside this.
  std::size_t heap_bytes() const;

 private:
  class AllDigits;

  // Whether the pair could take it up; it is as it was if not.
  bool add_to_pair(double value) {
    // Knuth's sum: `sum` and `rest` are together exactly what `a` and `b` are.
    auto add_exactly = [](double a, double b, double& rest) {
      double sum = a + b, b_taken = sum - a;
      rest = (a - (sum - b_taken)) + (b - b_taken);
      return sum;
    };
    double high_rest, low_rest, low;
    double high = add_exactly(high_, value, high_rest);
    double middle = add_exactly(low_, high_rest, low_rest);
    // Below 2^1020 nothing here overflows.
    if (low_rest != 0 || !(std::fabs(high) < 0x1p1020)) return false;
    high_ = add_exactly(high, middle, low);
    low_ = low;
    return true;
  }
  void add_to_all_digits(double value);

  double high_ = 0;                        // the double next to the sum
  double low_ = 0;                         // and what is left
  std::unique_ptr<AllDigits> all_digits_;  // instead, if it is there
};

}  // namespace leat::aggregate
