// What must hold of a store: after each step, and after each recovery.
#include <algorithm>

#include "log/state.h"
#include "sim/log_simulation.h"

namespace leat::sim {

Offset LogSimulation::must_have(const Partition& partition) const {
  const LogModel& model = partition.model;
  if (end_ == End::close) return model.end;
  if (options_.durability == log::Durability::fsync) {
    return std::max(model.high_watermark, model.acknowledged_end());
  }
  if (end_ != End::power_loss) return model.acknowledged_end();
  bool synced = options_.durability == log::Durability::interval && !faults_.sync_ever_failed;
  if (!synced) return model.closed_end;
  // One interval to begin a sync, and as long as it takes to end it.
  std::int64_t synced_ms = last_alive_ms_ - 2 * options_.sync_interval.count() - 500;
  return std::max(model.closed_end, model.acknowledged_end(synced_ms));
}

void LogSimulation::check_partition_after_open(Partition& partition) {
  if (!partition.log || !alive()) return;
  RecoveryTerms terms;
  terms.must_have = must_have(partition);
  terms.start_must_have = partition.model.start_acknowledged;
  terms.failed_may_return = faults_.sync_ever_failed || faults_.write_ever_failed;
  terms.gaps_may_be_forgotten =
      end_ == End::power_loss && options_.durability != log::Durability::fsync;
  terms.loss_is_excused =
      faults_.flipped_journal ||
      (faults_.flipped_after_crash && (faults_.died_since_flip || !store_->findings().empty()));
  terms.checkpoint_is_lost = faults_.checkpoint_is_lost();
  terms.excuses = excuses();
  if (!terms.checkpoint_is_lost) {
    object(partition.model.objection_to_start(partition.log->start_offset(), executor_.wall_ms()));
  }
  std::string objection = check_recovery(partition.model, *partition.log, terms);
  if (objection.empty()) {
    partition.model.forget_options(partition.options);
    trace("partition {}: [{}, {})", partition.id.partition.value(),
          partition.log->start_offset().value(), partition.log->end_offset().value());
    return;
  }
  object(fmt::format("partition {} after {}: {}", partition.id.partition.value(),
                     static_cast<int>(end_), objection));
}

void LogSimulation::check_findings() {
  for (const auto& finding : store_->findings()) {
    trace("finding {}: {} [{}, {}) {}", static_cast<int>(finding.kind), finding.path,
          finding.offsets.base.value(), finding.offsets.next.value(), finding.cause);
    if (finding.kind == log::Finding::Kind::damage && !excuses().damage) {
      object("damage where nothing was damaged: " + finding.cause);
    }
    if (finding.kind == log::Finding::Kind::unknown) object("a stranger: " + finding.path);
  }
}

void LogSimulation::observe() {
  for (auto& partition : partitions_) {
    if (alive() && partition->log) observe(*partition);
  }
  if (alive()) last_alive_ms_ = executor_.wall_ms();
}

void LogSimulation::observe(Partition& partition) {
  LogModel& model = partition.model;
  auto view = partition.log->view();
  Offset start = partition.log->start_offset();
  Offset high_watermark = partition.log->high_watermark();
  Offset end = partition.log->end_offset();
  auto on = [&](const std::string& what) {
    object(fmt::format("partition {}: {}", partition.id.partition.value(), what));
  };
  if (high_watermark < model.high_watermark) on("the high watermark went back");
  if (high_watermark > end) on("the high watermark is above the end");
  if (start > high_watermark) on("the start is above the high watermark");
  if (start < model.start) on("the start went back");
  if (end > model.end) on("the end is above what was appended");
  if (view->high_watermark != high_watermark || view->start_offset != start) {
    on("the view is not the newest");
  }
  if (high_watermark < model.acknowledged_end())
    on("the high watermark is below what was answered");
  std::string objection = model.objection_to_start(start, executor_.wall_ms());
  if (!objection.empty()) on(objection);
  model.high_watermark = high_watermark;
  model.start = start;
}

void LogSimulation::check_directory() {
  report_.reset();
  auto report = log::check_directory(files_, simulated_directory, {});
  if (report) {
    report_ = std::move(*report);
  } else if (report.error().code != Errc::not_found || was_open_) {
    object("the directory cannot be checked: " + report.error().what);
  }
  bool excused = excuses().damage || faults_.flipped_seal || faults_.flipped_checkpoint[0] ||
                 faults_.flipped_checkpoint[1];
  if (!report_ || excused) return;
  for (const auto& finding : report_->findings) {
    if (finding.kind == log::Finding::Kind::damage || finding.kind == log::Finding::Kind::journal ||
        finding.kind == log::Finding::Kind::seal) {
      object(fmt::format("a check finds {} where nothing was damaged: {}", finding.path,
                         finding.cause));
    }
  }
}

void LogSimulation::compare_with_check() {
  if (!report_ || !alive()) return;
  auto same = [](const log::Finding& a, const log::Finding& b) {
    return a.kind == b.kind && a.path == b.path && a.offsets == b.offsets;
  };
  for (const auto& finding : store_->findings()) {
    if (finding.kind == log::Finding::Kind::cut) continue;
    bool known = std::ranges::any_of(
        report_->findings, [&](const log::Finding& other) { return same(finding, other); });
    if (!known) {
      object(
          fmt::format("recovery found what a check did not: {} {}", finding.path, finding.cause));
    }
  }
  // What readers found has been told to the logs.
  executor_.run_for(std::chrono::milliseconds(1));
  for (const auto& partition : partitions_) {
    if (!alive() || !partition->log) return;
    auto view = partition->log->view();
    auto clipped = [&](std::vector<log::OffsetRange>& list, log::OffsetRange range) {
      log::add_range(list, {std::max(range.base, view->start_offset), range.next});
    };
    std::vector<log::OffsetRange> found;
    for (const auto& range : view->damaged) clipped(found, range);
    std::vector<log::OffsetRange> expected;
    for (const auto& finding : report_->findings) {
      bool is_here = finding.kind == log::Finding::Kind::damage &&
                     finding.partition.topic_id == partition->id.topic_id &&
                     finding.partition.partition == partition->id.partition;
      if (is_here) clipped(expected, finding.offsets);
    }
    if (found == expected) continue;
    for (const auto& finding : report_->findings) {
      trace("the check found {} at {}, {} bytes: {}", finding.path, finding.position, finding.bytes,
            finding.cause);
    }
    auto list = [](const std::vector<log::OffsetRange>& ranges) {
      std::string text;
      for (const auto& range : ranges) {
        text += fmt::format("[{}, {}) ", range.base.value(), range.next.value());
      }
      return text;
    };
    object(fmt::format("partition {}: a check found {}damaged, readers {}",
                       partition->id.partition.value(), list(expected), list(found)));
  }
}

}  // namespace leat::sim
