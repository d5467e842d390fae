// Snapshots on their way to the disk.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/executor.h"
#include "pipeline/snapshot_policy.h"
#include "pipeline/snapshots.h"
#include "pipeline/version_status.h"

namespace leat::pipeline {

/// Does `job` where it may block, and `done` on the run's executor behind it.
using Background = std::function<void(Work job, Work done)>;

/// A snapshot is taken when its epoch is handed over, waits until that is durable, and is written
/// in the background: one at a time. For the run's thread; what it was asked to call is called
/// there, and only while it lives.
class SnapshotWriter {
 public:
  /// `written` is told how each went. The clock outlives it.
  using Written = std::function<void(const Result<SnapshotStatus>&)>;
  SnapshotWriter(Snapshots snapshots, const Clock& clock, Background background, Written written);

  const Snapshots& snapshots() const { return *snapshots_; }
  SnapshotPolicy& policy() { return policy_; }
  /// One is taken, and not on the disk yet.
  bool busy() const { return waiting_ || writing_; }
  bool due() const { return !busy() && policy_.due(clock_.monotonic()); }

  /// REQUIRES: not busy().
  void take(const std::function<Snapshot()>& make);
  /// The epoch of the one that waits is durable; records of later ones are at `next` and behind.
  void epoch_durable(Offset next);

 private:
  const std::shared_ptr<Snapshots> snapshots_;
  const Clock& clock_;
  const Background background_;
  const Written written_;
  SnapshotPolicy policy_;
  std::optional<Snapshot> waiting_;
  bool writing_ = false;
  // Jobs outlive the writer; what comes of them then is nobody's.
  std::shared_ptr<SnapshotWriter*> self_;
};

}  // namespace leat::pipeline
