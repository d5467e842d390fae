// How values of one type compare.
#pragma once

#include <vector>

#include "plan/expression.h"

namespace leat::interpreter {

/// Below, at or above 0. NULL is the largest, and equal to itself: the order of sorting and of
/// grouping. REQUIRES: values of one type, no arrays.
int compare(const plan::Value& a, const plan::Value& b);

using Values = std::vector<plan::Value>;

/// By the first values that differ.
struct ValuesLess {
  bool operator()(const Values& a, const Values& b) const;
};

/// An interval's length where months have 30 days and days 24 hours, by which they are compared.
plan::Int128 comparable_ms(const plan::Interval& interval);

}  // namespace leat::interpreter
