#include "expression/plain_pattern.h"

#include "expression/characters.h"

namespace leat::expression {

namespace {

constexpr bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}

// Stands for itself.
bool is_plain(char c) {
  constexpr std::string_view special = "\\^$.|?*+()[]{}";
  return is_ascii(c) && c != '\n' && special.find(c) == special.npos;
}

}  // namespace

/// Takes the parts of a pattern from the left, if they are there.
class PlainPattern::Reader {
 public:
  explicit Reader(std::string_view pattern) : rest_(pattern) {}

  bool at_end() const { return rest_.empty(); }
  bool take(std::string_view part) {
    if (!rest_.starts_with(part)) return false;
    rest_.remove_prefix(part.size());
    return true;
  }
  std::optional<char> take_plain() {
    if (rest_.empty() || !is_plain(rest_[0])) return {};
    char c = rest_[0];
    rest_.remove_prefix(1);
    return c;
  }
  /// A character that is not repeated.
  std::optional<char> take_once() {
    constexpr std::string_view repeats = "*+?{";
    if (rest_.size() > 1 && repeats.find(rest_[1]) != repeats.npos) return {};
    return take_plain();
  }
  /// `^`, or a group that is not kept of that and a character.
  bool take_bound(PlainPattern& pattern) {
    if (!rest_.starts_with("^") && !rest_.starts_with("(?:")) return true;
    pattern.is_bound_ = true;
    if (take("^")) return pattern.begin_will_do_ = true;
    take("(?:");
    do {
      if (take("^")) {
        pattern.begin_will_do_ = true;
        continue;
      }
      auto c = take_plain();
      if (!c || pattern.character_before_) return false;
      pattern.character_before_ = c;
    } while (take("|"));
    return take(")");
  }
  /// `[...]` or `[^...]` of characters that are listed.
  bool take_class(std::bitset<128>& characters) {
    if (!take("[")) return false;
    bool all_others = take("^");
    while (auto c = take_plain()) {
      if (*c == '-') return false;  // of a range
      characters.set(static_cast<unsigned char>(*c));
    }
    if (characters.none() || !take("]")) return false;
    if (all_others) characters.flip();
    return true;
  }

 private:
  std::string_view rest_;
};

std::optional<PlainPattern> PlainPattern::of(std::string_view pattern) {
  PlainPattern plain;
  Reader reader(pattern);
  if (!reader.take_bound(plain)) return {};
  while (auto c = reader.take_once()) plain.text_ += *c;
  if (plain.text_.empty()) return {};
  // At the begin of a text both may match, and which one does hangs on their order.
  if (plain.begin_will_do_ && plain.text_[0] == plain.character_before_) return {};
  if (reader.at_end()) return plain;
  plain.has_run_ = true;
  plain.has_group_ = reader.take("(");
  if (!reader.take_class(plain.run_)) return {};
  plain.run_may_be_empty_ = reader.take("*");
  if (!plain.run_may_be_empty_ && !reader.take("+")) return {};
  if (plain.has_group_ && !reader.take(")")) return {};
  return reader.at_end() ? std::optional(plain) : std::nullopt;
}

PlainPattern::Found PlainPattern::find(std::string_view text, std::string_view& all,
                                       std::string_view& group) const {
  std::size_t at = find_text(text, text_);
  for (; at != text.npos; at = find_text(text, text_, at + 1)) {
    std::size_t begin = at;
    if (is_bound_) {
      bool behind = character_before_ && at > 0 && text[at - 1] == *character_before_;
      if (!behind && !(begin_will_do_ && at == 0)) continue;
      begin -= behind ? 1 : 0;
    }
    std::size_t run = at + text_.size(), end = run;
    if (has_run_) {
      while (end < text.size() && is_ascii(text[end]) &&
             run_[static_cast<unsigned char>(text[end])]) {
        ++end;
      }
      if (end < text.size() && !is_ascii(text[end])) return Found::not_known;
      if (end == run && !run_may_be_empty_) continue;
      if (has_group_) group = text.substr(run, end - run);
    }
    all = text.substr(begin, end - begin);
    return Found::yes;
  }
  return Found::no;
}

}  // namespace leat::expression
