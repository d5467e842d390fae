#include "plan/functions.h"

#include <algorithm>

#include <fmt/format.h>

#include "plan/literal_words.h"
#include "plan/number_template.h"
#include "plan/text_place.h"

namespace leat::plan {

namespace {

using Kind = Type::Kind;

struct Casts {
  Kind from;
  std::vector<Kind> to;
};

const std::vector<Casts>& cast_table() {
  static const std::vector<Casts> table{
      {Kind::boolean, {Kind::text, Kind::bigint}},
      {Kind::bigint, {Kind::text, Kind::boolean, Kind::decimal, Kind::double_precision}},
      {Kind::double_precision, {Kind::text, Kind::bigint, Kind::decimal}},
      {Kind::decimal, {Kind::text, Kind::bigint, Kind::double_precision}},
      {Kind::text,
       {Kind::boolean, Kind::bigint, Kind::double_precision, Kind::decimal, Kind::bytes,
        Kind::timestamp, Kind::date, Kind::interval}},
      {Kind::bytes, {Kind::text}},
      {Kind::timestamp, {Kind::text, Kind::date}},
      {Kind::date, {Kind::text, Kind::timestamp}},
      {Kind::interval, {Kind::text}},
  };
  return table;
}

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    auto end = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

// The words that `count` arguments meet; nothing if they are too few or too many.
std::optional<std::vector<std::string_view>> expand(std::string_view pattern, std::size_t count) {
  std::vector<std::string_view> words;
  if (pattern == "when*") {  // condition and result in turn, and, if the number is odd, the rest
    if (count < 2) return {};
    for (std::size_t i = 0; i < count; ++i) {
      words.push_back(i % 2 == 0 && i + 1 < count ? "boolean" : "any");
    }
    return words;
  }
  for (auto word : split_words(pattern)) {
    char last = word.back();
    if (last == '?' || last == '*') word.remove_suffix(1);
    if (last == '*') {
      while (words.size() < count) words.push_back(word);
    } else if (last != '?' || words.size() < count) {
      words.push_back(word);
    }
  }
  if (words.size() != count) return {};
  return words;
}

// What two types come to where they have to be one.
std::optional<Type> common_type(const Type& a, const Type& b) {
  if (a == b) return a;
  if (a.array || b.array) return {};
  auto either = [&](Kind one, Kind other) {
    return (a.kind == one && b.kind == other) || (a.kind == other && b.kind == one);
  };
  if (either(Kind::date, Kind::timestamp)) return Type{Kind::timestamp};
  if (either(Kind::double_precision, Kind::bigint) ||
      either(Kind::double_precision, Kind::decimal)) {
    return Type{Kind::double_precision};
  }
  constexpr Type whole = decimal(19, 0);
  Type left = a.kind == Kind::bigint ? whole : a, right = b.kind == Kind::bigint ? whole : b;
  if (left.kind != Kind::decimal || right.kind != Kind::decimal) return {};
  int scale = std::max(left.scale, right.scale);
  int digits = std::max(left.precision - left.scale, right.precision - right.scale);
  return decimal(std::min(digits + scale, precision_max), scale);
}

// How far `from` is from `to`, if it gets there by itself.
std::optional<int> distance(const Type& from, std::string_view to) {
  auto is = [&](Kind kind) { return !from.array && from.kind == kind; };
  if (to == "decimal") {
    if (is(Kind::decimal)) return 0;
    if (is(Kind::bigint)) return 1;
    return {};
  }
  auto type = parse_type(to);
  if (!type) return {};
  if (from == *type) return 0;
  if (type->kind == Kind::double_precision && (is(Kind::bigint) || is(Kind::decimal))) return 2;
  if (type->kind == Kind::timestamp && is(Kind::date)) return 1;
  return {};
}

Type target_of(const Type& from, std::string_view word) {
  if (word == "decimal") return from.kind == Kind::bigint ? decimal(19, 0) : from;
  return *parse_type(word);
}

// One row of a table against the operands.
struct Match {
  Resolved resolved;
  int cost = 0;
};

// `judges` says whether a literal word takes an operand.
template <class Judge>
std::optional<Match> match_words(const std::vector<std::string_view>& words,
                                 const std::vector<Operand>& operands, Judge judges) {
  Match match;
  std::optional<Type> common;
  bool unequal = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const Type& type = operands[i].type;
    match.resolved.arguments.push_back(type);
    if (words[i] == "any" || words[i] == "ordered") {
      if (words[i] == "ordered" && type.array) return {};
      auto wider = common ? common_type(*common, type) : type;
      if (!wider) return {};
      unequal = unequal || (common && *common != type);
      common = wider;
    } else if (words[i] == "array") {
      if (!type.array) return {};
    } else if (words[i] == "item") {
      Type item = element_of(match.resolved.arguments[i - 1]);
      auto steps = distance(type, name(item));
      if (!steps) return {};
      match.cost += *steps;
      match.resolved.arguments[i] = item;
    } else if (is_literal_word(words[i])) {
      if (!judges(words[i], operands[i])) return {};
    } else {
      auto steps = distance(type, words[i]);
      if (!steps) return {};
      match.cost += *steps;
      match.resolved.arguments[i] = target_of(type, words[i]);
    }
  }
  if (unequal) ++match.cost;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "any" || words[i] == "ordered") match.resolved.arguments[i] = *common;
  }
  return match;
}

// How many digits a quotient has behind the point: as many as the wider operand, and 16, as
// PostgreSQL has them, or what `whole` digits before it leave of 38, but at least six.
int quotient_scale(int operands, int whole) {
  return std::max({operands, 6, std::min(16, precision_max - whole)});
}

// The digits of a sum, a product and a quotient of decimals. None is rounded but a quotient; what
// does not fit into 38 digits is an overflow.
Type decimal_result(std::string_view operation, const Type& a, const Type& b) {
  int scale = std::max(a.scale, b.scale), whole_a = a.precision - a.scale;
  int whole = std::max(whole_a, b.precision - b.scale) + 1;
  if (operation == "times") {
    scale = a.scale + b.scale;
    whole = a.precision + b.precision - scale;
  } else if (operation == "over") {
    whole = whole_a + b.scale;
    scale = quotient_scale(scale, whole);
  }
  return decimal(std::clamp(whole + scale, 1, precision_max), scale);
}

// The digits of a decimal that keeps `digits` behind the point; none of its own before it is lost,
// and rounding may add one.
Type rounded_type(const Type& from, std::int64_t digits, bool may_grow) {
  int scale = static_cast<int>(std::max<std::int64_t>(digits, 0));
  int whole = from.precision - from.scale + (may_grow && digits < from.scale ? 1 : 0);
  return decimal(std::clamp(whole + scale, 1, precision_max), scale);
}

Result<Type> result_of(std::string_view word, const Resolved& resolved,
                       const std::vector<std::string_view>& words,
                       const std::vector<Operand>& operands) {
  const auto& types = resolved.arguments;
  if (word == "any") {
    auto is_any = [](std::string_view w) { return w == "any" || w == "ordered" || w == "decimal"; };
    auto first = std::find_if(words.begin(), words.end(), is_any) - words.begin();
    if (words[static_cast<std::size_t>(first)] == "decimal")
      return *common_type(types[0], types[1]);
    return types[static_cast<std::size_t>(first)];
  }
  if (word == "first") return types[0];
  if (word == "element") return element_of(types[0]);
  if (word == "list") return array_of(types[0]);
  if (word == "whole") return decimal(std::min(types[0].precision + 1, precision_max), 0);
  if (word == "rounded" || word == "cut") {
    return rounded_type(types[0], std::get<std::int64_t>(*operands[1].literal), word == "rounded");
  }
  if (word == "read") {
    auto read = parse_number_reading(std::get<std::string>(*operands[1].literal));
    return decimal(read->whole_digits + read->fraction_digits, read->fraction_digits);
  }
  if (word == "total") return decimal(precision_max, types[0].scale);
  if (word == "mean") {
    return decimal(precision_max,
                   quotient_scale(types[0].scale, types[0].precision - types[0].scale));
  }
  if (word == "plus" || word == "times" || word == "over") {
    if (word == "times" && types[0].scale + types[1].scale > precision_max) {
      return fail(Errc::plan_error, "the product would have more than 38 digits behind the point");
    }
    return decimal_result(word, types[0], types[1]);
  }
  return *parse_type(word);
}

std::string names_of(const std::vector<Operand>& operands) {
  std::string text;
  for (const auto& operand : operands) text += (text.empty() ? "" : ", ") + name(operand.type);
  return text;
}

// What is wrong with the first literal that `row` does not take.
std::string literal_mismatch(const Signature& row, const std::vector<std::string_view>& words,
                             const std::vector<Operand>& operands) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto& [type, literal] = operands[i];
    if (!is_literal_word(words[i]) || fits_literal_word(words[i], type, literal)) continue;
    if (literal == nullptr || literal->is_null()) {
      return fmt::format("{} needs a literal {} as argument {}", row.name,
                         name(type_of_word(words[i])), i + 1);
    }
    if (type != Type{}) return fmt::format("{}: {}", row.name, number_complaint());
    const auto& text = std::get<std::string>(*literal);
    if (units_of(words[i]).empty()) return literal_complaint(words[i], text);
    return fmt::format("{} knows no '{}'", row.name, shortened(text, 80));
  }
  return "";
}

// What is wrong with a call that is right but for a literal; empty if more is wrong.
std::string literal_mismatch(std::span<const Signature> table, std::string_view name,
                             const std::vector<Operand>& operands) {
  auto is_of_type = [](std::string_view word, const Operand& operand) {
    return operand.type == type_of_word(word);
  };
  std::string why;
  std::vector<std::string_view> units;
  for (const auto& row : table) {
    if (row.name != name) continue;
    auto words = expand(row.arguments, operands.size());
    if (!words || !match_words(*words, operands, is_of_type)) continue;
    if (why.empty()) why = literal_mismatch(row, *words, operands);
    if (words->empty()) continue;
    auto more = units_of(words->front());
    units.insert(units.end(), more.begin(), more.end());
  }
  if (why.empty() || units.empty()) return why;
  return fmt::format("{}; there are: {}", why, fmt::join(units, ", "));
}

// Why no row fits.
Error no_match(std::span<const Signature> table, std::string_view name,
               const std::vector<Operand>& operands) {
  std::string why = literal_mismatch(table, name, operands);
  if (!why.empty()) return {Errc::plan_error, std::move(why)};
  std::string there;
  for (const auto& row : table) {
    if (row.name == name)
      there += fmt::format("{}{}({})", there.empty() ? "" : ", ", name,
                           fmt::join(split_words(row.arguments), ", "));
  }
  if (!there.empty()) {
    return {Errc::plan_error,
            fmt::format("no {}({}); there are: {}", name, names_of(operands), there)};
  }
  std::vector<std::string_view> names;
  for (const auto& row : table) {
    if (names.empty() || names.back() != row.name) names.push_back(row.name);
  }
  return {Errc::plan_error,
          fmt::format("no function '{}'; there are: {}", name, fmt::join(names, ", "))};
}

}  // namespace

Result<Resolved> resolve(std::span<const Signature> table, std::string_view name,
                         const std::vector<Operand>& operands) {
  std::optional<Match> best;
  std::vector<std::string_view> best_words;
  std::string_view result;
  auto fits = [](std::string_view word, const Operand& operand) {
    return fits_literal_word(word, operand.type, operand.literal);
  };
  for (const auto& row : table) {
    if (row.name != name) continue;
    auto words = expand(row.arguments, operands.size());
    auto match = words ? match_words(*words, operands, fits) : std::nullopt;
    if (!match || (best && best->cost <= match->cost)) continue;
    best = match;
    best_words = *words;
    result = row.result;
  }
  if (!best) return tl::unexpected(no_match(table, name, operands));
  auto type = result_of(result, best->resolved, best_words, operands);
  if (!type) return fail(type);
  best->resolved.result = *type;
  return best->resolved;
}

bool can_cast(const Type& from, const Type& to) {
  if (from == to) return true;
  if (from.array || to.array) return false;
  if (from.kind == to.kind) return true;
  const auto& targets = cast_table()[static_cast<std::size_t>(from.kind)].to;
  return std::find(targets.begin(), targets.end(), to.kind) != targets.end();
}

}  // namespace leat::plan
