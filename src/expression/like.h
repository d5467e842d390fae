// Patterns of LIKE.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace leat::expression {

/// A pattern that is taken apart once: `%` is any characters, `_` one, `\` takes what follows as it
/// is. Can be set again without new memory.
class LikePattern {
 public:
  /// False if the pattern ends in a lone escape.
  bool set(std::string_view pattern);
  bool matches(std::string_view text) const;

 private:
  /// What stands between two `%`: characters, and any ones.
  struct Part {
    std::uint32_t begin = 0;  // in bytes_ and any_
    std::uint32_t size = 0;
    std::uint32_t characters = 0;
    bool plain = true;  // nothing but characters
  };

  std::string_view bytes(const Part& part) const {
    return std::string_view(bytes_).substr(part.begin, part.size);
  }
  /// How many bytes at the begin of `text` are what the part says, or npos.
  std::size_t match(const Part& part, std::string_view text) const;
  /// Where what the part says ends for the first time, or npos.
  std::size_t find_end(const Part& part, std::string_view text) const;
  bool ends_with(const Part& part, std::string_view text) const;

  std::string bytes_;
  std::string any_;  // a 1 where the byte stands for any character
  std::vector<Part> parts_;
};

}  // namespace leat::expression
