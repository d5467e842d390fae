// The example of a function that sees many rows at once, against a plain loop.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../../examples/pipelines/outliers.h"
#include "base/random.h"
#include "leat/pipeline_test.h"

TEST_SUITE_BEGIN("flow");

namespace leat::flow {
namespace {

using outliers::Outlier;
using outliers::Reading;

/// A reading a second, one in a hundred of them a wild one.
std::vector<Reading> readings(std::uint64_t seed) {
  Random random(seed);
  std::vector<Reading> all;
  Timestamp time = std::chrono::sys_days(std::chrono::days(20'000));
  for (int i = 0; i < 6'000; ++i) {
    double value = 20 + static_cast<double>(random.below(1'000)) / 1'000;
    if (random.one_in(100)) value += 50;
    all.push_back({"s" + std::to_string(random.below(5)), value, time + std::chrono::seconds(i)});
  }
  return all;
}

/// `value from expected`, of those that are far from the mean of what was before.
std::vector<std::string> expected_of(const std::vector<Reading>& all) {
  std::vector<std::string> found;
  double mean = all[0].value, spread = 0;
  for (std::size_t i = 1; i < all.size(); ++i) {
    double distance = std::fabs(all[i].value - mean);
    if (i >= 100 && distance > 4 * spread) {
      found.push_back(std::to_string(all[i].value) + " from " + std::to_string(mean));
    }
    spread += 0.01 * (distance - spread);
    mean += 0.01 * (all[i].value - mean);
  }
  return found;
}

}  // namespace

TEST_CASE("the example of batches finds the readings that a plain loop finds") {
  for (std::uint64_t seed : {1, 2, 3}) {
    CAPTURE(seed);
    auto all = readings(seed);
    Pipeline pipeline("outliers");
    outliers::add_judge(pipeline);
    PipelineTest test(pipeline);
    for (const Reading& reading : all) test.push("readings", reading);
    test.finish();
    std::vector<std::string> found;
    for (const Outlier& outlier : test.take<Outlier>("outliers")) {
      found.push_back(std::to_string(outlier.value) + " from " + std::to_string(outlier.expected));
    }
    CHECK(found == expected_of(all));
    CHECK(found.size() > 20);
  }
}

}  // namespace leat::flow

TEST_SUITE_END();
