// What a server needs to run deployed pipelines.
#pragma once

#include <atomic>
#include <memory>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/thread_executor.h"
#include "base/unique_function.h"
#include "broker/broker.h"
#include "pipeline/broker_epochs.h"
#include "pipeline/broker_version_data.h"
#include "pipeline/compare_topics.h"
#include "pipeline/repeated_views.h"
#include "pipeline/replay_pace.h"
#include "pipeline/service.h"
#include "stream/broker_topics.h"

namespace leat::server {

/// The service of pipelines over a broker, on threads of its own: one that decides, one that
/// compares, one that makes views again as they were, and one of each run.
class Pipelines {
 public:
  /// All outlive its work; `metrics` is not used any more when it goes. What the broker still has
  /// to answer then is answered here until the broker goes, so that goes first.
  Pipelines(broker::Broker& broker, const Clock& clock, Metrics& metrics);
  /// REQUIRES: has_ended(), and the broker has gone.
  ~Pipelines();

  /// Starts what is to run.
  void open() { service_->open(); }
  /// Ends all runs behind their last commits; then `done`, on a thread of ours.
  void close(UniqueFunction<void()> done) { service_->close(std::move(done)); }
  /// Lets go of everything: what runs ends when its commit under way has, for which somebody has to
  /// run the broker's executors.
  void end();
  bool has_ended() const { return has_ended_; }

  /// Thread-safe, until end().
  pipeline::Service& service() { return *service_; }

 private:
  pipeline::ReplayPace pace_;
  stream::BrokerTopics topics_;
  pipeline::BrokerEpochs epochs_;
  pipeline::BrokerVersionData data_;
  std::unique_ptr<pipeline::Service> service_;
  std::atomic<bool> has_ended_{false};
  // A thread is joined before what runs on it goes, and before the one that it answers on.
  ThreadExecutor executor_{"leat-pipelines"};
  pipeline::CompareTopics compare_;
  ThreadExecutor comparing_{"leat-compare"};
  pipeline::RepeatedViews past_views_;
  ThreadExecutor repeating_{"leat-views"};
};

}  // namespace leat::server
