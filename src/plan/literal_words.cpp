#include "plan/literal_words.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "plan/json_path.h"
#include "plan/number_template.h"
#include "plan/regex_error.h"
#include "plan/text_place.h"

namespace leat::plan {

namespace {

using std::string_view;

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}

std::string in_case(string_view text, int (*to)(int)) {
  std::string changed(text);
  for (char& c : changed) c = static_cast<char>(to(static_cast<unsigned char>(c)));
  return changed;
}

// ---- Units -------------------------------------------------------------------------------------

constexpr std::array<string_view, 11> spans{"millisecond", "second", "minute", "hour",
                                            "day",         "week",   "month",  "quarter",
                                            "year",        "decade", "century"};
constexpr std::array<string_view, 13> units{"year",    "quarter", "month",  "week",   "day",
                                            "hour",    "minute",  "dow",    "isodow", "doy",
                                            "isoyear", "decade",  "century"};
constexpr std::array<string_view, 5> interval_units{"year", "month", "day", "hour", "minute"};
constexpr std::array<string_view, 3> parts{"second", "milliseconds", "epoch"};

struct Names {
  string_view unit;
  string_view others;  // each between blanks
};

// PostgreSQL's names of units besides the first one.
constexpr Names unit_names[] = {
    {"milliseconds", " millisecond ms msec msecs mseconds "},
    {"second", " seconds s sec secs "},
    {"minute", " minutes m min mins "},
    {"hour", " hours h hr hrs "},
    {"day", " days d "},
    {"week", " weeks w "},
    {"month", " months mon mons "},
    {"quarter", " qtr "},
    {"year", " years y yr yrs "},
    {"decade", " decades dec decs "},
    {"century", " centuries c cent "},
};

// One name for each unit.
string_view main_name(string_view text) {
  std::string word = fmt::format(" {} ", text);
  bool is_one_word = text.find(' ') == string_view::npos;
  for (const auto& names : unit_names) {
    if (is_one_word && names.others.find(word) != string_view::npos) return names.unit;
  }
  return text;
}

// ---- Templates ---------------------------------------------------------------------------------

struct Pattern {
  string_view written;
  string_view meaning;
};

// In capitals or in small letters. Longer ones first.
constexpr Pattern number_patterns[] = {
    {"SSSSS", "SSSS"}, {"SSSS", "SSSS"}, {"IYYY", "IYYY"}, {"YYYY", "YYYY"}, {"IDDD", "IDDD"},
    {"HH24", "HH24"},  {"HH12", "HH12"}, {"DDD", "DDD"},   {"HH", "HH12"},   {"YY", "YY"},
    {"MM", "MM"},      {"DD", "DD"},     {"ID", "ID"},     {"IW", "IW"},     {"MI", "MI"},
    {"SS", "SS"},      {"MS", "MS"},     {"US", "US"},     {"Q", "Q"}};
// What is written decides how the name is. A longer one is before what it begins with.
constexpr string_view name_patterns[] = {"MONTH", "Month", "month", "MON", "Mon", "mon",
                                         "DAY",   "Day",   "day",   "DY",  "Dy",  "dy",
                                         "AM",    "am",    "PM",    "pm"};

// The pattern that `text` begins with; an empty one if none.
Pattern pattern_of(string_view text) {
  for (auto name : name_patterns) {
    if (text.starts_with(name)) return {name, name};
  }
  for (const auto& pattern : number_patterns) {
    string_view begin = text.substr(0, pattern.written.size());
    if (begin == pattern.written || begin == in_case(pattern.written, std::tolower)) return pattern;
  }
  return {};
}

std::string unknown_pattern(string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && is_letter(text[end])) ++end;
  std::vector<string_view> known;
  for (const auto& pattern : number_patterns) known.push_back(pattern.written);
  known.insert(known.end(), std::begin(name_patterns), std::end(name_patterns));
  return fmt::format(
      "'{}' at character {} is no pattern; there are: {}; letters that mean themselves are in "
      "double quotes",
      shortened(text.substr(at, end - at), 40), characters_in(text.substr(0, at)) + 1,
      fmt::join(known, ", "));
}

// Why times are not read by a template; empty if they are.
std::string unread_pattern(string_view text) {
  std::string why;
  auto split = split_template(text, &why);
  if (!split) return why;
  for (const auto& part : *split) {
    if (part.pattern && part.text[0] == 'I') {
      return fmt::format("weeks of ISO, as {}, are written only", part.text);
    }
  }
  return "";
}

}  // namespace

bool is_literal_word(string_view word) {
  constexpr std::array<string_view, 10> others{
      "regex",   "path",     "template", "flags",           "digits",
      "reading", "encoding", "charset",  "number_template", "number_reading"};
  return !units_of(word).empty() || std::find(others.begin(), others.end(), word) != others.end();
}

Type type_of_word(string_view word) {
  return word == "digits" ? Type{Type::Kind::bigint} : Type{Type::Kind::text};
}

std::string number_complaint() {
  return fmt::format("digits are from -{} to {}", precision_max, precision_max);
}

bool fits_literal_word(string_view word, const Type& type, const Value* literal) {
  if (type != type_of_word(word) || literal == nullptr || literal->is_null()) return false;
  if (word == "digits") {
    auto digits = std::get<std::int64_t>(*literal);
    return -precision_max <= digits && digits <= precision_max;
  }
  const auto& text = std::get<std::string>(*literal);
  if (word == "regex") return regex_error(text).empty();
  if (word == "path") return parse_json_path(text).has_value();
  if (word == "template") return split_template(text).has_value();
  if (word == "reading") return unread_pattern(text).empty();
  if (word == "number_template") return parse_number_template(text).has_value();
  if (word == "number_reading") return parse_number_reading(text).has_value();
  if (word == "encoding") return text == "hex" || text == "base64";
  if (word == "charset") return in_case(text, std::tolower) == "utf8";
  if (word == "flags") return text.empty() || text == "g" || text == "i" || text == "gi";
  return unit_named(word, text).has_value();
}

std::span<const string_view> units_of(string_view word) {
  if (word == "span") return spans;
  if (word == "unit") return units;
  if (word == "interval_unit") return interval_units;
  if (word == "part") return parts;
  return {};
}

std::optional<string_view> unit_named(string_view word, string_view text) {
  std::string small = in_case(text, std::tolower);
  for (auto unit : units_of(word)) {
    if (main_name(unit) == main_name(small)) return unit;
  }
  return {};
}

std::string literal_complaint(string_view word, const std::string& text) {
  std::string why, shown = shortened(text, 80);
  if (word == "regex") {
    return fmt::format("'{}' is no regular expression: {}", shown, regex_error(text));
  }
  if (word == "path") {
    parse_json_path(text, &why);
    return fmt::format("'{}' is no JSON path: {}", shown, why);
  }
  if (word == "template") {
    split_template(text, &why);
    return fmt::format("'{}' is no template: {}", shown, why);
  }
  if (word == "reading") {
    return fmt::format("'{}' is no template to read by: {}", shown, unread_pattern(text));
  }
  if (word == "number_template") {
    parse_number_template(text, &why);
    return fmt::format("'{}' is no template of numbers: {}", shown, why);
  }
  if (word == "number_reading") {
    parse_number_reading(text, &why);
    return fmt::format("'{}' is no template to read numbers by: {}", shown, why);
  }
  if (word == "encoding") return fmt::format("'{}' is no encoding; there are: hex, base64", shown);
  if (word == "charset") return fmt::format("'{}' is no charset; there is: UTF8", shown);
  return fmt::format("'{}' are no flags; there are: g, i, gi", shown);
}

std::optional<std::vector<TemplatePart>> split_template(string_view text, std::string* why) {
  std::vector<TemplatePart> found;
  auto refuse = [&](std::string reason) {
    if (why != nullptr) *why = std::move(reason);
    return std::nullopt;
  };
  for (std::size_t at = 0, taken = 1; at < text.size(); at += taken) {
    TemplatePart part;
    taken = 1;
    bool fills_not = text.substr(at).starts_with("FM") || text.substr(at).starts_with("fm");
    if (fills_not) at += 2;
    Pattern pattern = pattern_of(text.substr(at));
    if (fills_not && pattern.written.empty()) return refuse("FM stands right before a pattern");
    if (!pattern.written.empty()) {
      part = {true, std::string(pattern.meaning), false, fills_not};
      taken = pattern.written.size();
    } else if (text[at] == '"') {
      auto end = text.find('"', at + 1);
      if (end == text.npos) {
        return refuse(fmt::format("the quote at character {} does not end",
                                  characters_in(text.substr(0, at)) + 1));
      }
      part.text = text.substr(at + 1, end - at - 1);
      taken = end + 1 - at;
    } else if (is_letter(text[at])) {
      return refuse(unknown_pattern(text, at));
    } else {
      part.text = text[at];
    }
    part.quoted = text[at] == '"';
    found.push_back(std::move(part));
  }
  return found;
}

}  // namespace leat::plan
