// How a version is doing, for people and for metrics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "operators/watermark.h"
#include "plan/plan.h"

namespace leat::pipeline {

enum class RunState {
  recovering,  // repeats what is recorded behind the last snapshot
  running,
  paused,    // everything that was given is durable; goes on by resume()
  finished,  // a bounded run has come to its end
  stopped,
  failed,
};

/// "recovering", "running", ...
std::string_view name(RunState state);

struct PartitionStatus {
  std::size_t source = 0;  // the node's number
  std::string name;        // the topic's, or the file's
  PartitionId partition;
  /// Of the next record to be consumed; what is before it is part of a committed epoch or of the
  /// next one.
  Offset position;
  /// Where its committed records end now; nothing for files and for topics that have gone.
  std::optional<Offset> end;
  std::int64_t lag_records = 0;
  /// How old the oldest record that is not consumed is, by its timestamp and our clock, looked at
  /// once a second: 0 if there is none. Nothing if it has no timestamp.
  std::optional<std::int64_t> lag_ms;
  operators::Watermark watermark = operators::watermark_min;
  bool idle = false;
};

struct SnapshotStatus {
  std::uint64_t epoch = 0;
  std::uint64_t bytes = 0;
  std::int64_t written_ms = 0;  // when, by the wall's clock
};

/// How far a run is on its way to its end: of a run without one, to what there is to be read now.
struct RunProgress {
  double percent = 0;  // of records
  double rows_per_s = 0;
  std::optional<double> seconds_left;  // nothing while nothing moves
};

/// How this run began.
struct RecoveryStatus {
  std::optional<std::uint64_t> snapshot_epoch;  // nothing: from the start
  std::uint64_t epochs_repeated = 0;
  std::uint64_t epochs_to_repeat = 0;
  std::int64_t took_ms = 0;  // so far
  /// Snapshots that could not be used, each with the reason.
  std::vector<std::string> passed_over;
};

struct VersionStatus {
  RunState state = RunState::recovering;
  std::optional<Error> error;  // of a failed run
  plan::Mode mode;
  /// It has an end, where it closes its windows or not: once it is known how the version began.
  bool bounded = false;
  // Since the version's epochs began, over all restarts:
  std::uint64_t rows_in = 0;
  std::uint64_t rows_out = 0;
  std::uint64_t late = 0;
  /// Records that could not become rows, and rows without a valid result.
  std::uint64_t bad = 0;
  std::uint64_t epochs = 0;  // the number of the last committed one
  // Over the last ten seconds:
  double rows_in_per_s = 0;
  double rows_out_per_s = 0;
  operators::Watermark watermark = operators::watermark_min;
  /// Which of `partitions` would move the watermark if it moved.
  std::optional<std::size_t> held_back_by;
  std::vector<PartitionStatus> partitions;
  std::size_t state_bytes = 0;
  /// From when it was handed over until it was durable.
  std::int64_t last_commit_us = 0;
  std::optional<SnapshotStatus> snapshot;
  RunProgress progress;
  RecoveryStatus recovery;
};

}  // namespace leat::pipeline
