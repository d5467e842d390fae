#include "tools/record_json.h"

#include <doctest/doctest.h>

#include "base/random.h"
#include "tools/base64.h"
#include "tools/test_records.h"

namespace leat::tools {
namespace {

using namespace std::string_literals;

std::string to_json(const TestRecord& record) {
  std::string out;
  with_record(record, 7, [&](const InRecord& read) { append_record_json(out, read); });
  return out;
}

std::optional<std::string> text_of(const std::optional<std::string_view>& bytes) {
  if (!bytes) return std::nullopt;
  return std::string(*bytes);
}

/// -1 for none.
std::int64_t time_of(const LineRecord& record) {
  return record.timestamp ? record.timestamp->time_since_epoch().count() : -1;
}

/// A line as the reader wants it: with room behind it.
struct PaddedLine {
  explicit PaddedLine(std::string_view text) : bytes(text), size(text.size()) {
    bytes.append(json_padding_bytes, '}');
  }
  std::string_view view() const { return std::string_view(bytes).substr(0, size); }
  std::string bytes;
  std::size_t size;
};

TestRecord from_json(JsonLineReader& reader, const std::string& json) {
  PaddedLine line(json);
  auto read = reader.read_record(line.view());
  REQUIRE_MESSAGE(read, json);
  TestRecord record;
  record.timestamp_ms = time_of(**read);
  record.key = text_of((*read)->key);
  record.value = text_of((*read)->value);
  for (const auto& header : (*read)->headers)
    record.headers.emplace_back(std::string(header.name), text_of(header.value));
  return record;
}

/// The key and the timestamp that `line` gives, as "key@timestamp", or what is wrong.
std::string fields(std::string_view line, const char* key, const char* timestamp) {
  JsonLineReader reader;
  PaddedLine padded(line);
  auto optional = [](const char* text) {
    return text ? std::optional<std::string>(text) : std::nullopt;
  };
  auto read = reader.read_fields(padded.view(), optional(key), optional(timestamp));
  if (!read) return read.error().what;
  CHECK((*read)->value == line);
  return text_of((*read)->key).value_or("null") + "@" +
         ((*read)->timestamp ? std::to_string(time_of(**read)) : "");
}

TEST_SUITE_BEGIN("tools");

TEST_CASE("a record is one line of JSON") {
  CHECK(to_json({1000, "k", "a \"b\"\n", {{"h", "1"}}}) ==
        R"({"topic":"orders","partition":3,"offset":7,"timestamp":1000,"key":"k",)"
        R"("value":"a \"b\"\n","headers":[{"key":"h","value":"1"}]})");
  CHECK(to_json({-1, std::nullopt, std::nullopt, {}}) ==
        R"({"topic":"orders","partition":3,"offset":7,"timestamp":null,"key":null,)"
        R"("value":null,"headers":[]})");
}

TEST_CASE("bytes that are not UTF-8 stand in base64, under a name that says so") {
  CHECK(to_json({0, "\xff", "\xc3\x28", {{"h\xff", "\xfe"}}}) ==
        R"({"topic":"orders","partition":3,"offset":7,"timestamp":0,"key_base64":"/w==",)"
        R"("value_base64":"wyg=","headers":[{"key_base64":"aP8=","value_base64":"/g=="}]})");
}

TEST_CASE("records survive a round trip through JSON") {
  JsonLineReader reader;
  Random random(7);
  auto random_bytes = [&]() -> std::optional<std::string> {
    if (random.one_in(5)) return std::nullopt;
    std::string bytes(random.below(20), ' ');
    // ASCII with control characters, or anything at all.
    std::uint64_t range = random.one_in(2) ? 128 : 256;
    for (char& c : bytes) c = static_cast<char>(random.below(range));
    return bytes;
  };
  for (int i = 0; i < 2000; ++i) {
    TestRecord record{random.between(-1, 2'000'000'000'000), random_bytes(), random_bytes(), {}};
    for (std::uint64_t n = random.below(3); n > 0; --n)
      record.headers.emplace_back(random_bytes().value_or(""), random_bytes());
    TestRecord read = from_json(reader, to_json(record));
    CHECK(read.timestamp_ms == record.timestamp_ms);
    CHECK(read.key == record.key);
    CHECK(read.value == record.value);
    CHECK(read.headers == record.headers);
  }
}

TEST_CASE("of a record in JSON only the value must be there") {
  JsonLineReader reader;
  TestRecord record = from_json(reader, R"({"value":"v"})");
  CHECK(record.value == "v");
  CHECK(record.key == std::nullopt);
  CHECK(record.timestamp_ms == -1);
  CHECK(from_json(reader, R"({"value":null})").value == std::nullopt);
  CHECK(from_json(reader, R"({"value":"","timestamp":"1970-01-01T00:00:01Z"})").timestamp_ms ==
        1000);
}

TEST_CASE("a line that is no record is refused") {
  JsonLineReader reader;
  for (const char* text :
       {"", "x", "[]", "1", "{}", R"({"value":"v")", R"({"value":"v"} x)", R"({"value":1})",
        R"({"value_base64":"?"})", R"({"value":"v","key":{}})",
        R"({"value":"v","timestamp":"today"})", R"({"value":"v","headers":{}})",
        R"({"value":"v","headers":[{"key":"a"}]})", R"({"value":"v","headers":[{"value":"a"}]})",
        R"({"value":"v","headers":[{"key":null,"value":"a"}]})", "{\"value\":\"\xff\"}"}) {
    PaddedLine line(text);
    CHECK_MESSAGE(!reader.read_record(line.view()), text);
  }
}

TEST_CASE("key and timestamp are taken from the fields of a line") {
  CHECK(fields(R"({"k":"a","t":1000})", "k", "t") == "a@1000");
  CHECK(fields(R"({"k":"a","t":"1970-01-01T00:00:02Z"})", nullptr, "t") == "null@2000");
  CHECK(fields(R"({"k":"\u0041"})", "k", nullptr) == "A@");
  CHECK(fields(R"({"k":17})", "k", nullptr) == "17@");
  CHECK(fields(R"({"k":{"a":[1,true]}})", "k", nullptr) == R"({"a":[1,true]}@)");
  CHECK(fields(R"({"k":null})", "k", nullptr) == "null@");
}

TEST_CASE("a line without the field that is asked for is refused") {
  CHECK(fields(R"({"a":1})", "k", nullptr) == "field 'k' is missing");
  CHECK(fields(R"({"a":1})", nullptr, "t") == "field 't' is missing");
  CHECK(fields(R"({"t":null})", nullptr, "t").find("neither") != std::string::npos);
  CHECK(fields(R"({"t":"noon"})", nullptr, "t").find("neither") != std::string::npos);
  CHECK(fields("[1]", "k", nullptr) == "not a JSON object");
}

TEST_CASE("base64 is what RFC 4648 says") {
  const std::pair<const char*, const char*> rows[] = {{"", ""},
                                                      {"f", "Zg=="},
                                                      {"fo", "Zm8="},
                                                      {"foo", "Zm9v"},
                                                      {"foob", "Zm9vYg=="},
                                                      {"fooba", "Zm9vYmE="},
                                                      {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : rows) {
    std::string out;
    append_base64(out, as_bytes(plain));
    CHECK(out == encoded);
    Bytes back;
    CHECK(append_from_base64(back, encoded));
    CHECK(as_text(back) == plain);
  }
  Bytes out;
  for (const char* text : {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "Zm 9v", "===="})
    CHECK_MESSAGE(!append_from_base64(out, text), text);
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::tools
