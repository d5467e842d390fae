// A pipeline's graph as data: what a builder, a file or SQL makes and the runtime runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "column/timestamp.h"
#include "column/type.h"
#include "stream/expression.h"

namespace leat::stream {

/// What to do with a record that cannot become a row, and with a row that has no valid result.
enum class BadRecords { fail, skip, dead_letter };

/// Rows from the records of a topic whose values are JSON objects.
struct SourcePlan {
  std::string topic;
  Schema fields;
  /// A field of type timestamp; empty for the record's own timestamp.
  std::string event_time;
  /// How far behind the largest event time of its partition a row may come and not be late.
  std::int64_t disorder_ms = 0;
  /// How far an event time may be ahead of its record's timestamp; nothing for any distance. A
  /// record beyond is a bad one: it must not move the watermark, which never goes back. A record
  /// without a timestamp is not judged.
  std::optional<std::int64_t> ahead_ms_max;
  /// How long a partition that is read to its end may be silent before it no longer holds the
  /// watermark back; nothing for never. Only live runs look at it.
  std::optional<std::int64_t> idle_ms = 30'000;
  BadRecords bad_records = BadRecords::fail;
  std::string dead_letter_topic;
};

/// Keeps the rows for which the condition is true.
struct FilterPlan {
  Expression condition;
};

/// Replaces the columns.
struct ProjectPlan {
  struct Column {
    std::string name;
    Expression expression;
  };
  std::vector<Column> columns;
};

enum class AggregateKind { count, sum, min, max, avg };

/// One aggregate of a group. NULLs do not take part, and make the result NULL where there is
/// nothing else; a count is 0 then.
struct Aggregate {
  AggregateKind kind;
  /// Empty for a count of rows.
  std::string column;
  /// Of the result.
  std::string name;
};

Aggregate count(std::string name);
Aggregate count(std::string column, std::string name);
Aggregate sum(std::string column, std::string name);
Aggregate min(std::string column, std::string name);
Aggregate max(std::string column, std::string name);
Aggregate avg(std::string column, std::string name);

/// Tumbling windows [n * size, (n + 1) * size) of event time, aligned to 1970-01-01T00:00Z. Gives,
/// when a window closes, one row a group: window_start, window_end, keys, aggregates.
struct WindowPlan {
  std::int64_t size_ms = 0;
  std::vector<std::string> keys;
  std::vector<Aggregate> aggregates;
  /// Where rows go whose windows have closed; empty to only count them.
  std::string late_topic;
};

using StepPlan = std::variant<FilterPlan, ProjectPlan, WindowPlan>;

/// Rows as records: the value a JSON object of all columns, the key made of the key columns (the
/// bare text of a single one, else a JSON object), the timestamp the row's event time, which for
/// a window's row is its end - 1 ms.
struct SinkPlan {
  std::string topic;
  std::vector<std::string> keys;
  /// If the topic is made; 0 for as many as the source has.
  std::int32_t partitions = 0;
};

struct Plan {
  std::string name;
  SourcePlan source;
  std::vector<StepPlan> steps;
  SinkPlan sink;
};

/// Event times that a row may have: those whose windows' bounds can be written as RFC 3339.
inline constexpr std::int64_t window_size_ms_max = std::int64_t{366} * 86'400'000;
inline constexpr std::int64_t event_time_ms_min = column::timestamp_min.ms + window_size_ms_max;
inline constexpr std::int64_t event_time_ms_max = column::timestamp_max.ms - window_size_ms_max;

/// The columns behind the first `steps` steps. Errc::plan_error if something does not fit, naming
/// the place as "source", "step 2 (filter)" or "sink".
Result<Schema> schema_after(const Plan& plan, std::size_t steps);

/// Everything that can be said without looking at topics.
Result<void> check(const Plan& plan);

}  // namespace leat::stream
