// Prices: as many from 1 to 10 as from 10 to 100, and so on.
#pragma once

#include <array>
#include <cstdint>

namespace leat::generate {

/// 100 * 10^(6u) for u in [0, 1): from 100 to 10^8. In integers, since the last bit of std::pow
/// differs between machines.
class LogUniform {
 public:
  LogUniform();

  /// How many values of u there are.
  static constexpr std::uint32_t steps = 1u << 30;

  /// For u = `step` / steps, rounded to the nearest number. REQUIRES: step < steps.
  std::int64_t at(std::uint32_t step) const;

 private:
  // u in parts of 10 bits. Of the first the power itself, of the second the factor that it adds;
  // the third is so small that its factor is a line.
  std::array<std::uint64_t, 1024> power_;
  std::array<std::uint64_t, 1024> factor_;
};

}  // namespace leat::generate
