// A version's run as the service sees it.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "base/unique_function.h"
#include "pipeline/positions.h"
#include "pipeline/version_run.h"
#include "pipeline/version_status.h"

namespace leat::pipeline {

/// What VersionRun offers, with the same contracts: an interface, so that the service's decisions
/// can be tried without data.
class Run {
 public:
  using Done = VersionRun::Done;

  virtual ~Run() = default;
  virtual void pause(Done done) = 0;
  virtual void resume() = 0;
  virtual void run_to(Positions positions, Done done) = 0;
  virtual void stop(Done done) = 0;
  virtual void hand_over(UniqueFunction<void(Result<HandedOver>)> done) = 0;
  virtual void set_rows_per_s(double rows_per_s) = 0;
  virtual VersionStatus status() const = 0;
  virtual Positions positions() const = 0;
  virtual std::vector<std::shared_ptr<const stream::View>> views() const { return {}; }
};

using StartRun = std::function<std::unique_ptr<Run>(VersionRun::Options options)>;

}  // namespace leat::pipeline
