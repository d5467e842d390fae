// Rows, and the partitioned logs that they are read from.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "interpreter/order.h"

namespace leat::interpreter {

/// What happens to a row. Only nodes that change rows later give others than `insert`.
enum class Kind { insert, update_before, update_after, remove };

/// Where a row is from: (source, partition, offset), then the number of its item for each unnest
/// and that of the input for each union; of what windows and joins give (node, place in what that
/// node gives). Sources and nodes count by their place in the plan.
using Position = std::vector<std::int64_t>;

/// When a row comes, for what is judged at once: as if each row that is read went all its ways
/// before the next one, and then event time as far as that row moves it. Nodes that wait for event
/// time have their turns in the order of the plan. Rows of one arrival come in the order of time.
struct Arrival {
  std::int64_t read = 0;  // which of all rows, in the order in which they are read
  std::int64_t turn = 0;  // 0 for what is made of the row itself, else the node's number + 1
  friend auto operator<=>(const Arrival&, const Arrival&) = default;
};

struct Row {
  Values values;
  std::int64_t time = 0;  // event time, ms
  /// Its partition's, just before it was read. What windows, joins, OVER and dedup give has its own
  /// time here: what could have made it late was dropped before it was made.
  std::int64_t watermark = 0;
  Position position;
  Arrival arrival;
  Kind kind = Kind::insert;
};

using Rows = std::vector<Row>;

/// The order of time: by (event time, position).
bool earlier(const Row& a, const Row& b);

struct Record {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::int64_t timestamp_ms = -1;  // -1: none
  std::vector<std::pair<std::string, std::string>> headers;
};

/// What a source reads: the records of each partition, by offset. A file is one partition.
struct Log {
  std::string topic;
  std::vector<std::vector<Record>> partitions;
  /// Watermarks that partitions were lifted to when they woke, by (partition, offset): the
  /// decisions of a live run.
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> lifted;
};

}  // namespace leat::interpreter
