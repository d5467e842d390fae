// One deployed pipeline at work.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "pipeline/catalog.h"
#include "pipeline/compare.h"
#include "plan/cron.h"
#include "pipeline/cut.h"
#include "pipeline/failures.h"
#include "pipeline/halt_finder.h"
#include "pipeline/duties.h"
#include "pipeline/keeper.h"
#include "pipeline/plan_traits.h"
#include "pipeline/served_view.h"
#include "pipeline/version_data.h"
#include "pipeline/view.h"

namespace leat::pipeline {

/// What `replay` is asked.
struct ReplayRequest {
  std::string from = "start";
  std::string to;
  /// 0: it gives way to what is live, unless it is to go at full speed.
  double rows_per_s = 0;
  bool at_full_speed = false;
  bool diff = false;
  bool flush = false;
  bool promote = false;
  /// Instead of all that: gives the live version's dead letters again, those of `topic` if it has
  /// several such topics.
  bool dead_letters = false;
  std::string topic = {};
  /// A duration: a version is made of the live plan that waits so much longer for rows.
  std::string late = {};
  /// The newest one that is not live if not said; else a copy of the live one.
  std::optional<std::uint32_t> version;
};

/// Does what the catalog says of a pipeline: which versions are at work, in which roles. Lives on
/// the service's executor, where all is called; on no executor of topics.
class Deployment {
 public:
  /// How long a version that was live goes on as a shadow.
  static constexpr std::int64_t retired_ms = std::int64_t{24} * 3600 * 1000;
  /// Versions that are kept; older ones that have ended are forgotten.
  static constexpr std::size_t versions_max = 16;

  struct Environment {
    Executor& executor;
    const Clock& clock;
    Catalog& catalog;
    const StartRun& start;
    VersionData& data;
    /// Compares two versions' output, elsewhere.
    Compare& compare;
    /// Threads that share a run's work.
    std::size_t workers = 1;
  };
  /// What a command answers: an object with a sentence as its "message".
  using Done = UniqueFunction<void(Result<plan::JsonObject>)>;

  /// Of a pipeline that the catalog has, or that deploy() is to make.
  Deployment(const Environment& environment, std::string name);
  ~Deployment();
  Deployment(const Deployment&) = delete;
  Deployment& operator=(const Deployment&) = delete;

  /// Begins to do what the catalog says.
  void open();
  /// Ends all work, also that of a command under way; those that wait are refused. Then `done`.
  /// Nothing is to be asked afterwards.
  void close(UniqueFunction<void()> done);

  // Commands are carried out one after the other. Errors: invalid_request for what makes no sense
  // as things are, with what to do instead; those of the disk.
  /// REQUIRES: a plan that binds, of this name. `open` is what it was made of, if that has
  /// something open.
  void deploy(const plan::Plan& plan, std::optional<OpenPlan> open, Done done);
  void pause(Done done);
  void resume(Done done);
  /// With these values for what a batch leaves open.
  void run_now(plan::Parameters values, Done done);
  /// When it is done there is nothing left of it: is_gone().
  void drop(bool with_topics, Done done);
  /// Ends a version that is not live, and forgets it.
  void drop_version(std::uint32_t number, bool with_topics, Done done);
  void replay(ReplayRequest request, Done done);
  /// Of the version, or of the one that replays.
  void stop_replay(std::optional<std::uint32_t> version, Done done);
  void promote(std::uint32_t version, Done done);

  PipelineView view() const;
  /// It was dropped, and is to be let go.
  bool is_gone() const { return is_gone_ && !is_busy_; }
  /// The views of its versions, as they can be read now.
  std::vector<ServedView> served_views() const;
  std::optional<ServedView> find_view(std::string_view name) const;

 private:
  /// A version and what keeps it at work.
  struct Worker {
    std::string plan_text;
    Result<plan::Plan> plan;
    /// Of that plan, which would have to be bound for each reader otherwise.
    std::vector<ViewTraits> views;
    std::optional<plan::Cron> schedule;
    std::unique_ptr<Keeper> keeper;
    /// What its run was started with: behind topics' names, and a batch's run.
    std::string suffix;
    std::uint64_t batch_run = 0;
    std::optional<Difference> difference;
    bool is_comparing = false;
    /// Of its replays: what was compared for an earlier one says nothing of this one.
    std::uint64_t replays = 0;
    /// It must not work meanwhile: another one is about to take over where it stands.
    bool is_held = false;
    /// Tries to compare it with the live version, or to make it live, that came to nothing, and
    /// when the next may be, by the monotonic clock.
    Failures cut_failures = {};
    std::chrono::nanoseconds cut_after{0};
    /// When its run came to its end, by the wall's clock; 0 as long as it has not.
    std::int64_t ended_ms = 0;
  };
  static constexpr const char* begin_duty = "begin its next run";
  using Next = UniqueFunction<void()>;
  using Settled = UniqueFunction<void(Result<void>)>;
  /// Changes what is to be remembered, and says what it did.
  using Change = std::function<Result<std::string>(Deployed&)>;

  const Deployed* record() const { return environment_.catalog.find(name_); }
  /// Carried out after all before it; calls what it is given when it is through.
  void enqueue(UniqueFunction<void(Next)> command);
  void next_command();
  /// Within a command: has the catalog remember it, and then does it.
  void change(const Change& change, UniqueFunction<void(Result<std::string>)> done);
  /// A command that is a change and no more.
  void change_by_command(Change change, Done done);
  /// The end of a command is a change, and what that says its answer.
  void change_at_last(const Change& change, Done done, Next next);
  /// The same for what nobody asked for: once it is due, and again if it fails.
  void change_by_duty(const std::string& duty, Change change);
  /// Whether a duty is to be done now, and what came of it.
  bool is_due(const std::string& duty);
  void tried(const std::string& duty, const Result<void>& outcome);
  /// Gives `answer` what was said, and goes on.
  template <class Then>
  auto later(Then then);

  /// Has the right versions at work, in the right roles; `done` when those that end have ended.
  void reconcile(Next done);
  bool should_work(const Deployed& pipeline, const Version& version) const;
  Worker& worker_of(const Version& version);
  const Worker* find_worker(std::uint32_t number) const;
  void start(const Version& version, Worker& worker);
  VersionRun::Options options_of(const Version& version, const Worker& worker) const;
  void react(std::uint32_t number);

  // Batches (deployment_batch.cpp).
  /// A run that is over, and that the catalog has as under way.
  bool has_ended(const Version& version) const;
  void end_batch(Version& version) const;
  void finish_batch(std::uint32_t number);
  Result<void> begin_batch(Version& version, plan::Parameters values) const;
  std::optional<std::int64_t> next_run_ms(const Version& version) const;
  void begin_due_batch();

  /// The version's view of that number, of those of its worker.
  ServedView served_view(const Version& version, const Worker& worker, std::size_t number) const;
  /// Calls `visit` with each view that there is: version, worker, number, name.
  template <class Visit>
  void visit_views(Visit visit) const;
  VersionView view_of(const Deployed& pipeline, const Version& version) const;
  Activity activity_of(const Deployed& pipeline, const Version& version) const;

  // Time: schedules, the end of those that are retired, how far replays are.
  void tick();
  void schedule_tick();
  void end_retired();

  /// Removes what an owner committed and, if wanted, its shadow topics.
  void remove_output(const Version& version, bool with_topics, Settled done);
  std::vector<std::string> shadow_topics(const Version& version) const;
  /// Gives it the role of one that is at work no more, unless that cannot be.
  Result<std::string> end_version(Deployed& pipeline, std::uint32_t number) const;
  void remove_all(Done done, Next next);

  // Replays (deployment_replay.cpp).
  Result<std::uint32_t> choose_version(Deployed& pipeline, const ReplayRequest& request) const;
  Result<std::uint32_t> late_version(Deployed& pipeline, const ReplayRequest& request) const;
  Result<Replay> make_replay(const Deployed& pipeline, const Version& version,
                             const ReplayRequest& request) const;
  /// Within a command: forgets what the version gave before, and begins.
  void begin_replay(std::uint32_t number, Replay replay, bool promotes, Settled done);
  bool needs_watching() const;
  void watch_replays();
  void watch(const Version& version);
  bool has_caught_up(const Version& version) const;
  void end_replay(std::uint32_t number, Role role);
  void compare_with_live(std::uint32_t number);
  /// What both have written by now.
  void compare_up_to(std::uint32_t number);
  void comparing_failed(std::uint32_t number, const Error& error);

  // What of history they give (deployment_compare.cpp).
  std::int64_t given_from(const Version& version) const;
  std::int64_t given_to(const Version& version, const Version& live) const;

  // Dead letters (deployment_letters.cpp).
  struct LettersCommand;
  void replay_letters(ReplayRequest request, Done done);
  void find_taken(const Version& version, UniqueFunction<void(Result<Positions>)> done);
  void begin_letters(std::shared_ptr<LettersCommand> command, const Positions& stands);
  Result<std::string> prepare_letters(Deployed& pipeline, LettersCommand& command,
                                      const Positions& stands) const;
  Result<Replay> make_letters(const Deployed& pipeline, const plan::Plan& plan,
                              const ReplayRequest& request, const std::string& topic) const;

  // Promotions (deployment_promote.cpp).
  std::shared_ptr<Run> run_of(std::uint32_t number) const;
  /// The live version's run; null if it stands still.
  std::shared_ptr<Run> live_run() const;
  bool live_stands_still() const;
  /// Whether it is a batch that has begun and not ended, and will.
  bool live_is_in_a_batch() const;
  /// Whether it will not go on, or has tried to for long enough.
  bool live_has_halted() const;
  Result<void> check_follows(const Version& version) const;
  void cut_failed(std::uint32_t number, const Error& error);
  /// Of one that is to become live: does it if it can be done now.
  void promote_waiting(const Version& version);
  void promote_at_cut(std::uint32_t number);
  /// Within a command: the other one takes over where the live version stands still, and reads what
  /// was before in silence.
  void promote_from_halt(std::uint32_t number, Done done, Next next);
  void take_over(std::uint32_t number, const Halt& halt,
                 UniqueFunction<void(Result<std::string>)> done);
  Result<Positions> of_next_plan(std::uint32_t number, const Positions& at) const;
  void find_halt(UniqueFunction<void(Result<Halt>)> done);
  Result<std::string> swap_roles(Deployed& pipeline, std::uint32_t number,
                                 const Positions& inputs) const;

  Environment environment_;
  std::string name_;
  std::map<std::uint32_t, Worker> workers_;
  std::deque<UniqueFunction<void(Next)>> commands_;
  Duties duties_;
  bool is_busy_ = false;
  bool is_closing_ = false;
  /// Commands that come to their turn now change nothing.
  bool is_refusing_ = false;
  bool is_gone_ = false;
  // Of the command under way. They have runs, so nobody else may keep them.
  std::unique_ptr<Cut> cut_;
  std::unique_ptr<HaltFinder> halt_finder_;
  Executor::TimerId timer_ = 0;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

/// What `then` does with what it is given, on the executor, unless this has gone by then.
template <class Then>
auto Deployment::later(Then then) {
  return [&executor = environment_.executor, alive = std::weak_ptr<char>(alive_),
          then = std::move(then)](auto... arguments) mutable {
    executor.post([alive, then = std::move(then), ... arguments = std::move(arguments)]() mutable {
      if (!alive.expired()) then(std::move(arguments)...);
    });
  };
}

}  // namespace leat::pipeline
