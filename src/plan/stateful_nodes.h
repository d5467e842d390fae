// The nodes of a plan's graph that remember rows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/expression.h"

namespace leat::plan {

/// One aggregate of a group of rows. NULLs do not take part, except in count without an argument
/// and in array_agg, and make the result NULL where there is nothing else; a count is 0 then.
/// functions.h lists them, with their types and what of the fields below belongs to which.
struct Aggregate {
  std::string name;
  std::string function;
  std::optional<Expression> argument;
  /// Only rows for which this is true.
  std::optional<Expression> filter;
  /// Of percentile: 0 to 1.
  std::optional<double> fraction;
  /// Of top_n: by what the first `limit` are chosen.
  std::optional<Expression> order_by;
  bool descending = false;
  std::optional<std::int64_t> limit;
  /// Of string_agg.
  std::string separator;

  static void fields(auto& self, auto& visit) {
    visit.required("name", self.name);
    visit.required("function", self.function);
    visit.optional("argument", self.argument, std::nullopt);
    visit.optional("filter", self.filter, std::nullopt);
    visit.optional("fraction", self.fraction, std::nullopt);
    visit.optional("order_by", self.order_by, std::nullopt);
    visit.optional("descending", self.descending, false);
    visit.optional("limit", self.limit, std::nullopt);
    visit.optional("separator", self.separator, "");
  }
};

/// Windows of event time [start, end), aligned to 1970-01-01T00:00Z plus `offset_ms`.
///   tumbling  [n * size, (n + 1) * size)
///   hopping   [n * slide, n * slide + size)
///   cumulate  [n * size, n * size + i * step) for each i up to size / step
///   session   per key: from a row to `gap` behind the last one that came less than `gap` after
///             the one before it
struct WindowShape {
  enum class Kind { tumbling, hopping, cumulate, session };
  Kind kind = Kind::tumbling;
  std::int64_t size_ms = 0;
  std::int64_t slide_ms = 0;
  std::int64_t step_ms = 0;
  std::int64_t gap_ms = 0;
  std::int64_t offset_ms = 0;

  static void fields(auto& self, auto& visit) {
    visit.required("kind", self.kind);
    visit.optional("size_ms", self.size_ms, 0);
    visit.optional("slide_ms", self.slide_ms, 0);
    visit.optional("step_ms", self.step_ms, 0);
    visit.optional("gap_ms", self.gap_ms, 0);
    visit.optional("offset_ms", self.offset_ms, 0);
  }
};

/// A row for each window and group: window_start, window_end, keys, aggregates. Its event time is
/// the window's end - 1 ms. Of rows that change later it takes each change, whenever it comes: such
/// windows are no sessions, emit `update` or `every`, and stay as long as the run.
struct Window {
  static constexpr std::string_view type = "window";
  /// `close`: once, and again for each change within the lateness. `update`: as soon as something
  /// changed. `every`: what changed, each `every_ms` of processing time.
  enum class Emit { close, update, every };
  std::string input;
  WindowShape window;
  std::vector<std::string> keys;
  std::vector<Aggregate> aggregates;
  /// How long behind its end a window takes further rows, and revises what it gave.
  std::int64_t lateness_ms = 0;
  Emit emit = Emit::close;
  std::int64_t every_ms = 0;
  /// Where rows go that count in no window; empty to only count them.
  std::string late_topic;

  static void fields(auto& self, auto& visit) {
    visit.required("input", self.input);
    visit.required("window", self.window);
    visit.optional("keys", self.keys, {});
    visit.required("aggregates", self.aggregates);
    visit.optional("lateness_ms", self.lateness_ms, 0);
    visit.optional("emit", self.emit, Emit::close);
    visit.optional("every_ms", self.every_ms, 0);
    visit.optional("late_topic", self.late_topic, "");
  }
};

/// When a row of a key is judged without a window. `at_once`: when it comes, by the rows that came
/// before it. `watermark`: when all rows before it are there, in the order of time. `update`: when
/// it comes, and again when something changes that.
enum class Emission { at_once, watermark, update };

/// The rows of the same keys that count for a row: those up to its event time, peers included,
/// from `range_ms` before it; or the last `rows` before it in the order of time, and itself; or all
/// up to it.
struct Frame {
  std::optional<std::int64_t> range_ms;
  std::optional<std::int64_t> rows;

  static void fields(auto& self, auto& visit) {
    visit.optional("range_ms", self.range_ms, std::nullopt);
    visit.optional("rows", self.rows, std::nullopt);
  }
};

/// Each row, with aggregates over its frame behind its columns.
struct Over {
  static constexpr std::string_view type = "over";
  std::string input;
  std::vector<std::string> keys;
  Frame frame;
  std::vector<Aggregate> aggregates;
  Emission emit = Emission::watermark;
  std::string late_topic;

  static void fields(auto& self, auto& visit) {
    visit.required("input", self.input);
    visit.optional("keys", self.keys, {});
    visit.optional("frame", self.frame, Frame{});
    visit.required("aggregates", self.aggregates);
    visit.optional("emit", self.emit, Emission::watermark);
    visit.optional("late_topic", self.late_topic, "");
  }
};

/// NULL is the largest, as in PostgreSQL's order.
struct Ordering {
  std::string column;
  bool descending = false;

  static void fields(auto& self, auto& visit) {
    visit.required("column", self.column);
    visit.optional("descending", self.descending, false);
  }
};

/// The first `limit` rows of the same keys, ties by the order of time: row_number() <= limit. With
/// `ties` those that `order_by` calls equal have one rank, and may be more: rank() <= limit.
/// `update` gives those of the end, and takes back others; the other emissions give each row that
/// was among them when it was judged, with the rank that it had then.
struct Top {
  static constexpr std::string_view type = "top";
  std::string input;
  std::vector<std::string> keys;
  std::vector<Ordering> order_by;
  std::int64_t limit = 0;
  bool ties = false;
  std::string rank;  // a column for it; empty for none
  Emission emit = Emission::update;
  std::string late_topic;

  static void fields(auto& self, auto& visit) {
    visit.required("input", self.input);
    visit.optional("keys", self.keys, {});
    visit.required("order_by", self.order_by);
    visit.required("limit", self.limit);
    visit.optional("ties", self.ties, false);
    visit.optional("rank", self.rank, "");
    visit.optional("emit", self.emit, Emission::update);
    visit.optional("late_topic", self.late_topic, "");
  }
};

/// One row of those with the same keys. With a horizon, a key is forgotten so long after the first
/// row that was seen of it, and the next one begins anew. `at_once` and `watermark` of keep = last
/// need a horizon: the last one is known when it is over.
struct Dedup {
  static constexpr std::string_view type = "dedup";
  enum class Keep { first, last };
  std::string input;
  std::vector<std::string> keys;
  Keep keep = Keep::first;
  std::optional<std::int64_t> horizon_ms;
  Emission emit = Emission::watermark;
  std::string late_topic;

  static void fields(auto& self, auto& visit) {
    visit.required("input", self.input);
    visit.required("keys", self.keys);
    visit.optional("keep", self.keep, Keep::first);
    visit.optional("horizon_ms", self.horizon_ms, std::nullopt);
    visit.optional("emit", self.emit, Emission::watermark);
    visit.optional("late_topic", self.late_topic, "");
  }
};

/// Columns that must be equal. NULL equals nothing.
struct JoinKey {
  std::string left;
  std::string right;

  static void fields(auto& self, auto& visit) {
    visit.required("left", self.left);
    visit.required("right", self.right);
  }
};

/// The columns of the left row and of the right one, without right keys of their left one's name.
/// Semi and anti give left rows alone: those that have a partner, and those that have none.
///   interval  right time - left time in [lower_ms, upper_ms]
///   window    both in the same window; window_start and window_end come first
///   table     the right side's row for the key; of a topic, as far as it is read
///   as_of     the right side's last row for the key at the left row's time
struct Join {
  static constexpr std::string_view type = "join";
  enum class Kind { interval, window, table, as_of };
  enum class How { inner, left, semi, anti };
  std::string left;
  std::string right;
  Kind kind = Kind::interval;
  How how = How::inner;
  std::vector<JoinKey> keys;
  std::optional<std::int64_t> lower_ms;
  std::optional<std::int64_t> upper_ms;
  std::optional<WindowShape> window;
  std::string late_topic;

  static void fields(auto& self, auto& visit) {
    visit.required("left", self.left);
    visit.required("right", self.right);
    visit.required("kind", self.kind);
    visit.optional("how", self.how, How::inner);
    visit.required("keys", self.keys);
    visit.optional("lower_ms", self.lower_ms, std::nullopt);
    visit.optional("upper_ms", self.upper_ms, std::nullopt);
    visit.optional("window", self.window, std::nullopt);
    visit.optional("late_topic", self.late_topic, "");
  }
};

}  // namespace leat::plan
