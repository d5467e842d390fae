// Pipelines under test, without a log, a thread or a clock:
//
//   PipelineTest test(pipeline);
//   test.push("orders", Order{"ann", 20, at("10:00")});
//   test.advance_to(at("10:05"));
//   CHECK(test.take<Revenue>("revenue") == std::vector<Revenue>{...});
//
// Everything happens in the calls, in the same order every time. Begin with stream.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leat/callback.h"
#include "leat/pipeline.h"
#include "leat/rows.h"

namespace leat::flow {

/// A record of a topic, as a test makes it or finds it.
struct TestRecord {
  std::optional<std::string> key = {};
  std::optional<std::string> value = {};
  Timestamp timestamp = {};
  std::int32_t partition = 0;
  std::vector<std::pair<std::string, std::string>> headers = {};
  bool operator==(const TestRecord&) const = default;
};

namespace detail {

/// Rows of columns that are a struct's, to records' values and back.
std::string json_of(const std::vector<Column>& columns,
                    void (*append)(const void* row, CellAppender* const* cells), const void* row);
/// Calls `read` for a row. Throws Error where `json` is none of these columns.
void read_json(std::string_view json, const std::vector<Column>& columns,
               void (*read)(const Cells* cells, void* row), void* row);

template <Row T>
void append_row(const void* row, CellAppender* const* cells) {
  RowAppender append(cells);
  T::columns(*static_cast<const T*>(row), append);
}
template <Row T>
void read_row(const Cells* cells, void* row) {
  RowReader read(cells, 0);
  T::columns(*static_cast<T*>(row), read);
  if (!read.null_in().empty()) throw Error("column '" + std::string(read.null_in()) + "' is NULL");
}

}  // namespace detail

/// A pipeline with topics of its own. Not thread-safe. Throws Error where the pipeline makes no
/// sense or fails.
class PipelineTest {
 public:
  struct Options {
    /// Of each topic that it reads.
    std::int32_t partitions = 1;
    /// Processing time at the beginning.
    Timestamp now = {};
  };
  explicit PipelineTest(const Pipeline& pipeline);
  PipelineTest(const Pipeline& pipeline, Options options);
  ~PipelineTest();
  PipelineTest(const PipelineTest&) = delete;
  PipelineTest& operator=(const PipelineTest&) = delete;

  /// Appends a record to a topic that the pipeline reads.
  void push(std::string_view topic, const TestRecord& record);
  /// The same with a row as its value, in JSON. Sources that have their event time in a column read
  /// it there, others have `timestamp`.
  template <Row T>
  void push(std::string_view topic, const T& row, std::int32_t partition = 0,
            Timestamp timestamp = {}) {
    push(topic, TestRecord{.value = detail::json_of(columns_of<T>(), &detail::append_row<T>, &row),
                           .timestamp = timestamp,
                           .partition = partition});
  }

  /// Moves event time on in all partitions: no row of an earlier time is to come. Whatever does
  /// come earlier is late.
  void advance_to(Timestamp event_time);
  /// Moves processing time on. No partition becomes idle by it: advance_to() says what is to come.
  void set_now(Timestamp now);
  /// No row will come any more: closes all windows. Nothing can be pushed behind it.
  void finish();

  /// What a topic that the pipeline writes got since the last call, by partition, then offset: of a
  /// sink, of late rows or of dead letters.
  std::vector<TestRecord> take_records(std::string_view topic);
  std::vector<std::string> take_json(std::string_view topic);
  /// As rows of a struct, which may leave columns out. Throws Error where one does not fit.
  template <Row T>
  std::vector<T> take(std::string_view topic) {
    std::vector<T> rows;
    for (const std::string& json : take_json(topic)) {
      T& row = rows.emplace_back();
      detail::read_json(json, columns_of<T>(), &detail::read_row<T>, &row);
    }
    return rows;
  }
  /// What sinks to the console wrote since the last call.
  std::string take_console();

  /// Rows that came too late, so far.
  std::uint64_t late() const;
  /// Records that were no rows, and rows without a valid result, so far.
  std::uint64_t bad() const;
  /// How far event time has come; nothing while it has not begun.
  std::optional<Timestamp> event_time() const;

  /// Writes all state and positions, and goes on with a new run that reads them: nothing may change
  /// by it.
  void restart();

 private:
  struct Inside;
  leat::detail::Owned<Inside> inside_;
};

}  // namespace leat::flow
