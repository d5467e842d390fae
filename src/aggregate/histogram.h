// How many doubles are about where.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/state.h"

namespace leat::aggregate {

/// Doubles, each known as the middle of those with its sign, exponent and first seven binary
/// digits; zero is alone. A page of 1 KiB for each exponent that came up, of each sign.
class Histogram {
 public:
  void add(double value) { add(value, 1); }
  void merge(const Histogram& other);
  /// The one at place `rank` of all in rising order. REQUIRES: 1 <= rank <= how many there are.
  double at_rank(std::uint64_t rank) const;

  void write(StateWriter& writer) const;
  void read(StateReader& reader);
  std::size_t heap_bytes() const;

 private:
  static constexpr int digits = 7;
  using Counts = std::array<std::uint64_t, std::size_t{1} << digits>;
  // Of doubles with one sign and exponent.
  struct Page {
    int order;  // rises with the numbers: the exponent + 1, negative for negative ones
    std::unique_ptr<Counts> counts;
  };
  void add(double value, std::uint64_t times);
  Counts& counts_of(int order);
  /// The middle of a place on a page.
  static double middle(int order, std::size_t place);
  /// Calls `use(value, times)` in rising order until it returns false.
  void for_each(auto use) const;

  std::vector<Page> pages_;  // in order
  std::uint64_t zeros_ = 0;
};

}  // namespace leat::aggregate
