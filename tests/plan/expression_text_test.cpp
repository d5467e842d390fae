// Expressions as they are shown to people.
#include <string>

#include <doctest/doctest.h>

#include "plan/expression_text.h"

TEST_SUITE_BEGIN("plan");

using namespace leat;
using namespace leat::plan;

namespace {

Expression number(std::int64_t value) {
  return literal({Type::Kind::bigint}, value);
}
Expression text(const char* value) {
  return literal({}, std::string(value));
}
const Expression a = col("a"), b = col("b"), c = col("c");

}  // namespace

TEST_CASE("operators stand between their operands") {
  CHECK(expression_text(call("and", {call(">", {a, number(3)}), call("like", {b, text("x%")})})) ==
        "a > 3 and b like 'x%'");
  CHECK(expression_text(call("*", {call("+", {a, b}), c})) == "(a + b) * c");
  CHECK(expression_text(call("+", {call("*", {a, b}), c})) == "a * b + c");
  CHECK(expression_text(call("-", {call("-", {a, b}), c})) == "a - b - c");
  CHECK(expression_text(call("-", {a, call("-", {b, c})})) == "a - (b - c)");
  CHECK(expression_text(call("-", {a, call("negate", {number(-1)})})) == "a - --1");
  CHECK(expression_text(call("and", {call("or", {a, b}), call("not", {c}), call("=", {a, b})})) ==
        "(a or b) and not c and a = b");
  CHECK(expression_text(call("not", {call("and", {a, b})})) == "not (a and b)");
  CHECK(expression_text(call("=", {call("=", {a, b}), call("<", {b, c})})) == "(a = b) = (b < c)");
}

TEST_CASE("what SQL has words for is written in these") {
  CHECK(expression_text(call("not", {call("is_null", {call("+", {a, b})})})) ==
        "a + b is not null");
  CHECK(expression_text(call("or", {call("is_null", {a}),
                                    call("between", {b, number(1), call("+", {c, number(2)})})})) ==
        "a is null or b between 1 and c + 2");
  CHECK(expression_text(call("in", {a, text("it's"), text("")})) == "a in ('it''s', '')");
  CHECK(expression_text(call("case", {call("<", {a, b}), text("low"), text("high")})) ==
        "case when a < b then 'low' else 'high' end");
  CHECK(expression_text(cast(call("lower", {a}), decimal(10, 2))) ==
        "cast(lower(a) as decimal(10,2))");
  CHECK(expression_text(call("coalesce", {a, literal({}, {})})) == "coalesce(a, null)");
  CHECK(expression_text(call("now", {})) == "now()");
}

TEST_CASE("literals say what they are where it is not seen") {
  CHECK(expression_text(literal({Type::Kind::boolean}, true)) == "true");
  CHECK(expression_text(literal({Type::Kind::double_precision}, 0.5)) == "0.5");
  CHECK(expression_text(literal(decimal(4, 2), Decimal{-1230, 2})) == "-12.30");
  CHECK(expression_text(literal({Type::Kind::date}, *parse_date("2024-02-29"))) ==
        "date '2024-02-29'");
  CHECK(expression_text(literal({Type::Kind::timestamp}, Timestamp{0})) ==
        "timestamp '1970-01-01T00:00:00Z'");
  CHECK(expression_text(literal({Type::Kind::interval}, Interval{1, 0, 500})) ==
        "interval '1 months 500 ms'");
}

TEST_CASE("what is long is cut between two characters") {
  Expression many = call("or", {a, call("=", {b, text("ääääää")})});
  CHECK(expression_text(many, 100) == "a or b = 'ääääää'");
  CHECK(expression_text(many, 13) == "a or b = 'ä...");
  Expression sum = a;
  for (int i = 0; i < 150; ++i) sum = call("+", {sum, number(i)});
  CHECK(expression_text(sum, 20).starts_with("a + 0 + 1 + 2"));
  CHECK(expression_text(sum, 20).size() == 23);
}

TEST_SUITE_END();
