// Why nothing comes out, or why it is behind: sentences from what a version's run tells.
#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "column/timestamp.h"
#include "pipeline/plan_traits.h"
#include "pipeline/view.h"

namespace leat::pipeline {

namespace {

using operators::Watermark;
using operators::watermark_max;
using operators::watermark_min;
using Sentences = std::vector<std::string>;

constexpr std::int64_t second_ms = 1'000;
constexpr std::int64_t minute_ms = 60 * second_ms;
constexpr std::int64_t hour_ms = 60 * minute_ms;
/// A commit that takes longer is worth telling.
constexpr std::int64_t slow_commit_us = 100'000;
/// Whoever is not further behind keeps up.
constexpr std::int64_t small_lag_ms = 2 * second_ms;

std::string time_text(std::int64_t time_ms) {
  if (time_ms < column::timestamp_min.ms) return "before all time";
  if (time_ms > column::timestamp_max.ms) return "behind all time";
  std::string text;
  column::append_timestamp(text, {time_ms});
  return text;
}

std::string partition_text(const PartitionStatus& partition) {
  return fmt::format("partition {} of {}", partition.partition.value(), partition.name);
}

bool is_empty(const PartitionStatus& partition) {
  return partition.end && partition.end->value() == 0;
}

std::int64_t lag_records(const VersionStatus& status) {
  std::int64_t records = 0;
  for (const auto& partition : status.partitions) records += partition.lag_records;
  return records;
}

/// Of those nodes that wait for event time: what they wait for, behind `watermark`.
struct Wait {
  std::string node;
  std::string what;
  std::optional<std::int64_t> until_ms;
};

std::int64_t next_multiple(std::int64_t time_ms, std::int64_t step_ms, std::int64_t offset_ms) {
  std::int64_t behind = (time_ms - offset_ms) % step_ms;
  if (behind < 0) behind += step_ms;
  return time_ms - behind + step_ms;
}

std::optional<Wait> wait_of(const plan::Node& node, Watermark watermark) {
  const auto* window = std::get_if<plan::Window>(&node.body);
  if (window == nullptr || window->emit != plan::Window::Emit::close) return std::nullopt;
  const plan::WindowShape& shape = window->window;
  bool is_known = watermark > column::timestamp_min.ms && watermark < column::timestamp_max.ms;
  auto until = [&](std::int64_t step_ms) -> std::optional<std::int64_t> {
    if (!is_known || step_ms <= 0) return std::nullopt;
    return next_multiple(watermark, step_ms, shape.offset_ms);
  };
  switch (shape.kind) {
    case plan::WindowShape::Kind::tumbling:
      return Wait{node.name, "windows of " + duration_text(shape.size_ms), until(shape.size_ms)};
    case plan::WindowShape::Kind::hopping:
      return Wait{node.name, "windows of " + duration_text(shape.size_ms), until(shape.slide_ms)};
    case plan::WindowShape::Kind::cumulate:
      return Wait{node.name, "windows of " + duration_text(shape.size_ms), until(shape.step_ms)};
    case plan::WindowShape::Kind::session:
      return Wait{
          node.name,
          fmt::format("sessions, until a key is silent for {}", duration_text(shape.gap_ms)),
          std::nullopt};
  }
  return std::nullopt;
}

/// Looks at one version that is at work.
class Look {
 public:
  explicit Look(const VersionView& version) : version_(version), status_(*version.status) {}

  Sentences tell() {
    tell_missing();
    tell_empty();
    tell_lag();
    tell_event_time();
    tell_nothing_out();
    tell_lost();
    tell_commits();
    if (!sentences_.empty()) return std::move(sentences_);
    return {fmt::format("It keeps up: {} rows in, {} out, nothing to read.", status_.rows_in,
                        status_.rows_out)};
  }

 private:
  template <class... Parts>
  void say(fmt::format_string<Parts...> text, Parts&&... parts) {
    sentences_.push_back(fmt::format(text, std::forward<Parts>(parts)...));
  }

  void tell_missing() {
    std::set<std::string> read_topics;
    if (version_.plan) {
      for (std::string& topic : source_topics(*version_.plan)) read_topics.insert(topic);
    }
    std::set<std::string> gone;
    for (const auto& partition : status_.partitions) {
      if (!partition.end && read_topics.contains(partition.name)) gone.insert(partition.name);
    }
    for (const std::string& topic : gone) say("Topic {} is gone.", topic);
  }

  void tell_empty() {
    std::set<std::string> empty;
    std::set<std::string> filled;
    for (const auto& partition : status_.partitions) {
      (is_empty(partition) ? empty : filled).insert(partition.name);
    }
    for (const std::string& topic : empty) {
      if (!filled.contains(topic)) say("Topic {} is empty: nothing was produced to it yet.", topic);
    }
  }

  void tell_lag() {
    std::int64_t behind = lag_records(status_);
    std::int64_t oldest_ms = 0;
    for (const auto& partition : status_.partitions) {
      oldest_ms = std::max(oldest_ms, partition.lag_ms.value_or(0));
    }
    if (behind == 0 || (oldest_ms <= small_lag_ms && oldest_ms > 0)) return;
    std::string left;
    if (status_.progress.seconds_left) {
      left = fmt::format(", which takes about {} more",
                         duration_text(std::llround(*status_.progress.seconds_left * second_ms)));
    }
    if (version_.plan && version_.plan->mode.type == plan::Mode::Type::micro_batch) {
      say("{} records wait for the next trigger, which comes every {}.", behind,
          duration_text(version_.plan->mode.trigger_ms));
    } else if (status_.rows_in_per_s < 1) {
      say("It is {} records behind, and reads nothing at the moment.", behind);
    } else {
      say("It is {} records behind, and reads {:.0f} rows/s{}.", behind, status_.rows_in_per_s,
          left);
    }
  }

  /// Who holds event time back, where rows wait for it.
  void tell_event_time() {
    bool is_all_read = lag_records(status_) == 0;
    if (status_.rows_in == 0 || !waits() || status_.rows_out > 0) return;
    if (!status_.held_back_by) {
      std::string at = status_.watermark == watermark_min ? "has not begun"
                                                          : "is at " + time_text(status_.watermark);
      say("Event time {}; all partitions are idle, so it moves when a row comes.", at);
      return;
    }
    const PartitionStatus& holder = status_.partitions.at(*status_.held_back_by);
    std::string idle = idle_text(holder);
    if (holder.watermark == watermark_min) {
      say("Event time has not begun: {} has given no row{}.", partition_text(holder),
          is_all_read ? idle : "");
    } else {
      say("Event time is at {}, held back by {}{}.", time_text(status_.watermark),
          partition_text(holder), is_all_read ? idle : "");
    }
  }

  bool waits() const {
    if (!version_.plan) return false;
    return std::any_of(version_.plan->nodes.begin(), version_.plan->nodes.end(),
                       [&](const plan::Node& node) { return wait_of(node, 0).has_value(); });
  }

  std::string idle_text(const PartitionStatus& holder) const {
    if (!version_.plan || holder.source >= version_.plan->nodes.size()) return "";
    const auto* source = std::get_if<plan::Source>(&version_.plan->nodes[holder.source].body);
    if (source == nullptr) return "";
    if (source->idle_ms == 0) {
      return ", and however long it is silent it is waited for: idle_ms of its source is 0";
    }
    return fmt::format("; after {} of silence it is waited for no longer",
                       duration_text(source->idle_ms));
  }

  /// Rows have come in and none has come out.
  void tell_nothing_out() {
    if (status_.rows_in == 0 || status_.rows_out > 0) return;
    if (status_.late == status_.rows_in) {
      say("All {} rows were late: event time was beyond their windows when they came. A larger "
          "disorder_ms of the source, or lateness_ms of the window, takes them.",
          status_.late);
      return;
    }
    bool has_waits = false;
    for (const plan::Node& node : nodes()) {
      auto wait = wait_of(node, status_.watermark);
      if (!wait) continue;
      has_waits = true;
      std::string until =
          wait->until_ms ? fmt::format(", next at {}", time_text(*wait->until_ms)) : "";
      say("{} gives {} when event time has passed their end{}.", wait->node, wait->what, until);
    }
    if (has_waits || lag_records(status_) > 0) return;
    bool has_filters = std::any_of(nodes().begin(), nodes().end(), [](const plan::Node& node) {
      return std::holds_alternative<plan::Filter>(node.body);
    });
    bool has_joins = std::any_of(nodes().begin(), nodes().end(), [](const plan::Node& node) {
      return std::holds_alternative<plan::Join>(node.body);
    });
    say("{} rows came in and none came out: {}.", status_.rows_in,
        has_filters ? "the filters let none through"
        : has_joins ? "none found a partner"
                    : "no node gave one yet");
  }

  const std::vector<plan::Node>& nodes() const {
    static const std::vector<plan::Node> none;
    return version_.plan ? version_.plan->nodes : none;
  }

  void tell_lost() {
    if (status_.bad > 0) say("{} records or rows were bad.", status_.bad);
    if (status_.late > 0 && status_.late < status_.rows_in) {
      say("{} of {} rows were late.", status_.late, status_.rows_in);
    }
  }

  void tell_commits() {
    if (status_.last_commit_us < slow_commit_us) return;
    say("Commits take {}: it waits for the disk.", duration_text(status_.last_commit_us / 1000));
  }

  const VersionView& version_;
  const VersionStatus& status_;
  Sentences sentences_;
};

std::string batch_sentence(const PipelineView& pipeline, const VersionView& version) {
  const BatchRuns& batch = version.version.batch;
  std::string last = batch.count == 0
                         ? "It is a batch and has not run yet"
                         : "It is a batch and ran last at " + time_text(batch.begun_ms);
  std::string next = version.next_run_ms ? "; it runs next at " + time_text(*version.next_run_ms)
                                         : "; it has no schedule";
  return fmt::format("{}{}. `leat pipeline run {}` runs it now.", last, next, pipeline.name);
}

Sentences failing(const PipelineView& pipeline, const VersionView& version) {
  std::string reason = version.last_error ? version.last_error->what : "no reason is known";
  if (version.activity == Activity::failed) {
    return {fmt::format("It has failed {} in the same way, and is not tried any more: {}.",
                        times_text(version.failures), reason),
            fmt::format("Deploy a plan that can take that, or, when the cause is gone, "
                        "`leat pipeline resume {}` tries again.",
                        pipeline.name)};
  }
  std::string next;
  if (version.next_try_ms) {
    next = fmt::format(
        " It is tried again in {}.",
        duration_text(std::max<std::int64_t>(0, *version.next_try_ms - pipeline.now_ms)));
  }
  return {fmt::format("It fails, {} in a row: {}.{}", times_text(version.failures), reason, next)};
}

std::string held_up_sentence(const PipelineView& pipeline, const HeldUp& held_up) {
  return fmt::format(
      "It was to {}, and could not, {} in a row: {}. It is tried again in {}.", held_up.duty,
      times_text(held_up.failures), held_up.error.what,
      duration_text(std::max<std::int64_t>(0, held_up.next_try_ms - pipeline.now_ms)));
}

Sentences why_of(const PipelineView& pipeline, const VersionView& version) {
  switch (version.activity) {
    case Activity::paused:
      return {fmt::format("It is paused. `leat pipeline resume {}` lets it go on.", pipeline.name)};
    case Activity::failing:
    case Activity::failed: return failing(pipeline, version);
    case Activity::waiting: return {batch_sentence(pipeline, version)};
    case Activity::dropping: return {"It is being dropped."};
    case Activity::recovering: {
      if (!version.status) return {"It is starting."};
      const RecoveryStatus& recovery = version.status->recovery;
      return {fmt::format("It is recovering: {} of {} epochs behind its snapshot are repeated.",
                          recovery.epochs_repeated, recovery.epochs_to_repeat)};
    }
    case Activity::running:
      if (version.status) return Look(version).tell();
      return {"It is starting."};
    case Activity::finished: return {"It has come to its end."};
    case Activity::deployed:
    case Activity::ended: return {"It is not at work."};
  }
  return {};
}

}  // namespace

std::string duration_text(std::int64_t ms) {
  if (ms < second_ms) return fmt::format("{} ms", ms);
  if (ms < minute_ms) return fmt::format("{:.3g} s", static_cast<double>(ms) / second_ms);
  if (ms < 2 * hour_ms) return fmt::format("{:.3g} min", static_cast<double>(ms) / minute_ms);
  return fmt::format("{:.3g} h", static_cast<double>(ms) / hour_ms);
}

std::string times_text(std::uint64_t count) {
  if (count == 1) return "once";
  return count == 2 ? "twice" : fmt::format("{} times", count);
}

std::vector<std::string> why(const PipelineView& view) {
  const VersionView* live = view.live();
  if (live == nullptr) return {"No version of it is live."};
  Sentences sentences = why_of(view, *live);
  for (const HeldUp& held_up : view.held_up) {
    sentences.push_back(held_up_sentence(view, held_up));
  }
  if (!live->plan) sentences.push_back("Its plan cannot be read by this server.");
  for (const VersionView& version : view.versions) {
    if (std::string waits = waits_for(view, version); !waits.empty()) {
      sentences.push_back(std::move(waits));
      continue;
    }
    if (version.version.number <= live->version.number) continue;
    if (version.version.role != Role::deployed) continue;
    sentences.push_back(
        fmt::format("Version {} is deployed and not at work: `leat pipeline replay {} --version {} "
                    "--promote` makes it live once it has read the history.",
                    version.version.number, view.name, version.version.number));
  }
  return sentences;
}

}  // namespace leat::pipeline
