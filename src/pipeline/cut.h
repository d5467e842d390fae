// Two runs brought to the same place.
#pragma once

#include <memory>

#include "base/executor.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "pipeline/run.h"

namespace leat::pipeline {

/// Has two runs read exactly up to the same positions, the later of each partition's, commit that
/// and pause. Lives on the executor, where all is called; keeps the runs as long as it is there.
class Cut {
 public:
  using Done = UniqueFunction<void(Result<Positions>)>;

  Cut(Executor& executor, std::shared_ptr<Run> live, std::shared_ptr<Run> other);
  /// What is under way comes to nothing, and nobody is told.
  ~Cut();
  Cut(const Cut&) = delete;
  Cut& operator=(const Cut&) = delete;

  /// Calls `done` with the positions of all partitions; the runs are left paused. Where it fails or
  /// takes longer than `patience`, both go on, and `done` gets the error. `done` may destroy this.
  void begin(std::chrono::nanoseconds patience, Done done);
  /// Fails, with Errc::cancelled, if it is not done.
  void cancel();
  /// Both go on.
  void resume();

 private:
  Run::Done step(void (Cut::*next)());
  void meet();
  void go(Run& run, const Positions& from);
  void arrive();
  void end(Result<Positions> outcome);

  Executor& executor_;
  std::shared_ptr<Run> live_;
  std::shared_ptr<Run> other_;
  Done done_;
  Executor::TimerId timer_ = 0;
  int left_ = 0;
  Positions meeting_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

/// The later ones of two lists, of all partitions that are in either.
Positions later_of(const Positions& a, const Positions& b);
/// Those of `all` that `some` names.
Positions of_names(const Positions& all, const Positions& some);
/// How many records of the partitions that both have `behind` has yet to read up to `ahead`.
std::int64_t records_between(const Positions& behind, const Positions& ahead);

}  // namespace leat::pipeline
