// What calls, aggregates and casts take and give.
#include <initializer_list>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "plan/functions.h"
#include "plan/regex_error.h"

TEST_SUITE_BEGIN("plan");

using namespace leat;
using namespace leat::plan;

namespace {

std::vector<std::string> split(std::string text) {
  std::vector<std::string> words;
  for (std::size_t end = 0; !text.empty(); text.erase(0, end + 1)) {
    end = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, end));
    if (end == text.size()) break;
  }
  return words;
}

/// What `name` makes of arguments of these types: "bigint double -> double" where they are cast.
std::string meaning(std::span<const Signature> table, const std::string& name,
                    const std::string& types, const std::string& literal_text = "") {
  std::vector<Operand> operands;
  Value literal = literal_text;
  for (const auto& type : split(types)) {
    REQUIRE(parse_type(type).has_value());
    operands.push_back({*parse_type(type), nullptr});
  }
  for (auto& operand : operands) {
    if (!literal_text.empty() && operand.type == Type{}) operand.literal = &literal;
  }
  auto resolved = resolve(table, name, operands);
  if (!resolved) return resolved.error().what;
  std::string text;
  for (const auto& type : resolved->arguments) text += plan::name(type) + " ";
  return text + "-> " + plan::name(resolved->result);
}

}  // namespace

TEST_CASE("a call's result follows from its arguments") {
  struct Row {
    const char* name;
    const char* types;
    const char* meaning;
  };
  for (const auto& row : std::initializer_list<Row>{
           {"+", "bigint bigint", "bigint bigint -> bigint"},
           {"+", "bigint double", "double double -> double"},
           {"+", "decimal(5,2) double", "double double -> double"},
           {"+", "decimal(5,2) bigint", "decimal(5,2) decimal(19,0) -> decimal(22,2)"},
           {"+", "decimal(5,2) decimal(4,3)", "decimal(5,2) decimal(4,3) -> decimal(7,3)"},
           {"-", "decimal(38,2) decimal(38,2)", "decimal(38,2) decimal(38,2) -> decimal(38,2)"},
           {"*", "decimal(5,2) decimal(4,3)", "decimal(5,2) decimal(4,3) -> decimal(9,5)"},
           {"/", "decimal(5,2) decimal(4,3)", "decimal(5,2) decimal(4,3) -> decimal(22,16)"},
           {"%", "decimal(5,2) decimal(4,3)", "decimal(5,2) decimal(4,3) -> decimal(6,3)"},
           {"/", "bigint bigint", "bigint bigint -> bigint"},
           {"-", "timestamp timestamp", "timestamp timestamp -> interval"},
           {"-", "date date", "date date -> bigint"},
           {"+", "date interval", "timestamp interval -> timestamp"},
           {"<", "date timestamp", "timestamp timestamp -> boolean"},
           {"=", "bigint decimal(3,1)", "decimal(20,1) decimal(20,1) -> boolean"},
           {"in", "bigint bigint double", "double double double -> boolean"},
           {"case", "boolean bigint boolean decimal(3,1) double",
            "boolean double boolean double double -> double"},
           {"case", "boolean text", "boolean text -> text"},
           {"coalesce", "text[] text[]", "text[] text[] -> text[]"},
           {"nullif", "text text", "text text -> text"},
           {"element", "date[] bigint", "date[] bigint -> date"},
           {"array", "bigint decimal(3,1)", "decimal(20,1) decimal(20,1) -> decimal(20,1)[]"},
           {"array", "text", "text -> text[]"},
           {"array_remove", "double[] bigint", "double[] double -> double[]"},
           {"ceil", "decimal(5,2)", "decimal(5,2) -> decimal(6,0)"},
           {"substring", "text bigint", "text bigint -> text"},
           {"date_bin", "interval timestamp date", "interval timestamp timestamp -> timestamp"},
           {"now", "", "-> timestamp"},
       }) {
    CAPTURE(row.name);
    CAPTURE(row.types);
    CHECK(meaning(functions(), row.name, row.types) == row.meaning);
  }
}

TEST_CASE("what no function takes is refused, with what there is") {
  CHECK(meaning(functions(), "length", "bigint") ==
        "no length(bigint); there are: length(text), "
        "length(bytes)");
  CHECK(meaning(functions(), "lenght", "text")
            .starts_with("no function 'lenght'; there are: +, -, "));
  CHECK(meaning(functions(), "case", "boolean").starts_with("no case(boolean)"));
  CHECK(meaning(functions(), "case", "bigint bigint").starts_with("no case("));
  CHECK(meaning(functions(), "=", "text bigint").starts_with("no =("));
  CHECK(meaning(functions(), "=", "text[] text[]").starts_with("no =("));
  CHECK(meaning(functions(), "coalesce", "text bytes").starts_with("no coalesce("));
  CHECK(meaning(functions(), "date_bin", "text timestamp timestamp").starts_with("no date_bin("));
  CHECK(meaning(functions(), "*", "decimal(38,20) decimal(38,20)") ==
        "the product would have more than 38 digits behind the point");
}

TEST_CASE("what the meaning hangs on must be a literal that says something") {
  CHECK(meaning(functions(), "extract", "text timestamp", "hour") == "text timestamp -> bigint");
  CHECK(meaning(functions(), "extract", "text timestamp", "second") ==
        "text timestamp -> decimal(20,3)");
  CHECK(meaning(functions(), "extract", "text date", "dow") == "text timestamp -> bigint");
  CHECK(meaning(functions(), "extract", "text timestamp", "Hours") == "text timestamp -> bigint");
  CHECK(meaning(functions(), "extract", "text timestamp", "hourz") ==
        "extract knows no 'hourz'; there are: year, quarter, month, week, day, hour, minute, dow, "
        "isodow, doy, isoyear, decade, century, second, milliseconds, epoch");
  CHECK(meaning(functions(), "extract", "text timestamp")
            .starts_with("extract needs a literal text as argument 1; there are: year, "));
  CHECK(meaning(functions(), "extract", "text interval", "week") ==
        "extract knows no 'week'; there are: year, month, day, hour, minute, second, milliseconds, "
        "epoch");
  CHECK(meaning(functions(), "extract", "text text", "week").starts_with("no extract(text, text)"));
  CHECK(meaning(functions(), "date_trunc", "text timestamp", "week") ==
        "text timestamp -> timestamp");
  CHECK(meaning(functions(), "date_trunc", "text timestamp", "dow")
            .starts_with("date_trunc knows no 'dow'; there are: millisecond, second, "));
  CHECK(meaning(functions(), "regexp_like", "text text", "(a|b)+") == "text text -> boolean");
  CHECK(meaning(functions(), "regexp_like", "text text", "(a|b") ==
        "'(a|b' is no regular expression: missing ) at character 1: (a|b");
  CHECK(meaning(functions(), "to_char", "timestamp text", "YYYY-MM-DD \"at\" HH24:MI") ==
        "timestamp text -> text");
  CHECK(meaning(functions(), "to_char", "timestamp text", "YYYY at")
            .starts_with("'YYYY at' is no template: 'at' at character 6 is no pattern; there are: "
                         "SSSSS, SSSS, IYYY, YYYY, "));
  CHECK(meaning(functions(), "to_char", "timestamp text", "YYYY \"at") ==
        "'YYYY \"at' is no template: the quote at character 6 does not end");
  CHECK(meaning(functions(), "json_value", "text text", "$.a") == "text text -> text");
}

TEST_CASE("a path into JSON that is none says where it stops being one") {
  auto path = [](const char* text) {
    return meaning(functions(), "json_value", "text text", text);
  };
  CHECK(path("a.b") ==
        "'a.b' is no JSON path: a path begins with $, which is missing at character 1");
  CHECK(path("$.a[b]") ==
        "'$.a[b]' is no JSON path: expected [0], or another number in brackets, at character 4");
  CHECK(path("$.ä..b") == "'$.ä..b' is no JSON path: no name follows the point at character 4");
  CHECK(path("$.\"a") ==
        "'$.\"a' is no JSON path: a quoted name does not end that begins at character 2");
  CHECK(path("$a") == "'$a' is no JSON path: expected .name, .\"any name\" or [0] at character 2");
}

TEST_CASE("a regular expression that is none says where it stops being one") {
  CHECK(regex_error("(a|b)+") == "");
  CHECK(regex_error("a(b(c)") == "missing ) at character 2: (b(c)");
  CHECK(regex_error("ä[(]\\((b") == "missing ) at character 7: (b");
  CHECK(regex_error("\\Q(\\E(b") == "missing ) at character 6: (b");
  CHECK(regex_error("a)b") == "unexpected ) at character 2: )b");
  CHECK(regex_error("a*|*b") == "no argument for repetition operator at character 4: *b");
  CHECK(regex_error("x[a") == "missing ] at character 2: [a");
  CHECK(regex_error("[b-a]") == "invalid character class range at character 2: b-a]");
  CHECK(regex_error("a\\y") == "invalid escape sequence at character 2: \\y");
  CHECK(regex_error("a(?=b)") == "invalid perl operator at character 2: (?=b)");
  CHECK(regex_error(std::string(5000, 'a')) == "longer than the 4096 bytes it may be");
}

TEST_CASE("an aggregate's result follows from its argument") {
  struct Row {
    const char* name;
    const char* types;
    const char* meaning;
  };
  for (const auto& row : std::initializer_list<Row>{
           {"count", "", "-> bigint"},
           {"count", "text[]", "text[] -> bigint"},
           {"sum", "bigint", "bigint -> bigint"},
           {"sum", "decimal(5,2)", "decimal(5,2) -> decimal(38,2)"},
           {"avg", "decimal(5,2)", "decimal(5,2) -> decimal(38,16)"},
           {"avg", "bigint", "bigint -> double"},
           {"min", "date", "date -> date"},
           {"percentile", "decimal(5,2)", "double -> double"},
           {"array_agg", "text", "text -> text[]"},
       }) {
    CAPTURE(row.name);
    CHECK(meaning(aggregates(), row.name, row.types) == row.meaning);
  }
  CHECK(meaning(aggregates(), "sum", "text").starts_with("no sum(text); there are: sum(bigint)"));
}

TEST_CASE("casts are those of PostgreSQL") {
  auto can = [](const char* from, const char* to) {
    return can_cast(*parse_type(from), *parse_type(to));
  };
  CHECK(can("boolean", "bigint"));
  CHECK_FALSE(can("boolean", "double"));
  CHECK_FALSE(can("timestamp", "bigint"));
  CHECK_FALSE(can("bigint", "timestamp"));
  CHECK(can("decimal(5,2)", "decimal(3,0)"));
  CHECK(can("timestamp", "date"));
  CHECK_FALSE(can("interval", "timestamp"));
  CHECK(can("text[]", "text[]"));
  CHECK_FALSE(can("text[]", "text"));
  for (const char* type :
       {"boolean", "bigint", "double", "decimal(5,2)", "bytes", "timestamp", "date", "interval"}) {
    CAPTURE(type);
    CHECK(can("text", type));
    CHECK(can(type, "text"));
  }
}

TEST_SUITE_END();
