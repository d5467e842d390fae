#include "generate/log_uniform.h"

#include <cmath>

#include <doctest/doctest.h>

namespace leat::generate {

TEST_SUITE_BEGIN("generate");

TEST_CASE("prices go from 100 to 10^8 and no further") {
  LogUniform prices;
  CHECK(prices.at(0) == 100);
  CHECK(prices.at(LogUniform::steps - 1) == 99'999'999);
}

TEST_CASE("prices are 100 * 10^(6u), to the nearest number") {
  LogUniform prices;
  std::int64_t before = 0;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    std::uint32_t step = i * (LogUniform::steps / 100'000) + i % 1021;
    double exact = 100 * std::pow(10, 6.0 * step / LogUniform::steps);
    std::int64_t price = prices.at(step);
    REQUIRE(std::abs(static_cast<double>(price) - exact) < 0.51 + exact * 1e-9);
    REQUIRE(price >= before);
    before = price;
  }
}

TEST_SUITE_END();

}  // namespace leat::generate
