// LIKE and regular expressions.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>

#include <re2/re2.h>

#include "expression/characters.h"
#include "expression/known_texts.h"
#include "expression/like.h"
#include "expression/plain_pattern.h"
#include "expression/required_text.h"

namespace leat::expression {

using std::string_view;
using Texts = Cells<string_view>;

namespace {

// ---- LIKE --------------------------------------------------------------------------------------

string_view in_lower(string_view text, std::string& room) {
  room.resize(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) room[i] = lower(text[i]);
  return room;
}

/// A pattern that is taken apart again only if it is another one.
class CurrentPattern {
 public:
  explicit CurrentPattern(bool any_case) : any_case_(any_case) {}
  /// Nothing if it is no pattern.
  const LikePattern* of(string_view pattern) {
    if (!is_set_ || pattern != text_) {
      text_ = pattern;
      is_set_ = true;
      is_good_ = pattern_.set(any_case_ ? in_lower(pattern, room_) : pattern);
    }
    return is_good_ ? &pattern_ : nullptr;
  }

 private:
  bool any_case_;
  bool is_set_ = false;
  bool is_good_ = false;
  std::string text_;
  std::string room_;
  LikePattern pattern_;
};

constexpr const char* lone_escape = "LIKE pattern must not end with escape character";

void match_patterns(const Call& call, bool any_case) {
  Texts texts(call.arguments[0]), patterns(call.arguments[1]);
  CurrentPattern current(any_case);
  std::string room;
  for_known_rows(call, [&](std::uint32_t row) {
    const LikePattern* pattern = current.of(patterns[row]);
    if (pattern == nullptr) return call.errors.add(row, lone_escape);
    string_view text = any_case ? in_lower(texts[row], room) : texts[row];
    call.out().set_integer(row, pattern->matches(text) ? 1 : 0);
  });
}

void match_pattern(const Call& call, const LikePattern& pattern, bool any_case) {
  Texts texts(call.arguments[0]);
  std::string room;
  std::int64_t* out = cells_of<std::int64_t>(call.out());
  for_known_rows(call, [&](std::uint32_t row) {
    string_view text = any_case ? in_lower(texts[row], room) : texts[row];
    out[row] = pattern.matches(text) ? 1 : 0;
  });
}

// Of a literal what text it is; nothing if it is NULL or no literal.
const std::string* literal_text(const plan::BoundExpression& expression) {
  if (expression.kind != plan::Expression::Kind::literal) return nullptr;
  return std::get_if<std::string>(&expression.literal);
}

Kernel like_kernel(const plan::BoundExpression& call, bool any_case) {
  auto pattern = std::make_shared<LikePattern>();
  const std::string* text = literal_text(call.arguments[1]);
  std::string room;
  if (text != nullptr && pattern->set(any_case ? in_lower(*text, room) : string_view(*text))) {
    return [=](const Call& each) { match_pattern(each, *pattern, any_case); };
  }
  return [=](const Call& each) { match_patterns(each, any_case); };
}

// ---- Regular expressions -----------------------------------------------------------------------

// RE2 tells an empty group from one that did not take part by its address.
re2::StringPiece piece_of(string_view text) {
  return text.data() == nullptr ? re2::StringPiece("") : re2::StringPiece(text.data(), text.size());
}

/// A pattern, and what tells quickly where not to look for it.
struct Regex {
  Regex(const std::string& pattern, const RE2::Options& options) : re2(pattern, options) {
    if (!options.case_sensitive()) return;
    plain = PlainPattern::of(pattern);
    required = required_text(pattern);
  }
  /// Finds the first match in `text`, and as many groups as there is room for.
  bool find(string_view text, std::span<re2::StringPiece> groups) const {
    if (plain) {
      string_view found[2];
      auto state = plain->find(text, found[0], found[1]);
      if (state == PlainPattern::Found::no) return false;
      if (state == PlainPattern::Found::yes) {
        for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = piece_of(found[i]);
        return true;
      }
    }
    std::size_t begin = required.first_begin(text);
    if (begin == text.npos) return false;
    return re2.Match(piece_of(text), begin, text.size(), RE2::UNANCHORED, groups.data(),
                     static_cast<int>(groups.size()));
  }

  RE2 re2;
  std::optional<PlainPattern> plain;
  RequiredText required;
};

void find_regex(const Call& call, const Regex& regex) {
  Texts texts(call.arguments[0]);
  for_known_texts(call, [&](std::uint32_t row) {
    call.out().set_integer(row, regex.find(texts[row], {}) ? 1 : 0);
  });
}

// The first group of the first match, or all of it if the pattern has no group.
void extract_regex(const Call& call, const Regex& regex) {
  Texts texts(call.arguments[0]);
  auto wanted = static_cast<std::size_t>(std::min(regex.re2.NumberOfCapturingGroups(), 1));
  for_known_texts(call, [&](std::uint32_t row) {
    std::array<re2::StringPiece, 2> match;
    bool found = regex.find(texts[row], std::span(match).first(wanted + 1));
    if (!found || match[wanted].data() == nullptr) return call.out().set_null(row);
    call.out().set_text(row, {match[wanted].data(), match[wanted].size()});
  });
}

// What the groups of the first match are, or all of it if the pattern has no group.
void match_regex(const Call& call, const Regex& regex) {
  Texts texts(call.arguments[0]);
  column::Vector& items = call.out().items();
  auto groups = static_cast<std::size_t>(regex.re2.NumberOfCapturingGroups());
  std::vector<re2::StringPiece> match(groups + 1);
  std::size_t first = groups > 0 ? 1 : 0;
  for_known_texts(call, [&](std::uint32_t row) {
    if (!regex.find(texts[row], match)) return call.out().set_null(row);
    std::size_t begin = items.size();
    items.resize(begin + match.size() - first);
    for (std::size_t i = first; i < match.size(); ++i) {
      std::size_t item = begin + i - first;
      if (match[i].data() == nullptr)
        items.set_null(item);
      else
        items.set_text(item, {match[i].data(), match[i].size()});
    }
    call.out().set_list(
        row, {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(match.size() - first)});
  });
}

void replace_regex(const Call& call, const RE2& regex, bool all) {
  Texts texts(call.arguments[0]), replacements(call.arguments[2]);
  std::string text, error;
  for_known_rows(call, [&](std::uint32_t row) {
    re2::StringPiece replacement = piece_of(replacements[row]);
    if (!regex.CheckRewriteString(replacement, &error)) return call.errors.add(row, error);
    text = texts[row];
    bool replaced = all ? RE2::GlobalReplace(&text, regex, replacement) > 0
                        : RE2::Replace(&text, regex, replacement);
    if (!replaced) return call.out().set_text(row, texts[row]);
    char* room = call.result.texts.reserve(text.size());
    std::copy(text.begin(), text.end(), room);
    call.result.texts.keep(text.size());
    call.out().set_text(row, {room, text.size()});
  });
}

Kernel regex_kernel(const plan::BoundExpression& call) {
  bool replaces = call.function == "regexp_replace";
  std::string flags = call.arguments.size() == 4 ? *literal_text(call.arguments[3]) : "";
  RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(flags.find('i') == flags.npos);
  auto regex = std::make_shared<const Regex>(*literal_text(call.arguments[1]), options);
  if (replaces) {
    bool all = flags.find('g') != flags.npos;
    return [=](const Call& each) { replace_regex(each, regex->re2, all); };
  }
  if (call.function == "regexp_match") return [=](const Call& each) { match_regex(each, *regex); };
  if (call.function == "regexp_like") return [=](const Call& each) { find_regex(each, *regex); };
  return [=](const Call& each) { extract_regex(each, *regex); };
}

}  // namespace

Kernel pattern_kernel(const plan::BoundExpression& call) {
  if (call.function == "like") return like_kernel(call, false);
  if (call.function == "ilike") return like_kernel(call, true);
  if (call.function.starts_with("regexp_")) return regex_kernel(call);
  return {};
}

}  // namespace leat::expression
