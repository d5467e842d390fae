// What readers of views see: what epochs gave, each when it is committed.
#include "pipeline/version_machine.h"

namespace leat::pipeline {

void VersionMachine::seal_views() {
  for (const auto& view : views_) view->seal();
}

void VersionMachine::show_views(std::uint64_t epoch, std::int64_t at_ms,
                                operators::Watermark watermark, const Positions& positions) {
  if (views_.empty()) return;
  stream::ViewMoment moment;
  moment.epoch = epoch;
  moment.committed_ms = at_ms;
  moment.watermark = watermark;
  for (const auto& position : positions) {
    moment.inputs.push_back({position.name, position.partition, position.offset});
  }
  for (const auto& view : views_) view->publish(moment);
}

// What the task has come to by then was committed before.
void VersionMachine::show_views_as_recovered(std::uint64_t epoch, std::int64_t at_ms) {
  if (views_.empty()) return;
  seal_views();
  show_views(epoch, at_ms, task_->progress().watermark, inputs_->named(task_->positions()));
}

// Of a batch nothing is shown before its end, and then nothing of how it came there.
void VersionMachine::open_views_to_readers() {
  if (views_.empty()) return;
  if (options_.plan.mode.type == plan::Mode::Type::batch) {
    for (const auto& view : views_) view->forget_past();
  }
  board_.show_views(views_);
}

}  // namespace leat::pipeline
