#include <limits>

#include "base/random.h"
#include "expression/rows_of_values.h"

TEST_SUITE_BEGIN("expression");

using namespace leat;
using namespace leat::expression;
using plan::call;
using plan::col;

namespace {

using Texts = std::vector<std::string>;

const plan::Type bigint{plan::Type::bigint}, text{}, boolean{plan::Type::boolean};
const column::Value null;

plan::Expression number(std::int64_t value) {
  return plan::literal(bigint, value);
}
plan::Expression word(const char* value) {
  return plan::literal(text, std::string(value));
}

}  // namespace

TEST_CASE("a column is the chunk's own vector") {
  plan::Schema schema{{"a", bigint}};
  TestChunk rows(schema, {{1}, {2}});
  RowErrors errors;
  Evaluator evaluator(bound(col("a"), schema));
  CHECK(evaluator.type() == bigint);
  CHECK(evaluator.evaluate(rows.chunk, rows.chunk.selection, 0, errors) == rows.chunk.columns[0]);
}

TEST_CASE("a literal is there for every row") {
  CHECK(cells(word("x"), {}, {{}, {}}) == Texts{"x", "x"});
  CHECK(cells(plan::literal(text, null), {}, {{}}) == Texts{"NULL"});
}

TEST_CASE("a literal that is no value is an error only of rows that need it") {
  plan::Schema schema{{"b", boolean}};
  auto bad = call("/", {number(1), number(0)});
  CHECK(cells(bad, schema, {{true}, {false}}) == Texts(2, "! division by zero"));
  CHECK(cells(call("case", {col("b"), number(1), bad}), schema, {{true}, {false}}) ==
        Texts{"1", "! division by zero"});
}

TEST_CASE("an error is that of its row alone") {
  plan::Schema schema{{"a", bigint}};
  constexpr std::int64_t most = 9'223'372'036'854'775'807;
  auto sum = call("+", {col("a"), number(1)});
  CHECK(cells(sum, schema, {{1}, {most}, {null}}) == Texts{"2", "! bigint out of range", "NULL"});
  auto quotient = call("/", {number(10), col("a")});
  CHECK(cells(quotient, schema, {{3}, {0}, {null}}) == Texts{"3", "! division by zero", "NULL"});
}

TEST_CASE("of two errors in a row the left one counts") {
  plan::Schema schema{{"a", bigint}, {"t", text}};
  auto left = call("/", {number(1), col("a")});
  auto right = plan::cast(col("t"), bigint);
  CHECK(cells(call("+", {left, right}), schema, {{0, "x"}, {1, "x"}, {1, "2"}}) ==
        Texts{"! division by zero", "! invalid input syntax for bigint: \"x\"", "3"});
}

TEST_CASE("what a row does not need is not evaluated for it") {
  plan::Schema schema{{"a", bigint}, {"b", boolean}};
  auto bad = call("=", {call("/", {number(6), col("a")}), number(3)});
  Table table{{0, false}, {0, true}, {2, true}, {0, null}, {2, null}};
  CHECK(cells(call("and", {col("b"), bad}), schema, table) ==
        Texts{"false", "! division by zero", "true", "! division by zero", "NULL"});
  CHECK(cells(call("or", {col("b"), bad}), schema, table) ==
        Texts{"! division by zero", "true", "true", "! division by zero", "true"});
  auto chosen = call("case", {col("b"), call("/", {number(6), col("a")}), number(1)});
  CHECK(cells(chosen, schema, table) == Texts{"1", "! division by zero", "3", "1", "1"});
  auto first = call("coalesce", {col("b"), bad});
  CHECK(cells(first, schema, table) ==
        Texts{"false", "true", "true", "! division by zero", "true"});
}

TEST_CASE("a case of numbers gives each row its own, and no error that the row does not need") {
  plan::Schema schema{{"a", bigint}, {"b", boolean}};
  constexpr std::int64_t most = 9'223'372'036'854'775'807;
  auto next = call("+", {col("a"), number(1)});
  auto small =
      call("case", {call("<", {col("a"), number(0)}), number(0), col("b"), col("a"), next});
  CHECK(cells(small, schema, {{-1, true}, {5, true}, {5, false}, {-1, null}, {5, null}}) ==
        Texts{"0", "5", "6", "0", "6"});
  CHECK(cells(small, schema, {{most, true}, {most, false}, {1, false}, {null, false}}) ==
        Texts{std::to_string(most), "! bigint out of range", "2", "NULL"});
  auto without_default = call("case", {col("b"), col("a")});
  CHECK(cells(without_default, schema, {{1, true}, {2, false}, {3, null}}) ==
        Texts{"1", "NULL", "NULL"});
}

TEST_CASE("a text is compared in lower case without being made") {
  plan::Schema schema{{"a", text}, {"n", bigint}};
  auto lower = call("lower", {col("a")});
  Table table{{"Apple", 1}, {"APPLE", 1}, {"apples", 1}, {"[pple", 1}, {"", 1}, {null, 1}};
  Texts same{"true", "true", "false", "false", "false", "NULL"};
  CHECK(cells(call("=", {lower, word("apple")}), schema, table) == same);
  CHECK(cells(call("=", {word("apple"), lower}), schema, table) == same);
  CHECK(cells(call("=", {lower, word("Apple")}), schema, {{"Apple", 1}}) == Texts{"false"});
  CHECK(cells(call("<>", {lower, word("apple")}), schema, table) ==
        Texts{"false", "false", "true", "true", "true", "NULL"});
  CHECK(cells(call("=", {lower, plan::literal(text, null)}), schema, {{"x", 1}}) == Texts{"NULL"});
  auto left = call("substring", {col("a"), number(1), col("n")});
  auto right = call("lower", {call("lpad", {col("a"), number(2'000'000)})});
  CHECK(cells(call("=", {left, right}), schema, {{"a", -1}}) ==
        Texts{"! negative substring length not allowed"});
}

TEST_CASE("the length of a text with a part replaced needs no such text") {
  plan::Schema schema{{"a", text}, {"old", text}, {"new", text}};
  auto length = call("length", {call("replace", {col("a"), col("old"), col("new")})});
  const std::string wide(40, 'c');
  Table table{{"aXbXc", "X", ""}, {"aXbXc", "X", "äö"},    {"aXbXc", "Xb", "X"},
              {"ääää", "ä", "a"}, {"aaaaa", "aa", ""},     {"abc", "", "x"},
              {"abc", "d", "x"},  {"", "a", "b"},          {wide, "c", ""},
              {wide, "cc", "x"},  {null, "a", "b"},        {"a", null, "b"},
              {"a", "b", null},   {"cä" + wide, "c", "dd"}};
  CHECK(cells(length, schema, table) ==
        Texts{"3", "7", "4", "4", "1", "3", "3", "0", "0", "20", "NULL", "NULL", "NULL", "83"});
}

TEST_CASE("division by a constant is exact whatever the numbers") {
  plan::Schema schema{{"a", bigint}};
  std::vector<std::int64_t> interesting;
  for (std::int64_t near : {0LL, 1LL << 31, 1LL << 32, 1LL << 62, 123LL, 1'000'000'007LL}) {
    for (std::int64_t step : {-2, -1, 0, 1, 2}) interesting.push_back(near + step);
  }
  for (std::int64_t divisor : interesting) {
    if (divisor == 0) continue;
    for (std::int64_t a : interesting) {
      // Alone too: one number that needs another way changes the way of all.
      for (const Table& rows : {Table{{a}}, Table{{a}, {-1}}}) {
        CAPTURE(divisor);
        CAPTURE(a);
        CHECK(cells(call("/", {col("a"), number(divisor)}), schema, rows)[0] ==
              std::to_string(a / divisor));
        CHECK(cells(call("%", {col("a"), number(divisor)}), schema, rows)[0] ==
              std::to_string(a % divisor));
      }
    }
  }
}

TEST_CASE("rows give the same alone as among others that follow each other") {
  plan::Schema schema{{"a", bigint}, {"b", bigint}, {"t", {plan::Type::timestamp}}};
  const plan::Type interval{plan::Type::interval};
  auto bin = call("date_bin", {plan::literal(interval, column::Interval{0, 0, 100}), col("t"),
                               plan::literal(schema[2].type, column::Timestamp{7})});
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Table table(1 + random.below(300));
    std::int64_t a = 0;
    bool nulls = random.one_in(2);
    for (auto& row : table) {
      if (random.one_in(20)) a = static_cast<std::int64_t>(random.below(3));
      auto t = static_cast<std::int64_t>(&row - table.data()) * 2;
      // What overflows is mostly not selected.
      bool large = nulls && random.one_in(30);
      row = {a, large ? column::Value(std::numeric_limits<std::int64_t>::max()) : 1,
             column::Timestamp{t}};
      if (large && random.one_in(2)) row = {null, null, null};
    }
    TestChunk rows(schema, table);
    std::vector<std::uint32_t> selected;
    for (std::uint32_t row = 0; row < table.size(); ++row) {
      if (table[row][1] == column::Value(1) || random.one_in(9)) selected.push_back(row);
    }
    auto selection = column::Selection::of(selected);
    if (random.one_in(3)) selection = column::Selection::all(table.size());
    for (const auto& expression :
         {call("=", {col("a"), number(1)}), call("<>", {col("a"), col("b")}),
          call("<", {col("a"), number(2)}), bin,
          call("*", {number(3), call("+", {col("a"), col("b")})})}) {
      Evaluator evaluator(bound(expression, schema));
      RowErrors errors;
      auto vector = evaluator.evaluate(rows.chunk, selection, test_now_ms, errors);
      check_selection(evaluator, rows.chunk, selection, *vector, errors);
      for (std::size_t i = 0; i < selection.size(); ++i) {
        RowErrors own;
        auto alone =
            evaluator.evaluate(rows.chunk, column::Selection::of({selection[i]}), test_now_ms, own);
        CHECK(cell_text(*vector, errors, selection[i]) == cell_text(*alone, own, selection[i]));
      }
    }
  }
}

TEST_CASE("letters change whatever stands around them") {
  plan::Schema schema{{"a", text}};
  Table table{{"@AZ[`az{ÄÖ \x7f 0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ"}};
  CHECK(cells(call("lower", {col("a")}), schema, table) ==
        Texts{"@az[`az{ÄÖ \x7f 0123456789 abcdefghijklmnopqrstuvwxyz"});
  CHECK(cells(call("upper", {call("lower", {col("a")})}), schema, table) ==
        Texts{"@AZ[`AZ{ÄÖ \x7f 0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ"});
}

TEST_CASE("rows that are not selected have no errors, and the chunk stays as it was") {
  plan::Schema schema{{"a", bigint}};
  Table table{{0}, {2}, {0}, {3}};
  TestChunk rows(schema, table);
  RowErrors errors;
  errors.add(3, "of an expression before");
  Evaluator evaluator(bound(call("/", {number(6), col("a")}), schema));
  auto selection = column::Selection::of({1, 2, 3});
  auto vector = evaluator.evaluate(rows.chunk, selection, 0, errors);
  CHECK(vector->size() == 4);
  CHECK(cell_text(*vector, errors, 1) == "3");
  CHECK(errors.reasons() == std::map<std::uint32_t, std::string>{{2, "division by zero"},
                                                                 {3, "of an expression before"}});
  for (std::uint32_t row = 0; row < table.size(); ++row) {
    CHECK(rows.chunk.columns[0]->value(row) == table[row][0]);
  }
}

TEST_CASE("arithmetic stays exact where numbers on the way have more digits than a decimal") {
  auto digits = [](const char* written) {
    auto value = column::parse_decimal(written);
    return plan::literal(column::decimal_type_of(*value), *value);
  };
  auto huge = digits("17014118346046923173168730371588410573");  // times 10 is beyond 127 bits
  auto one = [&](const plan::Expression& expression) { return cells(expression, {}, {{}})[0]; };
  CHECK(one(call("-", {huge, digits("9999999999999999999999999999999999999.9")})) ==
        "7014118346046923173168730371588410573.1");
  CHECK(one(call("/", {digits("1"), digits("0.00000000000000000000000000000000000003")})) ==
        "! out of range of decimal(38,38)");
  CHECK(one(call("/", {digits("0.00000000000000000000000000000000000002"),
                       digits("0.00000000000000000000000000000000000003")})) ==
        "0.66666666666666666666666666666666666667");
  CHECK(one(call("%", {huge, digits("0.00000000000000000000000000000000000003")})) ==
        "0.00000000000000000000000000000000000001");
}

TEST_CASE("an evaluator may be moved") {
  plan::Schema schema{{"a", bigint}};
  TestChunk rows(schema, {{1}});
  Evaluator first(bound(call("negate", {col("a")}), schema));
  Evaluator second(std::move(first));
  RowErrors errors;
  CHECK(second.evaluate(rows.chunk, rows.chunk.selection, 0, errors)->integer(0) == -1);
}

TEST_SUITE_END();
