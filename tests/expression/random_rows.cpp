#include "expression/random_rows.h"

#include <limits>
#include <string>
#include <vector>

namespace leat::expression {

using namespace leat::plan;

namespace {

template <class T>
T one_of(Random& random, const std::vector<T>& values) {
  return values[random.below(values.size())];
}

std::int64_t random_integer(Random& random) {
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  if (random.one_in(2)) return random.between(-5, 12);
  if (random.one_in(2)) return static_cast<std::int64_t>(random.next() >> random.below(64));
  return one_of<std::int64_t>(random, {least, least + 1, most, most - 1, 3'037'000'500, 1'000'001,
                                       999'999, -1'000'000, 4'294'967'296});
}

double random_real(Random& random) {
  if (random.one_in(3)) return static_cast<double>(random.between(-40, 40)) / 4;
  if (random.one_in(3)) return static_cast<double>(random.between(-1'000'000, 1'000'000)) * 1.1e5;
  return one_of<double>(
      random,
      {0,      0.1,     0.5,     1.5,  -2.5, 1e-5,   1e14,     1e15,  123456789012345678.0,
       9.3e18, 0x1p63,  -0x1p63, 1e10, 1e22, 1e-300, 4.9e-324, 1e300, -1.7976931348623157e308,
       1e12,   1234.565});
}

Decimal random_decimal(Random& random, const Type& type) {
  Int128 end = power_of_ten(type.precision);
  auto high = static_cast<Int128>(random.next()) << 62;
  Int128 units = (high ^ static_cast<Int128>(random.next())) % end;
  switch (random.below(5)) {
    case 0: units = random.between(-99, 99) % end; break;
    case 1: units = end - 1; break;
    case 2: units %= power_of_ten(static_cast<int>(random.below(type.precision + 1u))); break;
    case 3: units = units / 1000 * 1000; break;
    default: break;
  }
  return {random.one_in(2) ? units : -units, type.scale};
}

const std::vector<std::string> words{"",       "a",      "abc",  "ABC", "a%",     "a_c",  "\\a",
                                     "a\\",    "%b%",    "_",    "%",   "%_c",    "a%c%", "Käse",
                                     "käse",   "日本語", "日本", "😀x",  "  a b ", "aaa",  "aa",
                                     "a,b,,c", ",",      "b_c",  "\\1", "\\9",    "<\\0>"};
const std::vector<std::string> numbers{"12",
                                       "-3",
                                       " 42 ",
                                       "+7",
                                       "+-1",
                                       "9223372036854775807",
                                       "9223372036854775808",
                                       "1.5e3",
                                       ".5",
                                       "-5.",
                                       "1e",
                                       "1e+-2",
                                       "12.345",
                                       "0.5",
                                       "1e400",
                                       "1e-400",
                                       "NaN",
                                       "inf",
                                       "-0.0",
                                       "15e-1",
                                       "99999999999999999999999999999999999999",
                                       "0.00000000000000000000000000000000000005",
                                       "1e39"};
const std::vector<std::string> truths{"t", "TRUE",    "yes",    "of", "o",
                                      "0", "\\xDEad", "\\xabc", "\\x"};
const std::vector<std::string> times{"2024-02-29",
                                     "2023-02-29",
                                     "0000-01-01",
                                     "2024-02-29 12:30:00+02",
                                     "2024-02-29T12:30:00.123Z",
                                     "9999-12-31T23:59:59.999Z",
                                     "2024-02-29T12:30:00.5-03:30",
                                     "2024-02-29 12:30:60",
                                     "1 day 12 hours 59 min 10 sec",
                                     "1 year 2 months -3 days 04:05:06.7",
                                     "1.5 hours",
                                     "2 weeks",
                                     "-01:02:03",
                                     "3 mons 4secs",
                                     "1.5 days",
                                     "1:60",
                                     "10:59:60",
                                     "soon",
                                     "1234567890123 s",
                                     "0.0005 seconds",
                                     "+1:00 2 yrs"};
const std::vector<std::string> json{R"({"a":[1]})",
                                    R"({"a": "x\u00e4\n\ud83d\ude00", "b":{"c":null}})",
                                    R"([1, {"b" : 2.50}])",
                                    R"({"a":{"b":1},"a":{"c":[true,false]}})",
                                    R"({"\u0061":7,"z":{"y":1,"b":"q\"","b":[]}})",
                                    R"({"a":)",
                                    R"({"a":01})",
                                    R"("only")",
                                    R"({"a":"\ud800"})",
                                    "[[[]]",
                                    "{\"a\":\"\t\"}"};

std::string random_text(Random& random) {
  static const std::vector<const std::vector<std::string>*> kinds{&words,  &words, &numbers,
                                                                  &truths, &times, &json};
  auto hard_text = [&] { return one_of(random, *one_of(random, kinds)); };
  std::string text = hard_text();
  if (!random.one_in(3)) return text;
  std::string other = hard_text();  // an accident, at a character's begin
  std::size_t at = random.below(text.size() + 1);
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) ++at;
  return random.one_in(2) ? text.substr(0, at) : text.insert(at, other);
}

Interval random_interval(Random& random) {
  constexpr std::int64_t day_ms = 86'400'000;
  Interval interval{random.between(-14, 26), random.between(-40, 40), 0};
  if (random.one_in(2)) interval.ms = random.between(-2 * day_ms, 2 * day_ms);
  if (random.one_in(4)) interval = {0, 0, random.between(-3, 3) * 60'000};
  if (random.one_in(8)) interval.months = random_integer(random);
  if (random.one_in(8)) interval.days = random_integer(random);
  if (random.one_in(8)) interval.ms = random_integer(random);
  return interval;
}

}  // namespace

Schema all_types() {
  Schema schema{{"truth", {Type::boolean}},
                {"other_truth", {Type::boolean}},
                {"whole", {Type::bigint}},
                {"other_whole", {Type::bigint}},
                {"real", {Type::double_precision}},
                {"other_real", {Type::double_precision}},
                {"text", {}},
                {"other_text", {}},
                {"bytes", {Type::bytes}},
                {"other_bytes", {Type::bytes}},
                {"time", {Type::timestamp}},
                {"other_time", {Type::timestamp}},
                {"date", {Type::date}},
                {"other_date", {Type::date}},
                {"span", {Type::interval}},
                {"other_span", {Type::interval}},
                {"money", decimal(8, 2)},
                {"other_money", decimal(8, 2)},
                {"huge", decimal(38, 0)},
                {"tiny", decimal(38, 38)},
                {"both", decimal(38, 10)},
                {"digit", decimal(1, 0)},
                {"small", decimal(18, 6)},
                {"texts", array_of({})},
                {"other_texts", array_of({})},
                {"wholes", array_of({Type::bigint})},
                {"moneys", array_of(decimal(8, 2))}};
  return schema;
}

Value random_value(Random& random, const Type& type) {
  if (type.array) {
    Array array;
    for (auto count = random.below(4); count > 0; --count) {
      array.items.push_back(random.one_in(5) ? Value() : random_value(random, element_of(type)));
    }
    return array;
  }
  switch (type.kind) {
    case Type::boolean: return random.one_in(2);
    case Type::bigint: return random_integer(random);
    case Type::double_precision: return random_real(random);
    case Type::decimal: return random_decimal(random, type);
    case Type::text: return random_text(random);
    case Type::bytes: return one_of<std::string>(random, {"", "\x01\xff", "abc", "abd", "\xc3"});
    case Type::timestamp:
      if (random.one_in(2)) return Timestamp{random.between(-400, 20'000) * 40'000'003};
      if (random.one_in(4)) return random.one_in(2) ? column::timestamp_min : column::timestamp_max;
      return Timestamp{random.between(column::timestamp_min.ms, column::timestamp_max.ms)};
    case Type::date:
      if (random.one_in(8)) return random.one_in(2) ? date_min : date_max;
      return Date{random.between(date_min.days, date_max.days)};
    case Type::interval: break;
  }
  return random_interval(random);
}

interpreter::Values random_row(Random& random, const Schema& schema) {
  interpreter::Values values;
  for (const auto& field : schema) {
    values.push_back(random.one_in(6) ? Value() : random_value(random, field.type));
  }
  return values;
}

}  // namespace leat::expression
