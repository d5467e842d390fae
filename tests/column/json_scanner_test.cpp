#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "column/json_index.h"
#include "column/json_scanner.h"

TEST_SUITE_BEGIN("column");

using namespace leat;
using namespace leat::column;

namespace {

/// Objects as `{"a":A, "b":B}` with a blank before the last bracket, `a` and `b` wanted.
class Scanning {
 public:
  Scanning() {
    scanner_.begin_layout();
    scanner_.add_member("{\"a\":", "2", 0);
    scanner_.add_member(", \"b\":", "null", 1);
    learnt_ = scanner_.end_layout(" }");
  }
  /// The values, `!` behind those with escapes; "" if the object is not taken.
  std::string operator()(const std::string& json) {
    std::string padded = json + std::string(json_padding_bytes, '"');
    padded.shrink_to_fit();
    if (!scanner_.scan({padded.data(), json.size()})) return "";
    std::string shown;
    for (const auto& value : scanner_.values()) {
      shown += (shown.empty() ? "" : " ") + std::string(value.text);
      if (value.has_escapes) shown += '!';
    }
    return shown;
  }
  bool learnt() const { return learnt_; }

 private:
  JsonScanner scanner_;
  bool learnt_ = false;
};

/// A value in place of `a`, with the least and the most behind it.
void check(const std::string& value, const std::string& expected) {
  Scanning scan;
  if (!scan.learnt()) return;  // a machine without the instructions
  CAPTURE(value);
  std::string shown = expected.empty() ? "" : expected + " ";
  CHECK(scan("{\"a\":" + value + ", \"b\":1 }") == (expected.empty() ? "" : shown + "1"));
  std::string text = "\"" + std::string(100, 'x') + "\"";
  CHECK(scan("{\"a\":" + value + ", \"b\":" + text + " }") ==
        (expected.empty() ? "" : shown + text));
}

void taken(const std::string& value) {
  check(value, value);
}

}  // namespace

TEST_CASE("an object with the layout of the one before is taken, whatever its values") {
  taken("null");
  taken("true");
  taken("false");
  taken("-12.5E+7");
  taken("123456789012345678901234567890123456789");
  taken("\"\"");
  taken("\"plain\"");
  taken("\"" + std::string(31, 'x') + "\"");
  taken("\"" + std::string(32, 'x') + "\"");
  taken("\"" + std::string(300, 'x') + "\"");
  taken("\"caf\xc3\xa9, {[:]}\"");
  taken("\"" + std::string(31, 'x') + "\xf0\x9f\x98\x80\"");
  taken("{}");
  taken(R"([1,{"a":"]}"},"x"])");
  check(R"("a\"b")", R"("a\"b"!)");
  check(R"("\\")", R"("\\"!)");
  check("\"" + std::string(30, 'x') + "\\\"y\"", "\"" + std::string(30, 'x') + "\\\"y\"!");
}

TEST_CASE("objects of some kinds are taken, each by its own layout") {
  JsonScanner scanner;
  auto learn = [&](const std::string& name) {
    scanner.begin_layout();
    scanner.add_member("{\"" + name + "\":", "1", 0);
    return scanner.end_layout("}");
  };
  auto takes = [&](const std::string& name) {
    std::string json = "{\"" + name + "\":\"" + name + "\"}";
    std::size_t size = json.size();
    json.append(json_padding_bytes, ' ');
    if (!scanner.scan(std::string_view(json).substr(0, size))) return false;
    CHECK(scanner.values()[0].text == "\"" + name + "\"");
    return true;
  };
  CHECK_FALSE(takes("a"));
  if (!learn("a")) return;  // a machine without the instructions
  for (const auto* name : {"b", "c"}) REQUIRE(learn(name));
  CHECK(scanner.has_room());
  REQUIRE(learn("d"));
  CHECK_FALSE(scanner.has_room());
  CHECK((takes("a") && takes("d") && takes("b") && takes("c") && takes("a")));
  CHECK_FALSE(takes("e"));
  CHECK(takes("a"));
  REQUIRE(learn("e"));
  CHECK((takes("e") && takes("b") && takes("c") && takes("d")));
  CHECK_FALSE(takes("a"));
}

TEST_CASE("an object that is not as the one before, or may be no JSON, is not taken") {
  for (const std::string value : {"",
                                  " 1",
                                  "1 ",
                                  "1 2",
                                  "1\"x\"",
                                  "\"x",
                                  "\"x\"y",
                                  "\"a\nb\"",
                                  "\"a\\\nb\"",
                                  "\"\xff\"",
                                  "\"\xc0\x80\"",
                                  "\"\xed\xa0\x80\"",
                                  "\"cut \xc3\"",
                                  "\xc3\xa9",
                                  "[1",
                                  "[1]]",
                                  "]",
                                  "[\xff]",
                                  "[\\\"]",
                                  "[\"\xff\"]",
                                  "[\"\n\"]",
                                  "1,\"c\":2",
                                  ":",
                                  ","}) {
    check(value, "");
  }
  Scanning scan;
  for (const char* json : {"", "{", "{}", "{\"a\":1}", "{\"a\":1, \"b\":2}", "{\"a\":1, \"b\":2 }}",
                           "{\"a\":1, \"b\":2 } ", "{\"a\":1,  \"b\":2 }", "{\"b\":1, \"a\":2 }",
                           "{\"a\":1, \"b\":\"2 }", "{\"a\":1, \"b\":2\" }"}) {
    CAPTURE(json);
    CHECK(scan(json).empty());
  }
}

TEST_CASE("what was null before may be null again, or not") {
  JsonScanner scanner;
  scanner.begin_layout();
  scanner.add_member("{\"a\":", "null", {});
  scanner.add_member(",\"b\":", "null", {});
  scanner.add_member(",\"c\":", "1", 0);
  scanner.add_member(",\"a_long_name_for_a_member\":", "null", {});
  scanner.add_member(",\"another_long_name_for_a_member\":", "null", {});
  scanner.add_member(",\"d\":", "null", {});
  if (!scanner.end_layout("}")) return;
  const char* values[] = {"null", "7", "\"x\"", "nul", "", "nullnull"};
  for (std::size_t n = 0; n < 7776; ++n) {
    std::size_t left = n;
    bool good = true;
    auto value = [&] {
      std::size_t i = left % 6;
      left /= 6;
      good = good && i != 4 && i != 5;
      return std::string(values[i]);
    };
    std::string json = "{\"a\":" + value() + ",\"b\":" + value() + ",\"c\":1";
    json += ",\"a_long_name_for_a_member\":" + value();
    json += ",\"another_long_name_for_a_member\":" + value() + ",\"d\":" + value() + "}";
    CAPTURE(json);
    std::size_t size = json.size();
    json.append(json_padding_bytes, ' ');
    // "nul" is taken as well: nobody looks into values that nobody wants.
    bool scanned = scanner.scan(std::string_view(json).substr(0, size));
    CHECK(scanned == good);
    if (scanned) CHECK(scanner.values()[0].text == "1");
  }
}

TEST_CASE("an object cut anywhere is not taken") {
  const std::string whole = R"({"a":["x",{"y":"z\n"}], "b":"caf)"
                            "\xc3\xa9 \\\" and some more to fill thirty-two bytes\" }";
  Scanning scan;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(scan(whole.substr(0, size)).empty());
  }
  if (scan.learnt()) CHECK_FALSE(scan(whole).empty());
}

TEST_CASE("keys of any length but the longest are scanned") {
  for (std::size_t size : {1, 26, 27, 28, 29, 58, 59, 60, 61, 62, 200}) {
    JsonScanner scanner;
    std::string lead = "{\"" + std::string(size, 'k') + "\":";
    scanner.begin_layout();
    scanner.add_member(lead, "1", 0);
    if (!scanner.end_layout("}")) {
      CHECK((lead.size() > 64 || !Scanning().learnt()));
      continue;
    }
    CHECK(lead.size() <= 64);
    for (std::size_t other = 0; other <= size; ++other) {
      std::string json = lead + "7}";
      if (other < size) json[2 + other] = 'x';
      json.append(json_padding_bytes, ' ');
      bool scanned = scanner.scan(std::string_view(json).substr(0, lead.size() + 2));
      CHECK(scanned == (other == size));
    }
  }
}

TEST_CASE("a string ends where it ends, however it lies among the bytes looked at together") {
  Scanning scan;
  if (!scan.learnt()) return;
  for (std::size_t before = 0; before < 130; ++before) {
    std::string first = "\"" + std::string(before, 'x') + "\"";
    for (std::size_t size = 0; size < 200; size += before % 8 == 0 ? 1 : 13) {
      std::string second = "\"" + std::string(size, 'y') + "\"";
      std::string json = "{\"a\":" + first + ", \"b\":" + second + " }";
      CAPTURE(json);
      CHECK(scan(json) == first + " " + second);
      CHECK(scan(json.substr(0, json.size() - 3)).empty());
    }
  }
}

TEST_CASE("a byte that matters is seen wherever it is") {
  Scanning scan;
  if (!scan.learnt()) return;
  for (std::size_t size : {1, 40, 64, 100, 200}) {
    for (std::size_t at = 0; at < size; ++at) {
      auto with = [&](const std::string& bytes) {
        std::string text = "\"" + std::string(size, 'x').replace(at, 1, bytes) + "\"";
        std::string shown = scan("{\"a\":" + text + ", \"b\":-7 }");
        if (shown.empty()) return 'n';
        CHECK((shown == text + " -7" || shown == text + "! -7"));
        return shown == text + " -7" ? 'y' : '!';
      };
      CAPTURE(size);
      CAPTURE(at);
      CHECK(with("\\n") == '!');
      CHECK(with("\\\"") == '!');
      CHECK(with("\xc3\xa9") == 'y');
      CHECK(with("\x7f") == 'y');
      CHECK(with("\x1f") == 'n');
      CHECK(with(std::string(1, '\0')) == 'n');
      CHECK(with("\xc3") == 'n');
      CHECK(with("\"") == 'n');
    }
  }
}

TEST_SUITE_END();
