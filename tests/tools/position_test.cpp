#include "tools/position.h"

#include <doctest/doctest.h>

#include <fmt/core.h>

namespace leat::tools {
namespace {

constexpr std::int64_t now_ms = 1'442'055'600'000;  // 2015-09-12T11:00:00Z

std::string show(const Position& position) {
  switch (position.kind) {
    case Position::Kind::start: return "start";
    case Position::Kind::end: return "end";
    case Position::Kind::offset: return fmt::format("{}", position.number);
    case Position::Kind::before_end: return fmt::format("-{}", position.number);
    case Position::Kind::after_start: return fmt::format("+{}", position.number);
    case Position::Kind::time: return fmt::format("@{}", position.number);
  }
  return "?";
}

/// "begin | end", or "error".
std::string range(std::string_view text) {
  auto parsed = Range::parse(text, now_ms);
  if (!parsed) return "error";
  return show(parsed->begin) + " | " + (parsed->end ? show(*parsed->end) : "");
}

std::string time_of(std::string_view text) {
  auto parsed = Position::parse(text, now_ms);
  return parsed ? show(*parsed) : "error";
}

/// What is left of a partition that holds [10, 100), as "[begin, end)".
std::string resolved(std::string_view text, bool stop_at_end = false,
                     std::optional<std::int64_t> begin_time_offset = std::nullopt,
                     std::optional<std::int64_t> end_time_offset = std::nullopt) {
  auto parsed = Range::parse(text, now_ms);
  REQUIRE(parsed);
  PartitionEnds ends{10, 100, begin_time_offset, end_time_offset};
  auto part = resolve(*parsed, ends, stop_at_end);
  if (!part) return std::string(name(part.error().code));
  return fmt::format("[{}, {})", part->begin, part->end ? std::to_string(*part->end) : "");
}

TEST_SUITE_BEGIN("tools");

TEST_CASE("a range is split at the colon that no time can hold") {
  struct Row {
    const char* text;
    const char* parsed;
  };
  const Row rows[] = {
      {"start", "start | "},
      {"end", "end | "},
      {"5", "5 | "},
      {"-5", "-5 | "},
      {"+5", "+5 | "},
      {":", "start | "},
      {"5:", "5 | "},
      {":5", "start | 5"},
      {"5:10", "5 | 10"},
      {"5:+10", "5 | +10"},
      {"5:-10", "5 | -10"},
      {"-5:end", "-5 | end"},
      {"+5:-5", "+5 | -5"},
      {"start:end", "start | end"},
      {"@2015-09-12T10:00:00Z", "@1442052000000 | "},
      {"@2015-09-12T10:00:00Z:", "@1442052000000 | "},
      {":@2015-09-12T10:00:00Z", "start | @1442052000000"},
      {"@2015-09-12T10:00:00Z:@2015-09-12T11:00:00Z", "@1442052000000 | @1442055600000"},
      {"@2015-09-12T10:00:@2015-09-12T11:00", "@1442052000000 | @1442055600000"},
      {"@2015-09-12T12:00:00+02:00:@2015-09-12T13:00:00+02:00", "@1442052000000 | @1442055600000"},
      {"@1442052000000:@1442055600000", "@1442052000000 | @1442055600000"},
      {"@-2h:@-1h", "@1442048400000 | @1442052000000"},
      {"@2015-09-12T10:00:00Z:end", "@1442052000000 | end"},
      {"@2015-09-12T10:00:00Z:-5", "@1442052000000 | -5"},
      {"10:@2015-09-12T11:00:00Z", "10 | @1442055600000"},
  };
  for (const Row& row : rows) CHECK_MESSAGE(range(row.text) == row.parsed, row.text);
}

TEST_CASE("what is no range is refused") {
  for (const char* text :
       {"", "begin", "5x", "--5", "+", "-", "@", "@yesterday", "5:6:7", "@2015-09-12T10:00:00Z:1h",
        "1.5", " 5", "99999999999999999999", "@-2", "@-h", "@-2x", "@2015-13-01"})
    CHECK_MESSAGE(range(text) == "error", text);
}

TEST_CASE("times are UTC unless they carry a zone") {
  CHECK(time_of("@2015-09-12T10:00:00") == "@1442052000000");
  CHECK(time_of("@2015-09-12T10:00:00Z") == "@1442052000000");
  CHECK(time_of("@2015-09-12T12:00:00+02:00") == "@1442052000000");
  CHECK(time_of("@2015-09-12 10:00:00.250Z") == "@1442052000250");
}

TEST_CASE("of a time the seconds, or the time of day, may be left out") {
  CHECK(time_of("@2015-09-12") == "@1442016000000");
  CHECK(time_of("@2015-09-12T10:00") == "@1442052000000");
  CHECK(time_of("@2015-09-12T10:00Z") == "@1442052000000");
  CHECK(time_of("@2015-09-12T12:00+02:00") == "@1442052000000");
  CHECK(time_of("@2015-09") == "error");
}

TEST_CASE("a time may be so long ago, in units that add up") {
  CHECK(time_of("@-1h") == "@1442052000000");
  CHECK(time_of("@-60m") == "@1442052000000");
  CHECK(time_of("@-3600s") == "@1442052000000");
  CHECK(time_of("@-59m60s") == "@1442052000000");
  CHECK(time_of("@-3600000ms") == "@1442052000000");
  CHECK(time_of("@-1d") == "@1441969200000");
  CHECK(time_of("@-1w") == "@1441450800000");
  CHECK(time_of("@-9999999999999w") == "error");
}

TEST_CASE("positions mean offsets of a partition") {
  CHECK(resolved("start:") == "[10, )");
  CHECK(resolved("end:") == "[100, )");
  CHECK(resolved("20:30") == "[20, 30)");
  CHECK(resolved("-5:") == "[95, )");
  CHECK(resolved("-500:") == "[10, )");
  CHECK(resolved("+5:") == "[15, )");
  CHECK(resolved("+500:") == "[100, )");
  CHECK(resolved("+5:-5") == "[15, 95)");
}

TEST_CASE("an end is pinned where the partition ended when it was asked") {
  CHECK(resolved(":end") == "[10, 100)");
  CHECK(resolved("start:", true) == "[10, 100)");
  CHECK(resolved(":50", true) == "[10, 50)");
  CHECK(resolved(":500") == "[10, 500)");
  CHECK(resolved(":500", true) == "[10, 100)");
}

TEST_CASE("an offset outside the partition is an error that names both") {
  CHECK(resolved("9:") == "offset_out_of_range");
  CHECK(resolved("100:") == "[100, )");
  CHECK(resolved("101:") == "offset_out_of_range");
}

TEST_CASE("a range of times begins and ends where the broker found them") {
  CHECK(resolved("@2015-09-12:", false, 42) == "[42, )");
  CHECK(resolved("@2015-09-12:", false) == "[100, )");
  CHECK(resolved("@2015-09-12:@2015-09-13", false, 42, 50) == "[42, 50)");
  CHECK(resolved(":@2015-09-13", false, std::nullopt, 50) == "[10, 50)");
  CHECK(resolved("@2015-09-12:@2015-09-13", false, 42) == "[42, 100)");
  CHECK(resolved("@2015-09-12:@2015-09-13", false, 42, 105) == "[42, 100)");
  // A record that came after the end was asked for.
  CHECK(resolved("@2015-09-12:", true, 105) == "[100, 100)");
}

TEST_CASE("a range of times holds its begin and not its end") {
  auto parsed = Range::parse("@1000:@2000", now_ms);
  REQUIRE(parsed);
  auto part = resolve(*parsed, {10, 100, 10, 50}, false);
  REQUIRE(part);
  CHECK_FALSE(part->holds_time(999));
  CHECK(part->holds_time(1000));
  CHECK(part->holds_time(1999));
  CHECK_FALSE(part->holds_time(2000));
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::tools
