#include "interpreter/random_expression.h"

#include <map>

#include "interpreter/one_of.h"
#include "plan/literal_words.h"

namespace leat::interpreter {

using namespace leat::plan;

namespace {

Value random_value(Random& random, const Type& type) {
  constexpr std::int64_t day_ms = 86'400'000;
  switch (type.kind) {
    case Type::Kind::boolean: return random.one_in(2);
    case Type::Kind::bigint:
      return one_of<std::int64_t>(random,
                                  {0, 1, 2, -3, 10, 1'000'000'007, -(std::int64_t{1} << 62)});
    case Type::Kind::double_precision:
      return one_of<double>(random, {0, 0.1, -2.5, 1e10, 1e-300, 1e300});
    case Type::Kind::decimal: return Decimal{random.between(-999, 999), type.scale};
    case Type::Kind::text:
      return one_of<std::string>(random,
                                 {"", "a", "abc", "a%", "Käse", "12", "{\"a\":[1]}", "b_c"});
    case Type::Kind::bytes: return one_of<std::string>(random, {"", "\x01\xff", "abc"});
    case Type::Kind::timestamp: return Timestamp{random.between(-400, 20'000) * 40'000'003};
    case Type::Kind::date: return Date{random.between(-1000, 30'000)};
    case Type::Kind::interval: break;
  }
  return Interval{random.between(-2, 14), random.between(-40, 40),
                  random.between(-1, 1) * day_ms / 7};
}

const std::map<std::string_view, std::vector<std::string>>& literal_texts() {
  static const std::map<std::string_view, std::vector<std::string>> texts{
      {"span", {"second", "minute", "hour", "day", "week", "month", "quarter", "year", "century"}},
      {"unit", {"year", "quarter", "month", "week", "day", "hour", "dow", "doy", "isoyear"}},
      {"interval_unit", {"year", "month", "day", "hour", "minute"}},
      {"part", {"second", "milliseconds", "epoch"}},
      {"regex", {"a", "[a-c]+", "(b|c).?", "^x", "\\d+"}},
      {"path", {"$.a", "$.a[0]", "$"}},
      {"template",
       {"YYYY-MM-DD HH24:MI:SS.MS", "Day DD Mon IYYY-IW-ID", "HH12 AM \"o'clock\"",
        "FMDay FMDD.FMMM.FMYYYY FMHH24:FMMI:FMSS.FMMS FMUS", "FMMonth FMDDD FMIDDD FMIW FMIYYY"}},
      {"number_template",
       {"9", "999", "FM999999", "9,999,999.99", "FM9G999G990D0999", "S0999.9", "99999S", "FM9.99S",
        "MI999.9", "999999999999999999999.99PL", "FMPLMI09.9", "SG99 \"€\"", "$999-0999",
        "FM$0.999999999", "990.999999999999999999"}},
      {"number_reading",
       {"9", "99999", "9,999,999.99", "S999.999", "999MI", "$99,990.00", "99.9 \"o'clock\"",
        "99999999999999999999999999999999999999", "9G999D9PL"}},
      {"reading",
       {"YYYY-MM-DD HH24:MI:SS.MS", "DD/Mon/YYYY:HH12:MI AM", "YYMMDD", "DDD YYYY",
        "FMDD/FMMM/FMYYYY FMHH24", "FMYYMMDD", "YYYYMMDDHH24MISSUS", "Day Month YY\"at\"SSSS",
        "Q"}},
      {"encoding", {"hex", "base64"}},
      {"charset", {"UTF8", "utf8"}},
      {"flags", {"", "g", "i", "gi"}}};
  return texts;
}

std::vector<std::string> split_words(std::string text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    auto end = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, end));
    text.erase(0, end + 1);
  }
  return words;
}

}  // namespace

Type ExpressionMaker::any_type() {
  const std::vector<Type> types{
      {Type::Kind::boolean}, {Type::Kind::bigint},  {Type::Kind::double_precision},
      decimal(8, 2),         {Type::Kind::text},    {Type::Kind::timestamp},
      {Type::Kind::date},    {Type::Kind::interval}};
  return one_of(random_, types);
}

Expression ExpressionMaker::leaf(const Type& type) {
  std::vector<std::string> columns;
  for (const auto& field : schema_) {
    if (field.type == type) columns.push_back(field.name);
  }
  if (!columns.empty() && !random_.one_in(4)) return col(one_of(random_, columns));
  if (type.array || random_.one_in(10)) return literal(type, {});
  Expression made = literal(type, random_value(random_, type));
  return type.kind == Type::Kind::decimal ? cast(made, type) : made;
}

Expression ExpressionMaker::any(bool comparable) {
  const auto& field = schema_[random_.below(schema_.size())];
  if (comparable && field.type.array) return leaf(any_type());
  return random_.one_in(5) ? leaf(field.type) : col(field.name);
}

Expression ExpressionMaker::for_word(std::string_view word, const Type& common, int depth) {
  if (auto texts = literal_texts().find(word); texts != literal_texts().end()) {
    return literal({}, one_of(random_, texts->second));
  }
  if (word == "digits") return literal({Type::Kind::bigint}, random_.between(-6, 8));
  if (word == "any" || word == "ordered") return of_type(common, depth);
  if (word == "item") return of_type({Type::Kind::text}, depth);
  if (word == "array") return leaf(array_of({Type::Kind::text}));
  if (word == "decimal") return of_type(decimal(8, 2), depth);
  return of_type(*parse_type(word), depth);
}

std::vector<Expression> ExpressionMaker::arguments_for(const Signature& row, int depth) {
  Type common = any_type();
  std::vector<Expression> arguments;
  auto add = [&](std::string_view word) { arguments.push_back(for_word(word, common, depth)); };
  for (std::string word : split_words(std::string(row.arguments))) {
    char last = word.back();
    if (last == '?' || last == '*') word.pop_back();
    if (word == "when") {
      for (auto pairs = random_.between(1, 2); pairs > 0; --pairs) add("boolean"), add("any");
      if (random_.one_in(2)) add("any");
    } else if (last == '*') {
      for (auto more = random_.below(3); more > 0; --more) add(word);
    } else if (last != '?' || random_.one_in(2)) {
      add(word);
    } else {
      break;
    }
  }
  return arguments;
}

Expression ExpressionMaker::of_type(const Type& type, int depth) {
  constexpr int tries = 12;
  auto table = functions();
  for (int i = 0; i < tries && depth > 0 && !random_.one_in(3); ++i) {
    const auto& row = table[random_.below(table.size())];
    bool may_be_list = type.array && row.result == "list";
    if (row.result != "any" && row.result != "first" && row.result != name(type) && !may_be_list &&
        type.kind != Type::Kind::decimal) {
      continue;
    }
    Expression made = call(std::string(row.name), arguments_for(row, depth - 1));
    auto bound = bind_expression(made, schema_);
    if (!bound) continue;
    if (bound->type == type) return made;
    if (can_cast(bound->type, type)) return cast(made, type);
  }
  return leaf(type);
}

}  // namespace leat::interpreter
