// A view of two: what a batch has come to, and what has happened since.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "operators/watermark.h"
#include "plan/plan.h"

namespace leat::pipeline {

/// Of the batch view the rows whose column is before T, of the live view the others. T is where the
/// batch's input was complete when it ended (ViewMoment::complete_to), rounded down to what a row
/// of it spans, so no row of either view lies across T. What comes later and is of before T has
/// been late to both.
struct UnionView {
  std::string name;
  std::string batch;
  std::string live;
  /// Of both views: when what a row tells of begins, a timestamp or a date.
  std::string column;
  /// How much time a row of the batch view spans.
  std::int64_t granularity_ms = 0;

  /// Nothing if the batch has nothing that is complete.
  std::optional<std::int64_t> boundary_ms(operators::Watermark complete_to) const;
};

/// Of its file and of the catalog's record:
///
///   {"version": 1, "type": "union_view", "name": "revenue", "batch": "revenue-per-day",
///    "live": "revenue-per-minute", "column": "window_start", "granularity_ms": 86400000}
///
/// Errc::plan_error with what does not fit.
Result<UnionView> parse_union_view(std::string_view text);
std::string print(const UnionView& view);

/// Whether the two plans, and their sinks that are the views, go together so that every row counts
/// once: else Errc::plan_error with the reason.
Result<void> check_union(const UnionView& view, const plan::Plan& batch, const plan::Plan& live);

/// Whether a name is one that versions beside the live one have: "revenue.v2".
bool is_shadow_name(std::string_view name);

/// The sink of the plan that is the view, by its number among those that are; nothing if none is.
std::optional<std::size_t> view_number(const plan::Plan& plan, std::string_view name);

/// The milliseconds of a cell of JSON, a timestamp or a date; nothing for what is neither.
std::optional<std::int64_t> time_of_cell(std::string_view text);

}  // namespace leat::pipeline
