// Texts that are made of others' characters: repeated, turned round, exchanged, joined.
#include "expression/optimize.h"

#include <array>
#include <string>
#include <unordered_map>
#include <vector>

#include "expression/characters.h"
#include "expression/made_text.h"

namespace leat::expression {

using std::int64_t;
using std::string_view;

namespace {

// What repeating may make of a short text, in bytes.
constexpr int64_t repeated_max = 1'000'000;

using Texts = Cells<string_view>;
using Integers = Cells<int64_t>;

string_view first_character(string_view text) {
  return text.substr(0, character_begin(text, 1));
}

void repeat(const Call& call) {
  Texts texts(call.arguments[0]);
  Integers counts(call.arguments[1]);
  for_known_rows(call, [&](std::uint32_t row) {
    string_view text = texts[row];
    int64_t times = text.empty() ? 0 : std::max<int64_t>(counts[row], 0);
    if (times > 0 && times > repeated_max / int64_t(text.size())) {
      return call.errors.add(row, "requested length too large");
    }
    auto count = static_cast<std::size_t>(times);
    char* out = make_text(call, row, text.size() * count);
    for (std::size_t i = 0; i < count; ++i) out = append(out, text);
  });
}

void reverse(const Call& call) {
  Texts texts(call.arguments[0]);
  for_known_rows(call, [&](std::uint32_t row) {
    string_view text = texts[row];
    char* end = make_text(call, row, text.size()) + text.size();
    while (!text.empty()) {
      string_view character = first_character(text);
      end -= character.size();
      append(end, character);
      text.remove_prefix(character.size());
    }
  });
}

/// What becomes of characters: another one, or nothing.
class Translation {
 public:
  Translation(string_view from, string_view to) {
    for (std::size_t byte = 0; byte < bytes_.size(); ++byte) {
      own_[byte] = static_cast<char>(byte);
      bytes_[byte] = string_view(own_.data() + byte, 1);
    }
    std::array<bool, 0x80> is_set{};
    while (!from.empty()) {
      string_view old = first_character(from), fresh = first_character(to);
      from.remove_prefix(old.size());
      to.remove_prefix(fresh.size());
      auto byte = static_cast<unsigned char>(old[0]);
      if (old.size() > 1) {
        others_.try_emplace(old, fresh);
      } else if (!is_set[byte]) {
        is_set[byte] = true;
        bytes_[byte] = fresh;
      }
    }
  }
  Translation(const Translation&) = delete;
  Translation& operator=(const Translation&) = delete;

  string_view of(string_view character) const {
    if (character.size() == 1) return bytes_[static_cast<unsigned char>(character[0])];
    if (others_.empty()) return character;
    auto found = others_.find(character);
    return found == others_.end() ? character : found->second;
  }

 private:
  std::array<char, 0x80> own_;
  std::array<string_view, 0x80> bytes_;
  std::unordered_map<string_view, string_view> others_;
};

void translate(const Call& call, std::uint32_t row, string_view text, const Translation& by) {
  constexpr std::size_t character_max = 4;
  char* begin = call.result.texts.reserve(text.size() * character_max);
  char* out = begin;
  while (!text.empty()) {
    string_view character = first_character(text);
    out = append(out, by.of(character));
    text.remove_prefix(character.size());
  }
  auto size = static_cast<std::size_t>(out - begin);
  call.result.texts.keep(size);
  call.out().set_text(row, {begin, size});
}

void translate_all(const Call& call) {
  Texts texts(call.arguments[0]), from(call.arguments[1]), to(call.arguments[2]);
  bool is_one = call.arguments[1].constant && call.arguments[2].constant;
  bool is_null = is_one && (call.arguments[1].is_null(0) || call.arguments[2].is_null(0));
  Translation one(is_one && !is_null ? from[0] : string_view(),
                  is_one && !is_null ? to[0] : string_view());
  for_known_rows(call, [&](std::uint32_t row) {
    if (is_one) return translate(call, row, texts[row], one);
    translate(call, row, texts[row], Translation(from[row], to[row]));
  });
}

// Of a word the first letter in capitals, the others in small ones, of A to Z. Characters beyond
// ASCII are taken for letters.
void capitalize(const Call& call) {
  Texts texts(call.arguments[0]);
  for_known_rows(call, [&](std::uint32_t row) {
    char* out = make_text(call, row, texts[row].size());
    bool within = false;
    for (char c : texts[row]) {
      *out++ = within ? lower(c) : upper(c);
      bool is_digit = c >= '0' && c <= '9', is_letter = lower(c) >= 'a' && lower(c) <= 'z';
      within = is_digit || is_letter || static_cast<unsigned char>(c) >= 0x80;
    }
  });
}

// What is NULL is left out, with its separator.
void join_with(const Call& call) {
  std::vector<Texts> texts;
  for (const auto& argument : call.arguments) texts.emplace_back(argument);
  call.rows.each([&](std::uint32_t row) {
    if (call.arguments[0].is_null(row)) return call.out().set_null(row);
    std::size_t size = 0, joined = 0;
    auto is_there = [&](std::size_t i) { return !call.arguments[i].is_null(row); };
    for (std::size_t i = 1; i < texts.size(); ++i) {
      if (is_there(i)) size += texts[i][row].size() + (joined++ > 0 ? texts[0][row].size() : 0);
    }
    char* out = make_text(call, row, size);
    joined = 0;
    for (std::size_t i = 1; i < texts.size(); ++i) {
      if (!is_there(i)) continue;
      if (joined++ > 0) out = append(out, texts[0][row]);
      out = append(out, texts[i][row]);
    }
  });
}

// ---- Code points -------------------------------------------------------------------------------

void code_of(const Call& call) {
  map<int64_t, string_view>(call, [](string_view text) -> int64_t {
    if (text.empty()) return 0;
    auto byte = [&](std::size_t i) -> int64_t {
      return i < text.size() ? static_cast<unsigned char>(text[i]) & 0x3f : 0;
    };
    auto first = static_cast<unsigned char>(text[0]);
    if (first < 0x80) return first;
    if (first < 0xe0) return int64_t{first & 0x1f} << 6 | byte(1);
    if (first < 0xf0) return int64_t{first & 0x0f} << 12 | byte(1) << 6 | byte(2);
    return int64_t{first & 0x07} << 18 | byte(1) << 12 | byte(2) << 6 | byte(3);
  });
}

const char* code_error(int64_t code) {
  if (code < 0) return "character number must be positive";
  if (code == 0) return "null character not permitted";
  bool is_surrogate = 0xd800 <= code && code <= 0xdfff;
  return code > 0x10ffff || is_surrogate ? "requested character not valid for encoding" : nullptr;
}

void character_of(const Call& call) {
  Integers codes(call.arguments[0]);
  for_known_rows(call, [&](std::uint32_t row) {
    int64_t code = codes[row];
    if (const char* error = code_error(code)) return call.errors.add(row, error);
    std::size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1'0000 ? 3 : 4;
    char* out = make_text(call, row, size);
    for (std::size_t i = size; i-- > 1; code >>= 6)
      out[i] = static_cast<char>(0x80 | (code & 0x3f));
    constexpr std::array<int, 5> marks{0, 0, 0xc0, 0xe0, 0xf0};
    out[0] = static_cast<char>(marks[size] | code);
  });
}

void count_bytes(const Call& call) {
  map<int64_t, string_view>(call, [](string_view text) { return int64_t(text.size()); });
}

struct Row {
  string_view name;
  void (*kernel)(const Call&);
};

constexpr Row rows[] = {
    {"repeat", repeat},      {"reverse", reverse},          {"translate", translate_all},
    {"initcap", capitalize}, {"concat_ws", join_with},      {"ascii", code_of},
    {"chr", character_of},   {"octet_length", count_bytes},
};

}  // namespace

Kernel reshape_kernel(const plan::BoundExpression& call) {
  const auto* row = std::find_if(std::begin(rows), std::end(rows),
                                 [&](const Row& each) { return each.name == call.function; });
  return row == std::end(rows) ? Kernel() : row->kernel;
}

}  // namespace leat::expression
