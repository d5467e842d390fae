#include "server/pipelines.h"

#include <algorithm>
#include <thread>

#include "base/assert.h"
#include "pipeline/version_runs.h"

namespace leat::server {

Pipelines::Pipelines(broker::Broker& broker, const Clock& clock, Metrics& metrics)
    : pace_(clock),
      topics_(broker),
      epochs_(broker, topics_),
      data_(broker, epochs_),
      compare_(topics_, comparing_),
      past_views_(
          {topics_, broker.files(), clock, epochs_, broker.options().store.directory, repeating_}) {
  pipeline::VersionRun::Environment runs{
      topics_, broker.files(), clock, epochs_, broker.options().store.directory, nullptr, &pace_};
  std::size_t workers = std::max(std::thread::hardware_concurrency(), 1U);
  service_ = std::make_unique<pipeline::Service>(
      pipeline::Service::Environment{executor_, clock, broker, pipeline::version_runs(runs), data_,
                                     compare_, workers, &past_views_});
  service_->register_metrics(metrics);
}

Pipelines::~Pipelines() {
  ASSERT(has_ended_);
}

void Pipelines::end() {
  compare_.stop();
  past_views_.stop();
  executor_.post([this] {
    service_.reset();
    // Nobody asks them any more. What both have under way answers on this executor, and may need
    // the broker's before.
    comparing_.post([this] { repeating_.post([this] { has_ended_ = true; }); });
  });
}

}  // namespace leat::server
