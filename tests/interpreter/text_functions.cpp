#include <algorithm>
#include <set>

#include <re2/re2.h>

#include "interpreter/characters.h"
#include "interpreter/evaluate.h"

namespace leat::interpreter {

using namespace leat::plan;

namespace {

// What padding may make of a short text.
constexpr std::int64_t padded_max = 1'000'000;

std::string joined(const std::vector<std::string>& characters, std::size_t from, std::size_t to) {
  std::string text;
  for (std::size_t i = from; i < to; ++i) text += characters[i];
  return text;
}

// Characters at positions `from` to before `to`, counted from 1; those that are not there are left
// out.
std::string characters_between(const std::string& text, Int128 from, Int128 to) {
  std::string found;
  Int128 position = 0;
  for (const auto& character : characters_of(text)) {
    ++position;
    if (position >= from && position < to) found += character;
  }
  return found;
}

std::string substring(const Call& call) {
  Int128 from = call.integer(1);
  if (!call.has(2)) return characters_between(call.text(0), from, Int128{1} << 64);
  if (call.integer(2) < 0) throw BadValue{"negative substring length not allowed"};
  return characters_between(call.text(0), from, from + call.integer(2));
}

std::int64_t length(const std::string& text) {
  return static_cast<std::int64_t>(characters_of(text).size());
}

// The position of the first character of `part`, from 1; 0 if it is not there.
std::int64_t position(const std::string& part, const std::string& text) {
  auto at = text.find(part);
  return at == text.npos ? 0 : length(text.substr(0, at)) + 1;
}

std::string replace(const std::string& text, const std::string& from, const std::string& to) {
  if (from.empty()) return text;
  std::string out;
  std::size_t at = 0;
  for (std::size_t found; (found = text.find(from, at)) != text.npos; at = found + from.size()) {
    out += text.substr(at, found - at) + to;
  }
  return out + text.substr(at);
}

std::string trim(const Call& call, bool left, bool right) {
  auto set = characters_of(call.has(1) ? call.text(1) : " ");
  std::set<std::string> unwanted(set.begin(), set.end());
  auto characters = characters_of(call.text(0));
  std::size_t from = 0, to = characters.size();
  while (left && from < to && unwanted.contains(characters[from])) ++from;
  while (right && to > from && unwanted.contains(characters[to - 1])) --to;
  return joined(characters, from, to);
}

std::string split_part(const std::string& text, const std::string& separator, std::int64_t number) {
  if (number == 0) throw BadValue{"field position must not be zero"};
  std::vector<std::string> parts;
  std::size_t at = 0;
  while (!separator.empty()) {
    auto found = text.find(separator, at);
    if (found == text.npos) break;
    parts.push_back(text.substr(at, found - at));
    at = found + separator.size();
  }
  parts.push_back(text.substr(at));
  auto count = static_cast<std::int64_t>(parts.size());
  if (number < -count || number > count) return "";
  return parts[static_cast<std::size_t>(number > 0 ? number - 1 : count + number)];
}

// The first `count` characters; all but the last -count if that is negative.
std::string left(const std::string& text, Int128 count) {
  return characters_between(text, 1, 1 + (count < 0 ? length(text) + count : count));
}

// The last `count` characters; all but the first -count if that is negative.
std::string right(const std::string& text, Int128 count) {
  Int128 skipped = count < 0 ? -count : length(text) - count;
  return characters_between(text, 1 + skipped, Int128{1} << 64);
}

std::string padded(const Call& call, bool before) {
  std::int64_t wanted = std::max<std::int64_t>(call.integer(1), 0);
  if (wanted > padded_max) throw BadValue{"requested length too large"};
  auto fill = characters_of(call.has(2) ? call.text(2) : " ");
  std::int64_t missing = wanted - length(call.text(0));
  if (missing <= 0) return left(call.text(0), wanted);
  std::string padding;
  for (std::int64_t i = 0; i < missing && !fill.empty(); ++i) {
    padding += fill[static_cast<std::size_t>(i) % fill.size()];
  }
  return before ? padding + call.text(0) : call.text(0) + padding;
}

// The first group of the first match, or all of it if the pattern has no group.
Value regexp_extract(const std::string& text, const std::string& pattern) {
  RE2 regex(pattern);
  re2::StringPiece match[2];
  int wanted = std::min(regex.NumberOfCapturingGroups(), 1);
  if (!regex.Match(text, 0, text.size(), RE2::UNANCHORED, match, 1 + wanted)) return {};
  if (match[wanted].data() == nullptr) return {};
  return std::string(match[wanted]);
}

std::string regexp_replace(const Call& call) {
  std::string flags = call.has(3) ? call.text(3) : "";
  RE2::Options options;
  options.set_case_sensitive(flags.find('i') == flags.npos);
  RE2 regex(call.text(1), options);
  std::string text = call.text(0), error;
  if (!regex.CheckRewriteString(call.text(2), &error)) throw BadValue{error};
  if (flags.find('g') != flags.npos)
    RE2::GlobalReplace(&text, regex, call.text(2));
  else
    RE2::Replace(&text, regex, call.text(2));
  return text;
}

std::optional<Value> search_function(const Call& call) {
  const std::string& name = call.expression.function;
  if (name == "position") return position(call.text(0), call.text(1));
  if (name == "starts_with") return call.text(0).starts_with(call.text(1));
  if (name == "like") return is_like(call.text(0), call.text(1));
  if (name == "ilike") return is_like(lower(call.text(0)), lower(call.text(1)));
  if (name == "regexp_like") return RE2::PartialMatch(call.text(0), RE2(call.text(1)));
  if (name == "regexp_extract") return regexp_extract(call.text(0), call.text(1));
  if (name == "regexp_replace") return regexp_replace(call);
  return {};
}

}  // namespace

std::optional<Value> text_function(const Call& call) {
  const std::string& name = call.expression.function;
  if (name == "length" && call.type(0).kind == Type::Kind::bytes) {
    return static_cast<std::int64_t>(call.text(0).size());
  }
  if (name == "length") return length(call.text(0));
  if (name == "lower") return lower(call.text(0));
  if (name == "upper") return upper(call.text(0));
  if (name == "substring") return substring(call);
  if (name == "replace") return replace(call.text(0), call.text(1), call.text(2));
  if (name == "trim") return trim(call, true, true);
  if (name == "ltrim") return trim(call, true, false);
  if (name == "rtrim") return trim(call, false, true);
  if (name == "split_part") return split_part(call.text(0), call.text(1), call.integer(2));
  if (name == "||") return call.text(0) + call.text(1);
  if (name == "left") return left(call.text(0), call.integer(1));
  if (name == "right") return right(call.text(0), call.integer(1));
  if (name == "lpad") return padded(call, true);
  if (name == "rpad") return padded(call, false);
  return search_function(call);
}

}  // namespace leat::interpreter
