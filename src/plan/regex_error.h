// What is wrong with a regular expression, and where.
#pragma once

#include <string>

namespace leat::plan {

/// RE2's reason why `pattern` is none, with the character where it stops, counted from 1:
/// "missing ) at character 1: (a". Empty if the pattern is one.
std::string regex_error(const std::string& pattern);

}  // namespace leat::plan
