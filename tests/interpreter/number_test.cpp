// Functions of numbers. What is expected is what PostgreSQL gives; where it has no such function,
// of doubles with digits, it is what it gives for the decimal that is written the same.
#include "interpreter/expression_table.h"

TEST_SUITE_BEGIN("interpreter");

using namespace leat;
using namespace leat::interpreter;

TEST_CASE("decimals are rounded and cut to the digits that are asked for") {
  check_calls({
      {"round", {"decimal(5,3) 12.345", "bigint -2"}, "0"},
      {"round", {"decimal(5,3) 12.345", "bigint -1"}, "10"},
      {"round", {"decimal(5,3) 12.345", "bigint 0"}, "12"},
      {"round", {"decimal(5,3) 12.345", "bigint 2"}, "12.35"},
      {"round", {"decimal(5,3) 12.345", "bigint 4"}, "12.3450"},
      {"round", {"decimal(5,3) -12.345", "bigint 2"}, "-12.35"},
      {"round", {"decimal(4,3) -0.005", "bigint 1"}, "0.0"},
      {"round", {"decimal(4,3) -0.005", "bigint 2"}, "-0.01"},
      {"round", {"decimal(5,3) 99.995", "bigint 2"}, "100.00"},
      {"round", {"decimal(5,3) 99.995", "bigint -2"}, "100"},
      {"round", {"bigint 1250", "bigint -2"}, "1300"},
      {"round", {"bigint -1250", "bigint -2"}, "-1300"},
      {"round", {"bigint 5", "bigint 2"}, "5.00"},
      {"round", {"decimal(3,1) NULL", "bigint 2"}, "NULL"},
      {"round", {"decimal(38,38) 0.5", "bigint -38"}, "0"},
      {"round", {"decimal(3,1) 1.5", "bigint 39"}, "round: digits are from -38 to 38"},
      {"round", {"decimal(3,1) 1.5", "bigint NULL"}, "round needs a literal bigint as argument 2"},
      {"trunc", {"decimal(5,3) 12.345", "bigint 2"}, "12.34"},
      {"trunc", {"decimal(5,3) -12.345", "bigint 2"}, "-12.34"},
      {"trunc", {"decimal(4,3) -0.005", "bigint 2"}, "0.00"},
      {"trunc", {"decimal(5,3) 99.995", "bigint -1"}, "90"},
      {"trunc", {"decimal(5,3) 99.995", "bigint 4"}, "99.9950"},
      {"trunc", {"decimal(3,1) -1.9"}, "-1"},
      {"trunc", {"bigint 1999", "bigint -3"}, "1000"},
  });
}

TEST_CASE("doubles are rounded and cut as they are written") {
  check_calls({
      {"round", {"double 2.675", "bigint 2"}, "2.68"},
      {"round", {"double 1.005", "bigint 2"}, "1.01"},
      {"round", {"double -2.5", "bigint 0"}, "-3"},
      {"round", {"double 1250", "bigint -2"}, "1300"},
      {"round", {"double 0.004", "bigint 2"}, "0"},
      {"round", {"double -0.004", "bigint 2"}, "0"},
      {"round", {"double 0.005", "bigint 2"}, "0.01"},
      {"round", {"double 9.995", "bigint 2"}, "10"},
      {"round", {"double 1e300", "bigint 2"}, "1e+300"},
      {"round", {"double 1e-300", "bigint 38"}, "0"},
      {"round", {"double 5e37", "bigint -38"}, "1e+38"},
      {"round", {"double 123456789012345678", "bigint -2"}, "1.234567890123457e+17"},
      {"round", {"double NULL", "bigint 2"}, "NULL"},
      {"trunc", {"double 2.679", "bigint 2"}, "2.67"},
      {"trunc", {"double 0.29", "bigint 2"}, "0.29"},
      {"trunc", {"double -1.15", "bigint 1"}, "-1.1"},
      {"trunc", {"double 1299", "bigint -2"}, "1200"},
      {"trunc", {"double -1.9"}, "-1"},
      {"trunc", {"double -0.9"}, "0"},
  });
}

TEST_CASE("signs, powers and logarithms are PostgreSQL's") {
  check_calls({
      {"sign", {"decimal(2,1) -2.5"}, "-1"},
      {"sign", {"decimal(2,1) 0.0"}, "0"},
      {"sign", {"bigint 7"}, "1"},
      {"sign", {"double -0.1"}, "-1"},
      {"power", {"bigint 2", "bigint 10"}, "1024"},
      {"power", {"double 2", "double 0.5"}, "1.4142135623730951"},
      {"power", {"double 0", "double 0"}, "1"},
      {"power", {"double -2", "double 3"}, "-8"},
      {"power", {"double 10", "double -2"}, "0.01"},
      {"power", {"double -0.5", "double -3"}, "-8"},
      {"power", {"double 0", "double -1"}, "! zero raised to a negative power is undefined"},
      {"power",
       {"double -2", "double 0.5"},
       "! a negative number raised to a non-integer power yields a complex result"},
      {"power", {"double 1e200", "double 2"}, "! double out of range: overflow"},
      {"power", {"double 1e-200", "double 2"}, "! double out of range: underflow"},
      {"exp", {"double 0"}, "1"},
      {"exp", {"double 1"}, "2.718281828459045"},
      {"exp", {"double 710"}, "! double out of range: overflow"},
      {"exp", {"double -750"}, "! double out of range: underflow"},
      {"ln", {"double 2"}, "0.6931471805599453"},
      {"ln", {"double 0"}, "! cannot take logarithm of zero"},
      {"ln", {"double -1"}, "! cannot take logarithm of a negative number"},
      {"log", {"bigint 1000"}, "3"},
      {"log", {"double 2"}, "0.3010299956639812"},
      {"log", {"double NULL"}, "NULL"},
      {"log", {"bigint 2", "bigint 8"}, "3"},
      {"log", {"decimal(2,1) 3.0", "bigint 243"}, "5"},
      {"log", {"bigint 10", "double 1000"}, "3"},
      {"log", {"double 0.5", "bigint 8"}, "-3"},
      {"log", {"bigint 2", "bigint 10"}, "3.321928094887362"},
      {"log", {"bigint 7", "bigint 2"}, "0.3562071871080222"},
      {"log", {"bigint 7", "bigint 1"}, "0"},
      {"log", {"bigint 0", "bigint 5"}, "! log(0, 5): cannot take logarithm of zero"},
      {"log", {"bigint 2", "double 0"}, "! log(2, 0): cannot take logarithm of zero"},
      {"log",
       {"double -1.5", "bigint 5"},
       "! log(-1.5, 5): cannot take logarithm of a negative number"},
      {"log", {"bigint 1", "bigint 5"}, "! log(1, 5): division by zero"},
      {"log", {"bigint 2", "double NULL"}, "NULL"},
      {"acos", {"double 1"}, "0"},
      {"acos", {"double 1.1"}, "! input is out of range"},
      {"atan2", {"double 1", "double -1"}, "2.356194490192345"},
      {"degrees", {"double 1e308"}, "! double out of range: overflow"},
      {"radians", {"double 180"}, "3.141592653589793"},
      {"pi", {}, "3.141592653589793"},
  });
}

TEST_CASE("buckets of one width are counted from 1") {
  struct Row {
    const char* number;
    const char* rising;
    const char* falling;
  };
  for (const auto& row : std::initializer_list<Row>{{"double -1", "0", "5"},
                                                    {"double 0", "1", "5"},
                                                    {"double 2.4", "1", "4"},
                                                    {"double 2.5", "2", "4"},
                                                    {"double 5", "3", "3"},
                                                    {"double 9.99", "4", "1"},
                                                    {"double 10", "5", "1"},
                                                    {"double 11", "5", "0"}}) {
    check_calls({
        {"width_bucket", {row.number, "bigint 0", "bigint 10", "bigint 4"}, row.rising},
        {"width_bucket", {row.number, "bigint 10", "bigint 0", "bigint 4"}, row.falling},
    });
  }
  check_calls({
      {"width_bucket", {"double 0.3", "double 0", "double 0.9", "bigint 3"}, "2"},
      {"width_bucket", {"double 1", "double -1.7e308", "double 1.7e308", "bigint 4"}, "3"},
      {"width_bucket",
       {"double 1", "double 1", "double 1", "bigint 4"},
       "! lower bound cannot equal upper bound"},
      {"width_bucket",
       {"double 1", "double 1", "double 2", "bigint 0"},
       "! count must be greater than zero"},
  });
}

TEST_SUITE_END();
