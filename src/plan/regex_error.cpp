#include "plan/regex_error.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <re2/re2.h>

#include "plan/limits.h"
#include "plan/text_place.h"

namespace leat::plan {

namespace {

RE2::Options quiet() {
  RE2::Options options;
  options.set_log_errors(false);
  return options;
}

// Behind the class of characters that begins at `at`: a `]` that comes first belongs to it.
std::size_t end_of_class(std::string_view pattern, std::size_t at) {
  at += pattern.substr(at).starts_with("[^") ? 2 : 1;
  if (at < pattern.size() && pattern[at] == ']') ++at;
  while (at < pattern.size() && pattern[at] != ']') at += pattern[at] == '\\' ? 2 : 1;
  return std::min(at + 1, pattern.size());
}

// The parenthesis that has no counterpart. RE2 does not say which it is.
std::optional<std::size_t> lone_parenthesis(std::string_view pattern) {
  std::vector<std::size_t> open;
  for (std::size_t at = 0; at < pattern.size();) {
    char c = pattern[at];
    if (c == '[') {
      at = end_of_class(pattern, at);
      continue;
    }
    if (pattern.substr(at).starts_with("\\Q")) {  // all is literal until \E
      at = std::min(pattern.find("\\E", at), pattern.size() - 1) + 1;
      continue;
    }
    if (c == '(') open.push_back(at);
    if (c == ')' && open.empty()) return at;
    if (c == ')') open.pop_back();
    at += c == '\\' ? 2 : 1;
  }
  if (open.empty()) return {};
  return open.back();
}

// What RE2 complains of may also stand in places where it is right. It is wrong where the pattern
// stops being one: the first place up to which RE2 has the same complaint.
std::optional<std::size_t> place_of(const std::string& pattern, const RE2& wrong) {
  constexpr int looks_max = 100;
  const std::string& part = wrong.error_arg();
  std::size_t at = part.empty() ? pattern.npos : pattern.find(part);
  for (int looks = 0; at != pattern.npos && looks < looks_max; ++looks) {
    RE2 begin(pattern.substr(0, at + part.size()), quiet());
    if (begin.error_code() == wrong.error_code() && begin.error_arg() == part) return at;
    at = pattern.find(part, at + 1);
  }
  return {};
}

}  // namespace

std::string regex_error(const std::string& pattern) {
  if (pattern.size() > regex_bytes_max) {
    return fmt::format("longer than the {} bytes it may be", regex_bytes_max);
  }
  RE2 re2(pattern, quiet());
  if (re2.ok()) return "";
  std::string reason = re2.error(), part = re2.error_arg();
  if (!part.empty() && reason.ends_with(": " + part))
    reason.resize(reason.size() - part.size() - 2);
  auto code = re2.error_code();
  bool lone = code == RE2::ErrorMissingParen || code == RE2::ErrorUnexpectedParen;
  auto place = lone ? lone_parenthesis(pattern) : place_of(pattern, re2);
  if (lone && place && pattern[*place] == ')') reason = "unexpected )";
  if (!place) return part.empty() ? reason : reason + ": " + shortened(part, 80);
  return fmt::format("{} at character {}: {}", reason,
                     characters_in(std::string_view(pattern).substr(0, *place)) + 1,
                     shortened(pattern.substr(*place), 80));
}

}  // namespace leat::plan
