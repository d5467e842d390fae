// One partition of a source as a task reads it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "plan/nodes.h"
#include "stream/output_batches.h"
#include "stream/plan_outputs.h"
#include "stream/source_reader.h"
#include "stream/step_record.h"
#include "stream/topic_store.h"

namespace leat::stream {

/// Its rows, block by block, and what becomes of its bad records. Without a range it gives what
/// there is when it is asked; with one, all up to its end, for which it waits. Between steps it is
/// the task's thread's, within one any worker's that has its rows.
class TaskInput {
 public:
  /// What it is in its plan.
  struct Place {
    std::uint32_t number = 0;  // among the task's inputs
    std::size_t source = 0;    // the node's number
    const plan::Source* plan = nullptr;
    TopicReader* topic = nullptr;  // null for a file
    bool is_table = false;         // its rows are read before others
    bool is_timed = false;         // the watermark waits for it
    bool watch_idle = false;       // it is idle when it has been silent for long enough
  };
  TaskInput(const Place& place, SourceReader reader, const Clock& clock)
      : place_(place), reader_(std::move(reader)), clock_(clock) {}

  const Place& place() const { return place_; }
  SourceReader& reader() { return reader_; }
  const SourceReader& reader() const { return reader_; }
  /// The topic's name, or the file's.
  const std::string& name() const {
    return place_.plan->topic.empty() ? place_.plan->file : place_.plan->topic;
  }
  /// Where bad records go; before the first fill(). It outlives this.
  void set_outputs(const PlanOutputs& outputs) { outputs_ = &outputs; }

  /// Sees to it that the next rows are decoded; false if there are none, now or up to the range's
  /// end. If it was idle, its first row is stamped with `watermark` at least. True without rows:
  /// only bad records were there.
  Result<bool> fill(operators::Watermark watermark);
  /// Deals with bad records before the next row.
  Result<void> handle_bad();
  void consume(std::size_t rows) {
    reader_.consume(rows);
    rows_ += rows;
  }

  /// fill() found none, and knows that there are none.
  bool caught_up() const { return caught_up_; }
  /// Its next records are on their way to this process.
  bool waits() const { return waits_; }
  bool is_idle() const { return idle_; }
  void set_idle(bool idle) { idle_ = idle; }
  /// How long from now it becomes idle if nothing comes.
  std::optional<std::chrono::nanoseconds> idle_in() const;

  /// Reads no record that is not below `end`, in any step to come.
  void pin_end(Offset end);
  /// The same, and if there is none all; what was decoded is read again.
  void set_end(std::optional<Offset> end);
  /// The step consumes all below `end`, of which there is something or not.
  void begin_range(Offset end);
  /// The same, as it was done before: with so many records, and the floor that was decided on, if
  /// there was one, and no other.
  void repeat_range(Offset end, std::uint64_t records, std::optional<SourceReader::Floor> floor);
  /// Behind the step: what it decided on for rows that come later counts for them.
  void end_range();

  // Since the task was opened.
  std::uint64_t rows() const { return rows_; }
  std::uint64_t bad() const { return bad_; }

  // Since the last step.
  OutputBatches out;
  std::optional<Decision> decision;
  Result<void> result;

  // For the task.
  std::optional<Offset> awaited;  // a wake-up has been asked for

 private:
  struct Range {
    Offset from;
    Offset end;
    Offset read_to;  // not the end if there are no records
    bool repeats = false;
    std::optional<SourceReader::Floor> floor;  // one that was decided on, until it counts
  };

  Result<bool> fill_now(operators::Watermark watermark);
  Result<bool> fill_range(operators::Watermark watermark);
  Result<bool> read(std::optional<SourceReader::Floor> floor);
  void note_caught_up();
  void wait_for_records();
  Error missing() const;

  const Place place_;
  SourceReader reader_;
  const Clock& clock_;
  const PlanOutputs* outputs_ = nullptr;
  std::optional<Offset> pinned_;
  std::optional<Range> range_;
  bool caught_up_ = false;
  bool waits_ = false;
  std::chrono::nanoseconds caught_up_at_{0};
  bool idle_ = false;
  std::uint64_t rows_ = 0;
  std::uint64_t bad_ = 0;
};

}  // namespace leat::stream
