// What the nodes of pipelines can be told. Times are milliseconds of event time where nothing else
// is said. Begin with stream.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace leat::flow {

/// What becomes of a record that is no row, or of a row without a valid result.
struct BadRows {
  enum class Policy : std::uint8_t { fail, skip, dead_letter };
  Policy policy = Policy::fail;
  /// Of dead letters: with the record as it came, the reason and where it was.
  std::string topic = {};

  /// Counts them.
  static BadRows skip() { return {Policy::skip}; }
  static BadRows dead_letters(std::string topic) { return {Policy::dead_letter, std::move(topic)}; }
};

struct SourceOptions {
  enum class Format : std::uint8_t { json, csv, raw };
  Format format = Format::json;
  /// Of CSV files: whether the first line names the columns.
  bool header_line = false;
  /// A column of type timestamp; empty for the record's own timestamp.
  std::string event_time = {};
  /// How far behind the largest event time of its partition a row may come and not be late.
  std::chrono::milliseconds disorder{0};
  /// An event time further ahead of its record's timestamp makes the record a bad one: one of the
  /// year 2999 would make all behind it late. Nothing for any distance. Lines of files have no
  /// timestamp, and are not judged.
  std::optional<std::chrono::milliseconds> ahead_max = std::chrono::hours(24);
  /// After how much silence, of processing time, a partition that is read to its end no longer
  /// holds the others back; 0 for never. Only live runs look at it.
  std::chrono::milliseconds idle{30'000};
  BadRows bad_records = {};
  /// Later records of a key replace earlier ones, a record without value removes its key: a table,
  /// for join_table() and join_as_of().
  bool upsert = false;
};

/// When a row is judged. `at_once`: when it comes, by the rows that came before it. `watermark`:
/// when all rows before it are there, in the order of time. `update`: when it comes, and again when
/// something changes that; what comes later takes back what came before.
enum class Emission : std::uint8_t { at_once, watermark, update };

/// A window's shape: tumbling(5min), hopping({.size = 1h, .slide = 5min}), cumulate(), session().
/// Windows are half open, and aligned to 1970-01-01 00:00 UTC plus an offset.
struct Window {
  enum class Kind : std::uint8_t { tumbling, hopping, cumulate, session };
  Kind kind = Kind::tumbling;
  std::chrono::milliseconds size{0};
  std::chrono::milliseconds slide{0};
  std::chrono::milliseconds step{0};
  std::chrono::milliseconds gap{0};
  std::chrono::milliseconds offset{0};
};

inline Window tumbling(std::chrono::milliseconds size, std::chrono::milliseconds offset = {}) {
  return {.kind = Window::Kind::tumbling, .size = size, .offset = offset};
}
struct Hopping {
  std::chrono::milliseconds size;
  std::chrono::milliseconds slide;
  std::chrono::milliseconds offset{0};
};
/// [n * slide, n * slide + size): a row is in several.
inline Window hopping(Hopping shape) {
  return {.kind = Window::Kind::hopping,
          .size = shape.size,
          .slide = shape.slide,
          .offset = shape.offset};
}
struct Cumulate {
  std::chrono::milliseconds size;
  std::chrono::milliseconds step;
  std::chrono::milliseconds offset{0};
};
/// [n * size, n * size + i * step) for each i up to size / step.
inline Window cumulate(Cumulate shape) {
  return {.kind = Window::Kind::cumulate,
          .size = shape.size,
          .step = shape.step,
          .offset = shape.offset};
}
/// Per key: from a row to `gap` behind the last one that came less than `gap` after the one before.
/// It is told when no row can join it any more: a gap (less 1 ms) after its end, which itself is a
/// gap after its last row.
inline Window session(std::chrono::milliseconds gap) {
  return {.kind = Window::Kind::session, .gap = gap};
}

struct WindowOptions {
  /// `close`: once, and again for each change within the lateness. `update`: as soon as something
  /// changed. `every`: what changed, each `every` of processing time.
  enum class Emit : std::uint8_t { close, update, every };
  Emit emit = Emit::close;
  std::chrono::milliseconds every{0};
  /// How long behind its end a window takes further rows, and revises what it gave.
  std::chrono::milliseconds lateness{0};
  /// Where rows go that count in no window; empty to only count them.
  std::string late_topic = {};
};

/// The rows of the same key that count for a row: those up to its event time, peers included, from
/// `range` before it; or the last `rows` before it in the order of time, and itself; or, with
/// neither, all up to it.
struct Frame {
  std::optional<std::chrono::milliseconds> range = {};
  std::optional<std::int64_t> rows = {};
};

struct OverOptions {
  Emission emit = Emission::watermark;
  std::string late_topic = {};
};

struct Ordering {
  std::string column;
  bool descending = false;
};
/// NULL is the largest.
inline Ordering ascending(std::string column) {
  return {std::move(column), false};
}
inline Ordering descending(std::string column) {
  return {std::move(column), true};
}

struct TopOptions {
  /// Equal rows have one rank, and all count that have one up to the limit: rank() <= limit.
  bool ties = false;
  /// A column for the rank, from 1; empty for none.
  std::string rank = {};
  /// With `update` the rows of the end stay; the others give each row that was among them when it
  /// was judged.
  Emission emit = Emission::update;
  std::string late_topic = {};
};

struct DedupOptions {
  enum class Keep : std::uint8_t { first, last };
  Keep keep = Keep::first;
  /// A key is forgotten so long after the first row that was seen of it. The last row needs it,
  /// but with `update`.
  std::optional<std::chrono::milliseconds> horizon = {};
  Emission emit = Emission::watermark;
  std::string late_topic = {};
};

/// Columns that must be equal: "customer", or {"customer", "id"} where the right one's name
/// differs.
struct JoinKey {
  JoinKey(const char* both) : left(both), right(both) {}
  JoinKey(std::string both) : left(both), right(std::move(both)) {}
  JoinKey(std::string of_left, std::string of_right)
      : left(std::move(of_left)), right(std::move(of_right)) {}
  std::string left;
  std::string right;
};

/// right time - left time is in [lower, upper].
struct Within {
  std::chrono::milliseconds lower;
  std::chrono::milliseconds upper;
};

struct JoinOptions {
  /// `left`: also left rows without a partner, with NULLs. `semi`: left rows alone that have one.
  /// `anti`: those that have none.
  enum class How : std::uint8_t { inner, left, semi, anti };
  How how = How::inner;
  std::string late_topic = {};
};

struct ProcessOptions {
  /// What the node is called in messages.
  std::string name = {};
  /// In the order of time; or at once, in the order in which rows come, without timers.
  Emission emit = Emission::watermark;
  std::string late_topic = {};
};

/// JSON objects, or lines of CSV: those of topics without names.
enum class RowFormat : std::uint8_t { json, csv };

struct BatchOptions {
  /// What the node is called in messages.
  std::string name = {};
  std::string late_topic = {};
};

struct TopicOptions {
  /// Of rows that are revised later: `upsert` writes each version of a row under its key, and
  /// removes the key of one that is gone; `all` writes every change, with its kind as a header.
  enum class Changes : std::uint8_t { upsert, all };
  /// The bare text of a single one, else a JSON object.
  std::vector<std::string> keys = {};
  /// Of a topic that is made; 0 for as many as the first source has.
  std::int64_t partitions = 0;
  Changes changes = Changes::upsert;
  /// Of the values.
  RowFormat format = RowFormat::json;
};

struct FilesOptions {
  RowFormat format = RowFormat::json;
  /// A folder `column=value` for each of these, and no such column in the file.
  std::vector<std::string> partition_by = {};
  /// The first ones of these: where there are rows of a value of them, all files of that value are
  /// replaced, those that there are no rows for too.
  std::vector<std::string> replace = {};
};

}  // namespace leat::flow
