// What a version waits for that is to be compared with the live one, or to take its place.
#include <algorithm>

#include <fmt/format.h>

#include "pipeline/view.h"

namespace leat::pipeline {

namespace {

/// Of tries that came to nothing.
std::string last_try(const PipelineView& pipeline, const VersionView& version) {
  std::int64_t left_ms = version.next_cut_ms.value_or(pipeline.now_ms) - pipeline.now_ms;
  return fmt::format("{} in a row: {}. It is tried again in {}.", times_text(version.cut_failures),
                     version.cut_error->what, duration_text(std::max<std::int64_t>(0, left_ms)));
}

/// It is not where it has to be before anything can be done with it.
std::string own_trouble(const VersionView& version, const std::string& pipeline) {
  std::string reason = version.last_error ? version.last_error->what : "no reason is known";
  std::uint32_t number = version.version.number;
  if (version.activity == Activity::failing) {
    return fmt::format("Version {} is to become live, but fails, {} in a row: {}.", number,
                       times_text(version.failures), reason);
  }
  return fmt::format(
      "Version {} is to become live, but has failed, and is not tried any more: {}. `leat pipeline "
      "resume {}` tries again.",
      number, reason, pipeline);
}

std::string promotion_text(const PipelineView& view, const VersionView& version) {
  std::uint32_t number = version.version.number;
  const VersionView* live = view.live();
  std::string at_once = fmt::format("`leat pipeline promote {} {}`", view.name, number);
  bool takes_over = version.version.role == Role::deployed;
  if (version.cut_error && !version.is_comparing) {
    return fmt::format("Version {} could not become live, {}", number, last_try(view, version));
  }
  if (takes_over) return fmt::format("Version {} takes over where the live one stands.", number);
  if (view.paused) {
    return fmt::format(
        "Version {} becomes live when the pipeline is resumed; {} has it take over "
        "where all stands still.",
        number, at_once);
  }
  bool is_troubled = version.activity == Activity::failing || version.activity == Activity::failed;
  if (is_troubled) return own_trouble(version, view.name);
  if (live != nullptr && live->version.batch.is_under_way()) {
    return fmt::format("Version {} becomes live when the run of version {} has ended.", number,
                       live->version.number);
  }
  if (version.version.role == Role::replay) {
    double percent = version.status ? version.status->progress.percent : 0;
    return fmt::format(
        "Version {} becomes live when it has read the history, of which it has "
        "{:.1f} %.",
        number, percent);
  }
  if (live != nullptr && live->activity == Activity::failing) {
    return fmt::format(
        "Version {} becomes live when version {} works again, or has failed some "
        "more times in a row; {} has it take over at once, where that one stands.",
        number, live->version.number, at_once);
  }
  if (live != nullptr && live->activity == Activity::recovering) {
    return fmt::format("Version {} becomes live when version {} has recovered.", number,
                       live->version.number);
  }
  return fmt::format("Version {} becomes live when it is as far as the live one.", number);
}

}  // namespace

std::string waits_for(const PipelineView& view, const VersionView& version) {
  const Version& known = version.version;
  bool compares = known.replay && known.replay->diff && known.replay->done &&
                  known.role != Role::live && known.role != Role::ended && !version.difference;
  if (compares && version.cut_error) {
    return fmt::format("Version {} could not be compared with the live one, {}", known.number,
                       last_try(view, version));
  }
  if (known.promotes) return promotion_text(view, version);
  return "";
}

}  // namespace leat::pipeline
