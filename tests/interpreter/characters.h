// Texts as the characters that SQL's functions count.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace leat::interpreter {

/// One text for each code point. REQUIRES: UTF-8.
std::vector<std::string> characters_of(std::string_view text);

/// SQL's LIKE: `%` any characters, `_` one, `\` takes what follows as it is. Throws BadValue for a
/// pattern that ends in a lone escape.
bool is_like(const std::string& text, const std::string& pattern);

/// Of A to Z alone.
std::string lower(std::string text);
std::string upper(std::string text);

}  // namespace leat::interpreter
