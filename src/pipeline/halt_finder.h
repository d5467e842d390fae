// Where a version that is not at work stands.
#pragma once

#include <memory>
#include <string>

#include "base/executor.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "pipeline/run.h"
#include "pipeline/version_data.h"

namespace leat::pipeline {

/// Asks a run that reads nothing: it recovers, shows what was not shown of its last epochs, and
/// says where it is. Where it cannot recover, what the version has recorded says it. Lives on the
/// executor, where all is called.
class HaltFinder {
 public:
  using Done = UniqueFunction<void(Result<Halt>)>;

  /// `run` is null where the version's plan is none; else it was started just now.
  HaltFinder(Executor& executor, VersionData& data, std::string owner, std::unique_ptr<Run> run);
  /// The run ends, and nobody is told.
  ~HaltFinder();
  HaltFinder(const HaltFinder&) = delete;
  HaltFinder& operator=(const HaltFinder&) = delete;

  /// Calls `done`, which may destroy this, when it is known and the run has ended.
  void begin(Done done);
  /// Fails soon, with Errc::cancelled.
  void cancel();

 private:
  /// Of the run, which answers on its own thread.
  Run::Done then(void (HaltFinder::*next)(const Result<void>&));
  void came_to_rest(const Result<void>& paused);
  void ended(const Result<void>& stopped);
  void look_at_records();
  void end(Result<Halt> halt);

  Executor& executor_;
  VersionData& data_;
  const std::string owner_;
  std::unique_ptr<Run> run_;
  Done done_;
  Result<Positions> stands_;
  bool is_cancelled_ = false;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace leat::pipeline
