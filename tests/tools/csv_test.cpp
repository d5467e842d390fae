#include "tools/csv.h"

#include <doctest/doctest.h>

namespace leat::tools {
namespace {

/// `row` under the names "a,b", or what is wrong with it.
std::string json(std::string_view row) {
  CsvToJson csv;
  REQUIRE(csv.read_names("a,b"));
  std::string out;
  auto done = csv.append_json(row, out);
  return done ? out : done.error().what;
}

TEST_SUITE_BEGIN("tools");

TEST_CASE("numbers and booleans stay bare, an empty field is null, the rest is text") {
  const std::pair<const char*, const char*> rows[] = {
      {"1,2", R"({"a":1,"b":2})"},
      {"-1.5e3,0", R"({"a":-1.5e3,"b":0})"},
      {"007,1.", R"({"a":"007","b":"1."})"},
      {"+1,.5", R"({"a":"+1","b":".5"})"},
      {"-,1e", R"({"a":"-","b":"1e"})"},
      {"true,false", R"({"a":true,"b":false})"},
      {"True,null", R"({"a":"True","b":"null"})"},
      {",x", R"({"a":null,"b":"x"})"},
      {"1,2\r", R"({"a":1,"b":2})"},
  };
  for (const auto& [row, object] : rows) CHECK(json(row) == object);
}

TEST_CASE("a quoted field is text, and may hold quotes, commas and line ends") {
  CHECK(json(R"("1","")") == R"({"a":"1","b":""})");
  CHECK(json(R"("a,b","say ""hi""")") == R"({"a":"a,b","b":"say \"hi\""})");
  CHECK(json("\"x\ny\",2") == R"({"a":"x\ny","b":2})");
  CHECK_FALSE(CsvToJson::is_whole_row("\"x"));
  CHECK(CsvToJson::is_whole_row("\"x\"\"\",y"));
}

TEST_CASE("a row that does not fit its names is refused") {
  CHECK(json("1") == "1 fields, and the first row names 2 columns");
  CHECK(json("1,2,3") == "3 fields, and the first row names 2 columns");
  CHECK(json("\"x\"y,2") == "text behind a closing quote");
  CHECK(json("\"x,2") == "a quote is not closed");
}

TEST_CASE("names must be there, once each") {
  CsvToJson csv;
  CHECK_FALSE(csv.read_names("a,,c"));
  CHECK_FALSE(csv.read_names("a,b,a"));
  CHECK(
      csv.read_names("\xEF\xBB\xBF"
                     "a,\"b,c\"\r"));
  std::string out;
  REQUIRE(csv.append_json("1,2", out));
  CHECK(out == R"({"a":1,"b,c":2})");
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::tools
