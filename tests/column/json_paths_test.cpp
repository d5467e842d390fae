// Fields with paths, and all types that JSON has values for, beside the judge.
#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/random.h"
#include "column/judged_decoding.h"
#include "column/json_decoder.h"
#include "plan/json_path.h"

TEST_SUITE_BEGIN("column");

using namespace leat;
using namespace leat::column;

namespace {

template <class T>
const T& one_of(Random& random, const std::vector<T>& of) {
  return of[random.below(of.size())];
}

/// Objects of a few names that nest.
class RandomJson {
 public:
  explicit RandomJson(Random& random)
      : random_(random),
        blank_(random.one_in(4)   ? " "
               : random.one_in(8) ? "\n\t"
                                  : "") {}

  std::string object(int depth) {
    std::string json = "{" + blank_;
    std::uint64_t members = random_.below(6);
    for (std::uint64_t i = 0; i < members; ++i) {
      if (i > 0) json += "," + blank_;
      json += name() + ":" + blank_ + value(depth) + blank_;
    }
    return json + "}";
  }

 private:
  std::string name() {
    return one_of<std::string>(random_, {R"("a")", R"("b")", R"("c")", R"("user")", R"("tags")",
                                         R"("\u0061")", R"("né")", R"("a name that is longer")"});
  }
  std::string value(int depth) {
    if (depth > 0 && random_.one_in(3)) return object(depth - 1);
    if (depth > 0 && random_.one_in(4)) return array(depth - 1);
    return scalar();
  }
  std::string array(int depth) {
    std::string json = "[" + blank_;
    std::uint64_t items = random_.below(4);
    bool alike = random_.one_in(2);
    std::string first = value(depth);
    for (std::uint64_t i = 0; i < items; ++i) {
      json += (i == 0 ? "" : ",") + blank_ + (alike ? first : value(depth)) + blank_;
    }
    return json + "]";
  }
  std::string scalar() {
    switch (random_.below(9)) {
      case 0: return "null";
      case 1: return random_.one_in(2) ? "true" : "false";
      case 2: return std::to_string(static_cast<std::int64_t>(random_.next()) >> random_.below(64));
      case 3: return fmt::format("{}.{}", random_.below(100), random_.below(1'000'000));
      case 4: return fmt::format("-{}e{}", random_.below(1000), random_.between(-30, 30));
      case 5: return fmt::format("\"{}\"", random_.below(1000));
      case 6: return R"("2024-02-29T12:00:0)" + std::to_string(random_.below(10)) + R"(.120Z")";
      case 7: return one_of<std::string>(random_, {R"("2024-02-29")", R"("2023-02-29")", "-0.0"});
      default:
        return one_of<std::string>(
            random_, {R"("")", R"("caf\u00e9 \ud83d\ude00")", R"("über \"x\" \\")", R"("\n,]}")",
                      R"("\ud800")", "1e400", "99999999999999999999", "0.005", "12345678.905"});
    }
  }

  Random& random_;
  std::string blank_;
};

plan::Source random_source(Random& random) {
  plan::Source source;
  std::uint64_t columns = 1 + random.below(5);
  for (std::uint64_t i = 0; i < columns; ++i) {
    plan::SourceColumn column;
    column.name = fmt::format("c{}", i);
    column.path = "$";
    for (std::uint64_t steps = 1 + random.below(3); steps > 0; --steps) {
      column.path += one_of<std::string>(random, {".a", ".b", ".c", ".user", ".tags", "[0]", "[1]",
                                                  ".né", ".\"a name that is longer\"", ".a", ".b"});
    }
    // Texts fit oftenest.
    column.type = one_of<Type>(random, {Type::text, Type::text, Type::text, Type::bigint,
                                        Type::double_precision, Type::boolean, Type::timestamp,
                                        Type::date, decimal(10, 2), decimal(38, 0), decimal(3, 3)});
    if (random.one_in(4)) column.type = array_of(column.type);
    source.columns.push_back(column);
  }
  return source;
}

JsonDecoder decoder_of(const plan::Source& source) {
  std::vector<JsonField> fields;
  for (const auto& column : source.columns) {
    fields.push_back(
        {column.name, column.type, *plan::parse_json_path(column.path), fields.size()});
  }
  return JsonDecoder(std::move(fields));
}

bool is_no_json(const Decoded& decoded) {
  return decoded.reason.starts_with("not JSON: ");
}

/// Both say the same; but what the judge finds wrong where nobody looks may pass.
void compare(const Decoded& judged, const Decoded& decoded) {
  if (is_no_json(judged)) return;
  CHECK(judged.reason == decoded.reason);
  CHECK((judged.row == decoded.row));
}

void damage(std::string& json, Random& random) {
  const char bytes[] = "\"\\,:{}[] 019-+.eutn\n\x01\x80\xc3\xff";
  std::size_t at = random.below(json.size());
  switch (random.below(3)) {
    case 0: json[at] = bytes[random.below(sizeof bytes - 1)]; break;
    case 1: json.insert(at, 1, bytes[random.below(sizeof bytes - 1)]); break;
    default: json.erase(at, 1 + random.below(4)); break;
  }
}

/// Another value in the place of some of the digits.
void vary(std::string& json, Random& random) {
  for (char& c : json) {
    if (c >= '1' && c <= '9' && random.one_in(3)) c = static_cast<char>('1' + random.below(9));
  }
}

Decoded decode_one(const std::string& type, const std::string& path, const std::string& json) {
  plan::Source source;
  source.columns.push_back({"c", *parse_type(type), {}, path, {}});
  auto columns = columns_of(source);
  auto decoder = decoder_of(source);
  auto decoded = decode_into(decoder, columns, json, json_padding_bytes);
  compare(judge_decoding(source, json), decoded);
  return decoded;
}

}  // namespace

TEST_CASE("a path leads through objects and arrays to its value") {
  const std::string json = R"({"user":{"tags":["x",{"id":7}],"a b":2},"n":[[1,2],[3]]})";
  CHECK((decode_one("text", "$.user.tags[0]", json).row == std::vector<Value>{std::string("x")}));
  CHECK((decode_one("bigint", "$.user.tags[1].id", json).row == std::vector<Value>{7}));
  CHECK((decode_one("bigint", "$.user.\"a b\"", json).row == std::vector<Value>{2}));
  CHECK((decode_one("bigint", "$.n[1][0]", json).row == std::vector<Value>{3}));
  for (const char* nowhere : {"$.user.tags[2]", "$.user[0]", "$.n.user", "$.user.tags[0].x"}) {
    CHECK((decode_one("text", nowhere, json).row == std::vector<Value>{Value()}));
  }
  CHECK(decode_one("text", "$.user", json).reason == "c is no text");
  CHECK(decode_one("text", "$", json).reason == "c is no text");
}

TEST_CASE("decimals keep the digits of their number") {
  auto text = [](const std::string& type, const std::string& number) {
    auto decoded = decode_one(type, "$.d", "{\"d\":" + number + "}");
    if (!decoded.reason.empty()) return decoded.reason;
    return decimal_text(std::get<Decimal>(decoded.row[0]));
  };
  CHECK(text("decimal(38,0)", "99999999999999999999999999999999999999") ==
        "99999999999999999999999999999999999999");
  CHECK(text("decimal(38,37)", "-9.9999999999999999999999999999999999999") ==
        "-9.9999999999999999999999999999999999999");
  CHECK(text("decimal(4,2)", "0.005") == "0.01");
  CHECK(text("decimal(4,2)", "-0.005") == "-0.01");
  CHECK(text("decimal(4,2)", "0.00499999") == "0.00");
  CHECK(text("decimal(4,2)", "99.995") == "out of range of decimal(4,2)");
  CHECK(text("decimal(4,2)", "1e1") == "10.00");
  CHECK(text("decimal(4,2)", "123e-3") == "0.12");
  CHECK(text("decimal(4,2)", "0e999") == "0.00");
  CHECK(text("decimal(4,2)", "1e1001") == "invalid input syntax for decimal(4,2): \"1e1001\"");
  CHECK(text("decimal(4,2)", "\"1\"") ==
        "c is no decimal(4,2): it is a text; send it as a number, or declare the column as text "
        "and cast it");
  CHECK(text("decimal(4,2)", "\"one\"") == "c is no decimal(4,2)");
}

TEST_CASE("an array has values of one type, and nulls") {
  auto tags = decode_one("text[]", "$.t", R"({"t":["a",null,"b\n"]})");
  CHECK((tags.row == std::vector<Value>{Array{{std::string("a"), {}, std::string("b\n")}}}));
  CHECK((decode_one("bigint[]", "$.t", R"({"t":[ ]})").row == std::vector<Value>{Array{}}));
  CHECK(decode_one("text[]", "$.t", R"({"t":["a",1]})").reason == "c is no text");
  CHECK(decode_one("text[]", "$.t", R"({"t":"a"})").reason == "c is no text[]");
  CHECK(decode_one("bigint[]", "$.t", R"({"t":[[1]]})").reason == "c is no bigint");
  CHECK(decode_one("bigint[]", "$.t", R"({"t":[1,"2"]})").reason ==
        "c is no bigint: it is a text; send it as a number, or declare the column as text and "
        "cast it");
}

TEST_CASE("paths into random objects give what the judge finds there") {
  Random random(11);
  int rows = 0, bad = 0;
  for (int round = 0; round < 1500; ++round) {
    auto source = random_source(random);
    auto decoder = decoder_of(source);
    auto columns = columns_of(source);
    for (int shape = 0; shape < 3; ++shape) {
      std::string like = RandomJson(random).object(3);
      for (int i = 0; i < 6; ++i) {
        std::string json = like;
        vary(json, random);
        if (random.one_in(8)) damage(json, random);
        CAPTURE(json);
        for (const auto& column : source.columns) CAPTURE(column.path);
        auto judged = judge_decoding(source, json);
        compare(judged, decode_into(decoder, columns, json, json_padding_bytes));
        (judged.reason.empty() ? rows : bad) += 1;
      }
    }
  }
  CHECK(rows > 5000);
  CHECK(bad > 500);
}

TEST_CASE("what came before does not change what a path gives") {
  Random random(12);
  for (int round = 0; round < 1500; ++round) {
    auto source = random_source(random);
    auto decoder = decoder_of(source);
    auto columns = columns_of(source);
    std::string like = RandomJson(random).object(3);
    for (int i = 0; i < 8; ++i) {
      std::string json = random.one_in(6) ? RandomJson(random).object(3) : like;
      vary(json, random);
      if (random.one_in(3)) damage(json, random);
      CAPTURE(json);
      auto first = decoder_of(source);
      auto others = columns_of(source);
      auto alone = decode_into(first, others, json, json_padding_bytes);
      CHECK((decode_into(decoder, columns, json, json_padding_bytes) == alone));
    }
  }
}

TEST_SUITE_END();
