#include "pipeline/version_runs.h"

#include <utility>

namespace leat::pipeline {

namespace {

class RealRun final : public Run {
 public:
  explicit RealRun(std::unique_ptr<VersionRun> run) : run_(std::move(run)) {}

  void pause(Done done) override { run_->pause(std::move(done)); }
  void resume() override { run_->resume(); }
  void run_to(Positions positions, Done done) override {
    run_->run_to(std::move(positions), std::move(done));
  }
  void stop(Done done) override { run_->stop(std::move(done)); }
  void hand_over(UniqueFunction<void(Result<HandedOver>)> done) override {
    run_->hand_over(std::move(done));
  }
  void set_rows_per_s(double rows_per_s) override { run_->set_rows_per_s(rows_per_s); }
  VersionStatus status() const override { return run_->status(); }
  Positions positions() const override { return run_->positions(); }
  std::vector<std::shared_ptr<const stream::View>> views() const override { return run_->views(); }

 private:
  std::unique_ptr<VersionRun> run_;
};

}  // namespace

StartRun version_runs(const VersionRun::Environment& environment) {
  return [environment](VersionRun::Options options) -> std::unique_ptr<Run> {
    return std::make_unique<RealRun>(VersionRun::start(std::move(options), environment));
  };
}

}  // namespace leat::pipeline
