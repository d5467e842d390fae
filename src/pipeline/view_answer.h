// What a view shows, as JSON.
#pragma once

#include <cstdint>
#include <string>

#include "pipeline/served_view.h"
#include "pipeline/view_rows.h"
#include "plan/json.h"
#include "stream/view.h"

namespace leat::pipeline {

/// Whose it is, its epoch, watermark and inputs, its keys and columns.
plan::JsonObject moment_json(const ServedView& view, const stream::ViewMoment& moment);
/// The same of a part of a union view, with its name.
plan::Json side_json(const ServedView& view, const stream::ViewMoment& moment);
/// All of it, the rows last, each as the view has it.
std::string answer_text(plan::JsonObject head, const FoundRows& rows);

/// For sentences.
std::string time_text(std::int64_t time_ms);

}  // namespace leat::pipeline
