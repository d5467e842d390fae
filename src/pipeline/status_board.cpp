#include "pipeline/status_board.h"

#include <algorithm>
#include <set>
#include <utility>

namespace leat::pipeline {

std::string_view name(RunState state) {
  switch (state) {
    case RunState::recovering: return "recovering";
    case RunState::running: return "running";
    case RunState::paused: return "paused";
    case RunState::finished: return "finished";
    case RunState::stopped: return "stopped";
    case RunState::failed: return "failed";
  }
  return "unknown";
}

void StatusBoard::set_state(RunState state, std::optional<Error> error) {
  std::lock_guard lock(mutex_);
  status_.state = state;
  status_.error = std::move(error);
  changed_.notify_all();
}

void StatusBoard::show_task(std::shared_ptr<const stream::Task> task) {
  std::lock_guard lock(mutex_);
  task_ = std::move(task);
}

void StatusBoard::show_progress(const stream::Progress& progress, const Counts& counts) {
  std::lock_guard lock(mutex_);
  status_.rows_in = counts.rows_in;
  status_.rows_out = counts.rows_out;
  status_.late = counts.late;
  status_.bad = counts.bad;
  status_.watermark = progress.watermark;
  status_.held_back_by = progress.held_back_by;
  status_.state_bytes = progress.state_bytes;
  status_.partitions.resize(progress.partitions.size());
  for (std::size_t i = 0; i < progress.partitions.size(); ++i) {
    const auto& from = progress.partitions[i];
    PartitionStatus& to = status_.partitions[i];
    to.source = from.source;
    to.name = from.name;
    to.partition = from.id;
    to.position = from.position;
    to.watermark = from.watermark;
    to.idle = from.idle;
  }
  auto now = clock_.monotonic();
  in_.add(now, counts.rows_in);
  out_.add(now, counts.rows_out);
}

void StatusBoard::show_beginning(const BeginRecord& beginning) {
  std::lock_guard lock(mutex_);
  status_.bounded = beginning.bounded;
  inputs_ = beginning.inputs;
}

void StatusBoard::show_epoch(std::uint64_t epoch, std::int64_t commit_us) {
  std::lock_guard lock(mutex_);
  status_.epochs = epoch;
  status_.last_commit_us = commit_us;
}

void StatusBoard::show_snapshot(const SnapshotStatus& snapshot) {
  std::lock_guard lock(mutex_);
  status_.snapshot = snapshot;
}

void StatusBoard::show_recovery(const RecoveryStatus& recovery) {
  std::lock_guard lock(mutex_);
  status_.recovery = recovery;
}

void StatusBoard::show_lag(std::vector<std::optional<std::int64_t>> lag_ms) {
  std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < std::min(lag_ms.size(), status_.partitions.size()); ++i) {
    status_.partitions[i].lag_ms = lag_ms[i];
  }
}

// REQUIRES: mutex_ is held.
VersionStatus StatusBoard::with_ends() {
  VersionStatus status = status_;
  std::vector<std::optional<Offset>> ends;
  if (task_ != nullptr) ends = task_->ends();
  ends.resize(status.partitions.size());
  for (std::size_t i = 0; i < ends.size(); ++i) {
    PartitionStatus& partition = status.partitions[i];
    partition.end = ends[i];
    if (ends[i]) partition.lag_records = std::max<std::int64_t>(*ends[i] - partition.position, 0);
    if (ends[i] && partition.lag_records == 0) partition.lag_ms = 0;
    if (i < inputs_.size() && inputs_[i].end) ends[i] = inputs_[i].end;
  }
  auto now = clock_.monotonic();
  status.rows_in_per_s = in_.per_second(now, status.rows_in);
  status.rows_out_per_s = out_.per_second(now, status.rows_out);
  status.progress = progress_to(ends, status.rows_in_per_s);
  return status;
}

// REQUIRES: mutex_ is held.
RunProgress StatusBoard::progress_to(const std::vector<std::optional<Offset>>& ends,
                                     double rows_per_s) const {
  std::int64_t all = 0, left = 0;
  for (std::size_t i = 0; i < std::min(ends.size(), inputs_.size()); ++i) {
    if (!ends[i]) continue;
    all += std::max<std::int64_t>(*ends[i] - inputs_[i].start, 0);
    left += std::max<std::int64_t>(*ends[i] - status_.partitions[i].position, 0);
  }
  RunProgress progress;
  progress.percent =
      all == 0 ? 100 : 100 * (1 - static_cast<double>(left) / static_cast<double>(all));
  progress.rows_per_s = rows_per_s;
  if (left == 0) {
    progress.seconds_left = 0;
  } else if (rows_per_s > 0) {
    progress.seconds_left = static_cast<double>(left) / rows_per_s;
  }
  return progress;
}

VersionStatus StatusBoard::status() {
  std::lock_guard lock(mutex_);
  return with_ends();
}

Positions StatusBoard::positions() {
  std::lock_guard lock(mutex_);
  Positions positions;
  std::set<std::pair<std::string, PartitionId>> seen;
  for (const auto& partition : status_.partitions) {
    if (!seen.emplace(partition.name, partition.partition).second) continue;
    positions.push_back({partition.name, partition.partition, partition.position});
  }
  return positions;
}

RunState StatusBoard::state() {
  std::lock_guard lock(mutex_);
  return status_.state;
}

VersionStatus StatusBoard::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    return status_.state != RunState::recovering && status_.state != RunState::running;
  });
  return with_ends();
}

void StatusBoard::show_views(std::vector<std::shared_ptr<stream::View>> views) {
  std::lock_guard lock(mutex_);
  views_ = std::move(views);
}

std::vector<std::shared_ptr<stream::View>> StatusBoard::views() {
  std::lock_guard lock(mutex_);
  return views_;
}

}  // namespace leat::pipeline
