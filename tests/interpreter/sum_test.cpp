// Numbers that need more than a machine's word: sums and their rounding.
#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "interpreter/big.h"
#include "interpreter/sketches.h"

TEST_SUITE_BEGIN("interpreter");

using namespace leat;
using namespace leat::interpreter;

namespace {

double sum_of(const std::vector<double>& values) {
  ExactSum sum;
  for (double value : values) sum.add(value);
  return sum.rounded();
}

plan::Int128 number(Random& random) {
  auto high = static_cast<plan::Int128>(static_cast<std::int64_t>(random.next()));
  return (high << 30) >> random.below(94);
}

}  // namespace

TEST_CASE("a sum of doubles is the nearest double to the true sum, in any order") {
  CHECK(sum_of({}) == 0.0);
  CHECK(sum_of({0.1, 0.2, 0.3}) == 0.6);
  CHECK(sum_of({1e16, 1, -1e16}) == 1.0);
  CHECK(sum_of({1e308, 1e308, -1e308}) == 1e308);
  CHECK(sum_of({5e-324, 5e-324}) == 1e-323);
  CHECK(sum_of({0x1p53, 1}) == 0x1p53);                 // a half, to the even one below
  CHECK(sum_of({0x1p53, 1, 0x1p-1074}) == 0x1p53 + 2);  // and a little more than a half
  CHECK(sum_of({0x1p53 + 2, 1}) == 0x1p53 + 4);         // a half, to the even one above
  CHECK(sum_of({-0x1p53, -1}) == -0x1p53);
  CHECK(std::isinf(sum_of({std::numeric_limits<double>::max(), 1e308})));
}

TEST_CASE("big numbers agree with the machine's where those suffice") {
  Random random(7);
  for (int i = 0; i < 2000; ++i) {
    plan::Int128 a = number(random), b = number(random) >> 60;
    CHECK(*(Big(a) + Big(b)).to_int128() == a + b);
    CHECK(*(Big(a) - Big(b)).to_int128() == a - b);
    CHECK(*(Big(a >> 64) * Big(b)).to_int128() == (a >> 64) * b);
    if (b == 0) continue;
    plan::Int128 magnitude_a = a < 0 ? -a : a, magnitude_b = b < 0 ? -b : b;
    auto division = Big(a).divided_by(Big(b));
    CHECK(*division.quotient.to_int128() == magnitude_a / magnitude_b);
    CHECK(*division.rest.to_int128() == magnitude_a % magnitude_b);
  }
  CHECK(*divide_rounded(Big(5), Big(2)).to_int128() == 3);
  CHECK(*divide_rounded(Big(-5), Big(2)).to_int128() == -3);
  CHECK(*divide_rounded(Big(-4), Big(3)).to_int128() == -1);
}

TEST_CASE("an approximate count is right for few values and near for many") {
  Values values;
  for (std::int64_t i = 0; i < 100'000; ++i) {
    auto count = static_cast<std::int64_t>(values.size());
    if (count == 0 || count == 1 || count == 10) CHECK(approximate_count(values) == count);
    values.emplace_back(i);
  }
  auto estimate = static_cast<double>(approximate_count(values));
  CHECK(std::abs(estimate - 100'000) < 5'000);
}

TEST_CASE("a percentile is exact for few values and near for many") {
  Values values;
  for (int i = 1; i <= 1000; ++i) values.emplace_back(i * 1.0);
  CHECK(std::get<double>(percentile(values, 0.5)) == 500);
  CHECK(std::get<double>(percentile(values, 0)) == 1);
  CHECK(std::get<double>(percentile(values, 1)) == 1000);
  CHECK(std::get<double>(percentile(values, 0.9991)) == 1000);
  for (int i = 1001; i <= 10'000; ++i) values.emplace_back(i * 1.0);
  double median = std::get<double>(percentile(values, 0.5));
  CHECK(median != 5000);
  CHECK(std::abs(median - 5000) < 5000 * 0.004);
  CHECK(std::get<double>(percentile(values, 1)) <= 10'000);
  CHECK(percentile({}, 0.5).is_null());
}

TEST_SUITE_END();
