// Lines of CSV, beside the judge.
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/random.h"
#include "column/csv_decoder.h"
#include "column/judged_decoding.h"

TEST_SUITE_BEGIN("column");

using namespace leat;
using namespace leat::column;

namespace {

/// Columns c0, c1, ... of these types.
plan::Source source_of(const std::vector<Type>& types) {
  plan::Source source;
  source.format = plan::Source::Format::csv;
  for (const auto& type : types) {
    source.columns.push_back({fmt::format("c{}", source.columns.size()), type, {}, {}, {}});
  }
  return source;
}

CsvDecoder decoder_of(const plan::Source& source) {
  std::vector<CsvField> fields;
  for (const auto& column : source.columns) {
    fields.push_back({column.type, fields.size(), column.name, fields.size(), column.name});
  }
  return {fields, fields.size()};
}

/// The row as texts, or the reason; and the judge says so too.
std::string decoded(const std::vector<Type>& types, const std::string& line,
                    const std::string* header = nullptr) {
  auto source = source_of(types);
  auto decoder = decoder_of(source);
  auto columns = columns_of(source);
  if (header != nullptr) decoder.read_names(*header);
  auto found = decode_into(decoder, columns, line, 0);
  CHECK((found == judge_decoding(source, line, header)));
  if (!found.reason.empty()) return "! " + found.reason;
  std::string row;
  for (const auto& value : found.row) {
    const auto* text = std::get_if<std::string>(&value);
    row += (row.empty() ? "" : "|") + (text != nullptr ? *text : value.is_null() ? "NULL" : "?");
  }
  return row;
}

const std::vector<Type> two{Type::text, Type::text};

}  // namespace

TEST_CASE("fields lie between commas, and in quotes may be anything") {
  CHECK(decoded(two, "a,b") == "a|b");
  CHECK(decoded(two, R"("x, ""y""",b)") == "x, \"y\"|b");
  CHECK(decoded(two, "\"two\nlines\",b") == "two\nlines|b");
  CHECK(decoded(two, R"("""",)") == "\"|NULL");
  CHECK(decoded(two, " a , b ") == " a | b ");
}

TEST_CASE("an empty field is NULL, in quotes an empty text") {
  CHECK(decoded(two, ",\"\"") == "NULL|");
  CHECK(decoded({Type::text}, "") == "NULL");
}

TEST_CASE("a line that is no CSV, or has other fields than wanted, is no row") {
  CHECK(decoded(two, "a") == "! 1 fields, where 2 are wanted");
  CHECK(decoded(two, "a,b,c") == "! 3 fields, where 2 are wanted");
  CHECK(decoded(two, "a\"b,c") == "! a quote within a field");
  CHECK(decoded(two, "\"a\"b,c") == "! a quote within a field");
  CHECK(decoded(two, "a,\"b") == "! a quoted field does not end");
  CHECK(decoded(two, "a,\"b\"\"") == "! a quoted field does not end");
  CHECK(decoded(two, "a,\xff") == "! not UTF-8");
}

TEST_CASE("what is no value of its column is told with the column") {
  std::vector<Type> types{Type::text, Type::bigint};
  CHECK(decoded(types, "1,abc") == "! c1: invalid input syntax for bigint: \"abc\"");
  std::string names = "c1,c0";
  CHECK(decoded(types, "abc,1", &names) == "! c1: invalid input syntax for bigint: \"abc\"");
}

TEST_CASE("a line of names says where fields are") {
  std::string names = R"(c1,"other",c0,c1)";
  CHECK(decoded(two, "a,b,c,d", &names) == "c|a");
  CHECK(decoded(two, "a,b", &names) == "! 2 fields, where 4 are wanted");
  std::string fewer = "c1";
  CHECK(decoded(two, "a", &fewer) == "NULL|a");
  std::string bad = "c0,\"c1";
  CHECK(decoded(two, "a,b", &bad) == "! a quoted field does not end");
}

TEST_CASE("texts of all types are read as the judge casts them") {
  const std::vector<std::string> words{"42",
                                       " +42 ",
                                       "+-4",
                                       "-0",
                                       "4.2",
                                       "1e3",
                                       "1e+3",
                                       "1e+-3",
                                       "1e",
                                       ".5",
                                       "5.",
                                       ".",
                                       "1e400",
                                       "1e-400",
                                       "NaN",
                                       "inf",
                                       "0x10",
                                       "9223372036854775807",
                                       "9223372036854775808",
                                       "99999.995",
                                       "99999.994",
                                       "-12345.675",
                                       "0e2000",
                                       "00000000000000000000001",
                                       "t",
                                       "TRUE",
                                       " yes",
                                       "of",
                                       "o",
                                       "2024-02-29",
                                       " 2024-02-29T12:00:00Z",
                                       "2024-02-29 12:00:00+02",
                                       "2024-02-29 12:00:00.1234-01",
                                       "2023-02-29",
                                       "12:00",
                                       "1 000",
                                       "1,0",
                                       "\"1\"",
                                       "\"a \"\"b\"\"\"",
                                       "é",
                                       ""};
  for (const auto& type :
       {Type(Type::boolean), Type(Type::bigint), Type(Type::double_precision), decimal(7, 2),
        decimal(38, 0), decimal(1, 1), Type(Type::text), Type(Type::timestamp), Type(Type::date)}) {
    for (const auto& word : words) {
      CAPTURE(word);
      decoded({type}, word);
    }
  }
}

TEST_CASE("random lines are what the judge makes of them") {
  Random random(7);
  auto source = source_of({Type::text, Type::bigint, decimal(9, 3), Type::text});
  auto decoder = decoder_of(source);
  auto columns = columns_of(source);
  int rows = 0;
  for (int round = 0; round < 30'000; ++round) {
    std::string line;
    const char* parts[] = {"a", "\"a\"", "\"a\"\"b\"", "17", " 1.5", ",", "", "é", "\"", "-2"};
    for (int i = 0; i < 4; ++i) {
      if (i > 0) line += ',';
      line += parts[random.below(random.one_in(10) ? 10 : 4)];
    }
    CAPTURE(line);
    auto judged = judge_decoding(source, line);
    if (judged.reason.empty()) ++rows;
    CHECK((decode_into(decoder, columns, line, 0) == judged));
  }
  CHECK(rows > 1000);
}

TEST_SUITE_END();
