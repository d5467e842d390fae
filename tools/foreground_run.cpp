#include "tools/foreground_run.h"

#include <algorithm>
#include <future>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "column/timestamp.h"
#include "pipeline/run_inputs.h"
#include "pipeline/version_run.h"
#include "stream/runner.h"

namespace leat::tools {

namespace {

using operators::Watermark;
using operators::watermark_max;
using operators::watermark_min;

std::string time_text(Watermark watermark) {
  std::string text;
  column::append_timestamp(text, {watermark});
  return text;
}

constexpr const char* fresh =
    "--fresh, with which it begins at the start of its topics, and what it wrote stays";

void replace(std::string& text, const std::string& part, const std::string& with) {
  if (auto at = text.find(part); at != text.npos) text.replace(at, part.size(), with);
}

/// The same error without what can be done about a deployed pipeline: nobody deployed this one.
std::string without_versions(std::string what, const std::string& pipeline) {
  replace(what, pipeline::ways_out(pipeline),
          fmt::format("put the topic back as it was, from a backup, and run it again, or run it "
                      "with {}",
                      fresh));
  replace(what, ": " + pipeline::way_anew(pipeline), "");
  return what;
}

/// The partition that holds event time back.
struct HoldingBack {
  std::string name;
  PartitionId partition;
  bool is_silent = false;
};

template <class Partitions>
std::string event_time_text(Watermark watermark, const std::optional<HoldingBack>& by,
                            const Partitions& partitions) {
  if (watermark == watermark_max) return "event time has ended";
  std::string text = watermark == watermark_min ? "event time has not begun"
                                                : "event time is at " + time_text(watermark);
  bool any_idle =
      std::any_of(partitions.begin(), partitions.end(), [](const auto& one) { return one.idle; });
  if (!by && !any_idle) return "nothing that it reads has an event time";
  if (!by) return text + ", all partitions are idle";
  return fmt::format("{}, held back by partition {} of {}{}", text, by->partition.value(), by->name,
                     by->is_silent ? ", which has given no row" : "");
}

/// Its name, if some partition of `partitions` is ahead of it: else there is nothing that it holds
/// back.
template <class Partitions>
std::string held_back_text(const std::optional<HoldingBack>& by, Watermark at,
                           const Partitions& partitions) {
  if (!by) return "";
  bool any_ahead = std::any_of(partitions.begin(), partitions.end(),
                               [&](const auto& other) { return other.watermark > at; });
  if (!any_ahead) return "";
  return fmt::format("partition {} of {}", by->partition.value(), by->name);
}

class PlainRun final : public ForegroundRun {
 public:
  explicit PlainRun(std::unique_ptr<stream::Runner> runner) : runner_(std::move(runner)) {}

  void start() override { runner_->start(); }
  void stop() override { runner_->stop(); }
  Result<void> wait() override { return runner_->wait(); }
  RunFigures figures() const override {
    stream::RunStatus status = runner_->status();
    const stream::Progress& progress = status.progress;
    RunFigures figures;
    figures.is_running = status.state == stream::RunState::running;
    figures.has_failed = status.state == stream::RunState::failed;
    figures.rows_in = progress.rows_in;
    figures.rows_out = progress.rows_out;
    figures.late = progress.late;
    figures.bad = progress.bad;
    figures.watermark = progress.watermark;
    for (std::size_t i = 0; i < progress.partitions.size(); ++i) {
      if (!status.ends[i]) continue;
      figures.records_left += std::max<std::int64_t>(
          status.ends[i]->value() - progress.partitions[i].position.value(), 0);
    }
    std::optional<HoldingBack> by;
    if (progress.held_back_by) {
      const auto& partition = progress.partitions[*progress.held_back_by];
      by = {partition.name, partition.id, partition.watermark == watermark_min};
    }
    figures.event_time = event_time_text(progress.watermark, by, progress.partitions);
    Watermark at = by ? progress.partitions[*progress.held_back_by].watermark : watermark_min;
    figures.held_back_by = held_back_text(by, at, progress.partitions);
    return figures;
  }

 private:
  std::unique_ptr<stream::Runner> runner_;
};

using pipeline::RunState;
using pipeline::VersionRun;
using pipeline::VersionStatus;

class ResumingRun final : public ForegroundRun {
 public:
  ResumingRun(VersionRun::Options options, VersionRun::Environment environment)
      : options_(std::move(options)), environment_(std::move(environment)) {}

  void start() override {
    // Where it stands is known exactly before it reads: on its own thread, when it begins to.
    options_.on_state = [this, run = started_.get_future().share()](RunState state) {
      if (state != RunState::running) return;
      std::lock_guard lock(mutex_);
      if (!beginning_) beginning_ = run.get()->status();
    };
    run_ = VersionRun::start(options_, environment_);
    started_.set_value(run_.get());
  }
  void stop() override {
    run_->stop([](Result<void>) {});
  }
  Result<void> wait() override {
    auto ended = run_->wait();
    if (ended) return ended;
    std::string why = without_versions(ended.error().what, options_.pipeline);
    if (ended.error().code != Errc::snapshot_mismatch) return fail(ended.error().code, why);
    // People know it by the plan's name.
    std::string owner = fmt::format("{}.{} ", options_.pipeline, options_.version);
    if (why.starts_with(owner)) why.replace(0, owner.size(), "it ");
    return fail(ended.error().code,
                fmt::format("{}: what it kept in {} does not fit: {}. With --fresh it begins anew, "
                            "at the start of its topics, and what it wrote stays; a plan of "
                            "another name leaves what is kept of this one alone",
                            options_.plan.name, environment_.data_directory, why));
  }
  RunFigures figures() const override;
  std::optional<std::string> take_beginning() override;

 private:
  std::optional<VersionStatus> beginning() const {
    std::lock_guard lock(mutex_);
    return beginning_;
  }

  VersionRun::Options options_;
  VersionRun::Environment environment_;
  std::promise<VersionRun*> started_;
  mutable std::mutex mutex_;
  std::optional<VersionStatus> beginning_;  // guarded by mutex_
  bool is_told_ = false;
  std::unique_ptr<VersionRun> run_;
};

RunFigures ResumingRun::figures() const {
  VersionStatus status = run_->status();
  RunFigures figures;
  figures.is_running = status.state == RunState::recovering || status.state == RunState::running;
  figures.has_failed = status.state == RunState::failed;
  VersionStatus before = beginning().value_or(status);
  figures.rows_in = status.rows_in - before.rows_in;
  figures.rows_out = status.rows_out - before.rows_out;
  figures.late = status.late - before.late;
  figures.bad = status.bad - before.bad;
  figures.watermark = status.watermark;
  for (const auto& partition : status.partitions) figures.records_left += partition.lag_records;
  std::optional<HoldingBack> by;
  if (status.held_back_by) {
    const auto& partition = status.partitions[*status.held_back_by];
    by = {partition.name, partition.partition, partition.watermark == watermark_min};
  }
  figures.event_time = event_time_text(status.watermark, by, status.partitions);
  Watermark at = by ? status.partitions[*status.held_back_by].watermark : watermark_min;
  figures.held_back_by = held_back_text(by, at, status.partitions);
  return figures;
}

std::string places_text(const VersionStatus& status) {
  constexpr std::size_t shown_max = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(status.partitions.size(), shown_max); ++i) {
    const auto& partition = status.partitions[i];
    text += fmt::format("{}{}/{} {}", text.empty() ? "" : ", ", partition.name,
                        partition.partition.value(), partition.position.value());
  }
  return text + (status.partitions.size() > shown_max ? ", …" : "");
}

std::optional<std::string> ResumingRun::take_beginning() {
  auto status = beginning();
  if (!status || std::exchange(is_told_, true)) return {};
  const std::string& name = options_.plan.name;
  std::string text;
  for (const auto& passed_over : status->recovery.passed_over) {
    text += fmt::format("{}: could not be used: {}\n", name, passed_over);
  }
  std::string places = places_text(*status);
  if (options_.anew_behind) return text + fmt::format("{}: begins anew, at {}", name, places);
  if (status->rows_in == 0) return text + fmt::format("{}: begins at {}", name, places);
  text += fmt::format("{}: goes on behind {} rows, at {}", name, status->rows_in, places);
  bool has_time = status->watermark != watermark_min && status->watermark != watermark_max;
  if (has_time) text += "; event time " + time_text(status->watermark);
  return text;
}

}  // namespace

Result<std::unique_ptr<ForegroundRun>> make_plain_run(plan::Plan plan, const RunGround& ground,
                                                      bool is_batch) {
  stream::RunOptions options;
  options.at_end = is_batch ? stream::AtEnd::flush : stream::AtEnd::wait;
  options.workers = ground.workers;
  options.state_bytes_max = ground.state_bytes_max;
  options.console = ground.console;
  auto runner =
      stream::Runner::open(std::move(plan), ground.topics, &ground.files, ground.clock, options);
  if (!runner) return fail(runner);
  return std::make_unique<PlainRun>(std::move(*runner));
}

std::unique_ptr<ForegroundRun> make_resuming_run(plan::Plan plan, const RunGround& ground,
                                                 const RunPlace& place) {
  VersionRun::Options options;
  options.pipeline = "run." + plan.name;
  options.plan = std::move(plan);
  if (place.is_fresh) options.anew_behind = std::numeric_limits<std::uint64_t>::max();
  options.workers = ground.workers;
  options.state_bytes_max = ground.state_bytes_max;
  options.console = ground.console;
  VersionRun::Environment environment{ground.topics, ground.files, ground.clock, place.epochs,
                                      place.data_directory};
  return std::make_unique<ResumingRun>(std::move(options), std::move(environment));
}

}  // namespace leat::tools
