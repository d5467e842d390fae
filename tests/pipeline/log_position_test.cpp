// How positions are written is in tests/tools/position_test.cpp, beside ranges.
#include "pipeline/log_position.h"

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using leat::pipeline::LogPosition;

TEST_CASE("a position is an offset in each partition, counted from its start or its end") {
  struct Row {
    const char* text;
    std::int64_t offset;
  };
  const Row rows[] = {{"start", 10}, {"end", 100}, {"42", 42},   {"-5", 95},
                      {"-500", 10},  {"+5", 15},   {"+500", 100}};
  for (const Row& row : rows) {
    auto position = LogPosition::parse(row.text, 0);
    REQUIRE_MESSAGE(position, row.text);
    CHECK_MESSAGE(position->in(10, 100, std::nullopt) == row.offset, row.text);
  }
  auto time = LogPosition::parse("@2015-09-12", 0);
  REQUIRE(time);
  CHECK(time->in(10, 100, 33) == 33);
  CHECK(time->in(10, 100, std::nullopt) == 100);
  CHECK(LogPosition::parse("yesterday", 0).error().code == Errc::invalid_argument);
}

TEST_SUITE_END();
