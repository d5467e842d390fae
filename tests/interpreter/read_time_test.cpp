// Texts as times. All of this is what PostgreSQL 15 gives, or refuses.
#include "interpreter/expression_table.h"

TEST_SUITE_BEGIN("interpreter");

using namespace leat;
using namespace leat::interpreter;

TEST_CASE("texts are read as times by a template") {
  check_calls({
      {"to_timestamp",
       {"text 2026-03-02 09:05:07.25", "text YYYY-MM-DD HH24:MI:SS.MS"},
       "2026-03-02 09:05:07.25+00"},
      {"to_timestamp",
       {"text 2026-03-02T09:05:07", "text YYYY-MM-DD\"T\"HH24:MI:SS"},
       "2026-03-02 09:05:07+00"},
      {"to_timestamp",
       {"text 02/Mar/2026:09:05:07", "text DD/Mon/YYYY:HH24:MI:SS"},
       "2026-03-02 09:05:07+00"},
      {"to_timestamp",
       {"text 02/mar/2026:09:05:07", "text DD/MON/YYYY:HH24:MI:SS"},
       "2026-03-02 09:05:07+00"},
      {"to_timestamp", {"text March 2, 2026", "text Month DD, YYYY"}, "2026-03-02 00:00:00+00"},
      {"to_timestamp",
       {"text Monday 2 March 2026", "text Day DD Month YYYY"},
       "2026-03-02 00:00:00+00"},
      {"to_timestamp", {"text 20260302090507", "text YYYYMMDDHH24MISS"}, "2026-03-02 09:05:07+00"},
      {"to_timestamp", {"text 2026032", "text YYYYMMDD"}, "2026-03-02 00:00:00+00"},
      {"to_timestamp", {"text 202603", "text YYYYMMDD"}, "2026-03-01 00:00:00+00"},
      {"to_timestamp", {"text 2026-3-2", "text YYYY-MM-DD"}, "2026-03-02 00:00:00+00"},
      {"to_timestamp", {"text 26-03-02", "text YY-MM-DD"}, "2026-03-02 00:00:00+00"},
      {"to_timestamp", {"text 70-03-02", "text YY-MM-DD"}, "1970-03-02 00:00:00+00"},
      {"to_timestamp", {"text 69-03-02", "text YY-MM-DD"}, "2069-03-02 00:00:00+00"},
      {"to_timestamp", {"text 126-03-02", "text YY-MM-DD"}, "2126-03-02 00:00:00+00"},
      {"to_timestamp", {"text 2026-03-02", "text YY-MM-DD"}, "2026-03-02 00:00:00+00"},
      {"to_timestamp", {"text 26-03-02", "text YYYY-MM-DD"}, "0026-03-02 00:00:00+00"},
      {"to_timestamp", {"text 2026x", "text YYYY"}, "2026-01-01 00:00:00+00"},
      {"to_timestamp", {"text 2026-", "text YYYY-MM"}, "2026-01-01 00:00:00+00"},
      {"to_timestamp", {"text 2026-03-02 trailing", "text YYYY-MM-DD"}, "2026-03-02 00:00:00+00"},
      {"to_timestamp", {"text   2026  03 02", "text YYYY MM DD"}, "2026-03-02 00:00:00+00"},
      {"to_timestamp", {"text 2026/03.02", "text YYYY-MM-DD"}, "2026-03-02 00:00:00+00"},
      {"to_timestamp", {"text 2026 03 02", "text YYYY-MM-DD"}, "2026-03-02 00:00:00+00"},
      {"to_timestamp", {"text 2026 -03", "text YYYY-MM"}, "2026-03-01 00:00:00+00"},
  });
}

TEST_CASE("blanks and signs stand for each other, and years may be short") {
  check_calls({
      {"to_timestamp", {"text 2026-03", "text YYYY--MM"}, "2026-03-01 00:00:00+00"},
      {"to_timestamp", {"text 2026061", "text YYYYDDD"}, "2026-03-02 00:00:00+00"},
      {"to_timestamp", {"text 2024-366", "text YYYY-DDD"}, "2024-12-31 00:00:00+00"},
      {"to_timestamp", {"text 2026-03-061", "text YYYY-MM-DDD"}, "2026-03-02 00:00:00+00"},
      {"to_timestamp", {"text 2026-01-061", "text YYYY-MM-DDD"}, "2026-03-02 00:00:00+00"},
      {"to_timestamp", {"text 2026-03-02-061", "text YYYY-MM-DD-DDD"}, "2026-03-02 00:00:00+00"},
      {"to_timestamp", {"text 2026-03-000", "text YYYY-MM-DDD"}, "2026-03-01 00:00:00+00"},
      {"to_timestamp", {"text 2026-01-000", "text YYYY-MM-DDD"}, "2026-01-01 00:00:00+00"},
      {"to_timestamp",
       {"text 2026 12:00:00.1", "text YYYY HH24:MI:SS.US"},
       "2026-01-01 12:00:00.1+00"},
      {"to_timestamp", {"text 2026 43200", "text YYYY SSSS"}, "2026-01-01 12:00:00+00"},
      {"to_timestamp", {"text 2026 43200 5", "text YYYY SSSS MI"}, "2026-01-01 12:05:00+00"},
      {"to_timestamp", {"text 2026 86399", "text YYYY SSSS"}, "2026-01-01 23:59:59+00"},
      {"to_timestamp", {"text 2026 2026", "text YYYY YYYY"}, "2026-01-01 00:00:00+00"},
      {"to_timestamp", {"text 2026 Mar 4", "text YYYY MonDD"}, "2026-03-04 00:00:00+00"},
      {"to_timestamp", {"text 9999-12-31", "text YYYY-MM-DD"}, "9999-12-31 00:00:00+00"},
      {"to_timestamp", {"text 2026-03-00", "text YYYY-MM-DD"}, "2026-03-01 00:00:00+00"},
      {"to_timestamp", {"text 2026-00-01", "text YYYY-MM-DD"}, "2026-01-01 00:00:00+00"},
      {"to_timestamp", {"text 2026-03-02", "text YYYY\"-\"MM\"-\"DD"}, "2026-03-02 00:00:00+00"},
      {"to_timestamp",
       {"text 2026年03月02", "text YYYY\"年\"MM\"月\"DD"},
       "2026-03-02 00:00:00+00"},
      {"to_timestamp", {"text 2026x03y02", "text YYYY\"ab\"MM\"c\"DD"}, "2026-03-02 00:00:00+00"},
      {"to_timestamp", {"text 2026   03", "text YYYY\"x\"MM"}, "2026-03-01 00:00:00+00"},
      {"to_timestamp", {"text 2026 +3", "text YYYY MM"}, "2026-03-01 00:00:00+00"},
      {"to_timestamp", {"text +2026", "text YYYY"}, "2026-01-01 00:00:00+00"},
      {"to_date", {"text 2026-03-02 09:05", "text YYYY-MM-DD"}, "2026-03-02"},
      {"to_date", {"text 02.03.2026", "text DD.MM.YYYY"}, "2026-03-02"},
      {"to_date", {"text 2026-03-02 23:59", "text YYYY-MM-DD HH24:MI"}, "2026-03-02"},
      {"to_timestamp", {"text 1.5.2026", "text DD.MM.YYYY"}, "2026-05-01 00:00:00+00"},
      {"to_timestamp", {"text 1/5/26", "text MM/DD/YY"}, "2026-01-05 00:00:00+00"},
      {"to_timestamp", {"text 2026-03-02 9", "text YYYY-MM-DDHH24"}, "2026-03-02 09:00:00+00"},
      {"to_timestamp", {"text 2026-03-0209", "text YYYY-MM-DDHH24"}, "2026-03-02 09:00:00+00"},
      {"to_timestamp", {"text 5 2026", "text MM YYYY"}, "2026-05-01 00:00:00+00"},
      {"to_timestamp", {"text Sun 2 2026", "text Dy DD YYYY"}, "2026-01-02 00:00:00+00"},
  });
}

TEST_CASE("texts that do not fit a template have no time") {
  check_calls({
      {"to_timestamp",
       {"text 2026-13-02", "text YYYY-MM-DD"},
       "! '2026-13-02' does not fit the template 'YYYY-MM-DD'"},
      {"to_timestamp",
       {"text 2026-02-30", "text YYYY-MM-DD"},
       "! '2026-02-30' does not fit the template 'YYYY-MM-DD'"},
      {"to_timestamp",
       {"text 2026-03-02 24:00:00", "text YYYY-MM-DD HH24:MI:SS"},
       "! '2026-03-02 24:00:00' does not fit the template 'YYYY-MM-DD HH24:MI:SS'"},
      {"to_timestamp",
       {"text 2026-03-02 09:60:00", "text YYYY-MM-DD HH24:MI:SS"},
       "! '2026-03-02 09:60:00' does not fit the template 'YYYY-MM-DD HH24:MI:SS'"},
      {"to_timestamp",
       {"text 13:05 pm", "text HH:MI PM"},
       "! '13:05 pm' does not fit the template 'HH:MI PM'"},
      {"to_timestamp",
       {"text 00:05 pm", "text HH:MI PM"},
       "! '00:05 pm' does not fit the template 'HH:MI PM'"},
      {"to_timestamp", {"text x", "text YYYY"}, "! 'x' does not fit the template 'YYYY'"},
      {"to_timestamp",
       {"text 20260302", "text YYYY-MM-DD"},
       "! '20260302' does not fit the template 'YYYY-MM-DD'"},
      {"to_timestamp",
       {"text 2026--03", "text YYYY-MM"},
       "! '2026--03' does not fit the template 'YYYY-MM'"},
      {"to_timestamp",
       {"text 2026-366", "text YYYY-DDD"},
       "! '2026-366' does not fit the template 'YYYY-DDD'"},
      {"to_timestamp", {"text 366", "text DDD"}, "! '366' does not fit the template 'DDD'"},
      {"to_timestamp",
       {"text 12:00:00.1234", "text HH24:MI:SS.MS"},
       "! '12:00:00.1234' does not fit the template 'HH24:MI:SS.MS'"},
      {"to_timestamp",
       {"text 2026 12:00:00.123456", "text YYYY HH24:MI:SS.MS"},
       "! '2026 12:00:00.123456' does not fit the template 'YYYY HH24:MI:SS.MS'"},
      {"to_timestamp",
       {"text 2026 86400", "text YYYY SSSS"},
       "! '2026 86400' does not fit the template 'YYYY SSSS'"},
  });
}

TEST_CASE("a moment that there is not is no time either") {
  check_calls({
      {"to_timestamp",
       {"text 2026 86399000", "text YYYY SSSS"},
       "! '2026 86399000' does not fit the template 'YYYY SSSS'"},
      {"to_timestamp",
       {"text 2026 2027", "text YYYY YYYY"},
       "! '2026 2027' does not fit the template 'YYYY YYYY'"},
      {"to_timestamp",
       {"text Mar 2026", "text MM YYYY"},
       "! 'Mar 2026' does not fit the template 'MM YYYY'"},
      {"to_timestamp",
       {"text Marc 2026", "text Mon YYYY"},
       "! 'Marc 2026' does not fit the template 'Mon YYYY'"},
      {"to_timestamp",
       {"text March 2026", "text Mon YYYY"},
       "! 'March 2026' does not fit the template 'Mon YYYY'"},
      {"to_timestamp",
       {"text Mar 2026", "text Month YYYY"},
       "! 'Mar 2026' does not fit the template 'Month YYYY'"},
      {"to_timestamp",
       {"text 99999999999-00-01", "text YYYY-MM-DD"},
       "! '99999999999-00-01' does not fit the template 'YYYY-MM-DD'"},
      {"to_timestamp",
       {"text 2026 x 03", "text YYYY\"x\"MM"},
       "! '2026 x 03' does not fit the template 'YYYY\"x\"MM'"},
      {"to_date",
       {"text 2026-03-02 25:59", "text YYYY-MM-DD HH24:MI"},
       "! '2026-03-02 25:59' does not fit the template 'YYYY-MM-DD HH24:MI'"},
      {"to_timestamp",
       {"text 2026M3", "text YYYYMM"},
       "! '2026M3' does not fit the template 'YYYYMM'"},
      {"to_timestamp", {"text 12 XM", "text HH AM"}, "! '12 XM' does not fit the template 'HH AM'"},
      {"to_timestamp",
       {"text 21 PM", "text HH24 PM"},
       "! '21 PM' does not fit the template 'HH24 PM'"},
      {"to_timestamp",
       {"text 2026-03-02 09:05:60", "text YYYY-MM-DD HH24:MI:SS"},
       "! '2026-03-02 09:05:60' does not fit the template 'YYYY-MM-DD HH24:MI:SS'"},
      {"to_timestamp",
       {"text Mo 2 2026", "text Dy DD YYYY"},
       "! 'Mo 2 2026' does not fit the template 'Dy DD YYYY'"},
  });
}

TEST_CASE("what PostgreSQL reads as the first year before Christ is of the year 0") {
  check_calls({
      {"to_timestamp", {"text 09:05 PM", "text HH12:MI AM"}, "0000-01-01 21:05:00+00"},
      {"to_timestamp", {"text ", "text YYYY"}, "0000-01-01 00:00:00+00"},
      {"to_timestamp",
       {"text -2026-03", "text YYYY-MM"},
       "! '-2026-03' does not fit the template 'YYYY-MM'"},
  });
}

TEST_CASE("microseconds are cut, and weeks of ISO are written only") {
  check_calls({
      {"to_timestamp",
       {"text 2026 12:00:00.123456", "text YYYY HH24:MI:SS.US"},
       "2026-01-01 12:00:00.123+00"},
      {"to_char", {"timestamp 2026-01-01T12:00:00.123Z", "text SS.US"}, "00.123000"},
      {"to_timestamp", {"text NULL", "text YYYY"}, "NULL"},
      {"to_timestamp",
       {"text 2026", "text IYYY"},
       "'IYYY' is no template to read by: weeks of ISO, as IYYY, are written only"},
      {"to_date",
       {"text 2026", "text at"},
       "'at' is no template to read by: 'at' at character 1 is no pattern; there are: SSSSS, SSSS, "
       "IYYY, YYYY, IDDD, HH24, HH12, DDD, HH, YY, MM, DD, ID, IW, MI, SS, MS, US, Q, MONTH, "
       "Month, month, MON, Mon, mon, DAY, Day, day, DY, Dy, dy, AM, am, PM, pm; letters that mean "
       "themselves are in double quotes"},
  });
}

TEST_CASE("times are made of their parts") {
  check_calls({
      {"make_date", {"bigint 2024", "bigint 2", "bigint 29"}, "2024-02-29"},
      {"make_date", {"bigint 2026", "bigint 2", "bigint 29"}, "! date field value out of range"},
      {"make_date", {"bigint 0", "bigint 1", "bigint 1"}, "! date field value out of range"},
      {"make_date", {"bigint 2026", "bigint 13", "bigint 1"}, "! date field value out of range"},
      {"make_date", {"bigint 2026", "bigint NULL", "bigint 1"}, "NULL"},
      {"make_timestamp",
       {"bigint 2026", "bigint 3", "bigint 2", "bigint 9", "bigint 5", "double 7.25"},
       "2026-03-02 09:05:07.25+00"},
      {"make_timestamp",
       {"bigint 2026", "bigint 3", "bigint 2", "bigint 24", "bigint 0", "double 0"},
       "2026-03-03 00:00:00+00"},
      {"make_timestamp",
       {"bigint 2026", "bigint 3", "bigint 2", "bigint 23", "bigint 59", "double 60"},
       "2026-03-03 00:00:00+00"},
      {"make_timestamp",
       {"bigint 2026", "bigint 3", "bigint 2", "bigint 23", "bigint 60", "double 0"},
       "! time field value out of range"},
      {"make_timestamp",
       {"bigint 2026", "bigint 3", "bigint 2", "bigint 24", "bigint 0", "double 1"},
       "! time field value out of range"},
  });
}

TEST_SUITE_END();
