// Schedules of batches: tables of what comes next.
#include <initializer_list>
#include <string>

#include <doctest/doctest.h>

#include "column/timestamp.h"
#include "plan/cron.h"

TEST_SUITE_BEGIN("plan");

using namespace leat;
using namespace leat::plan;

namespace {

std::int64_t ms(const std::string& time) {
  auto parsed = column::parse_timestamp(time);
  REQUIRE_MESSAGE(parsed.has_value(), time);
  return parsed->ms;
}

std::string next(const std::string& schedule, const std::string& after) {
  auto cron = Cron::parse(schedule);
  REQUIRE_MESSAGE(cron.has_value(), cron.error().what);
  std::string text;
  column::append_timestamp(text, {cron->next_after(ms(after))});
  return text;
}

std::string complaint(const std::string& schedule) {
  auto cron = Cron::parse(schedule);
  REQUIRE_FALSE(cron.has_value());
  CHECK(cron.error().code == Errc::plan_error);
  return cron.error().what;
}

}  // namespace

TEST_CASE("a schedule says when a batch runs next") {
  struct Row {
    const char* schedule;
    const char* after;
    const char* next;
  };
  for (const auto& row : std::initializer_list<Row>{
           {"0 2 * * *", "2024-02-28T01:59:59Z", "2024-02-28T02:00:00Z"},
           {"0 2 * * *", "2024-02-28T02:00:00Z", "2024-02-29T02:00:00Z"},
           {"0 2 * * *", "2023-02-28T02:00:01Z", "2023-03-01T02:00:00Z"},
           {"* * * * *", "2024-12-31T23:59:30Z", "2025-01-01T00:00:00Z"},
           {"*/15 * * * *", "2024-01-01T10:44:59Z", "2024-01-01T10:45:00Z"},
           {"5-20/7 * * * *", "2024-01-01T10:12:00Z", "2024-01-01T10:19:00Z"},
           {"5-20/7 * * * *", "2024-01-01T10:19:00Z", "2024-01-01T11:05:00Z"},
           {"30 6,18 * * *", "2024-01-01T06:30:00Z", "2024-01-01T18:30:00Z"},
           {"  0   0   1   *   * ", "2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z"},
           {"0 0 29 2 *", "2024-02-29T00:00:00Z", "2028-02-29T00:00:00Z"},
           {"0 0 29 feb *", "2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z"},
           {"0 9 * * mon-fri", "2024-03-01T09:00:00Z", "2024-03-04T09:00:00Z"},
           {"0 9 * * 7", "2024-03-01T09:00:00Z", "2024-03-03T09:00:00Z"},
           {"0 9 * * SUN", "2024-03-03T09:00:00Z", "2024-03-10T09:00:00Z"},
           // Days of both kinds: either counts.
           {"0 0 13 * fri", "2024-09-12T00:00:00Z", "2024-09-13T00:00:00Z"},
           {"0 0 13 * fri", "2024-09-13T00:00:00Z", "2024-09-20T00:00:00Z"},
           {"0 0 13 * fri", "2024-10-11T00:00:00Z", "2024-10-13T00:00:00Z"},
           {"0 0 */2 * fri", "2024-09-13T00:00:00Z", "2024-09-27T00:00:00Z"},
           {"0 0 1 1 *", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z"},
           {"0 0 1 1 *", "1968-06-01T00:00:00Z", "1969-01-01T00:00:00Z"},
       }) {
    CAPTURE(row.schedule);
    CHECK(next(row.schedule, row.after) == row.next);
  }
}

TEST_CASE("a schedule that is none is refused with the field that does not fit") {
  CHECK(complaint("0 2 * *") ==
        "schedule: '0 2 * *' has 4 fields, not the five of cron: minute hour day month weekday, as "
        "in '0 2 * * *'");
  CHECK(complaint("") ==
        "schedule: '' has 0 fields, not the five of cron: minute hour day month weekday, as in '0 "
        "2 * * *'");
  std::string rest =
      ", A-B, *, each with /STEP behind a range, or several with commas between "
      "them";
  CHECK(complaint("60 2 * * *") == "schedule: '60' is no minute: a number from 0 to 59" + rest);
  CHECK(complaint("0 2 * foo *") ==
        "schedule: 'foo' is no month: a number from 1 to 12, a name" + rest);
  for (const char* minute :
       {"5/2", "9-3", "-1", "1-", "*/0", "*/", ",", "1,", "1-2-3", "+1", "mon", "99999999999"}) {
    CAPTURE(minute);
    CHECK(complaint(std::string(minute) + " * * * *").starts_with("schedule: '"));
  }
  CHECK(complaint("0 0 30 2 *") == "schedule: no year has a day of '0 0 30 2 *'");
  CHECK(complaint("0 0 31 4,6,9,11 *").starts_with("schedule: no year"));
}

TEST_CASE("every minute of some years is what the fields say, and no other is") {
  auto cron = Cron::parse("*/20 3-5 31,28 * *");
  REQUIRE(cron.has_value());
  std::int64_t time = ms("2023-12-01T00:00:00Z"), end = ms("2024-04-01T00:00:00Z");
  int times = 0;
  while ((time = cron->next_after(time)) < end) {
    std::string text;
    column::append_timestamp(text, {time});
    CHECK((text.substr(8, 2) == "31" || text.substr(8, 2) == "28"));
    CHECK((text.substr(14, 5) == "00:00" || text.substr(14, 5) == "20:00" ||
           text.substr(14, 5) == "40:00"));
    ++times;
  }
  // Two days in December, January and March, one in February.
  CHECK(times == 7 * 9);
}

TEST_SUITE_END();
