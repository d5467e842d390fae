// Arithmetic, comparison and SQL's NULLs. What is expected is what PostgreSQL gives, or its
// documentation says.
#include "interpreter/expression_table.h"

TEST_SUITE_BEGIN("interpreter");

using namespace leat;
using namespace leat::interpreter;

TEST_CASE("whole numbers do not wrap around") {
  check_calls({
      {"+", {"bigint 9223372036854775806", "bigint 1"}, "9223372036854775807"},
      {"+", {"bigint 9223372036854775807", "bigint 1"}, "! bigint out of range"},
      {"-", {"bigint -9223372036854775808", "bigint 1"}, "! bigint out of range"},
      {"*", {"bigint 4294967296", "bigint 2147483648"}, "! bigint out of range"},
      {"*", {"bigint -4294967296", "bigint 2147483648"}, "-9223372036854775808"},
      {"negate", {"bigint -9223372036854775808"}, "! bigint out of range"},
      {"abs", {"bigint -9223372036854775808"}, "! bigint out of range"},
      {"abs", {"bigint -3"}, "3"},
      {"/", {"bigint 7", "bigint 2"}, "3"},
      {"/", {"bigint -7", "bigint 2"}, "-3"},
      {"/", {"bigint -9223372036854775808", "bigint -1"}, "! bigint out of range"},
      {"/", {"bigint 1", "bigint 0"}, "! division by zero"},
      {"%", {"bigint -7", "bigint 2"}, "-1"},
      {"%", {"bigint -9223372036854775808", "bigint -1"}, "0"},
      {"%", {"bigint 1", "bigint 0"}, "! division by zero"},
  });
}

TEST_CASE("doubles stay finite") {
  check_calls({
      {"+", {"double 0.1", "double 0.2"}, "0.30000000000000004"},
      {"*", {"double 1e300", "double 1e10"}, "! double out of range: overflow"},
      {"*", {"double 1e-300", "double 1e-300"}, "! double out of range: underflow"},
      {"/", {"double 1", "double 0"}, "! division by zero"},
      {"/", {"double 1", "bigint 4"}, "0.25"},
      {"negate", {"double 0"}, "0"},
      {"round", {"double 2.5"}, "2"},
      {"round", {"double -3.5"}, "-4"},
      {"floor", {"double -1.5"}, "-2"},
      {"ceil", {"double -1.5"}, "-1"},
      {"sqrt", {"double 2"}, "1.4142135623730951"},
      {"sqrt", {"double -1"}, "! square root of a negative number"},
  });
}

TEST_CASE("decimals are exact") {
  check_calls({
      {"+", {"decimal(3,2) 1.10", "decimal(4,3) 2.205"}, "3.305"},
      {"-", {"decimal(3,2) 1.10", "bigint 2"}, "-0.90"},
      {"*", {"decimal(3,2) 1.10", "decimal(4,3) 2.205"}, "2.42550"},
      {"*", {"bigint 3", "decimal(4,2) 19.99"}, "59.97"},
      {"/", {"decimal(1,0) 1", "decimal(1,0) 3"}, "0.3333333333333333"},
      {"/", {"decimal(1,0) 2", "decimal(1,0) 3"}, "0.6666666666666667"},
      {"/", {"decimal(1,0) -2", "decimal(1,0) 3"}, "-0.6666666666666667"},
      {"/", {"decimal(3,2) 1.00", "decimal(3,2) 0.00"}, "! division by zero"},
      {"%", {"decimal(3,1) -7.5", "decimal(2,1) 2.0"}, "-1.5"},
      {"round", {"decimal(3,1) 2.5"}, "3"},
      {"round", {"decimal(3,1) -2.5"}, "-3"},
      {"ceil", {"decimal(4,2) 1.01"}, "2"},
      {"ceil", {"decimal(4,2) -1.99"}, "-1"},
      {"floor", {"decimal(4,2) -1.01"}, "-2"},
      {"floor", {"decimal(4,2) 1.99"}, "1"},
      {"abs", {"decimal(4,2) -1.99"}, "1.99"},
      {"+",
       {"decimal(38,0) 99999999999999999999999999999999999999", "decimal(1,0) 1"},
       "! out of range of decimal(38,0)"},
      {"*",
       {"decimal(38,0) 99999999999999999999999999999999999999", "decimal(2,1) 0.1"},
       "9999999999999999999999999999999999999.9"},
  });
}

TEST_CASE("a comparison with NULL is NULL") {
  check_calls({
      {"=", {"bigint 1", "bigint NULL"}, "NULL"},
      {"=", {"bigint NULL", "bigint NULL"}, "NULL"},
      {"<>", {"text a", "text NULL"}, "NULL"},
      {"is_distinct_from", {"bigint 1", "bigint NULL"}, "true"},
      {"is_distinct_from", {"bigint NULL", "bigint NULL"}, "false"},
      {"is_null", {"bigint NULL"}, "true"},
      {"is_null", {"text "}, "false"},
      {"<", {"bigint 1", "double 1.5"}, "true"},
      {"=", {"decimal(3,2) 1.50", "decimal(2,1) 1.5"}, "true"},
      {"=", {"double 0.1", "decimal(1,1) 0.1"}, "true"},
      {"<", {"text Z", "text a"}, "true"},
      {"<", {"text a", "text ab"}, "true"},
      {"<", {"text z", "text ä"}, "true"},
      {">", {"date 2024-03-01", "timestamp 2024-02-29T23:59:59.999Z"}, "true"},
      {"=", {"interval 1 month", "interval 30 days"}, "true"},
      {"<", {"interval 23:59:59", "interval 1 day"}, "true"},
      {">=", {"boolean true", "boolean false"}, "true"},
  });
}

TEST_CASE("and, or and not know three truths") {
  check_calls({
      {"and", {"boolean true", "boolean true"}, "true"},
      {"and", {"boolean true", "boolean NULL"}, "NULL"},
      {"and", {"boolean NULL", "boolean false"}, "false"},
      {"and", {"boolean NULL", "boolean NULL"}, "NULL"},
      {"or", {"boolean NULL", "boolean true"}, "true"},
      {"or", {"boolean false", "boolean NULL"}, "NULL"},
      {"or", {"boolean false", "boolean false", "boolean false"}, "false"},
      {"not", {"boolean NULL"}, "NULL"},
      {"not", {"boolean false"}, "true"},
  });
}

TEST_CASE("what is decided is not looked at further, and what is not asked for is not evaluated") {
  auto bad = plan::call("=", {plan::call("/", {literal_of("bigint 1"), literal_of("bigint 0")}),
                              literal_of("bigint 1")});
  auto yes = literal_of("boolean true"), no = literal_of("boolean false");
  auto unknown = literal_of("boolean NULL");
  CHECK(result_of(plan::call("and", {no, bad})) == "false");
  CHECK(result_of(plan::call("or", {yes, bad})) == "true");
  CHECK(result_of(plan::call("and", {bad, no})) == "! division by zero");
  CHECK(result_of(plan::call("and", {unknown, bad})) == "! division by zero");
  CHECK(result_of(plan::call("coalesce", {yes, bad})) == "true");
  CHECK(result_of(plan::call("case", {yes, no, bad, yes})) == "false");
  CHECK(result_of(plan::call("case", {unknown, bad, yes})) == "true");
  CHECK(result_of(plan::call("in", {yes, yes, bad})) == "! division by zero");
}

TEST_CASE("case, coalesce and their like choose") {
  check_calls({
      {"case", {"boolean false", "bigint 1", "boolean true", "bigint 2"}, "2"},
      {"case", {"boolean NULL", "bigint 1"}, "NULL"},
      {"case", {"boolean false", "bigint 1", "decimal(2,1) 2.5"}, "2.5"},
      {"coalesce", {"text NULL", "text a", "text b"}, "a"},
      {"coalesce", {"text NULL"}, "NULL"},
      {"nullif", {"bigint 1", "bigint 1"}, "NULL"},
      {"nullif", {"bigint 1", "bigint NULL"}, "1"},
      {"nullif", {"bigint NULL", "bigint 1"}, "NULL"},
      {"greatest", {"bigint 1", "bigint NULL", "bigint 3"}, "3"},
      {"least", {"bigint NULL", "bigint NULL"}, "NULL"},
      {"in", {"bigint 2", "bigint 1", "bigint 2"}, "true"},
      {"in", {"bigint 2", "bigint 1", "bigint NULL"}, "NULL"},
      {"in", {"bigint 2", "bigint 2", "bigint NULL"}, "true"},
      {"in", {"bigint NULL", "bigint 1"}, "NULL"},
      {"in", {"bigint 2", "bigint 1"}, "false"},
      {"between", {"bigint 2", "bigint 1", "bigint 2"}, "true"},
      {"between", {"bigint 0", "bigint 1", "bigint NULL"}, "false"},
      {"between", {"bigint 2", "bigint 1", "bigint NULL"}, "NULL"},
      {"between", {"bigint 2", "bigint 3", "bigint 1"}, "false"},
  });
}

TEST_CASE("arrays are made of items, NULL among them, and lose those that are no different") {
  using plan::call;
  auto of = [](const std::vector<std::string>& written) {
    std::vector<plan::Expression> items;
    for (const auto& item : written) items.push_back(literal_of(item));
    return call("array", items);
  };
  auto count = [](const plan::Expression& array) {
    return result_of(call("cardinality", {array}));
  };
  auto item = [](const plan::Expression& array, const char* number) {
    return result_of(call("element", {array, literal_of(number)}));
  };
  plan::Expression three = of({"text a", "text NULL", "text b"});
  CHECK(count(three) == "3");
  CHECK(item(three, "bigint 2") == "NULL");
  CHECK(item(three, "bigint 3") == "b");
  plan::Expression known = call("array_remove", {three, literal_of("text NULL")});
  CHECK(count(known) == "2");
  CHECK(item(known, "bigint 2") == "b");
  CHECK(count(call("array_remove", {three, literal_of("text c")})) == "3");
  CHECK(count(call("array_remove", {of({"text a", "text a"}), literal_of("text a")})) == "0");
  CHECK(item(of({"bigint 1", "double 0.5"}), "bigint 1") == "1");
  plan::Expression none = plan::literal(plan::array_of({}), {});
  CHECK(count(call("array_remove", {none, literal_of("text a")})) == "NULL");
  CHECK(count(call("array_remove", {of({"interval 1 month"}), literal_of("interval 30 days")})) ==
        "0");
}

TEST_CASE("JSON in texts is looked into by paths") {
  check_calls({
      {"json_value", {"text {\"a\":{\"b\":[1,\"x\"]}}", "text $.a.b[1]"}, "x"},
      {"json_value", {"text {\"a\":{\"b\":[1, \"x\"]}}", "text $.a"}, "{\"b\":[1,\"x\"]}"},
      {"json_value", {"text {\"a\":1.50}", "text $.a"}, "1.50"},
      {"json_value", {"text {\"a\":null}", "text $.a"}, "NULL"},
      {"json_value", {"text {\"a\":1}", "text $.b"}, "NULL"},
      {"json_value", {"text {\"a\":", "text $.a"}, "! not JSON: byte 5: a value is missing"},
  });
}

TEST_SUITE_END();
