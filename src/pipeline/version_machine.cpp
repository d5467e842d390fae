#include "pipeline/version_machine.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/logging.h"

namespace leat::pipeline {

using namespace std::chrono_literals;

namespace {

// What files are written for is shown so often, if there is as much or not.
constexpr auto files_patience = 10s;
constexpr std::uint64_t files_bytes = 64 << 20;

std::int64_t trigger_ms_of(const plan::Plan& plan) {
  return plan.mode.type == plan::Mode::Type::micro_batch ? plan.mode.trigger_ms : 0;
}

}  // namespace

struct VersionMachine::CommitResult {
  std::mutex mutex;
  // Guarded by mutex:
  std::optional<Result<void>> result;
  std::chrono::nanoseconds at{0};
};

VersionMachine::VersionMachine(Options options, const VersionRun::Environment& environment,
                               Executor& executor, Background background, StatusBoard& board)
    : options_(std::move(options)),
      environment_(environment),
      executor_(executor),
      board_(board),
      owner_(owner_of(options_.pipeline, options_.version)),
      inbox_(std::make_shared<Inbox>(executor, *this)),
      snapshots_(Snapshots(environment.files, environment.data_directory, owner_),
                 environment.clock, std::move(background),
                 [this](const Result<SnapshotStatus>& written) { snapshot_written(written); }),
      gate_(environment.clock, trigger_ms_of(options_.plan)),
      pending_(options_.gives_way) {
  gate_.set_rows_per_s(options_.rows_per_s);
}

VersionMachine::~VersionMachine() {
  inbox_->close();
  if (timer_ != 0) executor_.cancel(timer_);
  board_.show_task(nullptr);
}

void VersionMachine::snapshot_written(const Result<SnapshotStatus>& written) {
  if (written) {
    board_.show_snapshot(*written);
  } else {
    // The run does without it; the next start takes longer.
    log_warning("pipeline {}: no snapshot was written: {}", owner_, written.error().what);
  }
  inbox_->wake();
}

void VersionMachine::take_turn() {
  if (timer_ != 0) executor_.cancel(std::exchange(timer_, 0));
  if (phase_ != Phase::ended) {
    if (auto ok = turn(); !ok) fail_behind_commit(ok.error());
  }
  if (phase_ == Phase::ended && abandoned_) std::exchange(abandoned_, nullptr)();
}

// What is being committed will be there: whoever is to be told of it is told before the run ends.
void VersionMachine::fail_behind_commit(const Error& error) {
  if (!under_way_ || failing_) return fail_with(error);
  failing_ = error;
  pending_.drop();
  inbox_->wake();
}

// Nothing more is begun. What was done before the step that failed is whole, and is committed.
Result<void> VersionMachine::wind_up() {
  if (auto ok = take_commit_result(); !ok) return ok;
  if (under_way_) return {};
  if (failing_ && !abandoned_ && pending_.steps() > 0) return commit_pending();
  if (failing_) return fail(failing_->code, failing_->what);
  if (!snapshots_.busy()) end(RunState::stopped, {});
  return {};
}

Result<void> VersionMachine::turn() {
  if (failing_ || abandoned_) return wind_up();
  switch (phase_) {
    case Phase::opening: return open();
    case Phase::recovering: return recover_some();
    case Phase::working: return work();
    case Phase::ended: break;
  }
  return {};
}

Result<void> VersionMachine::work() {
  if (auto ok = take_commit_result(); !ok) return ok;
  if (auto ok = commit_if_due(); !ok) return ok;
  if (rests()) return settle();
  if (!may_step()) return {};
  std::size_t console_bytes = console_text_.size();
  auto stepped = step();
  if (stepped && !*stepped) {
    if (auto ok = came_to_end(); !ok) stepped = fail(ok);
  }
  if (!stepped) {
    console_text_.resize(console_bytes);
    failing_ = stepped.error();
    return wind_up();
  }
  if (auto ok = commit_if_due(); !ok) return ok;
  if (rests()) return settle();
  if (*stepped) {
    inbox_->wake();
  } else {
    sleep();
  }
  return {};
}

Result<void> VersionMachine::take_commit_result() {
  if (!under_way_) return {};
  std::chrono::nanoseconds at;
  {
    std::lock_guard lock(commit_result_->mutex);
    if (!commit_result_->result) return {};
    if (!*commit_result_->result) {
      const Error& error = commit_result_->result->error();
      return fail(error.code,
                  fmt::format("epoch {} cannot be committed: {}", under_way_->epoch, error.what));
    }
    at = commit_result_->at;
  }
  UnderWay done = std::move(*under_way_);
  under_way_.reset();
  if (!done.console.empty()) {
    if (auto ok = options_.console(done.console); !ok) return ok;
  }
  board_.show_epoch(done.epoch, (at - done.begun) / 1us);
  if (done.first_step) environment_.pace->lived(at - *done.first_step);
  if (done.views) show_views(done.epoch, done.made_ms, done.watermark, done.positions);
  if (done.finished) open_views_to_readers();
  if (done.files) {
    if (auto ok = task_->publish_files(); !ok) return ok;
  }
  if (snapshots_.busy()) {
    auto end = log_->end();
    if (!end) return fail(end);
    snapshots_.epoch_durable(*end);
  }
  if (options_.observer != nullptr) {
    options_.observer->committed({done.epoch, done.watermark, done.output, done.positions});
  }
  return {};
}

// Files of a batch replace others, so they are shown at its end and never in part.
bool VersionMachine::files_due() const {
  if (task_->file_bytes() == 0) return false;
  if (options_.plan.mode.type == plan::Mode::Type::batch) return finished_;
  auto wait = files_due_in();
  return rests() || !wait || *wait <= 0ns;
}

std::optional<std::chrono::nanoseconds> VersionMachine::files_due_in() const {
  if (task_->file_bytes() == 0 || options_.plan.mode.type == plan::Mode::Type::batch) return {};
  if (task_->file_bytes() >= files_bytes) return 0ns;
  return std::max<std::chrono::nanoseconds>(
      files_since_ + files_patience - environment_.clock.monotonic(), 0ns);
}

Result<void> VersionMachine::commit_if_due() {
  if (under_way_) return {};
  auto due_at = pending_.due_at();
  bool due = due_at && (rests() || *due_at <= environment_.clock.monotonic());
  if (!due && !files_due()) return {};
  return commit_pending();
}

// Where the run fails, what its last step has done to the task is no part of it.
Result<void> VersionMachine::commit_pending() {
  auto progress = pending_.steps() > 0 ? std::move(stepped_to_) : task_->progress();
  auto record = make_record(progress);
  if (!record) return fail(record);
  auto output = pending_.take_output();
  if (silent_) output.clear();
  bool is_seen = options_.suffix.empty() && !options_.gives_way && !output.empty();
  board_.show_progress(progress, counts_);
  UnderWay under_way;
  under_way.watermark = progress.watermark;
  under_way.console = std::exchange(console_text_, {});
  under_way.files = record->files;
  under_way.finished = record->finished;
  under_way.views = !failing_;
  if (options_.observer != nullptr || !views_.empty()) {
    std::vector<Offset> positions;
    for (const auto& partition : progress.partitions) positions.push_back(partition.position);
    under_way.positions = inputs_->named(positions);
  }
  under_way.made_ms =
      record->steps.empty() ? environment_.clock.wall_ms() : record->steps.back().step.now_ms;
  // What gives nothing may have waited for more.
  if (environment_.pace != nullptr && is_seen) under_way.first_step = first_step_at_;
  commit(Record(std::move(*record)), std::move(output), std::move(under_way));
  if (!failing_) take_snapshot_if_due();
  return {};
}

// Of what is pending. What was written for files is durable then.
Result<EpochRecord> VersionMachine::make_record(const stream::Progress& progress) {
  EpochRecord record;
  record.epoch = ++epoch_;
  record.suffix = options_.suffix;
  record.silent = silent_;
  record.finished = finished_;
  record.repeated = repeated_;
  if (!failing_ && files_due()) {
    auto prepared = task_->prepare_files(record.epoch);
    if (!prepared) return fail(prepared);
    record.files = *prepared;
    if (record.files) files_epoch_ = record.epoch;
    files_since_ = 0ns;
  }
  Counts counted{progress.rows_in, progress.rows_out, progress.late, progress.bad};
  record.counts = counted - counted_;
  counts_ += record.counts;
  counted_ = counted;
  snapshots_.policy().add(progress.bytes_in - bytes_read_, pending_.steps());
  bytes_read_ = progress.bytes_in;
  record.steps = pending_.take_steps();
  return record;
}

void VersionMachine::commit(const Record& record, std::vector<stream::OutputBatch> output,
                            UnderWay under_way) {
  under_way.epoch = epoch_of(record);
  under_way.begun = environment_.clock.monotonic();
  if (options_.observer != nullptr) under_way.output = output;
  if (under_way.views) seal_views();
  under_way_ = std::move(under_way);
  commit_result_ = std::make_shared<CommitResult>();
  auto done = [result = commit_result_, inbox = inbox_,
               clock = &environment_.clock](Result<void> committed) {
    {
      std::lock_guard lock(result->mutex);
      result->result = std::move(committed);
      result->at = clock->monotonic();
    }
    inbox->wake();
  };
  log_->commit(encode(record), std::move(output), std::move(done));
  if (options_.observer != nullptr) options_.observer->handed_over(epoch_of(record));
}

// While the epoch that was handed over is on its way. Files that are not shown yet are not in it.
void VersionMachine::take_snapshot_if_due() {
  bool last = finished_ || rest_ == Rest::stop;
  bool wanted = snapshots_.due() || (last && snapshots_.policy().pays_at_end());
  if (!wanted || snapshots_.busy() || task_->file_bytes() > 0) return;
  snapshots_.take([this] { return snapshot_now(); });
}

Snapshot VersionMachine::snapshot_now() {
  Snapshot snapshot;
  snapshot.epoch = epoch_;
  snapshot.counts = counts_;
  snapshot.files_epoch = files_epoch_;
  snapshot.finished = finished_;
  snapshot.repeated = repeated_;
  snapshot.begin = beginning_;
  snapshot.state = task_->snapshot();
  return snapshot;
}

}  // namespace leat::pipeline
