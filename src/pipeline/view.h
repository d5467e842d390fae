// A deployed pipeline as its operator sees it, at one moment.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/deployed.h"
#include "pipeline/difference.h"
#include "pipeline/duties.h"
#include "pipeline/keeper.h"
#include "pipeline/version_status.h"
#include "plan/json.h"
#include "plan/plan.h"

namespace leat::pipeline {

/// What a version does, in one word.
enum class Activity {
  deployed,    // not at work yet
  waiting,     // a batch, for its next run
  recovering,  // reads what it had committed
  running,
  finished,  // has come to the end that it was given
  failing,   // is tried again
  failed,    // is not
  paused,
  dropping,
  ended,
};
std::string_view name(Activity activity);

struct VersionView {
  /// As the catalog remembers it.
  Version version;
  /// Nothing if it cannot be read.
  std::optional<plan::Plan> plan;
  Activity activity = Activity::deployed;
  /// Of its run, or of the last one.
  std::optional<VersionStatus> status;
  /// In a row.
  std::uint32_t failures = 0;
  std::uint64_t restarts = 0;
  /// The last failure, also if it has succeeded since.
  std::optional<Error> last_error;
  std::int64_t last_error_ms = 0;
  std::optional<std::int64_t> next_try_ms;
  /// Of a batch with a schedule.
  std::optional<std::int64_t> next_run_ms;
  /// Against the live version, where that was asked for.
  std::optional<Difference> difference;
  bool is_comparing = false;
  /// Tries to compare it with the live version, or to make it live, that came to nothing: in a row,
  /// why the last one did, and when the next may be.
  std::uint32_t cut_failures = 0;
  std::optional<Error> cut_error;
  std::optional<std::int64_t> next_cut_ms;
};

struct PipelineView {
  std::string name;
  std::int64_t created_ms = 0;
  std::int64_t now_ms = 0;
  bool paused = false;
  /// What it was to do by itself and could not do yet.
  std::vector<HeldUp> held_up;
  std::vector<VersionView> versions;

  const VersionView* live() const;
  const VersionView* find(std::uint32_t number) const;
};

/// One line of a list: name, state, mode, versions, what the live one does.
plan::Json summary_json(const PipelineView& view);
/// All there is to know.
plan::Json to_json(const PipelineView& view);
/// A list of the versions, with their plans.
plan::Json versions_json(const PipelineView& view);
/// How far a replay is, and what it found.
plan::Json replay_json(const VersionView& version);

/// Sentences that say why nothing comes out, or why it is behind; one that says that all is well
/// if it is. With what to do where something is to be done.
std::vector<std::string> why(const PipelineView& view);
/// Of a version that is to become live, or is to be compared: what that waits for. Empty for
/// others.
std::string waits_for(const PipelineView& view, const VersionView& version);

/// "once", "twice", "3 times".
std::string times_text(std::uint64_t count);
/// "450 ms", "1.5 s", ...
std::string duration_text(std::int64_t ms);

/// The JSON of numbers and times.
plan::Json json_number(double value);
template <std::integral Integer>
plan::Json json_number(Integer value) {
  return plan::JsonNumber{std::to_string(value)};
}
/// "2015-09-12T00:45:00Z"; null where there is no such time.
plan::Json json_time(std::int64_t time_ms);

}  // namespace leat::pipeline
