// What a run shows of itself to other threads.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "pipeline/epoch_record.h"
#include "pipeline/positions.h"
#include "pipeline/rates.h"
#include "pipeline/version_status.h"
#include "stream/task.h"

namespace leat::pipeline {

/// The run's thread writes, any thread reads.
class StatusBoard {
 public:
  StatusBoard(const Clock& clock, plan::Mode mode) : clock_(clock) {
    status_.mode = std::move(mode);
  }

  /// Of the run's thread.
  void set_state(RunState state, std::optional<Error> error = {});
  /// From now on ends are those of its partitions; null for none.
  void show_task(std::shared_ptr<const stream::Task> task);
  /// `counts` are those of the version.
  void show_progress(const stream::Progress& progress, const Counts& counts);
  void show_beginning(const BeginRecord& beginning);
  void show_epoch(std::uint64_t epoch, std::int64_t commit_us);
  void show_snapshot(const SnapshotStatus& snapshot);
  void show_recovery(const RecoveryStatus& recovery);
  void show_lag(std::vector<std::optional<std::int64_t>> lag_ms);
  /// They may be read from now on.
  void show_views(std::vector<std::shared_ptr<stream::View>> views);

  VersionStatus status();
  Positions positions();
  std::vector<std::shared_ptr<stream::View>> views();
  RunState state();
  /// Blocks until the run neither recovers nor works.
  VersionStatus wait();

 private:
  VersionStatus with_ends();
  RunProgress progress_to(const std::vector<std::optional<Offset>>& ends, double rows_per_s) const;

  const Clock& clock_;
  std::mutex mutex_;
  // Guarded by mutex_:
  std::condition_variable changed_;
  VersionStatus status_;
  std::shared_ptr<const stream::Task> task_;
  std::vector<BeginRecord::Input> inputs_;  // as the version began
  std::vector<std::shared_ptr<stream::View>> views_;
  Rate in_;
  Rate out_;
};

}  // namespace leat::pipeline
