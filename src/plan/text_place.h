// Texts as people count and read them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace leat::plan {

/// How many characters UTF-8 text has.
inline std::size_t characters_in(std::string_view text) {
  auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins));
}

/// The text, or about its first `bytes_max` bytes in whole characters and three points behind.
inline std::string shortened(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xc0) == 0x80) --bytes_max;
  return std::string(text.substr(0, bytes_max)) + "...";
}

}  // namespace leat::plan
