#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "aggregate/exact_sum.h"

TEST_SUITE_BEGIN("aggregate");

using namespace leat;
using namespace leat::aggregate;

namespace {

double sum(const std::vector<double>& values) {
  ExactSum total;
  for (double value : values) total.add(value);
  return total.round();
}

void shuffle(std::vector<double>& values, Random& random) {
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random.below(i)]);
}

double random_double(Random& random) {
  switch (random.below(4)) {
    case 0: return static_cast<double>(random.between(-1'000'000, 1'000'000)) / 100;
    case 1: return std::ldexp(1.0, static_cast<int>(random.between(-1074, 1023)));
    case 2: return -std::ldexp(1.5, static_cast<int>(random.between(-60, 60)));
    default: {
      double value = std::bit_cast<double>(random.next());
      return std::isfinite(value) ? value : std::numeric_limits<double>::max();
    }
  }
}

}  // namespace

TEST_CASE("a sum is the double next to the exact one") {
  const double largest = std::numeric_limits<double>::max();
  const double tiny = std::numeric_limits<double>::denorm_min();
  CHECK(sum({}) == 0);
  CHECK(sum({0.1, 0.2, 0.3}) == 0.6);
  CHECK(sum({1e16, 1, -1e16}) == 1);
  CHECK(sum({1e300, 1e-300, -1e300}) == 1e-300);
  CHECK(sum({largest, largest, -largest}) == largest);
  CHECK(sum({largest, largest, 7, -largest, -largest}) == 7);
  CHECK(std::isinf(sum({largest, largest})));
  CHECK(sum({tiny, tiny, -tiny}) == tiny);
  // Halves go to the even neighbour, unless something smaller tips the scale.
  CHECK(sum({1, 0x1p-53}) == 1);
  CHECK(sum({1, 0x1p-53, tiny}) == 1 + 0x1p-52);
  CHECK(sum({1 + 0x1p-52, 0x1p-53, -tiny}) == 1 + 0x1p-52);
  CHECK(sum({0x1p1000, 0x1p947}) == 0x1p1000);
  CHECK(sum({0x1p1000, 0x1p947, tiny}) == 0x1p1000 + 0x1p948);
  std::vector<double> tenths(10, 0.1);
  CHECK(sum(tenths) == 1);
}

TEST_CASE("a sum depends neither on order nor on grouping, and survives a snapshot") {
  Random random(7);
  for (int round = 0; round < 3'000; ++round) {
    std::vector<double> values;
    for (auto n = random.below(40); n > 0; --n) {
      values.push_back(random_double(random));
      if (random.one_in(3)) values.push_back(-values[random.below(values.size())]);
    }
    double expected = sum(values);
    shuffle(values, random);
    std::vector<ExactSum> groups(1 + random.below(5));
    for (double value : values) groups[random.below(groups.size())].add(value);
    ExactSum total;
    for (const auto& group : groups) {
      StateWriter writer;
      group.snapshot(writer);
      Bytes bytes = writer.finish();
      auto reader = StateReader::open(bytes);
      REQUIRE(reader);
      ExactSum restored;
      restored.restore(*reader);
      REQUIRE(reader->finish());
      total.merge(restored);
    }
    CHECK(total.round() == expected);
  }
}

TEST_CASE("what is taken away from a sum was never there") {
  Random random(9);
  for (int round = 0; round < 1'000; ++round) {
    ExactSum total, kept;
    std::vector<double> gone;
    for (auto n = random.below(30); n > 0; --n) {
      double value = random_double(random);
      total.add(value);
      if (random.one_in(2))
        gone.push_back(value);
      else
        kept.add(value);
    }
    for (double value : gone) total.subtract(value);
    CHECK(total.round() == kept.round());
  }
}

TEST_CASE("a sum of usual numbers has no memory elsewhere") {
  Random random(10);
  ExactSum prices, measures;
  for (int i = 0; i < 20'000; ++i) {
    prices.add(static_cast<double>(random.between(0, 10'000'000)) / 100);
    measures.add(static_cast<double>(random.between(1, 1'000'000)) / 7 * 1e-3);
  }
  CHECK(prices.heap_bytes() == 0);
  CHECK(measures.heap_bytes() == 0);
  prices.add(1e-300);
  CHECK(prices.heap_bytes() > 0);
}

TEST_CASE("sums of whole numbers are what integers give") {
  Random random(8);
  ExactSum total;
  std::int64_t expected = 0;
  for (int i = 0; i < 10'000; ++i) {
    auto value = random.between(-(std::int64_t{1} << 40), std::int64_t{1} << 40);
    expected += value;
    total.add(static_cast<double>(value));
    if (i % 1'000 == 0) CHECK(total.round() == static_cast<double>(expected));
  }
  CHECK(total.round() == static_cast<double>(expected));
}

TEST_SUITE_END();
