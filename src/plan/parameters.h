// What a plan's text leaves open, and is given for each run of it.
//
//   placeholder := '${' name [':-' default] '}'
//   name        := (letter | '_') (letter | digit | '_')*
//   default     := (placeholder | character other than '}')*       counts where there is no value
//
// Within a JSON string a placeholder stands for text, which is escaped as JSON has it; elsewhere
// for one JSON value: a number, say. `$${` stands for the characters `${`.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"

namespace leat::plan {

/// Values by name. No value is looked into for placeholders.
using Parameters = std::map<std::string, std::string, std::less<>>;

struct FilledText {
  std::string text;
  /// Names of placeholders that are in the text, whether or not a default counted.
  std::set<std::string, std::less<>> names;
};

/// Puts values in the place of all placeholders. Errc::plan_error with the line, naming what has
/// no value and no default, what is no placeholder, and values that do not fit.
Result<FilledText> fill_in(std::string_view text, const Parameters& values);

/// What every run has beside the values it is given: the UTC days `today` and `yesterday`, as
/// 2026-03-02, of a run that begins at `now_ms`, and that moment itself, `now`, as RFC 3339. For a
/// batch on a schedule a run begins anew each time.
Parameters run_parameters(std::int64_t now_ms);

/// "NAME=VALUE". Errc::invalid_argument.
Result<void> add_parameter(Parameters& values, std::string_view assignment);

}  // namespace leat::plan
