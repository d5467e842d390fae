// What sinks write for rows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "interpreter/row.h"
#include "plan/bound_plan.h"

namespace leat::interpreter {

/// A record of a topic. Without value it removes its key.
struct SinkRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::int64_t timestamp_ms = 0;
  /// "insert", "update_before", "update_after" or "delete", where the sink writes all changes.
  std::string kind;
};

/// REQUIRES: `sink` writes to a topic.
std::vector<SinkRecord> records_of(const plan::BoundNode& sink, const Rows& rows);

/// Numbers bare, with a decimal's digits; times as RFC 3339, dates, intervals and bytes as
/// PostgreSQL writes them, arrays as arrays, NULL as null.
std::string json_text(const plan::Value& value, const plan::Type& type);

}  // namespace leat::interpreter
