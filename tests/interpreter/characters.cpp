#include "interpreter/characters.h"

#include <span>

#include "interpreter/evaluate.h"

namespace leat::interpreter {

namespace {

using Characters = std::span<const std::string>;

bool match(Characters text, Characters pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == "%") {
    for (std::size_t skip = 0; skip <= text.size(); ++skip) {
      if (match(text.subspan(skip), pattern.subspan(1))) return true;
    }
    return false;
  }
  if (text.empty()) return false;
  if (pattern[0] == "_") return match(text.subspan(1), pattern.subspan(1));
  if (pattern[0] == "\\") pattern = pattern.subspan(1);
  return text[0] == pattern[0] && match(text.subspan(1), pattern.subspan(1));
}

}  // namespace

std::vector<std::string> characters_of(std::string_view text) {
  std::vector<std::string> characters;
  for (char c : text) {
    bool first = (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    if (first) characters.emplace_back();
    characters.back() += c;
  }
  return characters;
}

bool is_like(const std::string& text, const std::string& pattern) {
  auto parts = characters_of(pattern);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] != "\\") continue;
    if (++i == parts.size()) throw BadValue{"LIKE pattern must not end with escape character"};
  }
  return match(characters_of(text), parts);
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

}  // namespace leat::interpreter
