// What a run consumes, when, and where it stops.
#include <algorithm>
#include <utility>

#include "pipeline/version_machine.h"

namespace leat::pipeline {

using namespace std::chrono_literals;

namespace {

std::uint64_t records_of(const stream::StepRecord& step) {
  std::uint64_t records = 0;
  for (const auto& consumed : step.consumed) records += consumed.records;
  return records;
}

}  // namespace

Result<bool> VersionMachine::step() {
  auto begun = environment_.clock.monotonic();
  if (pending_.empty()) first_step_at_ = begun;
  auto stepped = repeats_ ? repeat_step() : step_anew();
  auto took = environment_.clock.monotonic() - begun;
  if (options_.gives_way && environment_.pace != nullptr) {
    gate_.rest(environment_.pace->rest_after(took));
  }
  return stepped;
}

std::size_t VersionMachine::step_rows() const {
  // So that what is live waits for no long step.
  constexpr std::size_t giving_way_max = 16'384;
  return options_.gives_way ? std::min(gate_.step_rows(), giving_way_max) : gate_.step_rows();
}

Result<bool> VersionMachine::step_anew() {
  stream::StepRecord did;
  bool triggered = waits_for_triggers() && !is_behind();
  auto stepped = triggered ? task_->step_to_ends(out_, &did) : task_->step(out_, &did);
  auto output = out_.take();
  if (!stepped) return stepped;
  if (triggered) gate_.triggered();
  gate_.stepped(records_of(did));
  if (did.moved) add_step(std::move(did), std::move(output));
  if (triggered && pending_.steps() > 0) pending_.close();
  // What was there at the trigger is all of it.
  return *stepped && !triggered;
}

void VersionMachine::add_step(stream::StepRecord step, std::vector<stream::OutputBatch> output) {
  auto now = environment_.clock.monotonic();
  std::uint64_t hash = hash_.of(output);
  pending_.add(std::move(step), hash, std::move(output), now);
  stepped_to_ = task_->progress();
  constexpr std::size_t console_bytes_max = 1 << 20;
  if (console_text_.size() >= console_bytes_max) pending_.close();
  if (task_->file_bytes() > 0 && files_since_ == 0ns) files_since_ = now;
}

// The steps of one of the epochs that are repeated; false behind the last one.
Result<bool> VersionMachine::repeat_step() {
  if (repeating_ == nullptr) {
    auto record = repeats_->next();
    if (!record) return fail(record);
    if (*record == nullptr) return false;
    repeating_ = &std::get<EpochRecord>(**record);
  }
  if (repeating_->silent != silent_) {
    // An epoch is silent or not.
    if (!pending_.empty()) {
      pending_.close();
      return true;
    }
    silent_ = repeating_->silent;
    task_->discard_output(silent_);
    task_->skip_views(silent_);
  }
  std::vector<std::vector<stream::OutputBatch>> given;
  auto ok = repeat(*repeating_, beginning_.repeats->owner, *task_, &hash_, &given);
  if (!ok) return fail(ok);
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto& step = repeating_->steps[i].step;
    gate_.stepped(records_of(step));
    add_step(step, std::move(given[i]));
  }
  repeating_ = nullptr;
  repeated_ = repeats_->place();
  return true;
}

// There is nothing to be done now: perhaps there never will be.
Result<void> VersionMachine::came_to_end() {
  if (repeats_) {
    repeats_.reset();
    repeated_log_.reset();
    if (is_bounded()) return finish();
    apply_ends();
    inbox_->wake();
    return {};
  }
  if (!task_->finished()) return {};
  if (rest_ == Rest::cut) {
    cut_reached_ = true;
  } else if (silent_) {
    end_warm_up();
  } else if (is_bounded()) {
    return finish();
  }
  return {};
}

Result<void> VersionMachine::finish() {
  if (beginning_.flush && !beginning_.repeats) {
    stream::StepRecord did;
    auto flushed = task_->flush(out_, &did);
    auto output = out_.take();
    if (!flushed) return flushed;
    add_step(std::move(did), std::move(output));
  }
  finished_ = true;
  pending_.close();
  return {};
}

// What is silent is committed before anything is that is not.
void VersionMachine::end_warm_up() {
  if (!pending_.empty()) {
    pending_.close();
  } else {
    silent_ = false;
    task_->discard_output(false);
    task_->skip_views(false);
    apply_ends();
  }
  inbox_->wake();
}

bool VersionMachine::waits_for_triggers() const {
  return gate_.has_triggers() && !is_bounded() && rest_ != Rest::cut && !silent_ && !repeats_;
}

// There is more than should be one step.
bool VersionMachine::is_behind() const {
  constexpr std::int64_t records_max = 1'000'000;
  auto ends = task_->ends();
  auto positions = task_->positions();
  std::int64_t records = 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (ends[i]) records += std::max<std::int64_t>(*ends[i] - positions[i], 0);
  }
  return records > records_max;
}

// Else a timer is set, or the commit that is under way has it take its next turn.
bool VersionMachine::may_step() {
  if (pending_.full()) return false;
  auto wait = gate_.rate_wait();
  if (!wait && waits_for_triggers() && !is_behind()) wait = gate_.trigger_wait();
  if (!wait) return true;
  wake_in(*wait);
  return false;
}

void VersionMachine::sleep() {
  snapshots_.policy().caught_up();
  board_.show_progress(task_->progress(), counts_now());
  if (waits_for_triggers()) return wake_in(gate_.trigger_wait());
  task_->when_readable([inbox = inbox_] { return Work([inbox] { inbox->wake(); }); });
  auto wait = task_->idle_in();
  if (auto every = task_->tells_every()) wait = std::min(wait.value_or(*every), *every);
  wake_in(wait);
}

// Or earlier, if what is pending is due earlier.
void VersionMachine::wake_in(std::optional<std::chrono::nanoseconds> delay) {
  auto sooner = [&](std::optional<std::chrono::nanoseconds> other) {
    if (other) delay = std::min(delay.value_or(*other), *other);
  };
  if (!under_way_) {
    sooner(files_due_in());
    if (auto due_at = pending_.due_at()) sooner(*due_at - environment_.clock.monotonic());
  }
  if (!delay) return;
  if (timer_ != 0) executor_.cancel(timer_);
  timer_ = executor_.after(*delay, [inbox = inbox_] { inbox->wake(); });
}

// Where the version itself ends, or its warm-up, or what it is asked for.
void VersionMachine::apply_ends() {
  std::vector<std::optional<Offset>> ends;
  for (std::size_t i = 0; i < beginning_.inputs.size(); ++i) {
    const auto& input = beginning_.inputs[i];
    ends.push_back(silent_ ? input.silent_to.value_or(input.start) : input.end);
    if (!cut_.empty()) ends[i] = cut_[i];
  }
  task_->set_ends(ends);
}

bool VersionMachine::is_silent_at(const std::vector<Offset>& positions) const {
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const auto& silent_to = beginning_.inputs[i].silent_to;
    if (silent_to && positions[i] < *silent_to) return true;
  }
  return false;
}

Counts VersionMachine::counts_now() const {
  auto progress = task_->progress();
  Counts counted{progress.rows_in, progress.rows_out, progress.late, progress.bad};
  Counts counts = counts_;
  return counts += counted - counted_;
}

}  // namespace leat::pipeline
