#include "plan/literal_words.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>

#include <re2/re2.h>

#include "plan/json_path.h"
#include "plan/limits.h"

namespace leat::plan {

namespace {

using Words = std::initializer_list<std::string_view>;

bool has(Words words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_regex(const std::string& text) {
  RE2::Options options;
  options.set_log_errors(false);
  return text.size() <= regex_bytes_max && RE2(text, options).ok();
}

// The longest pattern that `text` begins with; empty if none.
std::string_view pattern_of(std::string_view text) {
  constexpr std::array<std::string_view, 20> patterns{
      "Month", "IYYY", "YYYY", "HH24", "HH12", "DDD", "Mon", "Day", "YY", "MM",
      "DD",    "Dy",   "ID",   "IW",   "MI",   "SS",  "MS",  "AM",  "PM", "Q"};
  for (auto pattern : patterns) {
    if (text.starts_with(pattern)) return pattern;
  }
  return {};
}

}  // namespace

bool is_literal_word(std::string_view word) {
  return has({"span", "unit", "interval_unit", "part", "regex", "path", "template", "flags"}, word);
}

bool fits_literal_word(std::string_view word, const Type& type, const Value* literal) {
  if (type != Type{Type::Kind::text} || literal == nullptr || literal->is_null()) return false;
  const auto& text = std::get<std::string>(*literal);
  if (word == "regex") return is_regex(text);
  if (word == "path") return parse_json_path(text).has_value();
  if (word == "template") return split_template(text).has_value();
  if (word == "flags") return has({"", "g", "i", "gi"}, text);
  if (word == "part") return has({"second", "milliseconds", "epoch"}, text);
  if (word == "interval_unit") return has({"year", "month", "day", "hour", "minute"}, text);
  if (has({"minute", "hour", "day", "week", "month", "quarter", "year", "decade", "century"},
          text)) {
    return true;
  }
  if (word == "span") return has({"millisecond", "second"}, text);
  return has({"dow", "isodow", "doy", "isoyear"}, text);
}

std::optional<std::vector<TemplatePart>> split_template(std::string_view text) {
  std::vector<TemplatePart> parts;
  while (!text.empty()) {
    TemplatePart part;
    std::size_t taken = 1;
    if (auto pattern = pattern_of(text); !pattern.empty()) {
      part = {true, std::string(pattern)};
      taken = pattern.size();
    } else if (text[0] == '"') {
      auto end = text.find('"', 1);
      if (end == text.npos) return {};
      part.text = text.substr(1, end - 1);
      taken = end + 1;
    } else if (std::isalpha(static_cast<unsigned char>(text[0])) != 0) {
      return {};
    } else {
      part.text = text[0];
    }
    parts.push_back(std::move(part));
    text.remove_prefix(taken);
  }
  return parts;
}

}  // namespace leat::plan
