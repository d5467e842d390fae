#include <cmath>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "base/random.h"
#include "column/json_decoder.h"
#include "column/json_encoder.h"
#include "interpreter/records.h"

TEST_SUITE_BEGIN("column");

using namespace leat;
using namespace leat::column;

namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string number(double value) {
  std::string out;
  append_json_number(out, value);
  return out;
}

}  // namespace

TEST_CASE("texts are escaped as JSON asks for and no more") {
  using namespace std::string_view_literals;
  CHECK(quoted("") == R"("")");
  CHECK(quoted("a/é😀") == R"("a/é😀")");
  CHECK(quoted("\"\\\b\f\n\r\t"sv) == R"("\"\\\b\f\n\r\t")");
  CHECK(quoted("a\0b\x1f\x7f"sv) == "\"a\\u0000b\\u001f\x7f\"");
}

TEST_CASE("doubles are written as short as they can be read back") {
  CHECK(number(0.1) == "0.1");
  CHECK(number(3) == "3");
  CHECK(number(-0.0) == "-0");
  CHECK(number(1e300) == "1e+300");
  CHECK(number(5e-324) == "5e-324");
}

TEST_CASE("cells of all types are written as the judge writes values") {
  Random random(9);
  auto any = [&](int shift) { return static_cast<std::int64_t>(random.next()) >> shift; };
  for (int round = 0; round < 3000; ++round) {
    auto number = [&] { return random.one_in(4) ? 0 : any(static_cast<int>(random.below(60))); };
    Interval interval{number(), number(), number()};
    auto units =
        static_cast<Int128>(any(16)) * static_cast<Int128>(any(static_cast<int>(random.below(64))));
    int scale = static_cast<int>(random.below(39));
    Date date{static_cast<std::int64_t>(random.below(3'600'000)) + date_min.days};
    std::string bytes;
    for (auto n = random.below(5); n > 0; --n) bytes += static_cast<char>(random.below(256));
    const std::vector<std::pair<Type, Value>> cells{
        {Type::interval, interval},
        {decimal(38, scale), Decimal{units, scale}},
        {Type::date, date},
        {Type::bytes, bytes},
        {Type::bigint, number()},
        {Type::boolean, random.one_in(2)},
        {Type::timestamp, Timestamp{date.days * 86'400'000 + any(38)}},
        {array_of(Type::bytes), Array{{bytes, {}, bytes}}},
        {array_of(Type::text), Array{{std::string("\"x\""), {}}}},
        {Type::text, Value()}};
    for (const auto& [type, value] : cells) {
      Vector vector(type);
      vector.resize(1);
      vector.set_value(0, value);
      std::string json;
      append_json(json, vector, 0);
      CHECK(json == interpreter::json_text(value, type));
    }
  }
}

TEST_CASE("strings of any length and bytes are escaped where they have to be") {
  Random random(10);
  for (int round = 0; round < 5000; ++round) {
    std::string text, plain;
    for (auto n = random.below(40); n > 0; --n) {
      constexpr std::string_view some = "ab !#[]~ \x7f\xc3\xa9";
      text += random.one_in(8) ? static_cast<char>(random.below(128))
                               : some[random.below(some.size() - 2)];
    }
    for (char c : text) {
      std::string one;
      append_json_string(one, std::string_view(&c, 1));
      plain += one.substr(1, one.size() - 2);
    }
    CHECK(quoted(text) == "\"" + plain + "\"");
  }
}

TEST_CASE("what is written is decoded again to the same cells") {
  Random random(5);
  JsonDecoder decoder(
      std::vector<Field>{{"d", Type::double_precision}, {"t", Type::text}, {"i", Type::bigint}});
  std::vector<Vector> columns;
  for (Type type : {Type::double_precision, Type::text, Type::bigint}) {
    columns.emplace_back(type).resize(1);
  }
  for (int round = 0; round < 5000; ++round) {
    double real = std::bit_cast<double>(random.next());
    if (!std::isfinite(real)) real = std::numeric_limits<double>::max();
    auto integer = static_cast<std::int64_t>(random.next());
    std::string text;
    for (auto n = random.below(20); n > 0; --n) text += static_cast<char>(random.below(128));
    std::string json = "{\"d\":" + number(real) + ",\"t\":" + quoted(text) +
                       ",\"i\":" + std::to_string(integer) + "}";
    std::size_t size = json.size();
    json.append(json_padding_bytes, ' ');
    CAPTURE(json);
    REQUIRE(decoder.decode({json.data(), size}, columns, 0));
    CHECK(columns[0].real(0) == real);
    CHECK(columns[1].text(0) == text);
    CHECK(columns[2].integer(0) == integer);
  }
}

TEST_SUITE_END();
