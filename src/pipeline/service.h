// The deployed pipelines of a server: what is to run runs, and what people ask of them is done.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/metrics.h"
#include "base/published.h"
#include "base/result.h"
#include "broker/broker.h"
#include "pipeline/catalog.h"
#include "pipeline/deployment.h"
#include "pipeline/known_plans.h"
#include "pipeline/served_views.h"
#include "plan/json.h"

namespace leat::pipeline {

/// A version as metrics show it.
struct Sample {
  std::string pipeline;
  std::uint32_t version = 0;
  std::string state;
  std::uint64_t restarts = 0;
  std::optional<VersionStatus> status;
};

/// Lives on an executor of its own, which may be held up by the disk; no topic lives there.
class Service {
 public:
  struct Environment {
    /// Outlives what is under way.
    Executor& executor;
    const Clock& clock;
    broker::Broker& broker;
    StartRun start;
    VersionData& data;
    Compare& compare;
    std::size_t workers = 1;
    /// Null where nobody knows how views were.
    PastViews* past_views = nullptr;
  };
  /// Called once, on the executor.
  using Answer = UniqueFunction<void(Result<plan::Json>)>;

  explicit Service(Environment environment);
  /// On its executor, or where that runs no more. What runs ends.
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Thread-safe, as long as it is there.

  /// Reads the catalog and starts what is to run. If it cannot be read, every request says so.
  void open();
  /// Ends all runs, each behind its last commit; then `done`. Requests are refused from now on.
  void close(UniqueFunction<void()> done);

  /// `plan` is a plan's JSON, with values for what it leaves open. Errc::plan_error, with the
  /// place, if it does not fit.
  void deploy(std::string plan, plan::Parameters values, Answer answer);
  void list(Answer answer);
  void show(std::string name, Answer answer);
  void why(std::string name, Answer answer);
  void versions(std::string name, Answer answer);
  void pause(std::string name, Answer answer);
  void resume(std::string name, Answer answer);
  void run_now(std::string name, plan::Parameters values, Answer answer);
  void drop(std::string name, bool with_topics, Answer answer);
  /// One that is not live.
  void drop_version(std::string name, std::uint32_t version, bool with_topics, Answer answer);
  void replay(std::string name, ReplayRequest request, Answer answer);
  /// Of the version, or of the newest that replays or follows as a shadow.
  void show_replay(std::string name, std::optional<std::uint32_t> version, Answer answer);
  void stop_replay(std::string name, std::optional<std::uint32_t> version, Answer answer);
  void promote(std::string name, std::uint32_t version, Answer answer);

  void list_views(Answer answer);
  /// The answer is JSON.
  void read_view(ViewQuestion question, ServedViews::Text answer);
  /// Of a union view's file; one of its name is replaced.
  void define_view(std::string text, Answer answer);
  void drop_view(std::string name, Answer answer);

  /// The gauges and counters of all versions. This outlives every later use of `metrics`.
  void register_metrics(Metrics& metrics);

 private:
  using Ask = std::function<void(Deployment&, Deployment::Done)>;

  /// Those of the catalog, and those on their way there.
  std::vector<KnownPlan> plans() const;
  Result<void> check(const plan::Plan& plan) const;
  void deploy_checked(const plan::Plan& plan, std::optional<OpenPlan> open, Answer answer);
  Deployment& make_deployment(const std::string& name);
  Result<Deployment*> find(const std::string& name) const;
  /// Posts it, and refuses it where nothing can be asked.
  template <class Tell>
  void ask(Tell answer, UniqueFunction<void(Tell)> work);
  /// Has the pipeline do something; the answer is what it says and how it is then.
  void command(std::string name, Answer answer, Ask ask);
  using Show = std::function<Result<plan::Json>(const PipelineView&)>;
  void view(std::string name, Answer answer, Show show);
  void forget_gone();
  void take_samples();

  Environment environment_;
  std::map<std::string, std::unique_ptr<Deployment>, std::less<>> deployments_;
  /// What was found to fit beside all others, and is not in the catalog yet.
  std::list<KnownPlan> deploying_;
  std::optional<Error> unreadable_;
  bool is_open_ = false;
  bool is_closing_ = false;
  Executor::TimerId sample_timer_ = 0;
  Published<std::vector<Sample>> samples_{std::make_shared<const std::vector<Sample>>()};
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  // Destroyed first, so that nothing comes back to what is gone.
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<ServedViews> views_;
};

}  // namespace leat::pipeline
