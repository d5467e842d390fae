// What is special about texts: whose they are, and patterns.
#include "expression/rows_of_values.h"

TEST_SUITE_BEGIN("expression");

using namespace leat;
using namespace leat::expression;
using plan::call;
using plan::col;

namespace {

using Texts = std::vector<std::string>;

const plan::Type text{}, bigint{plan::Type::bigint};
const column::Value null;

plan::Expression word(const char* value) {
  return plan::literal(text, std::string(value));
}
plan::Expression number(std::int64_t value) {
  return plan::literal(bigint, value);
}

/// The result's first text, after the evaluator and all it made on the way are gone.
std::string text_left_behind(const plan::Expression& expression, const TestChunk& rows,
                             const plan::Schema& schema) {
  RowErrors errors;
  std::shared_ptr<const column::Vector> vector;
  {
    Evaluator evaluator(bound(expression, schema));
    vector = evaluator.evaluate(rows.chunk, rows.chunk.selection, 0, errors);
  }
  return std::string(vector->text(0));
}

}  // namespace

TEST_CASE("texts live as long as their vector") {
  plan::Schema schema{{"t", text}};
  TestChunk rows(schema, {{"A text that is too long for a string without memory of its own"}});
  auto lower = call("lower", {col("t")});
  auto literal = word("a literal that is too long for a string without memory of its own");
  auto truth = plan::literal({plan::Type::boolean}, true);
  CHECK(text_left_behind(lower, rows, schema).starts_with("a text that is"));
  CHECK(text_left_behind(call("substring", {lower, number(3)}), rows, schema) ==
        "text that is too long for a string without memory of its own");
  CHECK(text_left_behind(call("left", {call("trim", {lower}), number(6)}), rows, schema) ==
        "a text");
  CHECK(text_left_behind(call("case", {truth, call("||", {lower, word("!")}), col("t")}), rows,
                         schema)
            .ends_with("own!"));
  CHECK(text_left_behind(call("coalesce", {plan::literal(text, null), lower}), rows, schema)
            .ends_with("own"));
  CHECK(text_left_behind(call("coalesce", {literal}), rows, schema).starts_with("a literal"));
  CHECK(text_left_behind(call("greatest", {lower, literal}), rows, schema).starts_with("a text"));
  CHECK(text_left_behind(call("regexp_extract", {lower, word("t[a-z]*o")}), rows, schema) == "too");
}

TEST_CASE("what is a part of a text of the chunk is not copied") {
  plan::Schema schema{{"t", text}};
  TestChunk rows(schema, {{"  one,two,three "}});
  const char* begin = rows.chunk.columns[0]->text(0).data();
  auto offset_of = [&](const plan::Expression& expression) {
    RowErrors errors;
    Evaluator evaluator(bound(expression, schema));
    auto vector = evaluator.evaluate(rows.chunk, rows.chunk.selection, 0, errors);
    return vector->text(0).data() - begin;
  };
  CHECK(offset_of(call("trim", {col("t")})) == 2);
  CHECK(offset_of(call("split_part", {col("t"), word(","), number(2)})) == 6);
  CHECK(offset_of(call("substring", {col("t"), number(4), number(2)})) == 3);
  CHECK(offset_of(call("right", {col("t"), number(6)})) == 10);
  CHECK(offset_of(call("replace", {col("t"), word("four"), word("4")})) == 0);
}

TEST_CASE("a pattern of LIKE may be another one in each row") {
  plan::Schema schema{{"t", text}, {"p", text}};
  Table table{{"abc", "a%"}, {"abc", "a%"},    {"abc", "_c"},   {"abc", "a\\"},
              {"abc", null}, {"a%c", "a\\%_"}, {"Käse", "k_se"}};
  CHECK(cells(call("like", {col("t"), col("p")}), schema, table) ==
        Texts{"true", "true", "false", "! LIKE pattern must not end with escape character", "NULL",
              "true", "false"});
  CHECK(cells(call("ilike", {col("t"), col("p")}), schema, table) ==
        Texts{"true", "true", "false", "! LIKE pattern must not end with escape character", "NULL",
              "true", "true"});
}

TEST_CASE("LIKE finds parts in their order, and the last one at the end") {
  plan::Schema schema{{"t", text}};
  auto like = [&](const char* value, const char* pattern) {
    return cells(call("like", {col("t"), word(pattern)}), schema, {{value}})[0];
  };
  CHECK(like("abcabc", "%abc") == "true");
  CHECK(like("ab", "ab%b") == "false");  // parts do not share characters
  CHECK(like("aXbXc", "a%b%c") == "true");
  CHECK(like("aXcXb", "a%b%c") == "false");
  CHECK(like("日本語", "%本_") == "true");
  CHECK(like("日本語", "_本") == "false");
  CHECK(like("日本語", "___") == "true");
  CHECK(like("", "%") == "true");
  CHECK(like("", "_%") == "false");
}

TEST_CASE("a text for all rows that has no valid pattern is an error of those that have a text") {
  plan::Schema schema{{"t", text}};
  CHECK(cells(call("like", {col("t"), word("a\\")}), schema, {{"a"}, {null}}) ==
        Texts{"! LIKE pattern must not end with escape character", "NULL"});
}

TEST_SUITE_END();
