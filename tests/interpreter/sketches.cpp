#include "interpreter/sketches.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include <xxhash.h>

#include "base/assert.h"

namespace leat::interpreter {

using namespace leat::plan;

namespace {

std::string bytes_of(Int128 number, std::size_t size) {
  std::string bytes(size, '\0');
  std::memcpy(bytes.data(), &number, size);
  return bytes;
}

std::string hashed_bytes(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* decimal = std::get_if<Decimal>(&value)) return bytes_of(decimal->units, 16);
  if (const auto* interval = std::get_if<Interval>(&value)) {
    return bytes_of(comparable_ms(*interval), 16);
  }
  if (const auto* real = std::get_if<double>(&value)) {
    return bytes_of(std::bit_cast<std::int64_t>(*real), 8);
  }
  if (const auto* time = std::get_if<Timestamp>(&value)) return bytes_of(time->ms, 8);
  if (const auto* date = std::get_if<Date>(&value)) return bytes_of(date->days, 8);
  if (const auto* truth = std::get_if<bool>(&value)) return bytes_of(*truth ? 1 : 0, 8);
  return bytes_of(std::get<std::int64_t>(value), 8);
}

// The middle of those doubles that have the same sign, exponent and first seven digits behind the
// binary point. Zero is alone.
double rounded_to_bucket(double value) {
  if (value == 0) return value;
  auto bits = std::bit_cast<std::uint64_t>(value);
  constexpr int cut = 52 - 7;
  return std::bit_cast<double>((((bits >> cut) << 1) | 1) << (cut - 1));
}

}  // namespace

std::int64_t approximate_count(const Values& values) {
  constexpr int index_bits = 12;
  constexpr std::size_t registers = std::size_t{1} << index_bits;
  std::array<int, registers> longest{};
  for (const auto& value : values) {
    std::string bytes = hashed_bytes(value);
    std::uint64_t hash = XXH3_64bits(bytes.data(), bytes.size());
    auto index = static_cast<std::size_t>(hash >> (64 - index_bits));
    std::uint64_t rest = hash << index_bits;
    int run = rest == 0 ? 64 - index_bits + 1 : std::countl_zero(rest) + 1;
    longest[index] = std::max(longest[index], run);
  }
  // Summed by length, so that no order of registers can round differently.
  constexpr int runs = 64 - index_bits + 2;
  std::array<int, runs> with_run{};
  for (int run : longest) ++with_run[static_cast<std::size_t>(run)];
  double sum = 0;
  for (int run = 0; run < runs; ++run) {
    sum += with_run[static_cast<std::size_t>(run)] * std::ldexp(1.0, -run);
  }
  constexpr auto m = static_cast<double>(registers);
  double estimate = 0.7213 / (1 + 1.079 / m) * m * m / sum;
  if (estimate <= 2.5 * m && with_run[0] > 0) estimate = m * std::log(m / with_run[0]);
  return std::llround(estimate);
}

Value percentile(const Values& values, double fraction) {
  constexpr std::size_t exact_max = 1024;
  std::vector<double> sorted;
  for (const auto& value : values) sorted.push_back(std::get<double>(value));
  if (sorted.empty()) return {};
  auto [least, most] = std::minmax_element(sorted.begin(), sorted.end());
  double low = *least, high = *most;
  if (sorted.size() > exact_max) {
    for (double& value : sorted) value = std::clamp(rounded_to_bucket(value), low, high);
  }
  std::sort(sorted.begin(), sorted.end());
  double rank = std::ceil(fraction * static_cast<double>(sorted.size()));
  return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

}  // namespace leat::interpreter
