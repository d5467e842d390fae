// Keeps a version at work.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "pipeline/failures.h"
#include "pipeline/run.h"

namespace leat::pipeline {

/// Starts a version's run, and starts it again when it has failed, behind pauses that grow. Lives
/// on an executor that no topic lives on, where all is called.
class Keeper {
 public:
  enum class State {
    off,
    at_work,   // there is a run
    waiting,   // for the next try
    given_up,  // trying again is of no use
    finished,  // a bounded run has come to its end
  };
  struct Environment {
    Executor& executor;
    const Clock& clock;
    const StartRun& start;
  };
  using Done = UniqueFunction<void()>;

  /// `changed` is called when state() or what its run says of its state is another one. All that is
  /// given outlives this.
  Keeper(const Environment& environment, std::function<void()> changed);
  /// Waits for a run that works.
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  /// Has it work so, from its last committed epoch on. REQUIRES: no work, or work that ends by
  /// stop().
  void start(VersionRun::Options options);
  /// Goes on in another role where the run stands, which is paused; from its epochs if that fails.
  void change(VersionRun::Options options);
  /// Ends the work; `done` later, when the run is gone.
  void stop(Done done);
  /// Tries now, as if it had never failed.
  void try_again();

  State state() const { return state_; }
  bool is_stopping() const { return stopping_; }
  /// Null unless it is at work. Its members may be called from any thread.
  const std::shared_ptr<Run>& run() const { return run_; }
  /// Of the run, or of the last one.
  std::optional<VersionStatus> status() const;

  /// What readers of its views see: of the run, or of an earlier one until it shows some. Empty
  /// before any has.
  const std::vector<std::shared_ptr<const stream::View>>& views() {
    look_at_views();
    return views_;
  }
  /// What it has shown is not of the work that comes.
  void forget_views() { views_.clear(); }

  const Failures& failures() const { return failures_; }
  /// Runs that were started because one had failed.
  std::uint64_t restarts() const { return restarts_; }
  /// The last failure, also if it has succeeded since, and when it was.
  const std::optional<Error>& last_error() const { return last_error_; }
  std::int64_t last_error_ms() const { return last_error_ms_; }
  /// When it is tried again, by the wall's clock.
  std::optional<std::int64_t> next_try_ms() const;

 private:
  void launch();
  void look();
  void fail(const VersionStatus& status);
  void end_run();
  void look_at_views();
  void set(State state);
  void cancel_timer();
  /// Work for the executor that is dropped if this has gone.
  template <class Then>
  auto later(Then then) {
    return [executor = &environment_.executor, alive = std::weak_ptr<char>(alive_),
            then = std::move(then)](auto... arguments) mutable {
      executor->post(
          [alive, then = std::move(then), ... arguments = std::move(arguments)]() mutable {
            if (!alive.expired()) then(std::move(arguments)...);
          });
    };
  }

  Environment environment_;
  std::function<void()> changed_;
  State state_ = State::off;
  std::shared_ptr<Run> run_;
  VersionRun::Options options_;
  std::optional<VersionStatus> last_status_;
  std::vector<std::shared_ptr<const stream::View>> views_;
  Failures failures_;
  std::uint64_t restarts_ = 0;
  std::optional<Error> last_error_;
  std::int64_t last_error_ms_ = 0;
  Executor::TimerId timer_ = 0;
  std::chrono::nanoseconds due_{0};          // of the timer
  std::chrono::nanoseconds works_since_{0};  // behind its recovery; 0 before
  bool stopping_ = false;
  std::vector<Done> stop_done_;
  /// What to start when the run has stopped.
  bool start_again_ = false;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace leat::pipeline
