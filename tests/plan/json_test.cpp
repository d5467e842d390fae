// JSON as a tree, and paths into it.
#include <string>

#include <doctest/doctest.h>

#include "plan/json.h"
#include "plan/json_path.h"

TEST_SUITE_BEGIN("plan");

using namespace leat;
using namespace leat::plan;

namespace {

std::string again(const std::string& text) {
  auto json = parse_json(text, RepeatedNames::last_counts);
  if (!json) return json.error().what;
  std::string out;
  append_json(out, *json);
  return out;
}

std::string at(const std::string& path) {
  auto json = parse_json(R"({"a": {"b c": [10, {"d": true}]}, "e": null})", RepeatedNames::refuse);
  auto steps = parse_json_path(path);
  if (!steps) return "no path";
  const Json* found = find(*json, *steps);
  if (found == nullptr) return "nothing";
  std::string out;
  append_json(out, *found);
  return out;
}

}  // namespace

TEST_CASE("JSON is written with sorted names, no blanks, and numbers as they came") {
  CHECK(again(" {\"b\" : [ 1 , -0.50e+3, \"x\" ], \"a\":{ }, \"c\":[ ]} ") ==
        R"({"a":{},"b":[1,-0.50e+3,"x"],"c":[]})");
  CHECK(again(R"("\u00e4\ud83d\udc1f\n\/\u0001")") == "\"ä\xf0\x9f\x90\x9f\\n/\\u0001\"");
  CHECK(again(R"({"a":1,"a":2})") == R"({"a":2})");
}

TEST_CASE("what is no JSON is refused, with the place") {
  for (const char* text :
       {"",    "{",   "[1,]",     "{\"a\"}", "{\"a\":1,}", "01",          "1.",          ".5",
        "1e",  "+1",  "nul",      "\"a",     "\"\\x\"",    "\"\\ud83d\"", "\"\\ude00\"", "\"\t\"",
        "1 2", "NaN", "\"\xff\"", "[1 2]",   "'a'"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_json(text, RepeatedNames::refuse).has_value());
  }
  CHECK(again("[1, x]") == "byte 4: expected a value");
  CHECK_FALSE(parse_json(R"({"a":1,"a":2})", RepeatedNames::refuse).has_value());
}

TEST_CASE("a depth bomb is refused") {
  CHECK(again(std::string(64, '[') + std::string(64, ']')).size() == 128);
  CHECK(again(std::string(65, '[') + std::string(65, ']')) == "byte 64: nested too deep");
}

TEST_CASE("a path finds what is there") {
  CHECK(at("$.a.\"b c\"[1].d") == "true");
  CHECK(at("$.e") == "null");
  CHECK(at("$.a.\"b c\"[2]") == "nothing");
  CHECK(at("$.a[0]") == "nothing");
  CHECK(at("$.e.x") == "nothing");
  for (const char* path : {"", "a", "$.", "$..a", "$[", "$[a]", "$[1", "$.\"a", "$ .a"}) {
    CAPTURE(path);
    CHECK(at(path) == "no path");
  }
}

TEST_SUITE_END();
