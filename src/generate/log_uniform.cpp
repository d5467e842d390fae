#include "generate/log_uniform.h"

#include <cstddef>

#include "base/assert.h"

namespace leat::generate {

namespace {

__extension__ typedef unsigned __int128 Wide;

// Factors have 62 bits behind the point, powers 35: 10^8 takes 27 before it.
constexpr int factor_bits = 62;
constexpr int power_bits = 35;
constexpr std::uint64_t one = std::uint64_t{1} << factor_bits;
constexpr std::uint64_t step_of_power = 4'674'327'164'510'533'957;   // 10^(6 / 2^10)
constexpr std::uint64_t step_of_factor = 4'611'746'780'085'678'141;  // 10^(6 / 2^20)
constexpr std::uint64_t step_of_line = 59'337'166'406;               // 10^(6 / 2^30) - 1

std::uint64_t times(std::uint64_t number, std::uint64_t factor) {
  return static_cast<std::uint64_t>((Wide{number} * factor) >> factor_bits);
}

}  // namespace

LogUniform::LogUniform() {
  power_[0] = std::uint64_t{100} << power_bits;
  factor_[0] = one;
  for (std::size_t i = 1; i < power_.size(); ++i) {
    power_[i] = times(power_[i - 1], step_of_power);
    factor_[i] = times(factor_[i - 1], step_of_factor);
  }
}

std::int64_t LogUniform::at(std::uint32_t step) const {
  ASSERT(step < steps);
  std::uint64_t product = times(power_[step >> 20], factor_[(step >> 10) & 1023]);
  product = times(product, one + (step & 1023) * step_of_line);
  constexpr std::uint64_t half = std::uint64_t{1} << (power_bits - 1);
  return static_cast<std::int64_t>((product + half) >> power_bits);
}

}  // namespace leat::generate
