// Templates of to_char() and to_number() for numbers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leat::plan {

/// A number's place in a text, part by part:
///
///   9       a digit; blank where the number has none before the point
///   0       a digit; 0 where the number has none
///   , G     a comma between digits, as soon as there are some
///   . D     the point
///   S       the sign beside the digits, in front of them or behind: + or -
///   SG      the sign in this place
///   MI PL   - in this place, or + in this place, or else a blank
///
/// in capitals or small letters, and texts to copy: letters of them in double quotes. FM, in front,
/// leaves out blanks, and zeros at the end that no 0 asks for.
struct NumberTemplate {
  struct Part {
    enum class Kind { nine, zero, comma, point, sign, any_sign, minus, plus, text };
    Kind kind = Kind::text;
    std::string text;  // of a text
    bool is_digit() const { return kind == Kind::nine || kind == Kind::zero; }
  };

  std::vector<Part> parts;
  bool is_short = false;  // FM
  int whole_digits = 0;
  int fraction_digits = 0;
  /// Where digits and point begin and end in `parts`.
  std::size_t digits_begin = 0;
  std::size_t digits_end = 0;

  /// Whether it has such a part before the digits, or behind them.
  bool has_before(Part::Kind kind) const;
  bool has_behind(Part::Kind kind) const;
};

/// Nothing for what is none, with `why`, if that is wanted. There is a digit before the point and,
/// where there is a point, behind it; what concerns the sign is before or behind all digits; S
/// stands alone.
std::optional<NumberTemplate> parse_number_template(std::string_view text,
                                                    std::string* why = nullptr);

/// The same for reading, which wants as many digits as a decimal has, and no texts between them.
std::optional<NumberTemplate> parse_number_reading(std::string_view text,
                                                   std::string* why = nullptr);

}  // namespace leat::plan
