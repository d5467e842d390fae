// Views for people and for spreadsheets.
#pragma once

#include <string>

#include "plan/json.h"

namespace leat::tools {

/// Of GET /v1/views: a line each.
std::string views_text(const plan::Json& list);
/// The rows of GET /v1/views/NAME within lines, numbers to the right.
std::string view_box(const plan::Json& view);
/// The same as CSV, with the columns' names first; NULL is an empty field.
std::string view_csv(const plan::Json& view);
/// On one line, of which moment it is and how far its inputs were read.
std::string view_moment_text(const plan::Json& view);

}  // namespace leat::tools
