// How large a plan may be, whoever wrote it: one that is hostile, or made by a program that went
// wrong, is refused before it costs memory, time or the stack of who reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "plan/expression.h"

namespace leat::plan {

/// Of a plan's JSON.
inline constexpr std::size_t text_bytes_max = std::size_t{16} << 20;
inline constexpr std::size_t nodes_max = 1'000;
/// Of a node: those that it gives.
inline constexpr std::size_t columns_max = 2'000;
/// How deep calls may be within calls: each takes two levels of JSON, and some of the stack.
inline constexpr std::size_t expression_depth_max = 200;
/// Columns, literals, calls and casts of one expression.
inline constexpr std::size_t expression_parts_max = 10'000;
/// Of one literal.
inline constexpr std::size_t literal_bytes_max = std::size_t{1} << 20;
/// Between two triggers: a day.
inline constexpr std::int64_t trigger_ms_max = 86'400'000;
/// Of a schedule.
inline constexpr std::size_t schedule_bytes_max = 200;
/// Of a pattern: RE2 bounds besides what it makes of it.
inline constexpr std::size_t regex_bytes_max = 4'096;
/// Of those that a frame or a limit counts.
inline constexpr std::int64_t rows_max = 1'000'000'000;
/// Of a topic that a sink makes.
inline constexpr std::int64_t partitions_max = 100'000;
/// Objects and arrays of a plan's JSON within another.
inline constexpr int json_depth_max = 2 * static_cast<int>(expression_depth_max) + 16;

/// What of the expression is beyond that; nothing if it is within.
std::optional<std::string> excess_of(const Expression& expression);

}  // namespace leat::plan
