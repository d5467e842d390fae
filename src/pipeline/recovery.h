// Where a version stands, and how its state comes to be that again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "pipeline/epoch_log.h"
#include "pipeline/epoch_record.h"
#include "pipeline/output_hash.h"
#include "pipeline/snapshots.h"
#include "stream/task.h"

namespace leat::pipeline {

/// The epochs of a reader from a place on, one after the other. For one thread.
class EpochFeed {
 public:
  /// The reader outlives it. Of the epochs behind `begin` those up to that of `end`, or all that
  /// there are now.
  EpochFeed(EpochReader& reader, EpochPlace begin, std::optional<EpochPlace> end = {})
      : reader_(reader), place_(begin), end_(end) {}

  /// The next record; null behind the last one. Errc::corrupt_message, naming the topic, if one is
  /// missing.
  Result<const Record*> next();
  /// Of the one that next() gave last.
  const EpochPlace& place() const { return place_; }

 private:
  EpochReader& reader_;
  EpochPlace place_;
  std::optional<EpochPlace> end_;
  std::vector<EpochReader::Entry> entries_;
  std::size_t next_entry_ = 0;
  std::optional<Record> record_;
};

/// Finds the newest snapshot that can be used, and what is recorded behind it. For one thread.
class Recovery {
 public:
  /// `log` and `snapshots` outlive it.
  Recovery(EpochLog& log, const Snapshots& snapshots) : log_(log), snapshots_(snapshots) {}

  /// Looks at the records behind the last snapshot, or behind what was handed over. The latter must
  /// be all there is: else Errc::invalid_request.
  Result<void> find(std::optional<Bytes> handed_over);
  /// The same without the snapshot that was found, which could not be restored, or any newer one.
  /// REQUIRES: snapshot().
  Result<void> pass_over(const Error& why);

  /// Where the version began last; nothing if it never did.
  const std::optional<BeginRecord>& begin() const { return begin_; }
  /// The last epoch that is committed; 0 for none.
  std::uint64_t last_epoch() const { return last_epoch_; }
  /// The last one whose files are to be in their place.
  std::uint64_t files_epoch() const { return files_epoch_; }
  bool finished() const { return finished_; }
  const std::optional<EpochPlace>& repeated() const { return repeated_; }
  const Counts& counts() const { return counts_; }
  std::uint64_t epochs_to_repeat() const { return last_epoch_ - from_.epoch; }
  /// What is restored; null: the start. Good until drop_state().
  const Snapshot* snapshot() const { return snapshot_ ? &*snapshot_ : nullptr; }
  void drop_state() { snapshot_->state = {}; }
  /// Snapshots that were no good, each with the reason.
  const std::vector<std::string>& passed_over() const { return passed_over_; }

  /// Those that are to be repeated. REQUIRES: there is a beginning.
  EpochFeed feed() const { return {log_, from_, EpochPlace{last_epoch_, {}}}; }

 private:
  /// The newest one, or the newest of before an epoch.
  Result<void> find_snapshot(std::optional<std::uint64_t> before = {});
  Result<void> use(Snapshot snapshot);
  Result<void> look_at_records();

  EpochLog& log_;
  const Snapshots& snapshots_;
  std::optional<Snapshot> snapshot_;
  std::optional<BeginRecord> begin_;
  EpochPlace from_;
  std::uint64_t last_epoch_ = 0;
  std::uint64_t files_epoch_ = 0;
  bool finished_ = false;
  std::optional<EpochPlace> repeated_;
  Counts counts_;
  std::vector<std::string> passed_over_;
};

/// Does the steps of a recorded epoch again, and holds what they give to what they gave: else
/// Errc::step_mismatch, naming `owner`, the epoch and the step. A null `hash` holds them to
/// nothing. What was given goes to `given`, step by step, if it is not null.
Result<void> repeat(const EpochRecord& epoch, const std::string& owner, stream::Task& task,
                    OutputHash* hash, std::vector<std::vector<stream::OutputBatch>>* given);

}  // namespace leat::pipeline
