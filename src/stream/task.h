// A plan at work over the partitions of its source: reading, order, time, operators, output.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "stream/block_queue.h"
#include "stream/graph.h"
#include "stream/output_batches.h"
#include "stream/partition_source.h"
#include "stream/plan.h"
#include "stream/row_block.h"
#include "stream/topic_store.h"
#include "stream/workers.h"

namespace leat::stream {

/// What happened in a run that does not follow from the log: `partition` was idle until it gave the
/// record at `offset`, and its watermark was raised to the pipeline's. To be kept with an epoch.
struct Decision {
  PartitionId partition;
  Offset offset;
  Watermark watermark;
};

/// How far a task has come.
struct Progress {
  struct Partition {
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
  /// The partition that would move the watermark if it moved.
  std::optional<PartitionId> held_back_by;
  std::vector<Partition> partitions;
};

/// Takes rows from all partitions, each partition's in their order, by event time: a partition
/// waits for another only while that one has records to read. The order is that of single rows, by
/// event time and then by partition, where the plan's result depends on it. Where it does not, as
/// before a window, whole blocks are taken, none far ahead of the least, by several workers if
/// wanted: within a step each has blocks of its own, between steps nothing happens. The pipeline's
/// watermark is the least of those partitions that are not idle.
/// Deterministic: what comes out follows from the records and, in live runs with idle partitions,
/// from the decisions, not from the number of workers. Not thread-safe; store and clock outlive it.
class Task {
 public:
  struct Options {
    PartitionSource::Options source;
    /// Partitions that are read to their end and silent for the plan's idle time hold nothing back.
    bool watch_idle = false;
    /// Threads that share a step's work, the caller included, where the plan allows it.
    std::size_t workers = 1;
  };
  /// Checks the plan, finds its source and makes the topics it writes to. Reading begins at the
  /// partitions' starts.
  static Result<std::unique_ptr<Task>> open(const Plan& plan, TopicStore& store, const Clock& clock,
                                            const Options& options);

  /// Where to begin instead, before the first step(): one offset a partition.
  Result<void> seek(const std::vector<Offset>& positions);
  /// Reads no record at or above these, one a partition.
  void set_ends(const std::vector<Offset>& ends);
  /// All that is below the ends has been consumed.
  bool finished() const;

  /// Consumes some chunks of rows at most. False if there was nothing to do.
  Result<bool> step(OutputBatches& out);
  /// No record will come any more: closes all windows.
  Result<void> flush(OutputBatches& out);

  /// Positions, watermarks and all operators' state between two steps, so that a task of the same
  /// plan that restores it goes on exactly here.
  Bytes snapshot();
  /// Before the first step().
  Result<void> restore(BytesView snapshot);

  Progress progress() const;
  const std::vector<Decision>& decisions() const { return decisions_; }
  const Topic& source() const { return source_topic_; }
  /// How long from now a partition becomes idle if nothing comes.
  std::optional<std::chrono::nanoseconds> idle_in() const;

 private:
  struct Input {
    Input(const SourcePlan& plan, TopicStore& store, const TopicPartition& partition,
          const PartitionSource::Options& options)
        : source(plan, store, partition, options) {}
    PartitionSource source;
    bool caught_up = false;
    std::chrono::nanoseconds caught_up_at{0};
    bool idle = false;
    // Since the task was opened.
    std::uint64_t rows = 0;
    std::uint64_t bad = 0;
    // Since the last step.
    OutputBatches out;
    std::vector<Decision> decisions;
    Result<void> result;
  };
  Task(const Plan& plan, TopicStore& store, const Clock& clock, const Options& options,
       Topic source, const GraphTopics& topics);

  // Those that touch nothing but their input, the store and the lane, for any worker.
  Result<bool> fill(Input& input);
  Result<void> handle_bad(Input& input);
  Result<void> process_block(Input& input, std::size_t lane);
  void process_blocks(BlockQueue& queue, std::size_t lane);

  Result<bool> process_any_order();
  Result<void> process_in_order(OutputBatches& out);
  column::Chunk merge_rows();
  void settle(OutputBatches& out);
  Result<void> advance(bool shared, OutputBatches& out);
  bool watches_idle() const { return options_.watch_idle && plan_.source.idle_ms.has_value(); }

  const Plan plan_;
  TopicStore& store_;
  const Clock& clock_;
  Options options_;
  Topic source_topic_;
  std::optional<Provenance> dead_letters_;
  Graph graph_;
  std::vector<std::unique_ptr<Input>> inputs_;  // by partition
  Workers workers_;
  RowBlocks merged_;
  Watermark watermark_ = watermark_min;
  std::vector<Decision> decisions_;
};

}  // namespace leat::stream
