// The bytes that a value is known by, so that equal values have equal ones.
#pragma once

#include <array>
#include <bit>
#include <cstring>
#include <string_view>

#include "aggregate/kept_cell.h"

namespace leat::aggregate {

/// Numbers, times and booleans are 8 bytes, decimals and intervals 16, little-endian; an interval
/// is its length. What it gives is good until it is asked again, and as long as the cell's text.
class ValueBytes {
 public:
  std::string_view of(std::int64_t cell) { return copied(static_cast<std::uint64_t>(cell)); }
  std::string_view of(double cell) { return copied(std::bit_cast<std::uint64_t>(cell)); }
  std::string_view of(column::Int128 cell) { return copied(static_cast<column::Uint128>(cell)); }
  std::string_view of(std::string_view cell) { return cell; }
  std::string_view of(const column::Interval& cell) { return of(IntervalCell::length_ms(cell)); }

 private:
  std::string_view copied(auto bits) {
    for (std::size_t i = 0; i < sizeof bits; ++i) bytes_[i] = static_cast<char>(bits >> (8 * i));
    return {bytes_.data(), sizeof bits};
  }

  std::array<char, sizeof(column::Int128)> bytes_{};
};

}  // namespace leat::aggregate
