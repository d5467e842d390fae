// Views as JSON: the answers of /v1/pipelines.
#include "pipeline/view.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "column/timestamp.h"
#include "pipeline/plan_traits.h"
#include "plan/limits.h"

namespace leat::pipeline {

namespace {

using plan::Json;
using plan::JsonArray;
using plan::JsonNumber;
using plan::JsonObject;

constexpr double ms_per_s = 1000;

/// A number, or null where there is none.
template <class T>
Json number_or_null(const std::optional<T>& value) {
  if (!value) return nullptr;
  return json_number(*value);
}

Json text_or_null(bool is_there, const std::string& text) {
  if (!is_there) return nullptr;
  return text;
}

Json seconds(std::optional<std::int64_t> ms) {
  if (!ms) return nullptr;
  return json_number(static_cast<double>(*ms) / ms_per_s);
}

Json time_or_null(std::optional<std::int64_t> ms) {
  if (!ms) return nullptr;
  return json_time(*ms);
}

Json names(const std::vector<std::string>& names) {
  JsonArray array;
  for (const std::string& name : names) array.emplace_back(name);
  return array;
}

Json partition_json(const PartitionStatus& partition) {
  JsonObject object;
  object["topic"] = partition.name;
  object["partition"] = json_number(std::int64_t{partition.partition.value()});
  object["position"] = json_number(partition.position.value());
  object["end"] = nullptr;
  if (partition.end) object["end"] = json_number(partition.end->value());
  object["lag_records"] = json_number(partition.lag_records);
  object["lag_seconds"] = seconds(partition.lag_ms);
  object["watermark"] = json_time(partition.watermark);
  object["idle"] = partition.idle;
  return object;
}

Json held_back_json(const VersionStatus& status) {
  if (!status.held_back_by) return nullptr;
  const PartitionStatus& partition = status.partitions.at(*status.held_back_by);
  JsonObject object;
  object["topic"] = partition.name;
  object["partition"] = json_number(std::int64_t{partition.partition.value()});
  return object;
}

Json snapshot_json(const VersionStatus& status, std::int64_t now_ms) {
  if (!status.snapshot) return nullptr;
  JsonObject object;
  object["epoch"] = json_number(status.snapshot->epoch);
  object["bytes"] = json_number(status.snapshot->bytes);
  object["age_seconds"] = seconds(std::max<std::int64_t>(0, now_ms - status.snapshot->written_ms));
  return object;
}

Json recovery_json(const RecoveryStatus& recovery) {
  JsonObject object;
  object["snapshot_epoch"] = number_or_null(recovery.snapshot_epoch);
  object["epochs_repeated"] = json_number(recovery.epochs_repeated);
  object["epochs_to_repeat"] = json_number(recovery.epochs_to_repeat);
  object["seconds"] = seconds(recovery.took_ms);
  object["passed_over"] = names(recovery.passed_over);
  return object;
}

/// Lag in records and in time, over all partitions.
std::pair<std::int64_t, std::optional<std::int64_t>> lag_of(const VersionStatus& status) {
  std::int64_t records = 0;
  std::optional<std::int64_t> ms;
  for (const PartitionStatus& partition : status.partitions) {
    records += partition.lag_records;
    if (partition.lag_ms) ms = std::max(ms.value_or(0), *partition.lag_ms);
  }
  return {records, ms};
}

/// What a run tells of itself, into `object`.
void add_status(JsonObject& object, const VersionStatus& status) {
  auto [lag_records, lag_ms] = lag_of(status);
  object["rows_in"] = json_number(status.rows_in);
  object["rows_out"] = json_number(status.rows_out);
  object["rows_in_per_s"] = json_number(std::round(status.rows_in_per_s));
  object["rows_out_per_s"] = json_number(std::round(status.rows_out_per_s));
  object["late"] = json_number(status.late);
  object["bad"] = json_number(status.bad);
  object["epochs"] = json_number(status.epochs);
  object["watermark"] = json_time(status.watermark);
  object["held_back_by"] = held_back_json(status);
  object["lag_records"] = json_number(lag_records);
  object["lag_seconds"] = seconds(lag_ms);
  object["state_bytes"] = json_number(std::uint64_t{status.state_bytes});
  object["last_commit_ms"] = json_number(static_cast<double>(status.last_commit_us) / ms_per_s);
}

Json cut_json(const VersionView& view) {
  if (!view.cut_error) return nullptr;
  JsonObject object;
  object["failures"] = json_number(view.cut_failures);
  object["error"] = view.cut_error->what;
  object["next_try"] = time_or_null(view.next_cut_ms);
  return object;
}

JsonObject version_json(const VersionView& view, std::int64_t now_ms) {
  const Version& version = view.version;
  JsonObject object;
  object["version"] = json_number(version.number);
  object["role"] = std::string(name(version.role));
  object["state"] = std::string(name(view.activity));
  object["hash"] = version.hash;
  object["created"] = json_time(version.created_ms);
  object["since"] = json_time(version.role_ms);
  object["mode"] = nullptr;
  if (view.plan) object["mode"] = mode_text(view.plan->mode);
  object["restarts"] = json_number(view.restarts);
  object["failures"] = json_number(view.failures);
  object["last_error"] = nullptr;
  if (view.last_error) object["last_error"] = view.last_error->what;
  object["last_error_at"] = nullptr;
  if (view.last_error) object["last_error_at"] = json_time(view.last_error_ms);
  object["next_try"] = time_or_null(view.next_try_ms);
  if (view.status) {
    add_status(object, *view.status);
    JsonArray partitions;
    for (const auto& partition : view.status->partitions) {
      partitions.push_back(partition_json(partition));
    }
    object["partitions"] = std::move(partitions);
    object["snapshot"] = snapshot_json(*view.status, now_ms);
    object["recovery"] = recovery_json(view.status->recovery);
  }
  if (view.plan && view.plan->mode.type == plan::Mode::Type::batch) {
    const BatchRuns& batch = version.batch;
    object["runs"] = json_number(batch.count);
    object["last_run"] = nullptr;
    if (batch.count > 0) object["last_run"] = json_time(batch.begun_ms);
    object["next_run"] = time_or_null(view.next_run_ms);
    if (version.open) object["set"] = JsonObject(batch.values.begin(), batch.values.end());
  }
  if (version.replay) object["replay"] = replay_json(view);
  object["promotes"] = version.promotes;
  object["cut"] = cut_json(view);
  return object;
}

Json held_up_json(const std::vector<HeldUp>& all) {
  JsonArray array;
  for (const HeldUp& held_up : all) {
    JsonObject item;
    item["duty"] = held_up.duty;
    item["failures"] = json_number(held_up.failures);
    item["error"] = held_up.error.what;
    item["next_try"] = json_time(held_up.next_try_ms);
    array.emplace_back(std::move(item));
  }
  return array;
}

std::string state_of(const PipelineView& view) {
  const VersionView* live = view.live();
  if (live == nullptr) return view.versions.empty() ? "dropping" : "deployed";
  return std::string(name(live->activity));
}

}  // namespace

Json json_number(double value) {
  if (!std::isfinite(value)) return nullptr;
  return JsonNumber{fmt::format("{}", value)};
}

Json json_time(std::int64_t time_ms) {
  if (time_ms < column::timestamp_min.ms || time_ms > column::timestamp_max.ms) return nullptr;
  std::string text;
  column::append_timestamp(text, {time_ms});
  return text;
}

const VersionView* PipelineView::live() const {
  auto found = std::find_if(versions.begin(), versions.end(), [](const VersionView& version) {
    return version.version.role == Role::live;
  });
  return found == versions.end() ? nullptr : &*found;
}

const VersionView* PipelineView::find(std::uint32_t number) const {
  auto found = std::find_if(versions.begin(), versions.end(), [&](const VersionView& version) {
    return version.version.number == number;
  });
  return found == versions.end() ? nullptr : &*found;
}

std::string_view name(Activity activity) {
  switch (activity) {
    case Activity::deployed: return "deployed";
    case Activity::waiting: return "waiting";
    case Activity::recovering: return "recovering";
    case Activity::running: return "running";
    case Activity::finished: return "finished";
    case Activity::failing: return "failing";
    case Activity::failed: return "failed";
    case Activity::paused: return "paused";
    case Activity::dropping: return "dropping";
    case Activity::ended: return "ended";
  }
  return "unknown";
}

Json summary_json(const PipelineView& view) {
  JsonObject object;
  object["name"] = view.name;
  object["state"] = state_of(view);
  JsonArray versions;
  for (const VersionView& version : view.versions) {
    JsonObject item;
    item["version"] = json_number(version.version.number);
    item["role"] = std::string(name(version.version.role));
    versions.emplace_back(std::move(item));
  }
  object["versions"] = std::move(versions);
  const VersionView* live = view.live();
  object["version"] = nullptr;
  if (live != nullptr) object["version"] = json_number(live->version.number);
  if (live == nullptr) return object;
  if (live->plan) object["mode"] = mode_text(live->plan->mode);
  if (live->status) add_status(object, *live->status);
  object["restarts"] = json_number(live->restarts);
  object["last_error"] = nullptr;
  if (live->failures > 0 && live->last_error) object["last_error"] = live->last_error->what;
  return object;
}

Json to_json(const PipelineView& view) {
  Json summary = summary_json(view);
  auto& object = std::get<JsonObject>(summary);
  object["created"] = json_time(view.created_ms);
  object["paused"] = view.paused;
  object["held_up"] = held_up_json(view.held_up);
  const VersionView* live = view.live();
  if (live != nullptr && live->plan) {
    object["sources"] = names(source_topics(*live->plan));
    object["sinks"] = names(sink_topics(*live->plan));
    object["writes"] = names(written_topics(*live->plan));
    object["files"] = names(source_files(*live->plan));
    object["folders"] = names(sink_folders(*live->plan));
    object["views"] = names(sink_views(*live->plan));
  }
  JsonArray versions;
  for (const VersionView& version : view.versions) {
    JsonObject shown = version_json(version, view.now_ms);
    std::string waits = waits_for(view, version);
    shown["waits_for"] = text_or_null(!waits.empty(), waits);
    versions.emplace_back(std::move(shown));
  }
  object["versions"] = std::move(versions);
  return summary;
}

Json versions_json(const PipelineView& view) {
  JsonArray versions;
  for (const VersionView& version : view.versions) {
    JsonObject object = version_json(version, view.now_ms);
    auto plan = plan::parse_json(version.version.plan, plan::RepeatedNames::last_counts,
                                 plan::json_depth_max);
    object["plan"] = version.version.plan;
    if (plan) object["plan"] = std::move(*plan);
    object["open"] = nullptr;
    if (const auto& open = version.version.open) {
      JsonObject values(open->values.begin(), open->values.end());
      object["open"] = JsonObject{{"text", open->text}, {"set", std::move(values)}};
    }
    if (version.plan) object["writes_to"] = names(written_topics(*version.plan));
    versions.emplace_back(std::move(object));
  }
  JsonObject object;
  object["name"] = view.name;
  object["versions"] = std::move(versions);
  return object;
}

Json replay_json(const VersionView& view) {
  JsonObject object;
  object["version"] = json_number(view.version.number);
  object["role"] = std::string(name(view.version.role));
  object["state"] = std::string(name(view.activity));
  object["promotes"] = view.version.promotes;
  if (view.version.replay) {
    const Replay& replay = *view.version.replay;
    object["from"] = replay.from;
    object["to"] = text_or_null(!replay.to.empty(), replay.to);
    object["exact"] = !replay.repeats.empty();
    object["anew_because"] = text_or_null(!replay.anew_because.empty(), replay.anew_because);
    object["final"] = replay.flush;
    object["warm_up"] = text_or_null(!replay.warm_up.empty(), replay.warm_up);
    object["dead_letters"] = text_or_null(!replay.dead_letters.empty(), replay.dead_letters);
    object["rate"] =
        replay.at_full_speed ? Json(std::string("max")) : json_number(replay.rows_per_s);
    object["begun"] = json_time(replay.begun_ms);
    object["done"] = replay.done;
  }
  if (view.status) {
    const RunProgress& progress = view.status->progress;
    object["percent"] = json_number(progress.percent);
    object["rows_per_s"] = json_number(std::round(progress.rows_per_s));
    object["seconds_left"] = number_or_null(progress.seconds_left);
    object["rows_in"] = json_number(view.status->rows_in);
    object["rows_out"] = json_number(view.status->rows_out);
    object["late"] = json_number(view.status->late);
    object["bad"] = json_number(view.status->bad);
  } else if (view.version.replay && view.version.replay->done) {
    // It ended before the server was started again.
    const Replay& replay = *view.version.replay;
    object["percent"] = json_number(100);
    object["rows_per_s"] = object["seconds_left"] = json_number(0);
    object["rows_in"] = json_number(replay.rows_in);
    object["rows_out"] = json_number(replay.rows_out);
    object["late"] = json_number(replay.late);
    object["bad"] = json_number(replay.bad);
  }
  if (view.last_error && view.failures > 0) object["last_error"] = view.last_error->what;
  object["comparing"] = view.is_comparing;
  object["diff"] = nullptr;
  if (view.difference) object["diff"] = to_json(*view.difference);
  return object;
}

Json to_json(const Difference& difference) {
  JsonArray first;
  for (const DifferentGroup& group : difference.first) {
    JsonObject item;
    item["topic"] = group.topic;
    item["key"] = group.key;
    item["time"] = json_time(group.timestamp_ms);
    item["live_records"] = json_number(group.live_records);
    item["replay_records"] = json_number(group.other_records);
    item["live"] = text_or_null(group.live_records > 0, group.live_value);
    item["replay"] = text_or_null(group.other_records > 0, group.other_value);
    first.emplace_back(std::move(item));
  }
  JsonObject object;
  object["same"] = difference.is_same();
  object["identical"] = difference.is_identical;
  object["live_records"] = json_number(difference.live_records);
  object["replay_records"] = json_number(difference.other_records);
  object["same_groups"] = json_number(difference.same_groups);
  object["changed_groups"] = json_number(difference.changed_groups);
  object["live_only_groups"] = json_number(difference.live_only_groups);
  object["replay_only_groups"] = json_number(difference.other_only_groups);
  object["first"] = std::move(first);
  return object;
}

}  // namespace leat::pipeline
