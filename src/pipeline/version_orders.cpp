// What a run is asked for, and how it comes to rest and ends.
#include <utility>

#include <fmt/format.h>

#include "pipeline/lag_watch.h"
#include "pipeline/version_machine.h"

namespace leat::pipeline {

namespace {

constexpr const char* run_ended = "the run of the version has ended";

void answer(std::vector<Once<void>>& waiting, const Result<void>& result) {
  auto all = std::exchange(waiting, {});
  for (auto& done : all) done(result);
}

}  // namespace

bool VersionMachine::rests() const {
  return finished_ || rest_ == Rest::pause || rest_ == Rest::stop || cut_reached_;
}

void VersionMachine::pause(Once<void> done) {
  if (phase_ == Phase::ended) return done(fail(Errc::cancelled, run_ended));
  if (rest_ != Rest::stop) rest_ = Rest::pause;
  resting_.push_back(std::move(done));
  inbox_->wake();
}

void VersionMachine::resume() {
  if (phase_ == Phase::ended || rest_ == Rest::stop) return;
  answer(resting_, fail(Errc::cancelled, "the version was told to go on"));
  rest_ = Rest::none;
  cut_.clear();
  cut_reached_ = false;
  if (phase_ != Phase::working) return;
  apply_ends();
  if (!finished_) set_state(RunState::running);
  inbox_->wake();
}

void VersionMachine::run_to(const Positions& positions, Once<void> done) {
  if (phase_ == Phase::ended || rest_ == Rest::stop) return done(fail(Errc::cancelled, run_ended));
  if (phase_ != Phase::working) {
    deferred_cuts_.emplace_back(positions, std::move(done));
    return;
  }
  auto cut = inputs_->find(positions);
  if (!cut) return done(fail(cut));
  if (auto ok = check_cut(*cut); !ok) return done(ok);
  auto now_at = task_->positions();
  for (std::size_t i = 0; i < cut->size(); ++i) (*cut)[i] = (*cut)[i].value_or(now_at[i]);
  answer(resting_, fail(Errc::cancelled, "the version was told to stop elsewhere"));
  rest_ = Rest::cut;
  cut_ = std::move(*cut);
  cut_reached_ = false;
  resting_.push_back(std::move(done));
  apply_ends();
  set_state(RunState::running);
  inbox_->wake();
}

Result<void> VersionMachine::check_cut(const std::vector<std::optional<Offset>>& cut) const {
  if (finished_ || repeats_) {
    return fail(Errc::invalid_argument,
                finished_ ? "the version has come to its own end"
                          : "the version still repeats the epochs of another one");
  }
  if (silent_) {
    return fail(Errc::invalid_argument,
                "the version is in its warm-up: it reads what others have given results of");
  }
  auto now_at = task_->positions();
  for (std::size_t i = 0; i < cut.size(); ++i) {
    const auto& input = beginning_.inputs[i];
    bool behind = cut[i] && *cut[i] < now_at[i];
    bool beyond = cut[i] && input.end && *cut[i] > *input.end;
    if (!behind && !beyond) continue;
    return fail(
        Errc::invalid_argument,
        fmt::format("the version cannot stop at offset {} of partition {} of {}: it {} {}",
                    cut[i]->value(), input.partition.value(), input.name,
                    behind ? "is at" : "ends at", behind ? now_at[i].value() : input.end->value()));
  }
  return {};
}

void VersionMachine::stop(Once<void> done) {
  if (phase_ == Phase::ended) return done({});
  rest_ = Rest::stop;
  stopping_.push_back(std::move(done));
  // Nothing was done that would be lost.
  if (phase_ != Phase::working) return end(RunState::stopped, {});
  inbox_->wake();
}

void VersionMachine::hand_over(Once<HandedOver> done) {
  bool paused = phase_ == Phase::working && board_.state() == RunState::paused;
  if (!paused || task_->file_bytes() > 0) {
    return done(fail(Errc::invalid_request, !paused ? "the version is not paused"
                                                    : "a batch shows its files at its end only"));
  }
  auto end_of_log = log_->end();
  if (!end_of_log) return done(fail(end_of_log));
  Snapshot snapshot = snapshot_now();
  snapshot.next = *end_of_log;
  HandedOver handed{epoch_, encode(snapshot)};
  end(RunState::stopped, {});
  done(std::move(handed));
}

void VersionMachine::set_rows_per_s(double rows_per_s) {
  gate_.set_rows_per_s(rows_per_s);
  if (task_ != nullptr) task_->limit_step(step_rows());
  inbox_->wake();
}

void VersionMachine::abandon(Work done) {
  abandoned_ = std::move(done);
  inbox_->wake();
}

void VersionMachine::look_at_lag() {
  using namespace std::chrono_literals;
  auto now = environment_.clock.monotonic();
  bool lately = lag_looked_at_ && now - *lag_looked_at_ < 1s;
  if (phase_ != Phase::working || lately) return;
  lag_looked_at_ = now;
  board_.show_lag(ages_of_unread(*inputs_, task_->positions(), environment_.clock.wall_ms()));
}

// Once all that was read is committed and shown, it rests.
Result<void> VersionMachine::settle() {
  if (under_way_ || !pending_.empty()) return {};
  board_.show_progress(task_->progress(), counts_now());
  if (rest_ == Rest::stop) return settle_for_good();
  set_state(finished_ ? RunState::finished : RunState::paused);
  answer(resting_, {});
  return {};
}

Result<void> VersionMachine::settle_for_good() {
  bool wanted = snapshots_.policy().pays_at_end() && task_->file_bytes() == 0;
  if (wanted && !snapshots_.busy()) {
    auto end_of_log = log_->end();
    if (!end_of_log) return fail(end_of_log);
    snapshots_.take([this] { return snapshot_now(); });
    snapshots_.epoch_durable(*end_of_log);
  }
  // When it is written, there is another turn.
  if (!snapshots_.busy()) end(RunState::stopped, {});
  return {};
}

void VersionMachine::set_state(RunState state, std::optional<Error> error) {
  if (board_.state() == state && !error) return;
  board_.set_state(state, std::move(error));
  if (options_.on_state) options_.on_state(state);
}

// Whoever started the run says why it has ended, by the name that people know.
void VersionMachine::fail_with(Error error) {
  end(RunState::failed, std::move(error));
}

// Lets go of everything, so that another run can have it.
void VersionMachine::end(RunState state, std::optional<Error> error) {
  phase_ = Phase::ended;
  Result<void> result;
  if (error) result = tl::unexpected(*error);
  board_.show_task(nullptr);
  recorded_.reset();
  recovery_.reset();
  repeats_.reset();
  task_.reset();
  inputs_.reset();
  log_.reset();
  if (timer_ != 0) executor_.cancel(std::exchange(timer_, 0));
  set_state(state, std::move(error));
  answer(stopping_, result);
  if (result) result = fail(Errc::cancelled, run_ended);
  answer(resting_, result);
  auto cuts = std::exchange(deferred_cuts_, {});
  for (auto& [positions, done] : cuts) done(result);
}

}  // namespace leat::pipeline
