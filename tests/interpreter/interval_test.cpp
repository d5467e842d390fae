// Intervals. What is expected is what PostgreSQL gives, unless a test says otherwise.
#include "interpreter/expression_table.h"

TEST_SUITE_BEGIN("interpreter");

using namespace leat;
using namespace leat::interpreter;

TEST_CASE("age counts years, months and days as a calendar does") {
  check_calls({
      {"age",
       {"timestamp 2001-04-10T00:00:00Z", "timestamp 1957-06-13T00:00:00Z"},
       "43 years 9 mons 27 days"},
      {"age",
       {"timestamp 1957-06-13T00:00:00Z", "timestamp 2001-04-10T00:00:00Z"},
       "-43 years -9 mons -27 days"},
      {"age", {"timestamp 2023-03-01T00:00:00Z", "timestamp 2023-01-31T00:00:00Z"}, "1 mon 1 day"},
      {"age",
       {"timestamp 2023-01-31T00:00:00Z", "timestamp 2023-03-01T00:00:00Z"},
       "-1 mons -1 days"},
      {"age",
       {"timestamp 2024-02-29T01:00:00Z", "timestamp 2023-03-31T02:00:00Z"},
       "10 mons 28 days 23:00:00"},
      {"age", {"timestamp 2024-03-31T00:00:00Z", "timestamp 2024-02-29T00:00:00Z"}, "1 mon 2 days"},
      {"age",
       {"timestamp 2024-02-29T00:00:00Z", "timestamp 2024-03-31T12:00:00.5Z"},
       "-1 mons -2 days -12:00:00.5"},
      {"age",
       {"timestamp 2024-05-06T07:08:09.123Z", "timestamp 2024-05-06T07:08:09.124Z"},
       "-00:00:00.001"},
      {"age", {"timestamp 2024-05-06T07:08:09Z", "timestamp 2024-05-06T07:08:09Z"}, "00:00:00"},
      {"age",
       {"timestamp 2025-02-28T23:59:59.999Z", "timestamp 2024-02-29T00:00:00Z"},
       "11 mons 28 days 23:59:59.999"},
      {"age", {"timestamp NULL", "timestamp 2024-01-01T00:00:00Z"}, "NULL"},
  });
}

TEST_CASE("hours that make a day are moved to days, of one sign") {
  check_calls({
      {"justify_hours", {"interval 27 hours"}, "1 day 03:00:00"},
      {"justify_hours", {"interval -27 hours"}, "-1 days -03:00:00"},
      {"justify_hours", {"interval 1 day -1 hour"}, "23:00:00"},
      {"justify_hours", {"interval -1 day 1 hour"}, "-23:00:00"},
      {"justify_hours", {"interval 35 days"}, "35 days"},
      {"justify_hours", {"interval -35 days"}, "-35 days"},
      {"justify_hours", {"interval 1 mon -1 hour"}, "1 mon -01:00:00"},
      {"justify_hours", {"interval -1 mon 1 hour"}, "-1 mons +01:00:00"},
      {"justify_hours", {"interval 1 mon -1 day"}, "1 mon -1 days"},
      {"justify_hours", {"interval -1 mon 31 days"}, "-1 mons +31 days"},
      {"justify_hours", {"interval 29 days 25 hours"}, "30 days 01:00:00"},
      {"justify_hours", {"interval 1 mon -30 days -1 hour"}, "1 mon -30 days -01:00:00"},
      {"justify_hours", {"interval 60 days -24 hours"}, "59 days"},
      {"justify_hours", {"interval 2 mons 15 days 10:00:00.5"}, "2 mons 15 days 10:00:00.5"},
      {"justify_hours", {"interval -29 days -48 hours"}, "-31 days"},
      {"justify_hours", {"interval 00:00:00"}, "00:00:00"},
      {"justify_hours", {"interval NULL"}, "NULL"},
  });
}

TEST_CASE("days that make a month of 30 are moved to months, of one sign") {
  check_calls({
      {"justify_days", {"interval 27 hours"}, "27:00:00"},
      {"justify_days", {"interval -27 hours"}, "-27:00:00"},
      {"justify_days", {"interval 1 day -1 hour"}, "1 day -01:00:00"},
      {"justify_days", {"interval -1 day 1 hour"}, "-1 days +01:00:00"},
      {"justify_days", {"interval 35 days"}, "1 mon 5 days"},
      {"justify_days", {"interval -35 days"}, "-1 mons -5 days"},
      {"justify_days", {"interval 1 mon -1 hour"}, "1 mon -01:00:00"},
      {"justify_days", {"interval -1 mon 1 hour"}, "-1 mons +01:00:00"},
      {"justify_days", {"interval 1 mon -1 day"}, "29 days"},
      {"justify_days", {"interval -1 mon 31 days"}, "1 day"},
      {"justify_days", {"interval 29 days 25 hours"}, "29 days 25:00:00"},
      {"justify_days", {"interval 1 mon -30 days -1 hour"}, "-01:00:00"},
      {"justify_days", {"interval 60 days -24 hours"}, "2 mons -24:00:00"},
      {"justify_days", {"interval 2 mons 15 days 10:00:00.5"}, "2 mons 15 days 10:00:00.5"},
      {"justify_days", {"interval -29 days -48 hours"}, "-29 days -48:00:00"},
      {"justify_days", {"interval 00:00:00"}, "00:00:00"},
      {"justify_days", {"interval NULL"}, "NULL"},
  });
}

TEST_CASE("both are moved at once") {
  check_calls({
      {"justify_interval", {"interval 27 hours"}, "1 day 03:00:00"},
      {"justify_interval", {"interval -27 hours"}, "-1 days -03:00:00"},
      {"justify_interval", {"interval 1 day -1 hour"}, "23:00:00"},
      {"justify_interval", {"interval -1 day 1 hour"}, "-23:00:00"},
      {"justify_interval", {"interval 35 days"}, "1 mon 5 days"},
      {"justify_interval", {"interval -35 days"}, "-1 mons -5 days"},
      {"justify_interval", {"interval 1 mon -1 hour"}, "29 days 23:00:00"},
      {"justify_interval", {"interval -1 mon 1 hour"}, "-29 days -23:00:00"},
      {"justify_interval", {"interval 1 mon -1 day"}, "29 days"},
      {"justify_interval", {"interval -1 mon 31 days"}, "1 day"},
      {"justify_interval", {"interval 29 days 25 hours"}, "1 mon 01:00:00"},
      {"justify_interval", {"interval 1 mon -30 days -1 hour"}, "-01:00:00"},
      {"justify_interval", {"interval 60 days -24 hours"}, "1 mon 29 days"},
      {"justify_interval", {"interval 2 mons 15 days 10:00:00.5"}, "2 mons 15 days 10:00:00.5"},
      {"justify_interval", {"interval -29 days -48 hours"}, "-1 mons -1 days"},
      {"justify_interval", {"interval 00:00:00"}, "00:00:00"},
      {"justify_interval", {"interval NULL"}, "NULL"},
  });
}

TEST_CASE("an interval is made of parts, and those that are left out are 0") {
  check_calls({
      {"make_interval", {"bigint 1"}, "1 year"},
      {"make_interval", {"bigint 1", "bigint 2"}, "1 year 2 mons"},
      {"make_interval", {"bigint 1", "bigint -14"}, "-2 mons"},
      {"make_interval", {"bigint 0", "bigint 0", "bigint 3"}, "21 days"},
      {"make_interval", {"bigint 0", "bigint 0", "bigint 3", "bigint -1"}, "20 days"},
      {"make_interval", {"bigint 0", "bigint 0", "bigint 0", "bigint 10"}, "10 days"},
      {"make_interval", {"bigint 0", "bigint 0", "bigint 0", "bigint 0", "bigint 25"}, "25:00:00"},
      {"make_interval",
       {"bigint 0", "bigint 0", "bigint 0", "bigint 0", "bigint 1", "bigint 90"},
       "02:30:00"},
      {"make_interval",
       {"bigint 1", "bigint 2", "bigint 3", "bigint 4", "bigint 5", "bigint 6", "double 7.125"},
       "1 year 2 mons 25 days 05:06:07.125"},
      {"make_interval",
       {"bigint 0", "bigint 0", "bigint 0", "bigint 0", "bigint 0", "bigint 0", "double -0.5"},
       "-00:00:00.5"},
      {"make_interval",
       {"bigint 0", "bigint 0", "bigint 0", "bigint 0", "bigint 0", "bigint 0", "double 3600"},
       "01:00:00"},
      {"make_interval", {"bigint 0", "bigint NULL"}, "NULL"},
  });
}

TEST_CASE("an interval that is out of range is an error that names its parts") {
  const std::string most = "bigint 9223372036854775807", no = "bigint 0";
  check_calls({
      {"make_interval",
       {most},
       "! make_interval: 9223372036854775807 years and 0 months are out of range"},
      {"make_interval", {no, most}, "768614336404564650 years 7 mons"},
      {"make_interval",
       {no, no, "bigint 1", most},
       "! make_interval: 1 weeks and 9223372036854775807 days are out of range"},
      {"make_interval",
       {no, no, no, no, most},
       "! make_interval: 9223372036854775807 hours, 0 minutes and 0 seconds are out of range"},
      {"make_interval",
       {no, no, no, no, no, no, "double 1e300"},
       "! make_interval: 0 hours, 0 minutes and 1e+300 seconds are out of range"},
  });
  auto justified = [&](const char* name, const std::vector<std::string>& parts) {
    std::vector<plan::Expression> arguments;
    for (const auto& part : parts) arguments.push_back(literal_of(part));
    return result_of(plan::call(name, {plan::call("make_interval", arguments)}));
  };
  CHECK(justified("justify_hours", {no, no, no, most, "bigint 24"}) ==
        "! justify_hours: 0 months, 9223372036854775807 days and 86400000 ms are out of range");
  CHECK(justified("justify_days", {no, most, no, "bigint 30"}) ==
        "! justify_days: 9223372036854775807 months, 30 days and 0 ms are out of range");
  CHECK(justified("justify_interval", {no, most, no, "bigint 30"}) ==
        "! justify_interval: 9223372036854775807 months, 30 days and 0 ms are out of range");
}

TEST_SUITE_END();
