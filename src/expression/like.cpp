#include "expression/like.h"

#include "expression/characters.h"

namespace leat::expression {

bool LikePattern::set(std::string_view pattern) {
  bytes_.clear();
  any_.clear();
  parts_.assign(1, {});
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    char c = pattern[i];
    if (c == '%') {
      parts_.push_back({static_cast<std::uint32_t>(bytes_.size()), 0, 0, true});
      continue;
    }
    bool any = c == '_';
    if (c == '\\') {
      if (++i == pattern.size()) return false;
      c = pattern[i];
    }
    Part& part = parts_.back();
    bytes_ += c;
    any_ += any ? '\1' : '\0';
    ++part.size;
    part.characters += begins_character(c) ? 1 : 0;
    part.plain = part.plain && !any;
  }
  return true;
}

std::size_t LikePattern::match(const Part& part, std::string_view text) const {
  if (part.plain) return text.starts_with(bytes(part)) ? part.size : text.npos;
  std::size_t at = 0;
  for (std::size_t i = part.begin; i < part.begin + part.size; ++i) {
    if (at == text.size()) return text.npos;
    if (any_[i] != 0) {
      at += character_begin(text.substr(at), 1);
    } else if (text[at++] != bytes_[i]) {
      return text.npos;
    }
  }
  return at;
}

std::size_t LikePattern::find_end(const Part& part, std::string_view text) const {
  if (part.plain) {
    std::size_t found = find_text(text, bytes(part));
    return found == text.npos ? found : found + part.size;
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!begins_character(text[at])) continue;
    std::size_t size = match(part, text.substr(at));
    if (size != text.npos) return at + size;
  }
  return text.npos;
}

bool LikePattern::ends_with(const Part& part, std::string_view text) const {
  if (part.plain) return text.ends_with(bytes(part));
  std::size_t at = character_begin_from_end(text, part.characters);
  return match(part, text.substr(at)) == text.size() - at;
}

bool LikePattern::matches(std::string_view text) const {
  std::size_t size = match(parts_[0], text);
  if (parts_.size() == 1) return size == text.size();
  if (size == text.npos) return false;
  text.remove_prefix(size);
  for (std::size_t i = 1; i + 1 < parts_.size(); ++i) {
    std::size_t end = find_end(parts_[i], text);
    if (end == text.npos) return false;
    text.remove_prefix(end);
  }
  return ends_with(parts_.back(), text);
}

}  // namespace leat::expression
