// Placeholders of a plan's text, and what stands in their place.
#include <string>

#include <doctest/doctest.h>

#include "plan/json.h"
#include "plan/limits.h"
#include "plan/parameters.h"

TEST_SUITE_BEGIN("plan");

using namespace leat;
using namespace leat::plan;

namespace {

const Parameters values{{"date", "2026-03-02"}, {"n", "7"},        {"quoted", "a \"b\" \\ c\n"},
                        {"empty", ""},          {"list", "[1,2]"}, {"shell", "${date}"}};

std::string filled(const std::string& text) {
  auto result = fill_in(text, values);
  return result ? result->text : "! " + result.error().what;
}

}  // namespace

TEST_CASE("placeholders within strings are texts, escaped as JSON has it") {
  CHECK(filled(R"({"date": "${date}"})") == R"({"date": "2026-03-02"})");
  CHECK(filled(R"({"a": "${date}-${n}-${empty}-", "${n}": 1})") ==
        R"({"a": "2026-03-02-7--", "7": 1})");
  CHECK(filled(R"(["\\${n}", "\"${n}"])") == R"(["\\7", "\"7"])");
  auto json = parse_json(filled(R"(["${quoted}"])"), RepeatedNames::refuse);
  REQUIRE(json.has_value());
  CHECK(std::get<std::string>(std::get<JsonArray>(*json)[0]) == values.at("quoted"));
}

TEST_CASE("placeholders elsewhere are single values") {
  CHECK(filled(R"({"size_ms": ${n}, "keys": ${list}})") == R"({"size_ms": 7, "keys": [1,2]})");
  CHECK(filled("[1,\n ${date}]") ==
        "! line 2: ${date} stands for a number or another value as JSON has it, which "
        "'2026-03-02' is not");
  CHECK(fill_in("${a}", {{"a", "1, 2"}}).has_value() == false);
  CHECK(fill_in("${a}", {{"a", "1}, {\"b\": 2"}}).has_value() == false);
}

TEST_CASE("what has no value is named, all of it") {
  CHECK(filled(R"(["${day}", ${m}, "${day}", "${date}"])") == "! ${day}, ${m} without a value");
}

TEST_CASE("a default counts where there is no value, and may be a placeholder itself") {
  CHECK(filled(R"(["${day:-2015-09-12}", ${m:-3}, ${n:-4}, "${date:-x}", "${m:-}"])") ==
        R"(["2015-09-12", 3, 7, "2026-03-02", ""])");
  CHECK(filled(R"("${day:-${date}}!")") == R"("2026-03-02!")");
  CHECK(filled(R"("${day:-${month:-${n}}}")") == R"("7")");
  CHECK(filled(R"("${day:-${month}}")") == "! ${month} without a value");
  CHECK(filled(R"("${date:-${month}}")") == R"("2026-03-02")");
  auto names = fill_in(R"("${day:-${date}} ${n}")", values)->names;
  CHECK(names == std::set<std::string, std::less<>>{"date", "day", "n"});
}

TEST_CASE("a value is not looked into") {
  CHECK(filled(R"("${shell}")") == R"("${date}")");
}

TEST_CASE("other dollars stay, and $${ stands for the characters of a placeholder") {
  CHECK(filled(R"({"a": "$.user", "b": "^x$", "c": "$$5", "d": "$${date}", "e": "$"})") ==
        R"({"a": "$.user", "b": "^x$", "c": "$$5", "d": "${date}", "e": "$"})");
  for (const char* text : {"\n\"${\"", "\n\"${}\"", "\n\"${1}\"", "\n\"${ date }\"", "\n\"${date\"",
                           "\n\"${date:x}\"", "\n\"${a b}\""}) {
    CAPTURE(text);
    CHECK(filled(text).starts_with("! line 2: '${' begins no placeholder"));
  }
  CHECK(filled("\"${day:-a") == "! line 1: a placeholder does not end in '}'");
}

TEST_CASE("what values make of a text is bounded") {
  std::string text = "[";
  for (int i = 0; i < 100; ++i) text += "\"${a}\",";
  auto long_text = fill_in(text, {{"a", std::string(text_bytes_max / 50, 'x')}});
  REQUIRE_FALSE(long_text.has_value());
  CHECK(long_text.error().what.find("longer than the") != std::string::npos);
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "${a:-";
  CHECK(filled(deep) == "! line 1: defaults within defaults, too deep");
}

TEST_CASE("a run knows its own day and the one before, by UTC") {
  auto at = run_parameters(1'772'409'600'000 - 1);
  CHECK(at == Parameters{{"now", "2026-03-01T23:59:59.999Z"},
                         {"today", "2026-03-01"},
                         {"yesterday", "2026-02-28"}});
  CHECK(run_parameters(1'772'409'600'000).at("today") == "2026-03-02");
  CHECK(run_parameters(-1).at("today") == "1969-12-31");
}

TEST_CASE("a value is given by name") {
  Parameters given;
  CHECK(add_parameter(given, "date=2026-03-02").has_value());
  CHECK(add_parameter(given, "rule=a=b").has_value());
  CHECK(add_parameter(given, "none=").has_value());
  CHECK(given == Parameters{{"date", "2026-03-02"}, {"none", ""}, {"rule", "a=b"}});
  CHECK(add_parameter(given, "date=2026-03-03").error().what == "date is given two values");
  for (const char* wrong : {"date", "=x", "2=3", "a b=c", ""}) {
    CAPTURE(wrong);
    CHECK_FALSE(add_parameter(given, wrong).has_value());
  }
}

TEST_SUITE_END();
