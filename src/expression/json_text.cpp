#include "expression/json_text.h"

#include <algorithm>

#include <simdjson.h>

#include "column/json_scalar.h"

namespace leat::expression {

namespace {

constexpr int depth_max = 64;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Of a hexadecimal digit its value, or -1.
int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// REQUIRES: four digits.
std::uint32_t unit_of(const char* digits) {
  std::uint32_t unit = 0;
  for (int i = 0; i < 4; ++i) unit = unit * 16 + static_cast<std::uint32_t>(hex_value(digits[i]));
  return unit;
}

/// Checks all of a text and remembers what stands at the path's end.
class JsonWalker {
 public:
  JsonWalker(std::string_view text, const plan::JsonPath& path, JsonPart& found, std::string& room)
      : at_(text.data()), end_(at_ + text.size()), path_(path), found_(found), room_(room) {}

  bool walk() {
    if (!take_value(0)) return false;
    skip_blanks();
    return at_ == end_;
  }

 private:
  static constexpr std::size_t off_path = ~std::size_t{0};

  void skip_blanks() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) ++at_;
  }
  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view word) {
    if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(word))
      return false;
    at_ += word.size();
    return true;
  }

  // `steps` of the path led here.
  bool take_value(std::size_t steps) {
    skip_blanks();
    if (at_ == end_) return false;
    JsonPart part;
    const char* begin = at_;
    bool good = false;
    switch (*at_) {
      case '{': part.kind = JsonPart::Kind::nested, good = take_object(steps); break;
      case '[': part.kind = JsonPart::Kind::nested, good = take_array(steps); break;
      case '"': part.kind = JsonPart::Kind::string, good = take_string(part.has_escapes); break;
      case 'n': part.kind = JsonPart::Kind::null, good = take("null"); break;
      case 't': part.kind = JsonPart::Kind::scalar, good = take("true"); break;
      case 'f': part.kind = JsonPart::Kind::scalar, good = take("false"); break;
      default: part.kind = JsonPart::Kind::scalar, good = take_number();
    }
    if (!good || steps != path_.size()) return good;
    part.text = {begin, static_cast<std::size_t>(at_ - begin)};
    if (part.kind == JsonPart::Kind::string) part.text = part.text.substr(1, part.text.size() - 2);
    found_ = part;
    return true;
  }

  // The number of steps that have led to a member, if it is on the path. Of members with one name
  // the last counts.
  std::size_t step_into(std::size_t steps, std::string_view name, bool has_escapes) {
    if (steps >= path_.size()) return off_path;
    const auto* wanted = std::get_if<std::string>(&path_[steps]);
    if (wanted == nullptr) return off_path;
    if (has_escapes) {
      room_.resize(name.size());
      name = {room_.data(), static_cast<std::size_t>(column::unescape_json(name, room_.data()))};
    }
    if (name != *wanted) return off_path;
    found_ = {};
    return steps + 1;
  }

  bool take_object(std::size_t steps) {
    if (++depth_ > depth_max) return false;
    ++at_;
    skip_blanks();
    if (!take('}')) {
      do {
        skip_blanks();
        const char* begin = at_ + 1;
        bool has_escapes = false;
        if (!take_string(has_escapes)) return false;
        std::string_view name(begin, static_cast<std::size_t>(at_ - 1 - begin));
        skip_blanks();
        if (!take(':') || !take_value(step_into(steps, name, has_escapes))) return false;
        skip_blanks();
      } while (take(','));
      if (!take('}')) return false;
    }
    --depth_;
    return true;
  }

  bool take_array(std::size_t steps) {
    if (++depth_ > depth_max) return false;
    const std::size_t* wanted =
        steps < path_.size() ? std::get_if<std::size_t>(&path_[steps]) : nullptr;
    ++at_;
    skip_blanks();
    if (!take(']')) {
      std::size_t number = 0;
      do {
        bool on_path = wanted != nullptr && number++ == *wanted;
        if (!take_value(on_path ? steps + 1 : off_path)) return false;
        skip_blanks();
      } while (take(','));
      if (!take(']')) return false;
    }
    --depth_;
    return true;
  }

  bool take_digits() {
    const char* first = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    return at_ != first;
  }

  bool take_number() {
    take('-');
    bool zero = at_ != end_ && *at_ == '0';
    const char* first = at_;
    if (!take_digits() || (zero && at_ != first + 1)) return false;
    if (take('.') && !take_digits()) return false;
    if (!take('e') && !take('E')) return true;
    if (!take('+')) take('-');
    return take_digits();
  }

  bool take_string(bool& has_escapes) {
    if (!take('"')) return false;
    while (at_ != end_) {
      char c = *at_++;
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') continue;
      has_escapes = true;
      if (!take_escape()) return false;
    }
    return false;
  }

  bool take_escape() {
    if (at_ == end_) return false;
    constexpr std::string_view letters = "\"\\/bfnrt";
    if (letters.find(*at_) != letters.npos) {
      ++at_;
      return true;
    }
    if (!take_unit()) return false;
    std::uint32_t unit = unit_of(at_ - 4);
    if (unit < 0xd800 || unit >= 0xe000) return true;
    if (unit >= 0xdc00 || !take('\\') || !take_unit()) return false;
    std::uint32_t low = unit_of(at_ - 4);
    return low >= 0xdc00 && low < 0xe000;
  }

  // The `u` and four digits.
  bool take_unit() {
    if (!take('u') || end_ - at_ < 4) return false;
    if (!std::all_of(at_, at_ + 4, [](char c) { return hex_value(c) >= 0; })) return false;
    at_ += 4;
    return true;
  }

  const char* at_;
  const char* end_;
  const plan::JsonPath& path_;
  JsonPart& found_;
  std::string& room_;
  int depth_ = 0;
};

}  // namespace

bool find_json(std::string_view text, const plan::JsonPath& path, JsonPart& out,
               std::string& room) {
  out = {};
  return simdjson::validate_utf8(text.data(), text.size()) &&
         JsonWalker(text, path, out, room).walk();
}

}  // namespace leat::expression
