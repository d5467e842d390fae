// Arguments that must be literals, since what a call means and gives hangs on them.
#pragma once

#include <optional>
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
//   flags          of regexp_replace(): g, i, both, or none
bool is_literal_word(std::string_view word);

/// Whether `literal` is there, a text, and right for the word.
bool fits_literal_word(std::string_view word, const Type& type, const Value* literal);

/// One step of a template of to_char(): a pattern to fill in, or a text to copy.
struct TemplatePart {
  bool pattern = false;
  std::string text;
};

/// The patterns are YYYY YY IYYY Q MM Mon Month DD DDD Dy Day ID IW HH24 HH12 MI SS MS AM PM;
/// letters that mean themselves are in double quotes. Nothing for anything else.
std::optional<std::vector<TemplatePart>> split_template(std::string_view text);

}  // namespace leat::plan
