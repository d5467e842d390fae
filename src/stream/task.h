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
#include "stream/dataflow.h"
#include "stream/memory_watch.h"
#include "stream/output_batches.h"
#include "stream/plan_outputs.h"
#include "stream/row_flow.h"
#include "stream/source_reader.h"
#include "stream/step_record.h"
#include "stream/task_inputs.h"
#include "stream/topic_feed.h"
#include "stream/topic_store.h"
#include "stream/workers.h"

namespace leat::stream {

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
  std::uint64_t bytes_in = 0;  // of keys and values, decoded
  std::uint64_t rows_out = 0;
  std::uint64_t late = 0;
  /// Records that could not become rows, and rows without a valid result.
  std::uint64_t bad = 0;
  Watermark watermark = watermark_min;
  /// Which of the partitions would move the watermark if it moved.
  std::optional<std::size_t> held_back_by;
  std::vector<Partition> partitions;
  /// Memory of all that operators keep, more or less, as it was counted last: see MemoryWatch.
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
/// Deterministic: what comes out in the end follows from the records and, in live runs with idle
/// partitions, from the decisions, not from the number of workers. A step that was recorded can be
/// repeated: by another task of the plan that is where this one was before it, with any number of
/// workers and any size of blocks and reads. Not thread-safe; store, files and clock outlive it.
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
    /// What a step gives comes in an order that follows from the step alone: wanted by whoever
    /// records steps, and whoever repeats them.
    bool exact = false;
    /// Sinks to files commit as part of epochs: prepare_files() and publish_files(), instead of
    /// commit_files().
    std::optional<FileEpochs> file_epochs = {};
  };
  /// Binds the plan, finds its sources and makes the topics it writes to. Reading begins at the
  /// partitions' starts. `files` may be null if the plan has none.
  static Result<std::unique_ptr<Task>> open(plan::Plan plan, TopicStore& store,
                                            file::FileSystem* files, const Clock& clock,
                                            const Options& options);
  ~Task();

  /// How many partitions there are: of all sources, by the node's number and then their own.
  std::size_t partitions() const { return inputs_->size(); }
  /// Where to begin instead, before the first step(): one offset a partition.
  Result<void> seek(const std::vector<Offset>& positions) { return inputs_->seek(positions); }
  /// Reads no record that is not there now.
  Result<void> pin_ends() { return inputs_->pin_ends(); }
  /// From here on reads no record at or above these offsets, one a partition; of those that have
  /// none, all. What was decoded and not consumed is read again.
  void set_ends(const std::vector<std::optional<Offset>>& ends) { inputs_->set_ends(ends); }
  /// All that is below the ends has been consumed.
  bool finished() const { return inputs_->finished(); }

  /// step() consumes some so many rows at most, but a block at least.
  void limit_step(std::size_t rows) { rows_->limit_blocks(rows / options_.block_rows); }
  /// Consumes some chunks of rows at most. False if there was nothing to do. `did` is what it did;
  /// after an error it means nothing.
  Result<bool> step(OutputBatches& out, StepRecord* did = nullptr);
  /// Consumes all that is there when it begins as one step, waiting for what is on its way. What
  /// changes is told once. False if there was nothing to do.
  Result<bool> step_to_ends(OutputBatches& out, StepRecord* did = nullptr);
  /// No record will come any more: closes all windows.
  Result<void> flush(OutputBatches& out, StepRecord* did = nullptr);
  /// Does a recorded step again: the same state behind it, and if this task and the one that
  /// recorded it are `exact`, the same output: the same batches for each partition, byte for byte,
  /// in the same order. Consumes just what is recorded, waiting for what is on its way; the task
  /// must be where that one was. Errc::offset_out_of_range, with what is wanted and what is there,
  /// if records are gone; Errc::step_mismatch if there is another number of them than there was;
  /// Errc::invalid_argument if the record is not of this plan. After an error the task is of no
  /// more use.
  Result<void> repeat(const StepRecord& step, OutputBatches& out);
  /// From here on files and the console get nothing; what is for topics is given out as ever.
  void discard_output(bool discards) { outputs_->discard(discards); }
  /// From here on views take nothing: what comes out belongs to a warm-up.
  void skip_views(bool skips) { outputs_->skip_views(skips); }
  /// Event time is at `watermark`, whatever was read. Partitions that were behind go on from there,
  /// as those that were idle do.
  Result<void> advance(Watermark watermark, OutputBatches& out);
  /// Makes what sinks to files have written the folders' content.
  Result<void> commit_files();
  /// Makes what they have written since the last time durable, to be shown when `epoch` is
  /// committed; false if that is nothing.
  Result<bool> prepare_files(std::uint64_t epoch) { return outputs_->prepare_files(epoch); }
  /// Shows what was prepared.
  Result<void> publish_files() { return outputs_->publish_files(); }
  /// Of rows that were written for files and are not prepared.
  std::uint64_t file_bytes() const { return outputs_->file_bytes(); }
  /// Those of sinks that are views.
  std::vector<std::shared_ptr<View>> views() const { return outputs_->views(); }

  /// Positions, watermarks and all operators' state between two steps, so that a task of the same
  /// plan that restores it goes on exactly here.
  Bytes snapshot();
  /// Before the first step(), with any number of workers: those beyond the lanes that there were
  /// then have nothing to do. Errc::snapshot_mismatch, naming what differs, if it is of another
  /// plan or other partitions.
  Result<void> restore(BytesView snapshot);

  Progress progress() const;
  /// Of each of the partitions of progress() the offset of the next record to be consumed.
  std::vector<Offset> positions() const { return inputs_->positions(); }
  /// Has a wake-up called, on any thread, when there is more to read than has been: one for each
  /// partition of a topic that has none under way.
  void when_readable(const std::function<Work()>& make_wake) { inputs_->when_readable(make_wake); }
  /// Where the partitions of progress() end now; nothing for files. From any thread.
  std::vector<std::optional<Offset>> ends() const { return inputs_->ends(); }
  /// How long from now a partition becomes idle if nothing comes.
  std::optional<std::chrono::nanoseconds> idle_in() const { return inputs_->idle_in(); }
  /// How often step() is to be called though nothing comes, to tell what has changed meanwhile.
  std::optional<std::chrono::nanoseconds> tells_every() const;

 private:
  Task(plan::Plan plan, const Clock& clock, const Options& options);
  Result<void> bind();
  Result<void> open_all(TopicStore& store, file::FileSystem* files);
  void make_workers();

  std::int64_t begin_step();
  Result<void> take_ranges();
  Result<void> finish_step(Watermark watermark, OutputBatches& out);
  void end_step(std::int64_t now_ms, Watermark before, StepRecord* did);
  Result<void> check_memory();

  plan::Plan plan_;
  plan::BoundPlan bound_;
  const Clock& clock_;
  Options options_;
  std::unique_ptr<TaskInputs> inputs_;
  std::unique_ptr<Dataflow> dataflow_;
  std::unique_ptr<RowFlow> rows_;
  std::unique_ptr<PlanOutputs> outputs_;
  std::unique_ptr<Workers> workers_;
  Watermark watermark_ = watermark_min;
  OutputCounts counted_;  // when the step began
  std::size_t state_bytes_ = 0;
  std::size_t snapshot_bytes_ = 0;  // of the last one
  MemoryWatch memory_watch_;
};

}  // namespace leat::stream
