// One version of a deployed pipeline at work: it recovers, then reads, and commits what it read,
// what came of it and where it stands in epochs, exactly once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "file/file.h"
#include "pipeline/epoch_log.h"
#include "pipeline/positions.h"
#include "pipeline/replay_pace.h"
#include "pipeline/version_status.h"
#include "plan/plan.h"
#include "stream/console_sink.h"
#include "stream/output_batches.h"
#include "stream/topic_store.h"
#include "stream/view.h"

namespace leat::pipeline {

/// An epoch that is durable.
struct CommittedEpoch {
  std::uint64_t epoch = 0;
  operators::Watermark watermark = operators::watermark_min;
  /// What it appended to topics; of a partition in order.
  std::span<const stream::OutputBatch> output;
  /// Where reading stands behind it.
  const Positions& positions;
};

/// Is told of a version's epochs, in their order. On the run's thread, so calls must be short.
class EpochObserver {
 public:
  virtual ~EpochObserver() = default;
  /// The state is that behind this epoch again, which was committed before this run; later ones
  /// follow. Not called where the version only begins.
  virtual void recovered(std::uint64_t epoch, operators::Watermark watermark,
                         const Positions& positions) {
    static_cast<void>(epoch), static_cast<void>(watermark), static_cast<void>(positions);
  }
  /// The epoch is on its way: what is given from now on is part of later ones.
  virtual void handed_over(std::uint64_t epoch) { static_cast<void>(epoch); }
  /// The epoch is durable.
  virtual void committed(const CommittedEpoch& epoch) = 0;
};

/// A version's state between two epochs, in memory, for a run of it in another role.
struct HandedOver {
  std::uint64_t epoch = 0;
  Bytes snapshot;
};

/// Runs on one thread, which sleeps while there is nothing to read. An epoch is what was consumed
/// and given while the one before it was committed; what gives nothing waits up to 100 ms. After an
/// error it has ended: whoever wants it to go on starts another one, which goes on behind the last
/// committed epoch. Topics, files and clock outlive it.
class VersionRun {
 public:
  struct Environment {
    stream::TopicStore& topics;
    file::FileSystem& files;
    const Clock& clock;
    EpochStore& epochs;
    /// The data directory: snapshots are in its pipelines/<owner>/.
    std::string data_directory;
    /// Where it runs; null for a thread of its own. With one of somebody else's the destructor
    /// waits for nothing, so that what is under way is left as by a crash.
    Executor* executor = nullptr;
    /// Shared by all runs whose replays give way to those that are live; null if none does.
    ReplayPace* pace = nullptr;
  };

  struct Options {
    /// As deployed, with the names of its sinks in role live. Its mode says when steps are done and
    /// whether there is an end.
    plan::Plan plan;
    std::string pipeline;
    std::uint32_t version = 1;
    /// Behind the names of all that it writes to: empty in role live, else ".v<version>".
    std::string suffix = {};

    // What counts when the version begins, and is remembered in its epochs from then on:
    /// Partitions that are not named begin at their starts.
    Positions from = {};
    /// A warm-up: before these positions nothing is written anywhere.
    Positions silent_to = {};
    /// Ends the run there: all partitions that are not named end at what there is when the version
    /// begins. Of a plan in mode batch that is so anyway.
    std::optional<Positions> to = {};
    /// At that end closes all windows. In mode batch that is so anyway.
    bool flush = false;
    /// Exact replay: begins by repeating the recorded epochs of this owner, up to what is committed
    /// when the version begins, from where that one began; with `to`, whatever it says, it has
    /// finished then, else it goes on by itself. REQUIRES: a plan with the same state and sinks,
    /// and no `from`.
    std::string repeat = {};
    /// A topic that the pipeline's dead letters go to: they are read in place of what its sources
    /// read (dead_letter_topics.h). Empty for an ordinary run.
    std::string dead_letters = {};
    /// A batch's next run: begins again, with an empty state, unless it has committed an epoch
    /// behind this one, which was the last of the run before it.
    std::optional<std::uint64_t> anew_behind = {};

    /// Where another role of this version stopped; then nothing is read to recover.
    std::optional<HandedOver> carried = {};
    std::size_t workers = 1;
    std::size_t block_rows = 0;  // 0 for the default
    /// Operators that keep more end the run.
    std::size_t state_bytes_max = std::size_t{1} << 30;
    /// Reads no faster; 0 for as fast as it goes.
    double rows_per_s = 0;
    /// Works only as much as the environment's pace has it, behind others on the machine's cores,
    /// and commits seldom.
    bool gives_way = false;
    /// Takes what sinks to the console write; null for nowhere.
    stream::ConsoleSink::Write console = {};
    /// Null for nobody; outlives the run.
    EpochObserver* observer = nullptr;
    /// Called on the run's thread when status().state has changed; must be short, and destroys
    /// nothing.
    std::function<void(RunState)> on_state = {};
  };

  /// Never blocks: what is wrong with the plan, its topics or the version's epochs ends the run,
  /// and is in status().
  static std::unique_ptr<VersionRun> start(Options options, const Environment& environment);
  /// Stops as soon as a commit under way has ended, and waits for that: on an executor of the
  /// topics only when the run has ended, as it has when the `Done` of stop() or hand_over() is
  /// called.
  ~VersionRun();
  VersionRun(const VersionRun&) = delete;
  VersionRun& operator=(const VersionRun&) = delete;

  // All below is thread-safe. `Done` is called once, on the run's thread, with the run's error if
  // it fails before, Errc::cancelled if it stops or is destroyed before. It must be short, and must
  // not destroy the run.
  using Done = UniqueFunction<void(Result<void>)>;

  /// Reads no more; `done` when all that was read is committed, published and told of. Of a run
  /// that is finished too.
  void pause(Done done);
  /// Goes on after pause() or run_to().
  void resume();
  /// Reads exactly up to these positions, of all partitions that are named, and no others; then it
  /// is paused there. Errc::invalid_argument if it is beyond one of them or in its warm-up, or none
  /// of its topics is called so. May be called while it is paused.
  void run_to(Positions positions, Done done);
  /// Ends it for good as pause() does, with a snapshot if that makes the next start shorter.
  void stop(Done done);
  /// Its state, to go on with in another role, and ends it. Errc::invalid_request unless it is
  /// paused.
  void hand_over(UniqueFunction<void(Result<HandedOver>)> done);
  /// Blocks until the run is paused, finished, stopped or failed.
  Result<void> wait();

  void set_rows_per_s(double rows_per_s);
  /// Cheap: asks nobody.
  VersionStatus status() const;
  /// Where reading stands: exact while it is paused or finished.
  Positions positions() const;
  /// What its sinks that are views show, always as of a committed epoch; none before it has
  /// recovered. They may outlive the run, and stand still then.
  std::vector<std::shared_ptr<const stream::View>> views() const;

 private:
  class Threads;
  explicit VersionRun(std::unique_ptr<Threads> threads);
  std::unique_ptr<Threads> threads_;
};

/// `<pipeline>.<version>`: whose epochs they are.
std::string owner_of(const std::string& pipeline, std::uint32_t version);
/// ".v<version>": what is behind the names of what a version writes to that is not live.
std::string suffix_of(std::uint32_t version);

}  // namespace leat::pipeline
