// Times: what is expected is what PostgreSQL gives, or its documentation says.
#include "interpreter/expression_table.h"

TEST_SUITE_BEGIN("interpreter");

using namespace leat;
using namespace leat::interpreter;

TEST_CASE("date_trunc cuts to the beginning of what is named") {
  check_calls({
      {"date_trunc", {"text hour", "timestamp 2001-02-16T20:38:40Z"}, "2001-02-16 20:00:00+00"},
      {"date_trunc", {"text year", "timestamp 2001-02-16T20:38:40Z"}, "2001-01-01 00:00:00+00"},
      {"date_trunc", {"text day", "timestamp 1969-12-31T23:59:59.999Z"}, "1969-12-31 00:00:00+00"},
      {"date_trunc", {"text month", "timestamp 2024-02-29T12:00:00Z"}, "2024-02-01 00:00:00+00"},
      {"date_trunc", {"text quarter", "timestamp 2024-12-31T12:00:00Z"}, "2024-10-01 00:00:00+00"},
      {"date_trunc", {"text week", "timestamp 2024-09-01T12:00:00Z"}, "2024-08-26 00:00:00+00"},
      {"date_trunc", {"text week", "timestamp 2024-09-02T00:00:00Z"}, "2024-09-02 00:00:00+00"},
      {"date_trunc", {"text decade", "timestamp 1999-09-02T00:00:00Z"}, "1990-01-01 00:00:00+00"},
      {"date_trunc", {"text century", "timestamp 2000-12-31T00:00:00Z"}, "1901-01-01 00:00:00+00"},
      {"date_trunc", {"text century", "timestamp 2001-01-01T00:00:00Z"}, "2001-01-01 00:00:00+00"},
      {"date_trunc",
       {"text second", "timestamp 2001-02-16T20:38:40.999Z"},
       "2001-02-16 20:38:40+00"},
      {"date_trunc", {"text minute", "timestamp NULL"}, "NULL"},
  });
}

TEST_CASE("date_bin cuts to the beginning of a bin, of which one begins at the origin") {
  const std::string early = "timestamp 2001-01-01T00:00:00Z",
                    time = "timestamp 2020-02-11T15:44:17Z";
  check_calls({
      {"date_bin", {"interval 15 minutes", time, early}, "2020-02-11 15:30:00+00"},
      {"date_bin",
       {"interval 15 minutes", time, "timestamp 2001-01-01T00:02:30Z"},
       "2020-02-11 15:32:30+00"},
      {"date_bin",
       {"interval 5 minutes", "timestamp 2020-02-01T01:01:01Z", "timestamp 2020-02-01T00:02:30Z"},
       "2020-02-01 00:57:30+00"},
      {"date_bin", {"interval 7 days 12 hours", time, early}, "2020-02-06 00:00:00+00"},
      {"date_bin", {"interval 1 day -23 hours", time, early}, "2020-02-11 15:00:00+00"},
      {"date_bin",
       {"interval 30 minutes", "date 2024-02-01", "date 2023-02-01"},
       "2024-02-01 00:00:00+00"},
      // Before the origin, and at the first and the last moment of a bin.
      {"date_bin",
       {"interval 30 minutes", "timestamp 2024-02-01T15:00:00Z", "timestamp 2024-02-01T17:00:00Z"},
       "2024-02-01 15:00:00+00"},
      {"date_bin",
       {"interval 10 seconds", "timestamp 1969-12-31T23:59:59.999Z",
        "timestamp 1970-01-01T00:00:00Z"},
       "1969-12-31 23:59:50+00"},
      {"date_bin",
       {"interval 10 seconds", "timestamp 1970-01-01T00:00:09.999Z",
        "timestamp 1970-01-01T00:00:00Z"},
       "1970-01-01 00:00:00+00"},
      {"date_bin",
       {"interval 10 seconds", "timestamp 1970-01-01T00:00:10Z", "timestamp 1970-01-01T00:00:00Z"},
       "1970-01-01 00:00:10+00"},
      {"date_bin",
       {"interval 4000000 days", "timestamp 1970-01-01T00:00:00Z",
        "timestamp 1970-01-01T00:00:01Z"},
       "! timestamp out of range"},
      {"date_bin",
       {"interval 1 month", time, early},
       "! timestamps cannot be binned into intervals containing months or years"},
      {"date_bin",
       {"interval 1 year -365 days", time, early},
       "! timestamps cannot be binned into intervals containing months or years"},
      {"date_bin", {"interval 0 days", time, early}, "! stride must be greater than zero"},
      {"date_bin", {"interval -2 days", time, early}, "! stride must be greater than zero"},
      {"date_bin", {"interval 900000000000 days", time, early}, "! interval out of range"},
      {"date_bin", {"interval NULL", time, early}, "NULL"},
      {"date_bin", {"interval -2 days", "timestamp NULL", early}, "NULL"},
      {"date_bin", {"interval 2 days", time, "timestamp NULL"}, "NULL"},
  });
}

TEST_CASE("extract takes times apart") {
  check_calls({
      {"extract", {"text century", "timestamp 2000-12-16T12:21:13Z"}, "20"},
      {"extract", {"text century", "timestamp 2001-02-16T20:38:40Z"}, "21"},
      {"extract", {"text decade", "timestamp 2001-02-16T20:38:40Z"}, "200"},
      {"extract", {"text dow", "timestamp 2001-02-16T20:38:40Z"}, "5"},
      {"extract", {"text dow", "timestamp 2001-02-18T20:38:40Z"}, "0"},
      {"extract", {"text isodow", "timestamp 2001-02-18T20:38:40Z"}, "7"},
      {"extract", {"text doy", "timestamp 2001-02-16T20:38:40Z"}, "47"},
      {"extract", {"text doy", "date 2024-12-31"}, "366"},
      {"extract", {"text isoyear", "date 2006-01-01"}, "2005"},
      {"extract", {"text isoyear", "date 2006-01-02"}, "2006"},
      {"extract", {"text week", "date 2005-01-01"}, "53"},
      {"extract", {"text week", "date 2012-12-31"}, "1"},
      {"extract", {"text quarter", "timestamp 2001-02-16T20:38:40Z"}, "1"},
      {"extract", {"text hour", "timestamp 2001-02-16T20:38:40Z"}, "20"},
      {"extract", {"text second", "timestamp 2001-02-16T20:38:40.12Z"}, "40.120"},
      {"extract", {"text milliseconds", "timestamp 2001-02-16T20:38:28.5Z"}, "28500.000"},
      {"extract", {"text epoch", "timestamp 2001-02-16T20:38:40.12Z"}, "982355920.120"},
      {"extract", {"text epoch", "interval 5 days 3 hours"}, "442800.000"},
      {"extract", {"text epoch", "interval 1 year 1 month"}, "34149600.000"},
      {"extract", {"text month", "interval 2 years 13 months"}, "1"},
      {"extract", {"text year", "interval 2 years 13 months"}, "3"},
      {"extract", {"text hour", "interval 80 minutes"}, "1"},
      {"extract", {"text minute", "interval 80 minutes"}, "20"},
      {"date_part", {"text day", "timestamp 2001-02-16T20:38:40Z"}, "16"},
      {"date_part", {"text second", "timestamp 2001-02-16T20:38:40.12Z"}, "40.12"},
  });
}

TEST_CASE("months end where they end") {
  check_calls({
      {"+", {"timestamp 2024-01-31T10:00:00Z", "interval 1 month"}, "2024-02-29 10:00:00+00"},
      {"+", {"timestamp 2023-01-31T10:00:00Z", "interval 1 month"}, "2023-02-28 10:00:00+00"},
      {"+", {"interval 1 year", "timestamp 2024-02-29T00:00:00Z"}, "2025-02-28 00:00:00+00"},
      {"-", {"timestamp 2024-03-31T00:00:00Z", "interval 1 month"}, "2024-02-29 00:00:00+00"},
      {"-", {"timestamp 2024-01-15T00:00:00Z", "interval 1 month"}, "2023-12-15 00:00:00+00"},
      {"+", {"timestamp 2024-01-31T00:00:00Z", "interval 1 month 1 day"}, "2024-03-01 00:00:00+00"},
      {"+", {"date 2001-09-28", "bigint 7"}, "2001-10-05"},
      {"+", {"date 2001-09-28", "interval 1 hour"}, "2001-09-28 01:00:00+00"},
      {"-", {"date 2001-10-01", "date 2001-09-28"}, "3"},
      {"-", {"date 2001-10-01", "bigint 7"}, "2001-09-24"},
      {"-",
       {"timestamp 2001-09-29T03:00:00Z", "timestamp 2001-07-27T12:00:00Z"},
       "63 days 15:00:00"},
      {"-",
       {"timestamp 2001-07-27T12:00:00Z", "timestamp 2001-09-29T03:00:00Z"},
       "-63 days -15:00:00"},
      {"+", {"interval 1 day", "interval 01:00"}, "1 day 01:00:00"},
      {"*", {"bigint 900", "interval 1 second"}, "00:15:00"},
      {"*", {"interval 1 day -2 hours", "bigint -3"}, "-3 days +06:00:00"},
      {"negate", {"interval 23:00"}, "-23:00:00"},
      {"+", {"timestamp 9999-12-31T00:00:00Z", "interval 1 day"}, "! timestamp out of range"},
      {"-", {"date 0000-01-01", "bigint 1"}, "! date out of range"},
      {"+", {"interval 1 day", "interval NULL"}, "NULL"},
  });
}

TEST_CASE("times are written by templates, and made of numbers") {
  check_calls({
      {"to_char", {"timestamp 2002-04-20T17:31:12.066Z", "text HH12:MI:SS"}, "05:31:12"},
      {"to_char", {"timestamp 2002-04-20T00:31:12Z", "text HH12 AM"}, "12 AM"},
      {"to_char",
       {"timestamp 2002-04-20T17:31:12.066Z", "text YYYY-MM-DD HH24:MI:SS.MS"},
       "2002-04-20 17:31:12.066"},
      {"to_char",
       {"timestamp 2002-04-20T17:31:12Z", "text Day, DD Mon YY"},
       "Saturday , 20 Apr 02"},
      {"to_char",
       {"timestamp 2006-01-01T00:00:00Z", "text IYYY-IW-ID \"is\" DDD, Q"},
       "2005-52-7 is 001, 1"},
      {"to_timestamp", {"double 1284352323"}, "2010-09-13 04:32:03+00"},
      {"to_timestamp", {"double 1284352323.5"}, "2010-09-13 04:32:03.5+00"},
      {"to_timestamp", {"double 1e20"}, "! timestamp out of range"},
      {"now", {}, "2023-11-14 22:13:20.123+00"},
  });
}

TEST_CASE("templates may be in small letters, and names are as they are written") {
  check_calls({
      {"to_char",
       {"timestamp 2002-04-20T17:31:12.066Z", "text yyyy-mm-dd hh24:mi:ss.ms"},
       "2002-04-20 17:31:12.066"},
      {"to_char", {"timestamp 2002-04-20T17:31:12Z", "text hh:mi am"}, "05:31 pm"},
      {"to_char", {"timestamp 2002-04-20T17:31:12Z", "text HH:MI PM"}, "05:31 PM"},
      {"to_char",
       {"timestamp 2002-04-20T17:31:12Z", "text MONTH|Month|month|MON|Mon|mon"},
       "APRIL    |April    |april    |APR|Apr|apr"},
      {"to_char",
       {"timestamp 2002-04-20T17:31:12Z", "text DAY|Day|day|DY|Dy|dy"},
       "SATURDAY |Saturday |saturday |SAT|Sat|sat"},
      {"to_char",
       {"timestamp 2006-01-01T00:00:00Z", "text iyyy-iw-id ddd q yy"},
       "2005-52-7 001 1 06"},
      // The first ISO week of 2006 began on the second of January.
      {"to_char", {"timestamp 2006-01-01T00:00:00Z", "text IDDD"}, "364"},
      {"to_char", {"timestamp 2006-01-02T00:00:00Z", "text IYYY iddd"}, "2006 001"},
  });
}

TEST_CASE("FM leaves out the zeros and blanks that fill the next pattern up") {
  check_calls({
      {"to_char", {"timestamp 2024-03-05T07:08:09.012Z", "text FMDD.FMMM.FMYYYY"}, "5.3.2024"},
      {"to_char", {"timestamp 2024-03-05T07:08:09.012Z", "text FMHH24:FMMI:FMSS"}, "7:8:9"},
      {"to_char", {"timestamp 2024-03-05T07:08:09.012Z", "text FMHH12 FMAM"}, "7 AM"},
      {"to_char", {"timestamp 2024-03-05T07:08:09.012Z", "text FMMS FMUS"}, "012 012000"},
      {"to_char",
       {"timestamp 2024-03-05T07:08:09.012Z", "text FMDDD FMIDDD FMIW FMID FMQ"},
       "65 65 10 2 1"},
      {"to_char",
       {"timestamp 2024-03-05T07:08:09.012Z", "text FMMonth|FMDay|FMMON|FMdy|"},
       "March|Tuesday|MAR|tue|"},
      {"to_char", {"timestamp 2024-03-05T07:08:09.012Z", "text fmmonth dd"}, "march 05"},
      {"to_char",
       {"timestamp 2024-03-05T07:08:09.012Z", "text FMYY FMIYYY FMSSSS"},
       "24 2024 25689"},
      {"to_char", {"timestamp 0005-03-05T00:00:00Z", "text FMYYYY|YYYY|FMYY"}, "5|0005|5"},
      {"to_char", {"timestamp 2000-01-01T00:00:00Z", "text FMYY FMHH24 FMMI FMSSSS"}, "0 0 0 0"},
  });
}

TEST_CASE("FM lets a number have any digits where texts are read") {
  check_calls({
      {"to_timestamp",
       {"text 5/3/2024 7:8", "text FMDD/FMMM/FMYYYY FMHH24:FMMI"},
       "2024-03-05 07:08:00+00"},
      {"to_timestamp", {"text 2024 March 5", "text YYYY FMMonth DD"}, "2024-03-05 00:00:00+00"},
      {"to_date", {"text 5 3 2024", "text FMDDFMMMFMYYYY"}, "2024-03-05"},
      {"to_date",
       {"text 5 3 2024", "text DDMMYYYY"},
       "! '5 3 2024' does not fit the template 'DDMMYYYY'"},
      {"to_date",
       {"text 20240305", "text FMYYYYMMDD"},
       "! '20240305' does not fit the template 'FMYYYYMMDD'"},
  });
}

TEST_CASE("SSSS is seconds past midnight, not seconds twice") {
  check_calls({
      {"to_char", {"timestamp 2024-05-06T13:04:05Z", "text SSSS"}, "47045"},
      {"to_char", {"timestamp 2024-05-06T13:04:05Z", "text sssss"}, "47045"},
      {"to_char", {"timestamp 2024-05-06T00:00:07Z", "text SSSS"}, "7"},
      {"to_char", {"timestamp 2024-05-06T13:04:05.006Z", "text SS.MS"}, "05.006"},
  });
}

TEST_CASE("units are in any case, in the plural and cut short") {
  check_calls({
      {"date_trunc", {"text Hours", "timestamp 2001-02-16T20:38:40Z"}, "2001-02-16 20:00:00+00"},
      {"date_trunc", {"text DAYS", "timestamp 2001-02-16T20:38:40Z"}, "2001-02-16 00:00:00+00"},
      {"date_trunc", {"text mins", "timestamp 2001-02-16T20:38:40Z"}, "2001-02-16 20:38:00+00"},
      {"date_trunc", {"text mon", "timestamp 2001-02-16T20:38:40Z"}, "2001-02-01 00:00:00+00"},
      {"date_trunc", {"text weeks", "timestamp 2024-09-01T12:00:00Z"}, "2024-08-26 00:00:00+00"},
      {"date_trunc", {"text YEAR", "timestamp 2001-02-16T20:38:40Z"}, "2001-01-01 00:00:00+00"},
      {"date_trunc", {"text decades", "timestamp 1999-09-02T00:00:00Z"}, "1990-01-01 00:00:00+00"},
      {"date_trunc",
       {"text centuries", "timestamp 2000-12-31T00:00:00Z"},
       "1901-01-01 00:00:00+00"},
      {"date_trunc",
       {"text MILLISECONDS", "timestamp 2001-02-16T20:38:40.125Z"},
       "2001-02-16 20:38:40.125+00"},
      {"extract", {"text DOY", "timestamp 2001-02-16T20:38:40Z"}, "47"},
      {"extract", {"text hours", "timestamp 2001-02-16T20:38:40Z"}, "20"},
      {"extract", {"text Seconds", "timestamp 2001-02-16T20:38:40.12Z"}, "40.120"},
      {"extract", {"text millisecond", "timestamp 2001-02-16T20:38:28.5Z"}, "28500.000"},
      {"extract", {"text EPOCH", "interval 5 days 3 hours"}, "442800.000"},
      {"extract", {"text months", "interval 2 years 13 months"}, "1"},
      {"date_part", {"text Days", "timestamp 2001-02-16T20:38:40Z"}, "16"},
      {"date_trunc",
       {"text quarters", "timestamp 2001-02-16T20:38:40Z"},
       "date_trunc knows no 'quarters'; there are: millisecond, second, minute, hour, day, week, "
       "month, quarter, year, decade, century"},
  });
}

TEST_SUITE_END();
