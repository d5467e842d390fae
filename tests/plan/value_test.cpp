// Types and values, and how they are written.
#include <initializer_list>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "plan/literal_json.h"
#include "plan/expression.h"

TEST_SUITE_BEGIN("plan");

using namespace leat;
using namespace leat::plan;

TEST_CASE("a type's name reads back as the type") {
  for (const char* text : {"boolean", "bigint", "double", "decimal(38,0)", "decimal(12,2)", "text",
                           "bytes", "timestamp", "date", "interval", "text[]", "decimal(5,5)[]"}) {
    CAPTURE(text);
    auto type = parse_type(text);
    REQUIRE(type.has_value());
    CHECK(name(*type) == text);
  }
}

TEST_CASE("what is no type is not taken for one") {
  for (const char* text :
       {"", "int", "decimal", "decimal(0,0)", "decimal(39,0)", "decimal(3,4)", "decimal(03,1)",
        "decimal(3)", "decimal(3,1", "decimal(1 0,2)", "decimal (3,1)", "text[][]", "Text", "[]"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_type(text).has_value());
  }
}

TEST_CASE("the numbers of a decimal may have blanks around them") {
  for (const char* text : {"decimal(10, 2)", "decimal( 10 ,2 )"}) {
    REQUIRE(parse_type(text).has_value());
    CHECK(name(*parse_type(text)) == "decimal(10,2)");
  }
  CHECK(name(*parse_type("decimal(10, 2)[]")) == "decimal(10,2)[]");
}

TEST_CASE("decimals keep every digit that is written") {
  for (const char* text :
       {"0", "0.00", "-1", "12.30", "-0.05", "99999999999999999999999999999999999999",
        "0.00000000000000000000000000000000000001"}) {
    CAPTURE(text);
    auto value = parse_decimal(text);
    REQUIRE(value.has_value());
    CHECK(decimal_text(*value) == text);
  }
  for (const char* text : {"", "-", ".5", "5.", "1e3", "+1", "1.2.3", "0x10", " 1",
                           "100000000000000000000000000000000000000"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_decimal(text).has_value());
  }
  CHECK(name(decimal_type_of(*parse_decimal("0.05"))) == "decimal(2,2)");
  CHECK(name(decimal_type_of(*parse_decimal("-12.30"))) == "decimal(4,2)");
  CHECK(name(decimal_type_of(*parse_decimal("0"))) == "decimal(1,0)");
}

TEST_CASE("dates are those of the years 0000 to 9999") {
  struct Row {
    const char* text;
    std::int64_t days;
  };
  for (const auto& row : std::initializer_list<Row>{{"1970-01-01", 0},
                                                    {"1969-12-31", -1},
                                                    {"2000-02-29", 11'016},
                                                    {"0000-01-01", date_min.days},
                                                    {"9999-12-31", date_max.days}}) {
    CAPTURE(row.text);
    REQUIRE(parse_date(row.text).has_value());
    CHECK(parse_date(row.text)->days == row.days);
    CHECK(date_text(Date{row.days}) == row.text);
  }
  for (const char* text : {"1900-02-29", "2000-13-01", "2000-1-1", "2000-01-01T00:00:00Z", ""}) {
    CAPTURE(text);
    CHECK_FALSE(parse_date(text).has_value());
  }
}

TEST_CASE("a number in JSON is taken only for what it can be without loss") {
  auto number = [](const char* token) { return Json(JsonNumber{token}); };
  CHECK(read_integer(number("-9223372036854775808")) == std::numeric_limits<std::int64_t>::min());
  CHECK_FALSE(read_integer(number("9223372036854775808")).has_value());
  CHECK_FALSE(read_integer(number("1.0")).has_value());
  CHECK(read_double(number("1e-400")) == 0.0);
  CHECK_FALSE(read_double(number("1e400")).has_value());
}

TEST_SUITE_END();
