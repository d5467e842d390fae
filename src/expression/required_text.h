// What a regular expression cannot match without.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace leat::expression {

/// A text that is in every match of a pattern. To look for it costs far less than to try the
/// pattern at each byte.
struct RequiredText {
  static constexpr std::size_t unbounded = std::numeric_limits<std::size_t>::max();

  std::string text;
  /// A match begins at most so many bytes before it.
  std::size_t before_max = unbounded;

  /// Where the first match in `subject` can begin; npos if there is none.
  std::size_t first_begin(std::string_view subject) const;
};

/// The longest one of a pattern in RE2's syntax that minds case; an empty one if there is none, or
/// the pattern has what this does not understand.
RequiredText required_text(std::string_view pattern);

}  // namespace leat::expression
