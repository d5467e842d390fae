#include "aggregate/exact_sum.h"

#include <cmath>
#include <utility>

namespace leat::aggregate {

namespace {

// Below this 2^63 summands cannot overflow.
constexpr double huge = 0x1p960;
constexpr double scale_down = 0x1p-120;
constexpr double scale_up = 0x1p120;

// Adds `value` to a sum of parts without common bits, keeping it exact.
void add_part(std::vector<double>& parts, double value) {
  std::size_t kept = 0;
  for (double part : parts) {
    double large = value;
    double small = part;
    if (std::fabs(large) < std::fabs(small)) std::swap(large, small);
    double sum = large + small;
    double rest = small - (sum - large);
    if (rest != 0) parts[kept++] = rest;
    value = sum;
  }
  parts.resize(kept);
  if (value != 0) parts.push_back(value);
}

// The double next to the sum of parts, halves going to the even one.
double round_parts(const std::vector<double>& parts) {
  std::size_t left = parts.size();
  if (left == 0) return 0;
  double sum = parts[--left];
  double rest = 0;
  while (left > 0 && rest == 0) {
    double part = parts[--left];
    double next = sum + part;
    rest = part - (next - sum);
    sum = next;
  }
  // `rest` is what the rounding to `sum` left out. Was it just half a step, then the parts below,
  // which the addition did not see, decide: with the sign of `rest` they push over the half.
  if (left > 0 && ((rest < 0 && parts[left - 1] < 0) || (rest > 0 && parts[left - 1] > 0))) {
    double twice = rest * 2;
    double pushed = sum + twice;
    if (pushed - sum == twice) sum = pushed;
  }
  return sum;
}

}  // namespace

void ExactSum::add(double value) {
  if (std::fabs(value) < huge) {
    // Most sums are of whole or few-digit numbers and stay exact in one double.
    if (parts_.size() == 1 && std::fabs(parts_[0]) < huge) {
      double sum = parts_[0] + value;
      double value_taken = sum - parts_[0];
      if (value_taken == value && sum - value == parts_[0] && sum != 0) {
        parts_[0] = sum;
        return;
      }
    }
    add_part(parts_, value);
  } else {
    add_part(huge_parts_, value * scale_down);
  }
}

void ExactSum::merge(const ExactSum& other) {
  for (double part : other.parts_) add_part(parts_, part);
  for (double part : other.huge_parts_) add_part(huge_parts_, part);
}

double ExactSum::round() const {
  if (huge_parts_.empty()) return round_parts(parts_);
  // What is not huge is at most a rounding away; it is rounded first, so that the result does not
  // depend on how it is split into parts.
  std::vector<double> all = huge_parts_;
  add_part(all, round_parts(parts_) * scale_down);
  return round_parts(all) * scale_up;
}

void ExactSum::snapshot(StateWriter& writer) const {
  for (const auto* parts : {&parts_, &huge_parts_}) {
    writer.write(static_cast<std::uint32_t>(parts->size()));
    for (double part : *parts) writer.write_double(part);
  }
}

void ExactSum::restore(StateReader& reader) {
  for (auto* parts : {&parts_, &huge_parts_}) {
    parts->resize(reader.read_count(sizeof(double)));
    for (double& part : *parts) part = reader.read_double();
  }
}

}  // namespace leat::aggregate
