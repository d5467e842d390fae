// Numbers by templates. What is expected is what PostgreSQL gives, unless a test says otherwise.
#include "interpreter/expression_table.h"

TEST_SUITE_BEGIN("interpreter");

using namespace leat;
using namespace leat::interpreter;

TEST_CASE("digits that a number does not have are blanks, or zeros by a 0") {
  check_calls({
      {"to_char", {"bigint 485", "text 999"}, " 485"},
      {"to_char", {"bigint 485", "text 9999"}, "  485"},
      {"to_char", {"bigint 485", "text 09999"}, " 00485"},
      {"to_char", {"bigint 485", "text 9099"}, "  485"},
      {"to_char", {"bigint 485", "text 0"}, " #"},
      {"to_char", {"bigint 485", "text 9990"}, "  485"},
      {"to_char", {"bigint 485", "text FM9999"}, "485"},
      {"to_char", {"bigint 485", "text FM09999"}, "00485"},
      {"to_char", {"bigint 0", "text 9"}, " 0"},
      {"to_char", {"bigint 0", "text 999"}, "   0"},
      {"to_char", {"bigint 0", "text 0"}, " 0"},
      {"to_char", {"bigint 0", "text 000"}, " 000"},
      {"to_char", {"bigint 0", "text FM999"}, "0"},
      {"to_char", {"bigint -485", "text 999"}, "-485"},
      {"to_char", {"bigint -485", "text 9999"}, " -485"},
      {"to_char", {"bigint -485", "text 09999"}, "-00485"},
      {"to_char", {"bigint -485", "text FM9999"}, "-485"},
      {"to_char",
       {"bigint 9223372036854775807", "text 9,999,999,999,999,999,999"},
       " 9,223,372,036,854,775,807"},
      {"to_char",
       {"bigint -9223372036854775808", "text FM9G999G999G999G999G999G999"},
       "-9,223,372,036,854,775,808"},
      {"to_char", {"bigint NULL", "text 999"}, "NULL"},
  });
}

TEST_CASE("a point has digits behind it, and no zero alone before it") {
  check_calls({
      {"to_char", {"decimal(4,2) 12.50", "text 99.99"}, " 12.50"},
      {"to_char", {"decimal(4,2) 12.50", "text 999.9"}, "  12.5"},
      {"to_char", {"decimal(4,2) 12.50", "text FM99.99"}, "12.5"},
      {"to_char", {"decimal(4,2) 12.50", "text FM99.00"}, "12.50"},
      {"to_char", {"decimal(4,2) 12.50", "text FM99.090"}, "12.500"},
      {"to_char", {"decimal(4,2) 12.50", "text 99.999"}, " 12.500"},
      {"to_char", {"decimal(4,2) 12.50", "text 99D9"}, " 12.5"},
      {"to_char", {"decimal(4,2) 12.50", "text 09.9"}, " 12.5"},
      {"to_char", {"decimal(4,2) 0.50", "text 9.99"}, "  .50"},
      {"to_char", {"decimal(4,2) 0.50", "text 90.99"}, "  0.50"},
      {"to_char", {"decimal(4,2) 0.50", "text FM9.99"}, ".5"},
      {"to_char", {"decimal(4,2) 0.50", "text 0.9"}, " 0.5"},
      {"to_char", {"decimal(4,2) 0.50", "text 99.99"}, "   .50"},
      {"to_char", {"decimal(4,2) 0.50", "text FM90.99"}, "0.5"},
      {"to_char", {"decimal(4,2) -0.50", "text 99.99"}, "  -.50"},
      {"to_char", {"decimal(4,2) -0.50", "text 90.99"}, " -0.50"},
      {"to_char", {"decimal(4,2) -0.50", "text FM9.99"}, "-.5"},
      {"to_char", {"decimal(4,2) -0.50", "text S99.99"}, "  -.50"},
      {"to_char", {"decimal(4,2) -0.50", "text 99.99MI"}, "  .50-"},
      {"to_char", {"decimal(4,2) 0.00", "text 9.99"}, "  .00"},
      {"to_char", {"decimal(4,2) 0.00", "text FM9.99"}, "0."},
      {"to_char", {"decimal(4,2) 0.00", "text FM0.99"}, "0."},
      {"to_char", {"decimal(4,2) 0.00", "text FM9.09"}, ".0"},
      {"to_char", {"decimal(4,2) 0.00", "text FM9.90"}, ".00"},
      {"to_char", {"bigint 7", "text 9.99"}, " 7.00"},
      {"to_char", {"bigint 7", "text FM9.99"}, "7."},
      {"to_char", {"bigint 7", "text FM9.09"}, "7.0"},
      {"to_char", {"bigint 7", "text FM9.00"}, "7.00"},
  });
}

TEST_CASE("commas are where digits are on their left") {
  check_calls({
      {"to_char", {"bigint 1485", "text 9,999"}, " 1,485"},
      {"to_char", {"bigint 1485", "text 99,999"}, "  1,485"},
      {"to_char", {"bigint 1485", "text 9,999,999"}, "     1,485"},
      {"to_char", {"bigint 1485", "text FM9,999,999"}, "1,485"},
      {"to_char", {"bigint 1485", "text 0,009,999"}, " 0,001,485"},
      {"to_char", {"bigint 1485", "text 9G999D99"}, " 1,485.00"},
      {"to_char", {"bigint 485", "text 9,999"}, "   485"},
      {"to_char", {"bigint 485", "text FM9,999"}, "485"},
      {"to_char", {"bigint 485", "text 0,999"}, " 0,485"},
      {"to_char", {"bigint -5", "text 9,999"}, "    -5"},
      {"to_char", {"bigint -5", "text 9,099"}, "  -005"},
      {"to_char", {"bigint -5", "text FM9,999"}, "-5"},
      {"to_char", {"bigint -5", "text S9,999"}, "    -5"},
  });
}

TEST_CASE("the sign is in front of the digits, beside them, or where its pattern is") {
  check_calls({
      {"to_char", {"bigint 5", "text S999"}, "  +5"},
      {"to_char", {"bigint 5", "text 999S"}, "  5+"},
      {"to_char", {"bigint 5", "text FMS999"}, "+5"},
      {"to_char", {"bigint 5", "text FM999S"}, "5+"},
      {"to_char", {"bigint 5", "text MI999"}, "   5"},
      {"to_char", {"bigint 5", "text 999MI"}, "  5 "},
      {"to_char", {"bigint 5", "text FM999MI"}, "5"},
      {"to_char", {"bigint 5", "text PL999"}, "+   5"},
      {"to_char", {"bigint 5", "text 999PL"}, "   5+"},
      {"to_char", {"bigint 5", "text FM999PL"}, "5+"},
      {"to_char", {"bigint 5", "text SG999"}, "+  5"},
      {"to_char", {"bigint 5", "text 999SG"}, "  5+"},
      {"to_char", {"bigint 5", "text FMSG999"}, "+5"},
      {"to_char", {"bigint 5", "text PLMI999"}, "+   5"},
      {"to_char", {"bigint 5", "text FMMI999PL"}, "5+"},
      {"to_char", {"bigint 5", "text 999.9S"}, "  5.0+"},
      {"to_char", {"bigint 5", "text mi999"}, "   5"},
      {"to_char", {"bigint 5", "text s99"}, " +5"},
      {"to_char", {"bigint -5", "text S999"}, "  -5"},
      {"to_char", {"bigint -5", "text 999S"}, "  5-"},
      {"to_char", {"bigint -5", "text FMS999"}, "-5"},
      {"to_char", {"bigint -5", "text FM999S"}, "5-"},
      {"to_char", {"bigint -5", "text MI999"}, "-  5"},
      {"to_char", {"bigint -5", "text 999MI"}, "  5-"},
      {"to_char", {"bigint -5", "text FM999MI"}, "5-"},
      {"to_char", {"bigint -5", "text PL999"}, "   -5"},
      {"to_char", {"bigint -5", "text 999PL"}, "  -5 "},
      {"to_char", {"bigint -5", "text FM999PL"}, "-5"},
      {"to_char", {"bigint -5", "text SG999"}, "-  5"},
      {"to_char", {"bigint -5", "text 999SG"}, "  5-"},
      {"to_char", {"bigint -5", "text FMSG999"}, "-5"},
      {"to_char", {"bigint -5", "text PLMI999"}, " -  5"},
      {"to_char", {"bigint -5", "text FMMI999PL"}, "-5"},
      {"to_char", {"bigint -5", "text 999.9S"}, "  5.0-"},
      {"to_char", {"bigint -5", "text mi999"}, "-  5"},
      {"to_char", {"bigint -5", "text s99"}, " -5"},
  });
}

TEST_CASE("texts are copied to where they are") {
  check_calls({
      {"to_char", {"decimal(6,2) 1234.50", "text $9,999.99"}, "$ 1,234.50"},
      {"to_char", {"decimal(6,2) 1234.50", "text FM$9,999.00 \"EUR\""}, "$1,234.50 EUR"},
      {"to_char", {"decimal(6,2) 1234.50", "text \"Total:\"9999"}, "Total: 1235"},
      {"to_char", {"decimal(6,2) 1234.50", "text 9999 %"}, " 1235 %"},
      {"to_char", {"decimal(6,2) 1234.50", "text €9999.9"}, "€ 1234.5"},
      {"to_char", {"decimal(6,2) 1234.50", "text 9-9-9-9"}, " 1-2-3-5"},
      {"to_char", {"decimal(6,2) 1234.50", "text \"a'b\"9999"}, "a'b 1235"},
      {"to_char", {"bigint -5", "text $999"}, "$  -5"},
      {"to_char", {"bigint -5", "text $S999"}, "$  -5"},
      {"to_char", {"bigint -5", "text MI\"a\"999"}, "-a  5"},
      {"to_char", {"bigint -5", "text S\"a\"999"}, "a  -5"},
      {"to_char", {"bigint -5", "text 999\"a\"S"}, "  5-a"},
      {"to_char", {"bigint -5", "text \"x\"999\"y\""}, "x  -5y"},
  });
}

TEST_CASE("numbers are rounded, and those that are too large are shown as such") {
  check_calls({
      {"to_char", {"decimal(5,3) 12.345", "text 99.99"}, " 12.35"},
      {"to_char", {"decimal(5,3) 12.345", "text 99.9"}, " 12.3"},
      {"to_char", {"decimal(5,3) 12.345", "text 99"}, " 12"},
      {"to_char", {"decimal(5,3) -12.345", "text 99.99"}, "-12.35"},
      {"to_char", {"decimal(5,3) 99.995", "text 99.99"}, " ##.##"},
      {"to_char", {"decimal(5,3) 99.995", "text 999.99"}, " 100.00"},
      {"to_char", {"decimal(5,3) 99.995", "text 99"}, " ##"},
      {"to_char", {"decimal(3,3) -0.001", "text 9.9"}, "  .0"},
      {"to_char", {"decimal(3,3) -0.001", "text 9.99"}, "  .00"},
      {"to_char", {"bigint 12345", "text 999"}, " ###"},
      {"to_char", {"bigint 12345", "text 999.9"}, " ###.#"},
      {"to_char", {"bigint 12345", "text FM999"}, "###"},
      {"to_char", {"bigint 12345", "text 9,999"}, " #,###"},
      {"to_char", {"bigint 12345", "text S999"}, "+###"},
      {"to_char", {"bigint 12345", "text 999S"}, "###+"},
      {"to_char", {"bigint -12345", "text 999.9"}, "-###.#"},
      {"to_char", {"bigint -12345", "text 999.9S"}, "###.#-"},
      {"to_char", {"bigint -12345", "text FM999.9"}, "-###.#"},
      {"to_char", {"bigint -12345", "text MI999"}, "-###"},
      {"to_char", {"double 2.675", "text 9.99"}, " 2.67"},
      {"to_char", {"double 0.5", "text 9"}, " 0"},
      {"to_char", {"double 0.5", "text 9.9"}, "  .5"},
      {"to_char", {"double 1.5", "text 9"}, " 2"},
      {"to_char", {"double -0.001", "text 9.9"}, " -.0"},
      {"to_char", {"double -0.001", "text FM9.9"}, "-0."},
      {"to_char", {"double 999.96", "text 999.9"}, " ###.#"},
      {"to_char", {"double 1234567890123.456", "text 9999999999999.999"}, " 1234567890123.46"},
      {"to_char", {"double 1234567890123.456", "text 9,999,999,999,999"}, " 1,234,567,890,123"},
      {"to_char", {"double 1e20", "text 999"}, " ###"},
      {"to_char", {"double 1e20", "text S999"}, "+###"},
      {"to_char", {"double 1e-300", "text 9.99"}, "  .00"},
      {"to_char", {"double 1e-300", "text FM9.99"}, "0."},
      {"to_char", {"decimal(38,38) 0.99999999999999999999999999999999999999", "text 9.9"}, " 1.0"},
      {"to_char", {"decimal(38,38) 0.99999999999999999999999999999999999999", "text 9"}, " 1"},
      {"to_char",
       {"decimal(38,0) -99999999999999999999999999999999999999",
        "text 99999999999999999999999999999999999999.9"},
       "-99999999999999999999999999999999999999.0"},
  });
}

// PostgreSQL does not write zeros at the end that were not read.
TEST_CASE("texts are read as decimals with the digits of their template") {
  check_calls({
      {"to_number", {"text 485", "text 999"}, "485"},
      {"to_number", {"text -485", "text 999"}, "-485"},
      {"to_number", {"text +485", "text 999"}, "485"},
      {"to_number", {"text 12,454.8-", "text 99G999D9S"}, "-12454.8"},
      {"to_number", {"text -12,454.8", "text S99,999.9"}, "-12454.8"},
      {"to_number", {"text 1,234.56", "text 9,999.99"}, "1234.56"},
      {"to_number", {"text 1234.5", "text 9,999.99"}, "1234.50"},
      {"to_number", {"text .5", "text 9.9"}, "0.5"},
      {"to_number", {"text 5.", "text 9.9"}, "5.0"},
      {"to_number", {"text 5-", "text 9MI"}, "-5"},
      {"to_number", {"text -5", "text 9MI"}, "-5"},
      {"to_number", {"text -5", "text MI9"}, "-5"},
      {"to_number", {"text $12.50", "text $9,999.99"}, "12.50"},
      {"to_number", {"text 12 EUR", "text 99 \"EUR\""}, "12"},
      {"to_number", {"text   7 ", "text 99"}, "7"},
      {"to_number", {"text 007", "text 999"}, "7"},
      {"to_number", {"text - 5", "text S99"}, "-5"},
      {"to_number", {"text -$12", "text MI$99"}, "-12"},
      {"to_number",
       {"text 99999999999999999999999999999999999999",
        "text 99999999999999999999999999999999999999"},
       "99999999999999999999999999999999999999"},
      {"to_number", {"text NULL", "text 999"}, "NULL"},
  });
}

// PostgreSQL passes by what it does not expect, and gives another number.
TEST_CASE("a text that is not all of a number is an error") {
  check_calls({
      {"to_number", {"text 12345", "text 999"}, "! '12345' does not fit the template '999'"},
      {"to_number", {"text 12.345", "text 99.99"}, "! '12.345' does not fit the template '99.99'"},
      {"to_number", {"text 12.3", "text 999"}, "! '12.3' does not fit the template '999'"},
      {"to_number", {"text 1x2", "text 999"}, "! '1x2' does not fit the template '999'"},
      {"to_number", {"text 1,234", "text 9999"}, "! '1,234' does not fit the template '9999'"},
      {"to_number", {"text 1,,234", "text 9,999"}, "! '1,,234' does not fit the template '9,999'"},
      {"to_number", {"text ,234", "text 9,999"}, "! ',234' does not fit the template '9,999'"},
      {"to_number", {"text 1,", "text 9,999"}, "! '1,' does not fit the template '9,999'"},
      {"to_number", {"text -$12", "text $99"}, "! '-$12' does not fit the template '$99'"},
      {"to_number", {"text €12", "text $99"}, "! '€12' does not fit the template '$99'"},
      {"to_number", {"text 5-", "text 9"}, "! '5-' does not fit the template '9'"},
      {"to_number", {"text -5-", "text 9MI"}, "! '-5-' does not fit the template '9MI'"},
      {"to_number", {"text --5", "text MI9"}, "! '--5' does not fit the template 'MI9'"},
      {"to_number", {"text 1 2", "text 99"}, "! '1 2' does not fit the template '99'"},
      {"to_number", {"text ", "text 99"}, "! '' does not fit the template '99'"},
      {"to_number", {"text .", "text 9.9"}, "! '.' does not fit the template '9.9'"},
      {"to_number", {"text -$1,234.50", "text S$9,999.99"}, "-1234.50"},
      {"to_number", {"text €1,234.5", "text €9,999.99"}, "1234.50"},
      {"to_number", {"text - $ 5 -", "text 9"}, "! '- $ 5 -' does not fit the template '9'"},
  });
}

// PostgreSQL cuts a text off where a double has no more digits.
TEST_CASE("what stands behind a double of many digits is written") {
  check_calls({
      {"to_char",
       {"double 1234567890123.456", "text 9999999999999.999\"x\""},
       " 1234567890123.46x"},
      {"to_char",
       {"double 12345678901234567", "text FM99999999999999999.99S"},
       "12345678901234568+"},
  });
}

TEST_CASE("a template that is none is refused, with why") {
  const std::string number = "bigint 5", none = " is no template of numbers: ";
  auto refused = [&](const std::string& form, const std::string& why) {
    CAPTURE(form);
    auto call = plan::call("to_char", {literal_of(number), literal_of("text " + form)});
    CHECK(result_of(call) == "'" + form + "'" + none + why);
  };
  refused("", "it needs a digit, 9 or 0, before the point");
  refused(".99", "it needs a digit, 9 or 0, before the point");
  refused("$", "it needs a digit, 9 or 0, before the point");
  refused("9.", "it needs a digit behind the point");
  refused("9.9.9", "it has two points");
  refused("9,,9", "a comma stands between digits before the point");
  refused(",9", "a comma stands between digits before the point");
  refused("9.9,9", "a comma stands between digits before the point");
  refused("9S9", "what is about the sign stands before all digits or behind them");
  refused("S9MI", "S, the sign beside the digits, stands alone");
  refused("9FM", "FM stands in front of all else");
  refused("9\"x", "the quote at character 2 does not end");
  refused("99 EUR",
          "'EUR' at character 4 is no pattern; there are: 9, 0, ',', '.', G, D, S, SG, MI, PL and, "
          "in front, FM; letters that mean themselves are in double quotes");
  check_calls({
      {"to_number",
       {"text 5", "text 9-9"},
       "'9-9' is no template to read numbers by: a text between the digits is written only"},
      {"to_number",
       {"text 5", "text -9"},
       "'-9' is no template to read numbers by: the sign of what is read is said by S, SG, MI or "
       "PL, or by nothing"},
      {"to_number",
       {"text 5", "text 99999999999999999999.9999999999999999999"},
       "'99999999999999999999.9999999999999999999' is no template to read numbers by: decimals "
       "have 38 digits at most"},
      {"to_number", {"text 5", "text NULL"}, "to_number needs a literal text as argument 2"},
      {"to_char",
       {"timestamp 2024-05-06T13:04:05Z", "text FM-DD"},
       "'FM-DD' is no template: FM stands right before a pattern"},
      {"to_char",
       {"timestamp 2024-05-06T13:04:05Z", "text FMFMDD"},
       "'FMFMDD' is no template: FM stands right before a pattern"},
  });
}

TEST_SUITE_END();
