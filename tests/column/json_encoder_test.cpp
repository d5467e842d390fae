#include <cmath>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "base/random.h"
#include "column/json_decoder.h"
#include "column/json_encoder.h"

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

TEST_CASE("what is written is decoded again to the same cells") {
  Random random(5);
  JsonDecoder decoder({{"d", Type::double_precision}, {"t", Type::text}, {"i", Type::bigint}});
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
