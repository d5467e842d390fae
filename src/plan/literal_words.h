// Arguments that must be literals, since what a call means and gives hangs on them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plan/expression.h"

namespace leat::plan {

// The words of functions.h, and what they take:
//
//   span           what date_trunc() cuts to: millisecond second minute hour day week month quarter
//                  year decade century
//   unit           what of a time is a whole number: year quarter month week day hour minute dow
//                  isodow doy isoyear decade century
//   interval_unit  the same of an interval: year month day hour minute
//   part           what has a fraction: second milliseconds epoch
//   regex          RE2's syntax
//   path           a JSON path
//   template       what split_template() takes
//   reading        the same, of patterns that texts are read by: none of ISO's weeks
//   number_template    what parse_number_template() takes
//   number_reading     what parse_number_reading() takes
//   encoding       hex, base64
//   charset        UTF8
//   flags          of regexp_replace(): g, i, both, or none
//   digits         a bigint, -38 to 38: how many digits behind the point, or before it, are kept
//
// Units may be written as PostgreSQL takes them: in capitals, in the plural, cut short.
bool is_literal_word(std::string_view word);

/// What a literal for the word is: a text, but for `digits`.
Type type_of_word(std::string_view word);

/// Whether `literal` is there, of that type, and right for the word.
bool fits_literal_word(std::string_view word, const Type& type, const Value* literal);

/// The words that one of the units takes; none if `word` is none of them.
std::span<const std::string_view> units_of(std::string_view word);

/// What functions call the unit that is written so: "day" for "Days". Nothing if the word takes
/// none of that name.
std::optional<std::string_view> unit_named(std::string_view word, std::string_view text);

/// What is wrong with `text` where no unit is wanted: "'(a' is no regular expression: ...".
/// REQUIRES: it does not fit.
std::string literal_complaint(std::string_view word, const std::string& text);

/// What is wrong with a number that is none for `digits`.
std::string number_complaint();

/// One step of a template of to_char(): a pattern to fill in, or a text to copy.
struct TemplatePart {
  bool pattern = false;
  std::string text;
  /// Of a text to copy: it was in double quotes.
  bool quoted = false;
  /// Of a pattern, by FM: it has no zeros in front and no blanks behind; where texts are read, it
  /// has any number of digits.
  bool is_short = false;
};

/// The patterns are PostgreSQL's YYYY YY IYYY Q MM MON DD DDD IDDD DY DAY MONTH ID IW HH24 HH12 HH
/// MI SS SSSS SSSSS MS US AM PM, in capitals or in small letters; names also as Mon; FM may stand
/// right before each. A pattern that
/// means the same as another one is given as that: HH12 for hh, SSSS for sssss. Letters that mean
/// themselves are in double quotes. Nothing for anything else, with `why`, if that is wanted.
std::optional<std::vector<TemplatePart>> split_template(std::string_view text,
                                                        std::string* why = nullptr);

}  // namespace leat::plan
