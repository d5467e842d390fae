// Sums of doubles that do not depend on the order of the summands.
#pragma once

#include <vector>

#include "base/state.h"

namespace leat::aggregate {

/// The exact sum of doubles, as a few doubles that do not overlap (Shewchuk 1997), rounded only
/// when asked for. So the same summands give the same result in any order and any grouping, which
/// is what replay needs. Costs one or two doubles of memory and some ten operations a summand in
/// practice.
class ExactSum {
 public:
  /// REQUIRES: a finite value.
  void add(double value);
  void merge(const ExactSum& other);
  /// The double next to the exact sum; infinite if that is beyond the largest one.
  double round() const;

  void snapshot(StateWriter& writer) const;
  void restore(StateReader& reader);

 private:
  // Each list has the exact sum of some summands as doubles of rising size without common bits.
  std::vector<double> parts_;
  // Summands so large that their sum may overflow before others bring it back, scaled down.
  std::vector<double> huge_parts_;
};

}  // namespace leat::aggregate
