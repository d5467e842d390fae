// Intervals as text, as PostgreSQL reads and writes them.
#pragma once

#include <optional>
#include <string>

#include "plan/expression.h"

namespace leat::interpreter {

/// `1 year 2 mons -3 days +04:05:06.7`
std::string interval_text(const plan::Interval& interval);

/// Numbers with units (`2 hours 1 day`; those of hours and less may have a fraction) and times
/// (`-01:02:03.5`), in any order. Nothing if it is anything else.
std::optional<plan::Interval> parse_interval(const std::string& text);

}  // namespace leat::interpreter
