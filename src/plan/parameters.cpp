#include "plan/parameters.h"

#include <algorithm>

#include <fmt/format.h>

#include "column/calendar.h"
#include "column/json_encoder.h"
#include "column/timestamp.h"
#include "column/value.h"
#include "plan/json.h"
#include "plan/limits.h"

namespace leat::plan {

namespace {

constexpr std::string_view opening = "${";
constexpr std::size_t nested_max = 16;

bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

std::size_t name_length(std::string_view text) {
  if (text.empty() || !begins_name(text[0])) return 0;
  auto in_name = [](char c) { return begins_name(c) || (c >= '0' && c <= '9'); };
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), in_name) -
                                  text.begin());
}

class Filler {
 public:
  Filler(std::string_view text, const Parameters& values) : text_(text), values_(values) {}

  Result<FilledText> fill() {
    if (!copy(0, true)) return fail(Errc::plan_error, std::move(why_));
    if (!missing_.empty()) return fail(Errc::plan_error, missing_ + " without a value");
    return std::move(filled_);
  }

 private:
  bool refuse(const std::string& what) {
    auto line =
        1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n');
    why_ = fmt::format("line {}: {}", line, what);
    return false;
  }
  bool looking_at(std::string_view word) const { return text_.substr(at_).starts_with(word); }

  // Up to the end of the text or, of a default, to its brace. `counts` is false where a value
  // stands in a default's place.
  bool copy(std::size_t depth, bool counts) {
    while (at_ < text_.size()) {
      char c = text_[at_];
      if (depth > 0 && c == '}') return true;
      if (looking_at("$${")) {
        if (!put(opening, counts)) return false;
        at_ += 3;
      } else if (looking_at(opening)) {
        if (!take_placeholder(depth, counts)) return false;
      } else {
        std::size_t taken = c == '\\' && in_string_ && at_ + 1 < text_.size() ? 2 : 1;
        if (c == '"') in_string_ = !in_string_;
        if (!put(text_.substr(at_, taken), counts)) return false;
        at_ += taken;
      }
    }
    return depth == 0 || refuse("a placeholder does not end in '}'");
  }

  bool take_placeholder(std::size_t depth, bool counts) {
    if (depth == nested_max) return refuse("defaults within defaults, too deep");
    std::size_t begin = at_;
    at_ += opening.size();
    std::size_t length = name_length(text_.substr(at_));
    std::string name(text_.substr(at_, length));
    at_ += length;
    bool has_default = looking_at(":-");
    if (length == 0 || (!has_default && !looking_at("}"))) {
      at_ = begin;
      return refuse("'${' begins no placeholder, as ${date} is; $${ stands for the characters");
    }
    filled_.names.insert(name);
    auto value = values_.find(name);
    bool known = value != values_.end();
    if (known && counts && !put_value(name, value->second)) return false;
    if (!known && !has_default && counts) add_missing(name);
    if (has_default) {
      at_ += 2;
      if (!copy(depth + 1, counts && !known)) return false;
    }
    ++at_;
    return true;
  }

  void add_missing(const std::string& name) {
    std::string shown = "${" + name + "}";
    if (missing_.find(shown) != missing_.npos) return;
    missing_ += missing_.empty() ? shown : ", " + shown;
  }

  bool put_value(const std::string& name, const std::string& value) {
    if (!in_string_) {
      auto json = parse_json(value, RepeatedNames::refuse);
      if (json) return put(value, true);
      return refuse(
          fmt::format("${{{}}} stands for a number or another value as JSON has it, "
                      "which '{}' is not",
                      name, value));
    }
    std::string quoted;
    column::append_json_string(quoted, value);
    return put(std::string_view(quoted).substr(1, quoted.size() - 2), true);
  }

  bool put(std::string_view part, bool counts) {
    if (!counts) return true;
    filled_.text += part;
    if (filled_.text.size() <= text_bytes_max) return true;
    return refuse(
        fmt::format("with its values it is longer than the {} bytes it may be", text_bytes_max));
  }

  std::string_view text_;
  const Parameters& values_;
  std::size_t at_ = 0;
  bool in_string_ = false;
  FilledText filled_;
  std::string missing_;
  std::string why_;
};

}  // namespace

Result<FilledText> fill_in(std::string_view text, const Parameters& values) {
  return Filler(text, values).fill();
}

Parameters run_parameters(std::int64_t now_ms) {
  std::int64_t today = now_ms / column::day_ms - (now_ms % column::day_ms < 0 ? 1 : 0);
  std::string now;
  column::append_timestamp(now, column::Timestamp{now_ms});
  return {{"now", now},
          {"today", column::date_text({today})},
          {"yesterday", column::date_text({today - 1})}};
}

Result<void> add_parameter(Parameters& values, std::string_view assignment) {
  std::size_t length = name_length(assignment);
  if (length == 0 || assignment.size() == length || assignment[length] != '=') {
    return fail(Errc::invalid_argument,
                fmt::format("'{}' gives no value to a name: date=2026-03-02 does", assignment));
  }
  std::string name(assignment.substr(0, length));
  if (!values.emplace(name, assignment.substr(length + 1)).second) {
    return fail(Errc::invalid_argument, fmt::format("{} is given two values", name));
  }
  return {};
}

}  // namespace leat::plan
