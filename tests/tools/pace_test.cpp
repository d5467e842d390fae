#include "tools/pace.h"

#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

namespace leat::tools {
namespace {

using std::chrono::milliseconds;

std::string speed(std::string_view text) {
  auto parsed = parse_speed(text);
  if (!parsed) return "error";
  return *parsed ? fmt::format("{}", **parsed) : "max";
}

/// When records of these times are due, in ms, the first of them read after 7 ms.
std::vector<std::int64_t> due(std::optional<double> speed,
                              const std::vector<std::optional<std::int64_t>>& times) {
  Pace pace(speed);
  std::vector<std::int64_t> dues;
  for (std::optional<std::int64_t> time : times)
    dues.push_back(pace.due(time, milliseconds(7)) / milliseconds(1));
  return dues;
}

using Dues = std::vector<std::int64_t>;

TEST_SUITE_BEGIN("tools");

TEST_CASE("a speed is a positive number, or max") {
  CHECK(speed("1") == "1");
  CHECK(speed("0.5") == "0.5");
  CHECK(speed("10x") == "10");
  CHECK(speed("max") == "max");
  for (const char* text : {"", "x", "0", "-1", "fast", "1y", "inf", "nan", "1 "})
    CHECK_MESSAGE(speed(text) == "error", text);
}

TEST_CASE("records are as far apart as their times, divided by the speed") {
  CHECK(due(1.0, {1000, 1000, 1500, 3000}) == Dues{7, 7, 507, 2007});
  CHECK(due(10.0, {1000, 1500, 3000}) == Dues{7, 57, 207});
  CHECK(due(0.5, {1000, 1500}) == Dues{7, 1007});
}

TEST_CASE("a record without a time is due with the one before it") {
  CHECK(due(1.0, {std::nullopt, 1000, std::nullopt, 2000, std::nullopt}) ==
        Dues{0, 7, 7, 1007, 1007});
}

TEST_CASE("at full speed everything is due at once") {
  CHECK(due(std::nullopt, {1000, 9000, std::nullopt}) == Dues{0, 0, 0});
}

TEST_CASE("times at both ends of what there is do not overflow") {
  Dues dues = due(0.001, {0, INT64_MAX});
  CHECK(dues[1] > dues[0]);
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::tools
