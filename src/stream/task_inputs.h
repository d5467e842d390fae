// All that a task reads.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/result.h"
#include "base/state.h"
#include "file/file.h"
#include "plan/bound_plan.h"
#include "stream/step_record.h"
#include "stream/task_input.h"
#include "stream/topic_store.h"

namespace leat::stream {

using operators::Watermark;

/// The partitions of all sources of a plan, by the node's number and then their own. Not
/// thread-safe, but for single inputs within a step.
class TaskInputs {
 public:
  struct Options {
    std::size_t block_rows = 0;
    std::size_t read_bytes = 0;
    bool watch_idle = false;
  };
  /// The plan and the clock outlive it.
  TaskInputs(const plan::BoundPlan& plan, const Clock& clock, const Options& options)
      : plan_(plan), clock_(clock), options_(options) {}

  /// Finds the topics and files of all sources. `used` says by node which columns are looked at.
  Result<void> open(TopicStore& store, file::FileSystem* files,
                    const std::vector<std::vector<bool>>& used);
  void set_outputs(const PlanOutputs& outputs);

  std::size_t size() const { return inputs_.size(); }
  TaskInput& operator[](std::size_t i) { return *inputs_[i]; }
  const TaskInput& operator[](std::size_t i) const { return *inputs_[i]; }
  std::vector<std::unique_ptr<TaskInput>>& all() { return inputs_; }
  const std::vector<std::unique_ptr<TaskInput>>& all() const { return inputs_; }

  Result<void> seek(const std::vector<Offset>& positions);
  Result<void> pin_ends();
  /// REQUIRES: one for each.
  void set_ends(const std::vector<std::optional<Offset>>& ends);
  bool finished() const;
  std::vector<Offset> positions() const;

  /// Asks every input for its next rows; false if none has anything.
  Result<bool> fill_all(Watermark watermark);
  bool waits() const;
  bool have_rows() const;
  /// Of those that are timed and not idle; nothing if there are none.
  std::optional<Watermark> least_watermark() const;
  /// Behind all that is there: of partitions that never had a row none. watermark_min if all are
  /// so.
  Watermark watermark_at_end() const;

  /// From here to end_step() is one step.
  void begin_step();
  /// What it consumed and decided on, and who is idle now. `did.moved` if anything has changed.
  void end_step(StepRecord& did);
  /// The step consumes what is there now.
  Result<void> begin_ranges();
  /// The step consumes what it consumed before. Errc::invalid_argument, Errc::step_mismatch.
  Result<void> repeat_ranges(const StepRecord& step);
  void end_ranges();
  /// Errc::step_mismatch if other numbers of records were consumed than in the step before.
  Result<void> check_repeated(const StepRecord& step) const;

  /// What Task::snapshot() says of partitions.
  void snapshot(StateWriter& writer) const;
  Result<void> restore(StateReader& reader);

  void when_readable(const std::function<Work()>& make_wake);
  std::vector<std::optional<Offset>> ends() const;
  std::optional<std::chrono::nanoseconds> idle_in() const;

 private:
  /// Where an input was when the step began.
  struct Begin {
    Offset position;
    std::uint64_t records = 0;
    bool idle = false;
  };

  Result<void> open_source(std::size_t node, TopicStore& store, file::FileSystem* files,
                           const std::vector<bool>& used);
  TaskInput& add(std::size_t node, PartitionId partition, TopicReader* topic,
                 std::unique_ptr<RecordFeed> feed, const std::vector<bool>& used);
  Result<void> check(const StepRecord& step) const;
  Result<void> other_partitions(std::size_t source) const;

  const plan::BoundPlan& plan_;
  const Clock& clock_;
  const Options options_;
  std::vector<std::unique_ptr<TopicReader>> readers_;  // of sources that are topics
  std::vector<std::unique_ptr<TaskInput>> inputs_;
  std::vector<Begin> begins_;  // by input
};

}  // namespace leat::stream
