#include <ctime>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "column/timestamp.h"

TEST_SUITE_BEGIN("column");

using namespace leat;
using namespace leat::column;

namespace {

std::string format(Timestamp time) {
  std::string out;
  append_timestamp(out, time);
  return out;
}

}  // namespace

TEST_CASE("times are read as RFC 3339 writes them, to the millisecond") {
  struct Case {
    const char* text;
    std::int64_t ms;
  };
  const std::vector<Case> cases{
      {"1970-01-01T00:00:00Z", 0},
      {"2015-09-12T00:46:58.771Z", 1'442'018'818'771},
      {"2015-09-12t00:46:58.771z", 1'442'018'818'771},
      {"2015-09-12 00:46:58", 1'442'018'818'000},
      {"2015-09-12T02:46:58.7+02:00", 1'442'018'818'700},
      {"2015-09-11T19:16:58-05:30", 1'442'018'818'000},
      {"2015-09-12T00:46:58.77199999Z", 1'442'018'818'771},
      {"1969-12-31T23:59:59.999Z", -1},
      {"2000-02-29T00:00:00Z", 951'782'400'000},
      {"2016-12-31T23:59:60Z", 1'483'228'800'000},
      {"0000-01-01T00:00:00Z", timestamp_min.ms},
      {"9999-12-31T23:59:59.999Z", timestamp_max.ms},
  };
  for (const auto& [text, ms] : cases) {
    CAPTURE(text);
    auto time = parse_timestamp(text);
    REQUIRE(time);
    CHECK(time->ms == ms);
  }
}

TEST_CASE("what is no time is not read as one") {
  for (const char* text : {"",
                           "2015-09-12",
                           "2015-09-12T00:46",
                           "2015-13-12T00:46:58Z",
                           "2015-00-12T00:46:58Z",
                           "2015-09-31T00:46:58Z",
                           "2015-09-00T00:46:58Z",
                           "1900-02-29T00:00:00Z",
                           "2015-09-12T24:00:00Z",
                           "2015-09-12T00:60:00Z",
                           "2015-09-12T00:46:61Z",
                           "2015-09-12T00:46:58.Z",
                           "2015-09-12T00:46:58+0200",
                           "2015-09-12T00:46:58+24:00",
                           "2015-09-12T00:46:58Zx",
                           "2015/09/12T00:46:58Z",
                           "2015-09-12X00:46:58Z",
                           "2o15-09-12T00:46:58Z",
                           "0000-01-01T00:00:00+01:00",
                           "9999-12-31T23:59:59-01:00"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_timestamp(text));
  }
}

TEST_CASE("a time is written with milliseconds only when it has some") {
  CHECK(format(Timestamp{1'442'018'700'000}) == "2015-09-12T00:45:00Z");
  CHECK(format(Timestamp{1'442'018'700'050}) == "2015-09-12T00:45:00.050Z");
  CHECK(format(Timestamp{-1}) == "1969-12-31T23:59:59.999Z");
  CHECK(format(timestamp_min) == "0000-01-01T00:00:00Z");
  CHECK(format(timestamp_max) == "9999-12-31T23:59:59.999Z");
}

TEST_CASE("every time is read back as it was written, and as the C library writes it") {
  Random random(1);
  for (int i = 0; i < 20'000; ++i) {
    Timestamp time{random.between(timestamp_min.ms, timestamp_max.ms)};
    std::string text = format(time);
    CHECK(parse_timestamp(text) == time);
    auto seconds = static_cast<std::time_t>((time.ms - (time.ms % 1000 + 1000) % 1000) / 1000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char expected[64];
    std::snprintf(expected, sizeof expected, "%04d-%02d-%02dT%02d:%02d:%02d", parts.tm_year + 1900,
                  parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
    CHECK(text.substr(0, 19) == expected);
  }
}

TEST_CASE("a time is the same whatever times were read before") {
  Random random(2);
  TimestampReader reader;
  for (int i = 0; i < 20'000; ++i) {
    std::int64_t hours = random.one_in(4) ? random.between(0, 30) : 0;
    std::int64_t ms = hours * 3'600'000 + random.between(0, 120'000);
    std::string text = format(Timestamp{1'442'018'700'000 + ms});
    if (random.one_in(2)) text[random.below(text.size())] = "0123456789:.-TZ+ "[random.below(17)];
    if (random.one_in(20)) text.resize(random.below(text.size()));
    CAPTURE(text);
    CHECK(reader.read(text) == parse_timestamp(text));
  }
}

TEST_CASE("a reader that has read nothing yet takes nothing for a time that is none") {
  for (char c : {'\0', '\xff', '0', ' '}) {
    CHECK_FALSE(TimestampReader().read(std::string(14, c) + "45:00.123Z"));
  }
  CHECK(TimestampReader().read("1970-01-01T00:45:00.123Z") == Timestamp{2'700'123});
  CHECK(TimestampReader().read("1970-01-01T01:45:00.123Z") == Timestamp{6'300'123});
}

TEST_SUITE_END();
