#include "expression/required_text.h"

#include <algorithm>
#include <optional>

#include "expression/characters.h"

namespace leat::expression {

namespace {

constexpr std::size_t unbounded = RequiredText::unbounded;
constexpr std::size_t character_max = 4;  // bytes of UTF-8

std::size_t sum(std::size_t a, std::size_t b) {
  return a > unbounded - b ? unbounded : a + b;
}

/// What a part of a pattern matches: this byte, or up to so many bytes.
struct Part {
  std::optional<char> byte;
  std::size_t size_max = 0;
};

/// Reads parts from the left. Stops where it does not understand the pattern.
class PartReader {
 public:
  explicit PartReader(std::string_view pattern) : rest_(pattern) {}

  bool understands() const { return good_; }
  bool at_end() const { return rest_.empty(); }
  Part next() {
    Part part = without_repetition();
    while (good_ && !rest_.empty() && is_in(rest_[0], "*+?")) {
      bool once = take() == '?';
      part.byte.reset();
      if (!once && part.size_max > 0) part.size_max = unbounded;
    }
    if (!rest_.empty() && rest_[0] == '{') good_ = false;
    return part;
  }

 private:
  static bool is_in(char c, std::string_view characters) {
    return characters.find(c) != characters.npos;
  }
  char take() {
    if (rest_.empty()) {
      good_ = false;
      return '\0';
    }
    char c = rest_[0];
    rest_.remove_prefix(1);
    return c;
  }
  Part refuse() {
    good_ = false;
    return {};
  }

  Part without_repetition() {
    char c = take();
    if (c == '\\') return escaped(take());
    if (c == '[') return character_class();
    if (c == '(') return group();
    if (c == '.') return {{}, character_max};
    if (c == '^' || c == '$') return {};
    bool plain = static_cast<unsigned char>(c) < 0x80 && !is_in(c, "|)*+?{");
    return plain ? Part{c, 1} : refuse();
  }
  Part escaped(char c) {
    if (is_in(c, "bBAz")) return {};
    if (is_in(c, "dDsSwW")) return {{}, character_max};
    return is_in(c, "\\^$.|?*+()[]{}-/&=:,;_\"'#%@!~<>") ? Part{c, 1} : refuse();
  }
  Part character_class() {
    if (!rest_.empty() && rest_[0] == '^') take();
    if (!rest_.empty() && rest_[0] == ']') return refuse();
    while (good_) {
      char c = take();
      if (c == ']') return {{}, character_max};
      if (is_in(c, "[\\")) return refuse();
    }
    return {};
  }
  // Of a group no text is required, since others might do in its place.
  Part group() {
    if (rest_.starts_with("?:"))
      rest_.remove_prefix(2);
    else if (rest_.starts_with("?"))
      return refuse();
    std::size_t longest = 0, size = 0;
    while (good_ && !rest_.starts_with(")")) {
      if (rest_.starts_with("|")) {
        take();
        size = 0;
        continue;
      }
      size = sum(size, next().size_max);
      longest = std::max(longest, size);
    }
    take();
    return {{}, longest};
  }

  std::string_view rest_;
  bool good_ = true;
};

}  // namespace

RequiredText required_text(std::string_view pattern) {
  PartReader reader(pattern);
  RequiredText longest, current;
  std::size_t before = 0;
  while (!reader.at_end()) {
    Part part = reader.next();
    if (!reader.understands()) return {};
    if (!part.byte) {
      current.text.clear();
    } else {
      if (current.text.empty()) current.before_max = before;
      current.text += *part.byte;
      if (current.text.size() > longest.text.size()) longest = current;
    }
    before = sum(before, part.size_max);
  }
  return longest;
}

std::size_t RequiredText::first_begin(std::string_view subject) const {
  std::size_t at = find_text(subject, text);
  if (at == subject.npos) return subject.npos;
  return at > before_max ? at - before_max : 0;
}

}  // namespace leat::expression
