#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "column/json_decoder.h"
#include "column/json_encoder.h"

TEST_SUITE_BEGIN("column");

using namespace leat;
using namespace leat::column;

namespace {

/// Decodes objects with the fields `b` boolean, `i` bigint, `d` double, `t` text, `at` timestamp,
/// and shows the row as JSON, or the reason why there is none.
class Decoding {
 public:
  std::string operator()(const std::string& json) {
    // Garbage where the padding is, as in a buffer of many records.
    std::string padded = json + std::string(json_padding_bytes, '"');
    padded.shrink_to_fit();
    if (!decoder_.decode({padded.data(), json.size()}, columns_, 0)) return decoder_.reason();
    std::string row;
    for (const auto& column : columns_) {
      if (!row.empty()) row += ' ';
      append_json(row, column, 0);
    }
    return row;
  }

 private:
  static std::vector<Vector> make_columns() {
    std::vector<Vector> columns;
    for (Type type :
         {Type::boolean, Type::bigint, Type::double_precision, Type::text, Type::timestamp}) {
      columns.emplace_back(type).resize(1);
    }
    return columns;
  }
  JsonDecoder decoder_{std::vector<Field>{{"b", Type::boolean},
                                          {"i", Type::bigint},
                                          {"d", Type::double_precision},
                                          {"t", Type::text},
                                          {"at", Type::timestamp}}};
  std::vector<Vector> columns_ = make_columns();
};

void check(const std::string& json, const std::string& expected) {
  CAPTURE(json);
  CHECK(Decoding()(json) == expected);
}

}  // namespace

TEST_CASE("wanted fields become typed cells, in any order, whatever lies between them") {
  check(R"({"b":true,"i":-7,"d":2.5,"t":"x","at":"2015-09-12T00:45:00Z"})",
        R"(true -7 2.5 "x" "2015-09-12T00:45:00Z")");
  check(R"( { "at" : 1442018700050 , "z" : {"i":[1,{"t":"no"}]} , "t" : "x" , "d" : 3 ,
             "i" : 9223372036854775807, "b" : false } )",
        R"(false 9223372036854775807 3 "x" "2015-09-12T00:45:00.050Z")");
}

TEST_CASE("what is missing or null is NULL") {
  check("{}", "null null null null null");
  check(R"({"i":null,"t":null,"x":1})", "null null null null null");
  check(R"({"i":null,"d":1e2})", "null null 100 null null");
}

TEST_CASE("the last of several fields of one name counts") {
  check(R"({"i":1,"i":2})", "null 2 null null null");
  check(R"({"i":1,"i":null})", "null null null null null");
}

TEST_CASE("texts and keys are unescaped") {
  check(R"({"t":"a\"b\\\/\n\u00e9\ud83d\ude00"})", "null null null \"a\\\"b\\\\/\\né😀\" null");
  check(R"({"\u0074":"x"})", R"(null null null "x" null)");
  check(R"({"\u0074t":"x","t\\":"y"})", "null null null null null");
  check(R"({"at":"2015-09-12T00:45:00\u005a"})", R"(null null null null "2015-09-12T00:45:00Z")");
  check(R"({"t":""})", R"(null null null "" null)");
}

TEST_CASE("a value of another type is the row's error, and names the field") {
  check(R"({"i":1.5})", "i is no bigint");
  check(R"({"i":1e3})", "i is no bigint");
  check(R"({"i":true})", "i is no bigint");
  check(R"({"i":9223372036854775808})", "i is no bigint");
  check(R"({"i":99999999999999999999999999})", "i is no bigint");
  check(R"({"i":[1]})", "i is no bigint");
  check(R"({"i":01})", "i is no bigint");
  check(R"({"d":1e999})", "d is no double");
  check(R"({"d":NaN})", "d is no double");
  check(R"({"d":{}})", "d is no double");
  check(R"({"t":7 })", "t is no text");
  check(R"({"b":0})", "b is no boolean");
  check(R"({"b":tru})", "b is no boolean");
  check(R"({"b":nul})", "b is no boolean");
  check(R"({"at":"yesterday"})", "at is no timestamp");
  check(R"({"at":9999999999999999})", "at is no timestamp");
  check(R"({"t":"\ud800"})", "t is no text");
}

TEST_CASE("a number in quotes is a text, and the reason says what to do") {
  const std::string advice =
      ": it is a text; send it as a number, or declare the column as text and cast it";
  check(R"({"i":"1"})", "i is no bigint" + advice);
  check(R"({"i":"-1.5"})", "i is no bigint" + advice);
  check(R"({"i":"\u0031"})", "i is no bigint" + advice);
  check(R"({"d":"2.5e3"})", "d is no double" + advice);
  check(R"({"i":"fast"})", "i is no bigint");
  check(R"({"i":""})", "i is no bigint");
  check(R"({"i":" 1"})", "i is no bigint");
  check(R"({"i":"0x1"})", "i is no bigint");
  check(R"({"b":"1"})", "b is no boolean");
  check(R"({"at":"1442018700050"})", "at is no timestamp");
}

TEST_CASE("a record that is no JSON object is an error, not a crash") {
  for (const char* json : {"",
                           " ",
                           "{",
                           "}",
                           "[1]",
                           "1",
                           "null",
                           "\"t\"",
                           "{\"i\":1",
                           "{\"i\":1}}",
                           "{\"i\":1}{}",
                           "{\"i\":1} x",
                           "{\"i\" 1}",
                           "{\"i\":1 \"t\":2}",
                           "{i:1}",
                           "{\"t\":\"open}",
                           "{\"t\":\"\n\"}",
                           "{\"x\":[1,2}",
                           "{\"t\":\"\xff\"}",
                           "{\"x\":\"\xc0\x80\"}",
                           "{,}",
                           "{\"i\":}",
                           "\xef\xbb\xbf{}",
                           "{\"i\":1,}"}) {
    CAPTURE(json);
    std::string shown = Decoding()(json);
    bool error = shown.starts_with("not JSON: ") || shown.starts_with("not a JSON object") ||
                 shown.find(" is no ") != shown.npos;
    CHECK_MESSAGE(error, shown);
  }
}

TEST_CASE("a bomb of brackets is an error, not a stack overflow") {
  std::string open(1 << 20, '[');
  std::string close(1 << 20, ']');
  CHECK(Decoding()("{\"x\":" + open + "}").starts_with("not JSON: "));
  CHECK(Decoding()("{\"i\":" + open + close + "}") == "i is no bigint");
}

TEST_CASE("objects whose keys change their order are decoded like any others") {
  Decoding decode;
  Random random(3);
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::string> members{R"("i":1)", R"("t":"x")", R"("d":2)", R"("ii":9)", R"("":0)"};
    for (std::size_t i = members.size(); i > 1; --i)
      std::swap(members[i - 1], members[random.below(i)]);
    std::string json = "{";
    std::string expected_i = "null", expected_t = "null", expected_d = "null";
    std::size_t kept = random.below(members.size() + 1);
    for (std::size_t i = 0; i < kept; ++i) {
      json += (i == 0 ? "" : ",") + members[i];
      if (members[i] == R"("i":1)") expected_i = "1";
      if (members[i] == R"("t":"x")") expected_t = "\"x\"";
      if (members[i] == R"("d":2)") expected_d = "2";
    }
    CAPTURE(json);
    CHECK(decode(json + "}") ==
          "null " + expected_i + " " + expected_d + " " + expected_t + " null");
  }
}

TEST_CASE("what came before does not change what an object is, or what is wrong with it") {
  const std::vector<std::string> good{
      R"({"b":true,"x":[1,{"y":"z\n"}],"i":-7,"n":null,"m":null,"d":2.5e1,"t":"a\u00e9b",)"
      R"("at":"2015-09-12T00:45:00.120Z"})",
      R"( { "t" : "caf\u00e9 \"x\"" , "i":12,"b" :false, "other":"Ã©æ¥" } )",
      R"({"i":1,"i":2,"t":null,"at":1442018700050,"no":{"t":"x"}})"};
  Random random(5);
  for (int round = 0; round < 20'000; ++round) {
    std::string json = good[random.below(good.size())];
    Decoding decode;
    for (std::uint64_t before = random.below(5); before > 0; --before) {
      decode(random.one_in(8) ? good[random.below(good.size())] : json);
    }
    for (std::uint64_t changes = random.below(3); changes > 0; --changes) {
      const char bytes[] = "\"\\,:{}[] 019-+.eutn\n\x01\x80\xc3\xff";
      std::size_t at = random.below(json.size());
      char byte = bytes[random.below(sizeof bytes - 1)];
      switch (random.below(3)) {
        case 0: json[at] = byte; break;
        case 1: json.insert(at, 1, byte); break;
        default: json.erase(at, 1 + random.below(4)); break;
      }
    }
    CAPTURE(json);
    CHECK(decode(json) == Decoding()(json));
  }
}

TEST_CASE("damaged JSON never reads outside its bytes") {
  const std::string good = R"({"b":true,"x":[1,{"y":"z\n"}],"i":-7,"d":2.5e1,)"
                           R"("t":"a\u00e9b","at":"2015-09-12T00:45:00Z"})";
  Random random(4);
  Decoding decode;
  for (int round = 0; round < 20'000; ++round) {
    std::string json = good.substr(0, random.below(good.size() + 1));
    for (std::uint64_t flips = random.below(3); flips > 0 && !json.empty(); --flips) {
      json[random.below(json.size())] = static_cast<char>(random.below(256));
    }
    std::string shown = decode(json);
    CHECK_FALSE(shown.empty());
  }
}

TEST_SUITE_END();
