#include "plan/json.h"

#include <algorithm>

#include <fmt/format.h>
#include <simdjson.h>

#include "column/json_encoder.h"
#include "plan/text_place.h"

namespace leat::plan {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

void append_utf8(std::string& out, std::uint32_t point) {
  auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((point >> shift) & 0x3f)); };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xc0 | (point >> 6));
    tail(0);
  } else if (point < 0x10000) {
    out += static_cast<char>(0xe0 | (point >> 12));
    tail(6), tail(0);
  } else {
    out += static_cast<char>(0xf0 | (point >> 18));
    tail(12), tail(6), tail(0);
  }
}

class JsonParser {
 public:
  JsonParser(std::string_view text, RepeatedNames repeated, int depth_max)
      : text_(text), repeated_(repeated), depth_max_(depth_max) {}

  Result<Json> parse(JsonPlace place) {
    Json json;
    bool whole = simdjson::validate_utf8(text_.data(), text_.size()) ? read_value(json)
                                                                     : fail_with("it is not UTF-8");
    if (whole) {
      skip_blanks();
      if (at_ < text_.size()) whole = fail_with("something follows the value");
    }
    if (!whole) return fail(Errc::malformed, place_text(place) + ": " + why_);
    return json;
  }

 private:
  std::string place_text(JsonPlace place) const {
    if (place == JsonPlace::byte) return fmt::format("byte {}", at_);
    std::string_view before = text_.substr(0, at_);
    auto line = before.substr(before.rfind('\n') + 1);  // npos + 1 is 0
    return fmt::format("line {}, column {}", std::count(before.begin(), before.end(), '\n') + 1,
                       characters_in(line) + 1);
  }
  bool fail_with(std::string why) {
    if (why_.empty()) why_ = std::move(why);
    return false;
  }
  void skip_blanks() {
    while (at_ < text_.size() && std::string_view(" \t\n\r").find(text_[at_]) != text_.npos) ++at_;
  }
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  bool read_value(Json& out) {
    skip_blanks();
    if (at_ == text_.size()) return fail_with("a value is missing");
    switch (text_[at_]) {
      case '{': return read_object(out);
      case '[': return read_array(out);
      case '"': return read_string(out.emplace<std::string>());
      default: break;
    }
    if (take("null"))
      out = nullptr;
    else if (take("true"))
      out = true;
    else if (take("false"))
      out = false;
    else
      return read_number(out.emplace<JsonNumber>());
    return true;
  }

  bool read_object(Json& out) {
    if (++depth_ > depth_max_) return fail_with("nested too deep");
    auto& object = out.emplace<JsonObject>();
    ++at_;
    skip_blanks();
    if (!take("}")) {
      do {
        skip_blanks();
        std::string name;
        if (!read_string(name)) return false;
        skip_blanks();
        if (!take(":")) return fail_with("expected ':'");
        if (repeated_ == RepeatedNames::refuse && object.contains(name)) {
          return fail_with(fmt::format("the name '{}' is here twice", name));
        }
        if (!read_value(object[name])) return false;
        skip_blanks();
      } while (take(","));
      if (!take("}")) return fail_with("expected ',' or '}'");
    }
    --depth_;
    return true;
  }

  bool read_array(Json& out) {
    if (++depth_ > depth_max_) return fail_with("nested too deep");
    auto& array = out.emplace<JsonArray>();
    ++at_;
    skip_blanks();
    if (!take("]")) {
      do {
        if (!read_value(array.emplace_back())) return false;
        skip_blanks();
      } while (take(","));
      if (!take("]")) return fail_with("expected ',' or ']'");
    }
    --depth_;
    return true;
  }

  bool read_number(JsonNumber& out) {
    std::size_t from = at_;
    auto digits = [&] {
      std::size_t first = at_;
      while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
      return at_ > first;
    };
    take("-");
    bool zero = text_.substr(at_).starts_with('0');
    std::size_t first = at_;
    bool good = digits() && (!zero || at_ == first + 1);
    if (good && take(".")) good = digits();
    if (good && (take("e") || take("E"))) {
      if (!take("+")) take("-");
      good = digits();
    }
    if (!good) return fail_with("expected a value");
    out.token = text_.substr(from, at_ - from);
    return true;
  }

  bool read_string(std::string& out) {
    if (!take("\"")) return fail_with("expected a string");
    while (true) {
      if (at_ == text_.size()) return fail_with("a string does not end");
      char c = text_[at_];
      if (static_cast<unsigned char>(c) < 0x20) return fail_with("a control character in a string");
      ++at_;
      if (c == '"') return true;
      if (c != '\\') {
        out += c;
      } else if (!read_escape(out)) {
        return fail_with("an escape that is none");
      }
    }
  }

  bool read_escape(std::string& out) {
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    if (at_ == text_.size()) return false;
    auto letter = letters.find(text_[at_]);
    if (letter != letters.npos) {
      out += meanings[letter];
      ++at_;
      return true;
    }
    std::uint32_t point = 0;
    if (!read_unit(point)) return false;
    if (point >= 0xd800 && point < 0xdc00) {
      std::uint32_t low = 0;
      if (!take("\\") || !read_unit(low) || low < 0xdc00 || low > 0xdfff) return false;
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    } else if (point >= 0xdc00 && point < 0xe000) {
      return false;
    }
    append_utf8(out, point);
    return true;
  }

  // The `u` and four digits of an escape.
  bool read_unit(std::uint32_t& unit) {
    if (!take("u") || text_.size() - at_ < 4) return false;
    for (int i = 0; i < 4; ++i) {
      auto digit = std::string_view("0123456789abcdef").find(static_cast<char>(text_[at_] | 0x20));
      if (digit == std::string_view::npos || (text_[at_] < '0')) return false;
      unit = unit * 16 + static_cast<std::uint32_t>(digit);
      ++at_;
    }
    return true;
  }

  std::string_view text_;
  RepeatedNames repeated_;
  int depth_max_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::string why_;
};

}  // namespace

Result<Json> parse_json(std::string_view text, RepeatedNames repeated, int depth_max,
                        JsonPlace place) {
  return JsonParser(text, repeated, depth_max).parse(place);
}

void append_json(std::string& out, const Json& json) {
  if (const auto* truth = std::get_if<bool>(&json)) {
    out += *truth ? "true" : "false";
  } else if (const auto* number = std::get_if<JsonNumber>(&json)) {
    out += number->token;
  } else if (const auto* text = std::get_if<std::string>(&json)) {
    column::append_json_string(out, *text);
  } else if (const auto* array = std::get_if<JsonArray>(&json)) {
    out += '[';
    for (const auto& item : *array) {
      if (&item != array->data()) out += ',';
      append_json(out, item);
    }
    out += ']';
  } else if (const auto* object = std::get_if<JsonObject>(&json)) {
    out += '{';
    for (const auto& [name, value] : *object) {
      if (out.back() != '{') out += ',';
      column::append_json_string(out, name);
      out += ':';
      append_json(out, value);
    }
    out += '}';
  } else {
    out += "null";
  }
}

}  // namespace leat::plan
