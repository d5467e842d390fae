// Runs a plan: live, embedded or as a bounded replay, always the same loop.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "stream/task.h"
#include "stream/topic_store.h"

namespace leat::stream {

/// What a run does when it has consumed everything.
enum class AtEnd {
  wait,   // for more: a live run
  stop,   // as it stands: windows that are open stay unwritten
  flush,  // close all windows, then stop: a batch
};

struct RunOptions {
  /// With stop and flush the ends are those of the partitions when the run is opened.
  AtEnd at_end = AtEnd::wait;
  /// Rows of a block, and bytes of a read from a topic.
  std::size_t block_rows = SourceReader::Options().block_rows;
  std::size_t read_bytes = TopicFeed::default_read_bytes;
  /// Where to begin, one offset for each of the task's partitions; empty for their starts.
  std::vector<Offset> from = {};
  /// Appends that are not yet acknowledged. One is always allowed.
  std::size_t in_flight_bytes_max = 8 << 20;
  /// Threads that share the work where the plan allows it, the runner's included.
  std::size_t workers = 1;
  /// Operators that keep more end the run.
  std::size_t state_bytes_max = std::size_t{1} << 30;
  /// Takes what sinks to the console write; null for nowhere.
  ConsoleSink::Write console = {};
};

enum class RunState { running, finished, stopped, failed };

/// A run as an operator sees it.
struct RunStatus {
  RunState state = RunState::running;
  std::string error;  // of a failed run
  Progress progress;
  /// Of the partitions of `progress`, as they are now; nothing for files.
  std::vector<std::optional<Offset>> ends;
};

/// One run of a plan. drain(), stop() and status() may be called from any thread; store, files and
/// clock outlive it.
class Runner {
 public:
  /// A plan in mode batch flushes where it would wait. Errc::plan_error for mode micro_batch and
  /// for views, which only versions of deployed pipelines have (pipeline/).
  static Result<std::unique_ptr<Runner>> open(plan::Plan plan, TopicStore& store,
                                              file::FileSystem* files, const Clock& clock,
                                              const RunOptions& options);
  /// Stops, and waits for the thread and for what was appended.
  ~Runner();

  /// Runs on the calling thread to the end. When it returns, all output is acknowledged.
  Result<void> run();
  /// Runs on a thread of its own.
  void start();
  /// Waits for start()'s thread; the result of its run().
  Result<void> wait();

  /// Ends a live run at what is there now: consumes that, closes all windows, and stops.
  void drain();
  /// Ends the run between two chunks.
  void stop();

  RunStatus status() const;

 private:
  struct Shared;
  Runner(std::unique_ptr<Task> task, TopicStore& store, const RunOptions& options);

  Result<void> run_to_end();
  Result<void> end_run();
  Result<void> append(std::vector<OutputBatch> batches);
  Result<void> wait_for_appends(std::size_t bytes_at_most);
  void wait_for_more();
  void publish(RunState state, std::string error);

  std::unique_ptr<Task> task_;
  TopicStore& store_;
  RunOptions options_;
  bool pinned_ = false;
  OutputBatches out_;
  // What callbacks and other threads touch; callbacks may outlive the runner.
  std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace leat::stream
