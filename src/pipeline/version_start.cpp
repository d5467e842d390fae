// How a run comes to where its version stands: it opens, and begins or recovers.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/logging.h"
#include "pipeline/plan_traits.h"
#include "pipeline/version_machine.h"
#include "plan/difference.h"
#include "stream/pipeline.h"

namespace leat::pipeline {

namespace {

std::vector<Offset> starts_of(const BeginRecord& beginning) {
  std::vector<Offset> starts;
  for (const auto& input : beginning.inputs) starts.push_back(input.start);
  return starts;
}

// In what the plan differs from the one that the version began with.
std::string change_of(const BeginRecord& beginning, const plan::Plan& plan) {
  if (!beginning.plan.empty()) return plan::difference(beginning.plan, lasting_text(plan));
  return fmt::format("its hash was {} and is {}", beginning.plan_hash, lasting_hash(plan));
}

bool is_batch(const plan::Plan& plan) {
  return plan.mode.type == plan::Mode::Type::batch;
}

}  // namespace

Result<void> VersionMachine::open() {
  opened_at_ = environment_.clock.monotonic();
  auto log = environment_.epochs.open(owner_);
  if (!log) return fail(log);
  log_ = std::move(*log);
  recovery_.emplace(*log_, snapshots_.snapshots());
  auto carried = options_.carried ? std::optional(options_.carried->snapshot) : std::nullopt;
  if (auto ok = recovery_->find(std::move(carried)); !ok) return ok;
  epoch_ = recovery_->last_epoch();
  files_epoch_ = recovery_->files_epoch();
  recovery_status_.passed_over = recovery_->passed_over();
  board_.show_epoch(epoch_, 0);
  if (auto ok = open_task(); !ok) return ok;
  return begins() ? begin() : restore();
}

bool VersionMachine::begins() const {
  bool is_next_run = options_.anew_behind && recovery_->last_epoch() <= *options_.anew_behind;
  return !recovery_->begin() || is_next_run;
}

Result<void> VersionMachine::open_task() {
  bool bounded =
      begins() ? options_.to.has_value() || is_batch(options_.plan) : recovery_->begin()->bounded;
  stream::Task::Options options;
  if (options_.block_rows > 0) options.block_rows = options_.block_rows;
  // What is read slowly is read in small pieces, and not in one a minute.
  constexpr double pieces_per_s = 10;
  constexpr std::size_t least_rows = 64;
  if (options_.rows_per_s > 0) {
    auto piece = static_cast<std::size_t>(std::min(options_.rows_per_s / pieces_per_s, 1e6));
    options.block_rows = std::min(options.block_rows, std::max(piece, least_rows));
  }
  options.watch_idle = !bounded;
  options.workers = options_.workers;
  options.state_bytes_max = options_.state_bytes_max;
  options.exact = true;
  if (options_.console) {
    options.console = [this](std::string_view lines) -> Result<void> {
      if (console_open_) console_text_ += lines;
      return {};
    };
  }
  auto& files = options.file_epochs.emplace();
  files.version = options_.version;
  files.replaces = is_batch(options_.plan);
  files.committed = [last = recovery_->last_epoch()](std::uint64_t epoch) { return epoch <= last; };
  auto task =
      stream::Task::open(stream::shadow_of(options_.plan, options_.suffix), environment_.topics,
                         &environment_.files, environment_.clock, options);
  if (!task) return fail(task);
  task_ = std::move(*task);
  views_ = task_->views();
  for (const auto& name : output_topics(options_.plan)) {
    auto topic = environment_.topics.find_topic(name + options_.suffix);
    if (!topic) return fail(topic);
    hash_.add_topic(name, topic->id);
  }
  auto inputs = RunInputs::open(*task_, options_.plan, environment_.topics);
  if (!inputs) return fail(inputs);
  inputs_ = std::move(*inputs);
  board_.show_task(task_);
  return {};
}

// Makes the task what it was at the snapshot; what is recorded behind it is repeated later.
Result<void> VersionMachine::restore() {
  beginning_ = *recovery_->begin();
  if (beginning_.plan_hash != lasting_hash(options_.plan)) {
    return fail(Errc::snapshot_mismatch, fmt::format("{} began with another plan: {}", owner_,
                                                     change_of(beginning_, options_.plan)));
  }
  if (auto ok = inputs_->check_same(beginning_, options_.pipeline); !ok) return ok;
  board_.show_beginning(beginning_);
  if (const Snapshot* snapshot = recovery_->snapshot()) {
    auto restored = task_->restore(snapshot->state);
    if (!restored) return restore_without(restored.error());
    recovery_status_.snapshot_epoch = snapshot->epoch;
    snapshots_.policy().written(snapshot->state.size(), environment_.clock.monotonic());
    recovery_->drop_state();
  } else if (auto ok = task_->seek(starts_of(beginning_)); !ok) {
    return ok;
  }
  recovery_status_.epochs_to_repeat = recovery_->epochs_to_repeat();
  board_.show_recovery(recovery_status_);
  recorded_.emplace(recovery_->feed());
  phase_ = Phase::recovering;
  inbox_->wake();
  return {};
}

// What this build of Leat does not understand says nothing that the epochs do not.
Result<void> VersionMachine::restore_without(const Error& why) {
  bool is_of_another = why.code == Errc::snapshot_mismatch || why.code == Errc::corrupt_message ||
                       why.code == Errc::unsupported_format;
  if (!is_of_another || options_.carried) return fail(why.code, why.what);
  log_warning("pipeline {}: a snapshot is passed over: {}", owner_, why.what);
  if (auto ok = recovery_->pass_over(why); !ok) return ok;
  files_epoch_ = recovery_->files_epoch();
  recovery_status_.passed_over = recovery_->passed_over();
  if (auto ok = open_task(); !ok) return ok;
  return restore();
}

Result<void> VersionMachine::recover_some() {
  auto record = recorded_->next();
  if (!record) return fail(record);
  if (*record == nullptr) return end_recovery();
  const auto& epoch = std::get<EpochRecord>(**record);
  // What was written for files, and is not in its place, went with the process.
  task_->discard_output(epoch.silent || epoch.epoch <= files_epoch_);
  task_->skip_views(epoch.silent);
  if (auto ok = repeat(epoch, owner_, *task_, &hash_, nullptr); !ok) {
    if (ok.error().code != Errc::offset_out_of_range) return ok;
    return fail(ok.error().code, ok.error().what + "; " + ways_out(options_.pipeline));
  }
  show_views_as_recovered(epoch.epoch, epoch.steps.empty() ? 0 : epoch.steps.back().step.now_ms);
  snapshots_.policy().add(0, epoch.steps.size());
  ++recovery_status_.epochs_repeated;
  recovery_status_.took_ms =
      (environment_.clock.monotonic() - opened_at_) / std::chrono::milliseconds(1);
  board_.show_recovery(recovery_status_);
  inbox_->wake();
  return {};
}

Result<void> VersionMachine::end_recovery() {
  if (auto ok = inputs_->check_there(task_->positions(), options_.pipeline); !ok) return ok;
  recorded_.reset();
  counts_ = recovery_->counts();
  repeated_ = recovery_->repeated();
  finished_ = recovery_->finished();
  recovery_.reset();
  show_views_as_recovered(epoch_, environment_.clock.wall_ms());
  if (task_->file_bytes() > 0) files_since_ = environment_.clock.monotonic();
  if (options_.observer != nullptr) {
    options_.observer->recovered(epoch_, task_->progress().watermark,
                                 inputs_->named(task_->positions()));
  }
  return start_working();
}

// The first record of the version, or of its new beginning.
Result<void> VersionMachine::begin() {
  recovery_.reset();
  auto beginning = make_beginning();
  if (!beginning) return fail(beginning);
  beginning_ = std::move(*beginning);
  board_.show_beginning(beginning_);
  if (auto ok = task_->seek(starts_of(beginning_)); !ok) return ok;
  ++epoch_;
  UnderWay under_way;
  under_way.made_ms = beginning_.begun_ms;
  if (options_.observer != nullptr || !views_.empty()) {
    under_way.positions = inputs_->named(task_->positions());
  }
  commit(Record(beginning_), {}, std::move(under_way));
  return start_working();
}

Result<BeginRecord> VersionMachine::make_beginning() {
  BeginRecord beginning;
  beginning.epoch = epoch_ + 1;
  beginning.begun_ms = environment_.clock.wall_ms();
  beginning.plan_hash = lasting_hash(options_.plan);
  beginning.plan = lasting_text(options_.plan);
  beginning.inputs = inputs_->inputs();
  beginning.bounded = options_.to.has_value() || is_batch(options_.plan);
  beginning.flush = options_.flush || is_batch(options_.plan);
  if (!options_.repeat.empty()) {
    if (auto ok = begin_repeats(beginning); !ok) return fail(ok);
    return beginning;
  }
  auto from = inputs_->find(options_.from);
  auto silent_to = inputs_->find(options_.silent_to);
  auto to = inputs_->find(options_.to.value_or(Positions()));
  auto readable = inputs_->readable();
  for (const auto* found : {&from, &silent_to, &to}) {
    if (!*found) return fail(*found);
  }
  if (!readable) return fail(readable);
  for (std::size_t i = 0; i < inputs_->size(); ++i) {
    BeginRecord::Input& input = beginning.inputs[i];
    if ((*from)[i]) input.start = *(*from)[i];
    input.silent_to = (*silent_to)[i];
    const auto& there = (*readable)[i];
    if (!there) continue;
    if (input.start < there->start || input.start > there->high_watermark) {
      return fail(Errc::offset_out_of_range,
                  fmt::format("the version cannot begin at offset {} of partition {} of {}: its "
                              "records are {} to {}",
                              input.start.value(), input.partition.value(), input.name,
                              there->start.value(), there->high_watermark.value()));
    }
    if (beginning.bounded) input.end = (*to)[i].value_or(there->high_watermark);
  }
  return beginning;
}

// Begins where the other version began last.
Result<void> VersionMachine::begin_repeats(BeginRecord& beginning) {
  auto log = environment_.epochs.read(options_.repeat);
  if (!log) return fail(log);
  std::optional<BeginRecord> theirs;
  BeginRecord::Repeats repeats;
  repeats.owner = options_.repeat;
  EpochFeed feed(**log, {});
  while (true) {
    auto record = feed.next();
    if (!record) return fail(record);
    if (*record == nullptr) break;
    repeats.end = feed.place();
    if (const auto* begin = std::get_if<BeginRecord>(*record)) {
      theirs = *begin;
      repeats.begin = feed.place();
    }
  }
  if (!theirs) {
    return fail(Errc::invalid_argument, fmt::format("{} has no epochs to repeat", options_.repeat));
  }
  if (theirs->plan_hash != beginning.plan_hash) {
    return fail(Errc::invalid_argument,
                fmt::format("{} ran another plan, so its epochs cannot be repeated: {}; replay it "
                            "without them",
                            options_.repeat, change_of(*theirs, options_.plan)));
  }
  if (auto ok = inputs_->check_same(*theirs, options_.pipeline); !ok) return ok;
  beginning.inputs = theirs->inputs;
  for (auto& input : beginning.inputs) input.end.reset();
  beginning.repeats = repeats;
  return {};
}

Result<void> VersionMachine::start_working() {
  auto progress = task_->progress();
  counted_ = {progress.rows_in, progress.rows_out, progress.late, progress.bad};
  bytes_read_ = progress.bytes_in;
  snapshots_.policy().add(progress.bytes_in, 0);
  bool at_end = false;
  if (beginning_.repeats && !finished_) {
    EpochPlace place = repeated_.value_or(beginning_.repeats->begin);
    if (place.epoch < beginning_.repeats->end.epoch) {
      auto log = environment_.epochs.read(beginning_.repeats->owner);
      if (!log) return fail(log);
      repeated_log_ = std::move(*log);
      repeats_.emplace(*repeated_log_, place, beginning_.repeats->end);
    } else {
      at_end = is_bounded();  // it died before it could say so
    }
  }
  silent_ = !repeats_ && is_silent_at(task_->positions());
  task_->discard_output(silent_);
  task_->skip_views(silent_);
  if (finished_ || !is_batch(options_.plan)) open_views_to_readers();
  task_->limit_step(step_rows());
  console_open_ = true;
  apply_ends();
  recovery_status_.took_ms =
      (environment_.clock.monotonic() - opened_at_) / std::chrono::milliseconds(1);
  board_.show_recovery(recovery_status_);
  phase_ = Phase::working;
  board_.show_progress(task_->progress(), counts_);
  if (!finished_) set_state(RunState::running);
  auto cuts = std::exchange(deferred_cuts_, {});
  for (auto& [positions, done] : cuts) run_to(positions, std::move(done));
  inbox_->wake();
  return at_end ? finish() : Result<void>();
}

}  // namespace leat::pipeline
