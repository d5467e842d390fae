// A plan at work over the partitions of its sources: reading, order, time, operators, output.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "file/file.h"
#include "plan/bound_plan.h"
#include "stream/block_queue.h"
#include "stream/dataflow.h"
#include "stream/merged_rows.h"
#include "stream/output_batches.h"
#include "stream/plan_outputs.h"
#include "stream/row_block.h"
#include "stream/source_reader.h"
#include "stream/topic_feed.h"
#include "stream/topic_store.h"
#include "stream/workers.h"

namespace leat::stream {

/// What happened in a run that does not follow from the log: the partition was idle until it gave
/// the record at `offset`, and its watermark was raised to the pipeline's. To be kept with an
/// epoch.
struct Decision {
  std::size_t source = 0;  // the node's number
  PartitionId partition;
  Offset offset;
  Watermark watermark;
};

/// How far a task has come.
struct Progress {
  struct Partition {
    std::size_t source = 0;  // the node's number
    std::string name;        // the topic's, or the file's
    PartitionId id;
    Offset position;  // of the next record to be consumed
    Watermark watermark = watermark_min;
    bool idle = false;
  };
  std::uint64_t rows_in = 0;
  std::uint64_t rows_out = 0;
  std::uint64_t late = 0;
  /// Records that could not become rows, and rows without a valid result.
  std::uint64_t bad = 0;
  Watermark watermark = watermark_min;
  /// Which of the partitions would move the watermark if it moved.
  std::optional<std::size_t> held_back_by;
  std::vector<Partition> partitions;
  /// Memory of all that operators keep, more or less, some 100,000 rows or an eighth of what they
  /// may keep ago at most.
  std::size_t state_bytes = 0;
};

/// Takes rows from all partitions of all sources, each partition's in their order, by event time: a
/// partition waits for another only while that one has records to read. The order is that of
/// single rows, by event time and position, where the plan's result depends on it. Where it does
/// not, whole blocks are taken, none far ahead of the least, by several workers if wanted: within a
/// step each has blocks of its own, between steps nothing happens. The watermark is the least of
/// those partitions that are not idle. Tables that are looked up by key alone are read as far as
/// they go before any other row, and hold nothing back.
///
/// Deterministic: what comes out follows from the records and, in live runs with idle partitions,
/// from the decisions, not from the number of workers. Not thread-safe; store, files and clock
/// outlive it.
class Task {
 public:
  struct Options {
    /// Rows of a block, and bytes of a read from a topic.
    std::size_t block_rows = SourceReader::Options().block_rows;
    std::size_t read_bytes = TopicFeed::default_read_bytes;
    /// Partitions that are read to their end and silent for the source's idle time hold nothing
    /// back.
    bool watch_idle = false;
    /// Threads that share a step's work, the caller included, where the plan allows it.
    std::size_t workers = 1;
    /// Operators that keep more end the run with an error that names the node.
    std::size_t state_bytes_max = std::size_t{1} << 30;
    /// Takes what sinks to the console write; null for nowhere.
    ConsoleSink::Write console = {};
  };
  /// Binds the plan, finds its sources and makes the topics it writes to. Reading begins at the
  /// partitions' starts. `files` may be null if the plan has none.
  static Result<std::unique_ptr<Task>> open(plan::Plan plan, TopicStore& store,
                                            file::FileSystem* files, const Clock& clock,
                                            const Options& options);
  ~Task();

  /// How many partitions there are: of all sources, by the node's number and then their own.
  std::size_t partitions() const { return inputs_.size(); }
  /// Where to begin instead, before the first step(): one offset a partition.
  Result<void> seek(const std::vector<Offset>& positions);
  /// Reads no record that is not there now.
  Result<void> pin_ends();
  /// All that is below the ends has been consumed.
  bool finished() const;

  /// Consumes some chunks of rows at most. False if there was nothing to do.
  Result<bool> step(OutputBatches& out);
  /// No record will come any more: closes all windows.
  Result<void> flush(OutputBatches& out);
  /// Event time is at `watermark`, whatever was read. Partitions that were behind go on from there,
  /// as those that were idle do.
  Result<void> advance(Watermark watermark, OutputBatches& out);
  /// Makes what sinks to files have written the folders' content.
  Result<void> commit_files();

  /// Positions, watermarks and all operators' state between two steps, so that a task of the same
  /// plan that restores it goes on exactly here.
  Bytes snapshot();
  /// Before the first step(), with any number of workers: those beyond the lanes that there were
  /// then have nothing to do. Errc::snapshot_mismatch, naming what differs, if it is of another
  /// plan or other partitions.
  Result<void> restore(BytesView snapshot);

  Progress progress() const;
  const std::vector<Decision>& decisions() const { return decisions_; }
  /// Has a wake-up called, on any thread, when there is more to read than has been: one for each
  /// partition of a topic that has none under way.
  void when_readable(const std::function<Work()>& make_wake);
  /// Where the partitions of progress() end now; nothing for files. From any thread.
  std::vector<std::optional<Offset>> ends() const;
  /// How long from now a partition becomes idle if nothing comes.
  std::optional<std::chrono::nanoseconds> idle_in() const;
  /// How often step() is to be called though nothing comes, to tell what has changed meanwhile.
  std::optional<std::chrono::nanoseconds> tells_every() const;

 private:
  struct Input;
  Task(plan::Plan plan, TopicStore& store, const Clock& clock, const Options& options);
  Result<void> bind();
  Result<void> open_inputs(file::FileSystem* files);
  void make_workers();
  Result<void> open_source(std::size_t node, file::FileSystem* files, std::vector<bool> used);
  void add_input(std::size_t node, PartitionId partition, std::unique_ptr<RecordFeed> feed,
                 const std::vector<bool>& used);

  // Those that touch nothing but their input, the store and the lane, for any worker.
  Result<bool> fill(Input& input);
  Result<void> handle_bad(Input& input);
  Result<void> process_block(Input& input, std::size_t lane);
  void process_blocks(BlockQueue& queue, std::size_t lane);

  Result<bool> fill_all();
  Result<bool> process_tables();
  Result<void> process_any_order();
  Result<void> process_in_order();
  Result<void> process_merged(std::size_t source);
  void take_rows(Input& input, std::size_t rows);
  Result<void> finish_step(Watermark watermark, OutputBatches& out);
  Watermark least_watermark() const;
  Result<void> check_memory();
  Result<void> restore_positions(StateReader& reader);
  Result<void> other_partitions(std::size_t source) const;

  plan::Plan plan_;
  plan::BoundPlan bound_;
  TopicStore& store_;
  const Clock& clock_;
  Options options_;
  std::unique_ptr<Dataflow> dataflow_;
  std::unique_ptr<PlanOutputs> outputs_;
  std::vector<std::unique_ptr<TopicReader>> readers_;  // of sources that are topics
  std::vector<std::unique_ptr<Input>> inputs_;         // by source, then partition
  std::vector<std::optional<MergedRows>> merged_;      // by node: of sources
  std::unique_ptr<Workers> workers_;
  Watermark watermark_ = watermark_min;
  std::size_t state_bytes_ = 0;
  struct {
    std::uint64_t rows = 0;
    std::uint64_t bytes_read = 0;
  } memory_checked_at_;  // what had come in by then
  std::vector<Decision> decisions_;
};

}  // namespace leat::stream
