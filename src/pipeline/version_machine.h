// The inside of a run: one turn after the other, on its executor.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "base/once.h"
#include "base/result.h"
#include "pipeline/epoch_log.h"
#include "pipeline/epoch_record.h"
#include "pipeline/output_hash.h"
#include "pipeline/pending_epoch.h"
#include "pipeline/recovery.h"
#include "pipeline/run_inbox.h"
#include "pipeline/run_inputs.h"
#include "pipeline/snapshot_writer.h"
#include "pipeline/status_board.h"
#include "pipeline/step_gate.h"
#include "pipeline/version_run.h"
#include "stream/task.h"

namespace leat::pipeline {

/// Opens, recovers, then steps and commits. While a commit is under way the next epoch is made; it
/// is handed over in the turn in which the commit is known to be durable. A turn is taken when
/// something was asked for, a commit is done, records came, or a time has come: between turns it
/// waits for nothing.
///
/// Lives on its executor, where all members are called.
class VersionMachine {
 public:
  using Options = VersionRun::Options;
  using Done = VersionRun::Done;
  using Inbox = RunInbox<VersionMachine>;

  VersionMachine(Options options, const VersionRun::Environment& environment, Executor& executor,
                 Background background, StatusBoard& board);
  ~VersionMachine();

  Inbox& inbox() { return *inbox_; }
  /// Does what can be done now. Called by the inbox.
  void take_turn();

  // What a run is asked for: version_orders.cpp.
  void pause(Once<void> done);
  void resume();
  void run_to(const Positions& positions, Once<void> done);
  void stop(Once<void> done);
  void hand_over(Once<HandedOver> done);
  void set_rows_per_s(double rows_per_s);
  /// Ends as soon as nothing is under way; what is not handed over is lost. Then `done`.
  void abandon(Work done);
  /// Sees to the ages of what is not read, at most once a second.
  void look_at_lag();

 private:
  enum class Phase { opening, recovering, working, ended };
  /// What the run is to come to rest for.
  enum class Rest { none, pause, cut, stop };
  struct UnderWay {
    std::uint64_t epoch = 0;
    std::chrono::nanoseconds begun{0};
    std::optional<std::chrono::nanoseconds> first_step;  // when it began, if anybody wants to know
    operators::Watermark watermark = operators::watermark_min;
    std::int64_t made_ms = 0;  // by the wall's clock
    bool files = false;
    bool finished = false;
    bool views = true;  // are shown as of it
    std::string console;
    std::vector<stream::OutputBatch> output;  // for the observer, if there is one
    Positions positions;                      // for it and for views
  };
  /// What the callback of a commit leaves; it may be called when the machine has gone.
  struct CommitResult;

  // Opening and recovering: version_start.cpp.
  Result<void> open();
  /// Whether it has nothing to go on from. REQUIRES: recovery_.
  bool begins() const;
  Result<void> open_task();
  Result<void> restore();
  Result<void> restore_without(const Error& why);
  Result<void> recover_some();
  Result<void> end_recovery();
  Result<void> begin();
  Result<BeginRecord> make_beginning();
  Result<void> begin_repeats(BeginRecord& beginning);
  Result<void> start_working();

  // Working: version_machine.cpp.
  Result<void> turn();
  Result<void> work();
  Result<void> wind_up();
  Result<void> take_commit_result();
  Result<void> commit_if_due();
  Result<void> commit_pending();
  Result<EpochRecord> make_record(const stream::Progress& progress);
  void commit(const Record& record, std::vector<stream::OutputBatch> output, UnderWay under_way);
  void take_snapshot_if_due();
  Snapshot snapshot_now();
  void snapshot_written(const Result<SnapshotStatus>& written);
  bool files_due() const;
  std::optional<std::chrono::nanoseconds> files_due_in() const;

  // What readers of views see: version_views.cpp.
  void seal_views();
  void show_views(std::uint64_t epoch, std::int64_t at_ms, operators::Watermark watermark,
                  const Positions& positions);
  void show_views_as_recovered(std::uint64_t epoch, std::int64_t at_ms);
  void open_views_to_readers();

  // Stepping: version_steps.cpp.
  Result<bool> step();
  Result<bool> step_anew();
  std::size_t step_rows() const;
  Result<bool> repeat_step();
  void add_step(stream::StepRecord step, std::vector<stream::OutputBatch> output);
  Result<void> came_to_end();
  Result<void> finish();
  void end_warm_up();
  bool may_step();
  bool waits_for_triggers() const;
  bool is_behind() const;
  void sleep();
  void wake_in(std::optional<std::chrono::nanoseconds> delay);
  void apply_ends();
  bool is_silent_at(const std::vector<Offset>& positions) const;
  bool is_bounded() const { return beginning_.bounded; }
  Counts counts_now() const;

  // Coming to rest and ending: version_orders.cpp.
  bool rests() const;
  Result<void> settle();
  Result<void> settle_for_good();
  Result<void> check_cut(const std::vector<std::optional<Offset>>& cut) const;
  void set_state(RunState state, std::optional<Error> error = {});
  void fail_with(Error error);
  void fail_behind_commit(const Error& error);
  void end(RunState state, std::optional<Error> error);

  const Options options_;
  const VersionRun::Environment environment_;
  Executor& executor_;
  StatusBoard& board_;
  const std::string owner_;
  const std::shared_ptr<Inbox> inbox_;
  SnapshotWriter snapshots_;
  StepGate gate_;

  Phase phase_ = Phase::opening;
  std::unique_ptr<EpochLog> log_;
  std::shared_ptr<stream::Task> task_;
  std::vector<std::shared_ptr<stream::View>> views_;
  std::optional<RunInputs> inputs_;
  OutputHash hash_;
  /// The console shows what is new only, and when it is committed: what is done again would be
  /// shown again.
  bool console_open_ = false;
  std::string console_text_;
  BeginRecord beginning_;

  // Recovering:
  std::optional<Recovery> recovery_;
  std::optional<EpochFeed> recorded_;
  RecoveryStatus recovery_status_;
  std::chrono::nanoseconds opened_at_{0};

  // Working:
  std::uint64_t epoch_ = 0;  // the last one that was handed over
  std::uint64_t files_epoch_ = 0;
  Counts counts_;                              // of the version, up to it
  Counts counted_;                             // of this task, up to it
  std::uint64_t bytes_read_ = 0;               // by this task, up to it
  std::chrono::nanoseconds first_step_at_{0};  // of what is pending
  stream::OutputBatches out_;
  PendingEpoch pending_;
  stream::Progress stepped_to_;  // behind the last step of it
  std::optional<UnderWay> under_way_;
  std::optional<Error> failing_;  // why it ends when what was done is committed
  std::shared_ptr<CommitResult> commit_result_;
  bool silent_ = false;
  bool finished_ = false;
  std::chrono::nanoseconds files_since_{0};
  Executor::TimerId timer_ = 0;
  std::optional<std::chrono::nanoseconds> lag_looked_at_;

  // Exact replay of another version's epochs:
  std::unique_ptr<EpochReader> repeated_log_;
  std::optional<EpochFeed> repeats_;
  const EpochRecord* repeating_ = nullptr;  // is next
  std::optional<EpochPlace> repeated_;

  // Coming to rest:
  Rest rest_ = Rest::none;
  std::vector<std::optional<Offset>> cut_;  // where it is to stop; empty for nowhere
  bool cut_reached_ = false;
  std::vector<Once<void>> resting_;  // who waits for that
  std::vector<Once<void>> stopping_;
  std::vector<std::pair<Positions, Once<void>>> deferred_cuts_;  // until it works
  Work abandoned_;
};

}  // namespace leat::pipeline
