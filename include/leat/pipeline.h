// Pipelines: sources, what happens to their rows, and where these go. Begin with stream.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "leat/aggregates.h"
#include "leat/expression.h"
#include "leat/pipeline_options.h"
#include "leat/rows.h"

namespace leat::flow {

class Keyed;
class Windowed;

namespace detail {

struct Graph;
class UserBatches;
class UserProcess;

/// Shares a graph with others.
class GraphRef {
 public:
  explicit GraphRef(std::string name);
  GraphRef(const GraphRef& other) noexcept;
  GraphRef& operator=(const GraphRef& other) noexcept;
  ~GraphRef();
  Graph& operator*() const { return *graph_; }
  Graph* operator->() const { return graph_; }

 private:
  Graph* graph_;
};

}  // namespace detail

/// Where rows leave a pipeline.
class Sink {
 public:
  /// What plans and messages call the node.
  Sink named(std::string name) const;

 private:
  friend class Stream;
  friend struct detail::GraphAccess;
  Sink(detail::GraphRef graph, std::size_t node) : graph_(std::move(graph)), node_(node) {}
  detail::GraphRef graph_;
  std::size_t node_;
};

/// The rows that one node of a pipeline gives. A small handle: copies mean the same rows, and
/// several nodes may take them. Each call adds a node, which is checked when the pipeline is built.
class Stream {
 public:
  /// What plans and messages call the node; without it a source is called as its topic, others as
  /// what they do.
  Stream named(std::string name) const;

  /// Keeps the rows for which the condition is true.
  Stream filter(Expression condition) const;
  /// Replaces the columns. The event time stays with the row.
  Stream map(std::vector<Named> columns) const;
  /// A row for each item of an array, the item in column `as` behind the row's columns, and its
  /// number from 1 in column `ordinality`, if that is given.
  Stream unnest(std::string column, std::string as, std::string ordinality = {}) const;
  /// These rows and the other ones, which have the same columns.
  Stream merge(std::vector<Stream> others) const;
  /// Says by which columns rows are spread over workers from here on. No result depends on it.
  Stream rekey(std::vector<std::string> columns) const;

  /// For each value of these columns apart: `.key_by("customer").window(tumbling(1h))`.
  template <class... Names>
  requires(std::is_convertible_v<Names, std::string>&&...) Keyed key_by(Names... columns)
  const;
  Keyed key_by(std::vector<std::string> columns) const;

  /// Of all rows, without a key. Keyed says what these are.
  Windowed window(Window shape) const;
  Stream over(Frame frame, std::vector<Aggregate> aggregates, OverOptions options = {}) const;
  Stream top(std::int64_t limit, std::vector<Ordering> order_by, TopOptions options = {}) const;

  /// What a function of this program makes of many rows at once, column by column: batches.h says
  /// how it looks. Such a pipeline runs in this program only.
  template <class Function>
  Stream process_batches(Function function, BatchOptions options = {}) const;

  // Rows of two inputs with equal keys, a row for each pair: the columns of the left one, which is
  // this, then those of the right one but for keys of the same name. NULL equals nothing.

  /// Where the right row's time is within some time of the left one's.
  Stream join(const Stream& right, std::vector<JoinKey> keys, Within within,
              JoinOptions options = {}) const;
  /// Where both are in the same window; window_start and window_end come first.
  Stream join(const Stream& right, std::vector<JoinKey> keys, Window shape,
              JoinOptions options = {}) const;
  /// With the row that a table has for the key; of a topic, as far as it is read.
  Stream join_table(const Stream& table, std::vector<JoinKey> keys, JoinOptions options = {}) const;
  /// With the last right row of the key at the left row's time.
  Stream join_as_of(const Stream& right, std::vector<JoinKey> keys, JoinOptions options = {}) const;

  /// Rows as records of a topic, in JSON: the value all columns, the key made of the key columns,
  /// the timestamp the row's event time. A topic that is not there is made.
  Sink to(std::string topic, TopicOptions options = {}) const;
  Sink to_console(RowFormat format = RowFormat::json) const;
  /// Files in a folder, which become visible whole.
  Sink to_files(std::string folder, FilesOptions options = {}) const;

 private:
  friend class Pipeline;
  friend class Keyed;
  friend class Windowed;
  friend struct detail::GraphAccess;
  Stream(detail::GraphRef graph, std::size_t node) : graph_(std::move(graph)), node_(node) {}
  /// Takes over `function`.
  Stream add_batches(detail::UserBatches* function, std::vector<std::string> keys,
                     const BatchOptions& options) const;
  /// Its number there; a complaint if it is of another graph.
  std::size_t node_in(const detail::GraphRef& graph) const;
  detail::GraphRef graph_;
  std::size_t node_;
};

/// Rows, taken apart by key columns.
class Keyed {
 public:
  /// A row for each window and key: window_start, window_end, the keys, aggregates. Its event time
  /// is the window's end - 1 ms.
  Windowed window(Window shape) const;
  /// Each row, with aggregates over its frame behind its columns.
  Stream over(Frame frame, std::vector<Aggregate> aggregates, OverOptions options = {}) const;
  /// The first `limit` rows of each key: row_number() <= limit; with ties rank() <= limit.
  Stream top(std::int64_t limit, std::vector<Ordering> order_by, TopOptions options = {}) const;
  /// One row of each key.
  Stream dedup(DedupOptions options = {}) const;
  /// What a function of this program makes of each row, knowing what it kept of the key:
  /// process.h says how it looks. Such a pipeline runs in this program only.
  template <class OnRow>
  Stream process(OnRow on_row, ProcessOptions options = {}) const;
  /// With a second function for the timers that the first one sets.
  template <class OnRow, class OnTimer>
  Stream process(OnRow on_row, OnTimer on_timer, ProcessOptions options = {}) const;
  /// As that of a stream, shared by workers by these columns.
  template <class Function>
  Stream process_batches(Function function, BatchOptions options = {}) const;

 private:
  friend class Stream;
  Keyed(Stream stream, std::vector<std::string> keys)
      : stream_(std::move(stream)), keys_(std::move(keys)) {}
  /// Takes over `function`.
  Stream add(detail::UserProcess* function, const ProcessOptions& options) const;

  Stream stream_;
  std::vector<std::string> keys_;
};

/// Rows in windows of event time.
class Windowed {
 public:
  Stream aggregate(std::vector<Aggregate> aggregates, WindowOptions options = {}) const;

 private:
  friend class Stream;
  friend class Keyed;
  Windowed(Stream stream, std::vector<std::string> keys, Window shape)
      : stream_(std::move(stream)), keys_(std::move(keys)), shape_(shape) {}
  Stream stream_;
  std::vector<std::string> keys_;
  Window shape_;
};

/// A graph from sources to sinks. Not thread-safe; once it runs it may go.
class Pipeline {
 public:
  explicit Pipeline(std::string name);
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// What becomes of a row that has no valid result somewhere on its way; otherwise it fails the
  /// run.
  Pipeline& bad_rows(BadRows policy);

  /// Rows from the records of a topic.
  Stream from(std::string topic, std::vector<Column> columns, SourceOptions options = {});
  /// From the lines of a file.
  Stream from_file(std::string path, std::vector<Column> columns, SourceOptions options = {});
  /// With the columns that a struct of this program describes; rows.h says how.
  template <class Row>
  Stream from(std::string topic, SourceOptions options = {}) {
    return from(std::move(topic), columns_of<Row>(), std::move(options));
  }
  template <class Row>
  Stream from_file(std::string path, SourceOptions options = {}) {
    return from_file(std::move(path), columns_of<Row>(), std::move(options));
  }

  /// Throws Error, with the place, where something does not fit. plan() and running do so too.
  void check() const;
  /// The plan as canonical JSON, which `leat run` takes. Throws Error for a pipeline with a
  /// function of this program in it.
  std::string plan() const;
  /// 32 hexadecimal digits that tell plans apart; of functions only where they are.
  std::string hash() const;

 private:
  friend struct detail::GraphAccess;
  detail::GraphRef graph_;
};

template <class... Names>
requires(std::is_convertible_v<Names, std::string>&&...) Keyed Stream::key_by(Names... columns)
const {
  return key_by(std::vector<std::string>{std::string(columns)...});
}

}  // namespace leat::flow
