// Casts, by PostgreSQL's rules.
#include "interpreter/expression_table.h"

TEST_SUITE_BEGIN("interpreter");

using namespace leat;
using namespace leat::interpreter;

namespace {

struct Row {
  const char* from;
  const char* to;
  const char* result;
};

void check_casts(std::initializer_list<Row> rows) {
  for (const auto& row : rows) {
    CAPTURE(row.from);
    CAPTURE(row.to);
    CHECK(result_of(plan::cast(literal_of(row.from), *plan::parse_type(row.to))) == row.result);
  }
}

}  // namespace

TEST_CASE("numbers become other numbers by rounding, or not at all") {
  check_casts({
      {"double 2.5", "bigint", "2"},
      {"double 3.5", "bigint", "4"},
      {"double -0.4", "bigint", "0"},
      {"double 9.3e18", "bigint", "! bigint out of range"},
      {"double -9223372036854775808", "bigint", "-9223372036854775808"},
      {"double 0.1", "decimal(20,18)", "0.100000000000000000"},
      {"double 1234.565", "decimal(6,2)", "1234.57"},
      {"double 1e20", "decimal(20,0)", "! out of range of decimal(20,0)"},
      {"decimal(3,1) 2.5", "bigint", "3"},
      {"decimal(3,1) -2.5", "bigint", "-3"},
      {"decimal(20,0) 9223372036854775808", "bigint", "! bigint out of range"},
      {"decimal(4,3) 1.005", "decimal(3,2)", "1.01"},
      {"decimal(4,1) 123.4", "decimal(4,2)", "! out of range of decimal(4,2)"},
      {"decimal(3,2) 9.99", "decimal(1,0)", "! out of range of decimal(1,0)"},
      {"decimal(3,2) 0.10", "double", "0.1"},
      {"bigint 9007199254740993", "double", "9.007199254740992e+15"},
      {"bigint 12", "decimal(3,1)", "12.0"},
      {"bigint 123", "decimal(3,1)", "! out of range of decimal(3,1)"},
      {"boolean true", "bigint", "1"},
      {"bigint 2", "boolean", "true"},
      {"bigint NULL", "boolean", "NULL"},
  });
}

TEST_CASE("texts are read") {
  check_casts({
      {"text  42 ", "bigint", "42"},
      {"text +42", "bigint", "42"},
      {"text 4.2", "bigint", "! invalid input syntax for bigint: \"4.2\""},
      {"text ", "bigint", "! invalid input syntax for bigint: \"\""},
      {"text +-1", "bigint", "! invalid input syntax for bigint: \"+-1\""},
      {"text 9223372036854775808", "bigint", "! bigint out of range"},
      {"text 1.5e3", "double", "1500"},
      {"text NaN", "double", "! invalid input syntax for double: \"NaN\""},
      {"text Infinity", "double", "! invalid input syntax for double: \"Infinity\""},
      {"text 1e400", "double", "! double out of range"},
      {"text 1.5e3", "decimal(6,1)", "1500.0"},
      {"text 12.345", "decimal(5,2)", "12.35"},
      {"text .5", "decimal(2,1)", "0.5"},
      {"text -5.", "decimal(2,1)", "-5.0"},
      {"text 15e-1", "decimal(2,1)", "1.5"},
      {"text 1e", "decimal(2,1)", "! invalid input syntax for decimal(2,1): \"1e\""},
      {"text 1e+-1", "decimal(2,1)", "! invalid input syntax for decimal(2,1): \"1e+-1\""},
      {"text -0", "double", "0"},
      {"text 1e99", "decimal(2,1)", "! out of range of decimal(2,1)"},
      {"text  T ", "boolean", "true"},
      {"text yes", "boolean", "true"},
      {"text ON", "boolean", "true"},
      {"text of", "boolean", "false"},
      {"text o", "boolean", "! invalid input syntax for boolean: \"o\""},
      {"text 0", "boolean", "false"},
      {"text \\xDEADbeef", "bytes", "\\xdeadbeef"},
      {"text abc", "bytes", "\\x616263"},
      {"text \\xabc", "bytes", "! invalid input syntax for bytes: \"\\xabc\""},
      {"text 2024-02-29", "date", "2024-02-29"},
      {"text 2023-02-29", "date", "! invalid input syntax for date: \"2023-02-29\""},
      {"text 2024-02-29 12:30:00+02", "timestamp", "2024-02-29 10:30:00+00"},
      {"text 2024-02-29", "timestamp", "2024-02-29 00:00:00+00"},
      {"text 1 day 12 hours 59 min 10 sec", "interval", "1 day 12:59:10"},
      {"text 1 year 2 months -3 days 04:05:06.7", "interval", "1 year 2 mons -3 days +04:05:06.7"},
      {"text 1.5 hours", "interval", "01:30:00"},
      {"text 2 weeks", "interval", "14 days"},
      {"text -1 year -2 mons", "interval", "-1 years -2 mons"},
      {"text -01:02:03", "interval", "-01:02:03"},
      {"text soon", "interval", "! invalid input syntax for interval: \"soon\""},
  });
}

TEST_CASE("values are written as texts") {
  check_casts({
      {"boolean false", "text", "false"},
      {"double 1e15", "text", "1e+15"},
      {"double 123456789012345", "text", "123456789012345"},
      {"double 0.0001", "text", "0.0001"},
      {"double 0.00001", "text", "1e-05"},
      {"double 1.7976931348623157e308", "text", "1.7976931348623157e+308"},
      {"decimal(5,2) 1.50", "text", "1.50"},
      {"timestamp 2024-02-29T10:30:00.050Z", "text", "2024-02-29 10:30:00.05+00"},
      {"interval 0 days", "text", "00:00:00"},
      {"interval 36 hours", "text", "36:00:00"},
  });
}

TEST_CASE("times become dates, and dates their midnight") {
  check_casts({
      {"timestamp 1969-12-31T23:59:59.999Z", "date", "1969-12-31"},
      {"timestamp 2024-02-29T23:59:59.999Z", "date", "2024-02-29"},
      {"date 1969-12-31", "timestamp", "1969-12-31 00:00:00+00"},
  });
}

TEST_SUITE_END();
