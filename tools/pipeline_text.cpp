#include "tools/pipeline_text.h"

#include <vector>

#include <fmt/format.h>

#include "tools/http_api.h"
#include "tools/progress.h"
#include "tools/table.h"

namespace leat::tools {

namespace {

using plan::Json;

std::string text(const Json& json, const char* name) {
  return text_of(member(json, name));
}

std::string cell(const Json& json, const char* name) {
  return cell_of(member(json, name));
}

bool is_there(const Json& json, const char* name) {
  return !std::holds_alternative<std::nullptr_t>(member(json, name));
}

/// Names of one kind of a pipeline's ends, and what that kind is called.
struct Ends {
  const char* member;
  const char* kind;
};

std::string list_text(const Json& pipeline, std::initializer_list<Ends> all) {
  std::vector<std::string> texts;
  for (const Ends& ends : all) {
    for (const Json& name : items_of(member(pipeline, ends.member))) {
      texts.push_back(ends.kind + text_of(name));
    }
  }
  return texts.empty() ? "nothing" : fmt::format("{}", fmt::join(texts, ", "));
}

std::string state_bytes_text(const Json& json, const char* name) {
  return bytes_text(static_cast<std::uint64_t>(number_of(member(json, name))));
}

std::string event_time_text(const Json& status) {
  std::string time = is_there(status, "watermark") ? "event time is at " + text(status, "watermark")
                                                   : "event time has not begun";
  const Json& holder = member(status, "held_back_by");
  if (std::holds_alternative<std::nullptr_t>(holder)) return time;
  return fmt::format("{}, held back by partition {} of {}", time, text(holder, "partition"),
                     text(holder, "topic"));
}

std::string held_up_text(const Json& held_up) {
  std::string out;
  for (const Json& item : items_of(held_up)) {
    out += fmt::format("held up  it was to {}, and could not: {}; tried again at {}\n",
                       text(item, "duty"), text(item, "error"), text(item, "next_try"));
  }
  return out;
}

std::string status_text(const Json& pipeline) {
  if (!is_there(pipeline, "rows_in")) return "";
  std::string seconds =
      is_there(pipeline, "lag_seconds") ? fmt::format(", {} s", text(pipeline, "lag_seconds")) : "";
  return fmt::format(
      "rows     {} in, {} out; {}/s in, {}/s out; {} late, {} bad\n"
      "time     {}\n"
      "behind   {} records{}\n"
      "state    {}; epoch {}, the last commit took {} ms\n",
      text(pipeline, "rows_in"), text(pipeline, "rows_out"), text(pipeline, "rows_in_per_s"),
      text(pipeline, "rows_out_per_s"), text(pipeline, "late"), text(pipeline, "bad"),
      event_time_text(pipeline), text(pipeline, "lag_records"), seconds,
      state_bytes_text(pipeline, "state_bytes"), text(pipeline, "epochs"),
      text(pipeline, "last_commit_ms"));
}

const Json& live_of(const Json& pipeline) {
  for (const Json& version : items_of(member(pipeline, "versions"))) {
    if (text(version, "role") == "live") return version;
  }
  static const Json none;
  return none;
}

std::string restarts_text(const Json& version) {
  std::string out = fmt::format("restarts {}", cell(version, "restarts"));
  if (is_there(version, "last_error")) {
    out += fmt::format("; the last failure, at {}: {}", text(version, "last_error_at"),
                       text(version, "last_error"));
  }
  if (is_there(version, "next_try")) out += "; tried again at " + text(version, "next_try");
  return out + "\n";
}

std::string runs_text(const Json& version) {
  if (!is_there(version, "runs")) return "";
  return fmt::format("runs     {}; the last one began at {}, the next one is at {}\n",
                     text(version, "runs"), cell(version, "last_run"), cell(version, "next_run"));
}

std::string partitions_text(const Json& version) {
  const auto& partitions = items_of(member(version, "partitions"));
  if (partitions.empty()) return "";
  Table table({"TOPIC", "PARTITION", "POSITION", "END", "LAG", "EVENT_TIME", "IDLE"});
  for (const Json& partition : partitions) {
    table.add({cell(partition, "topic"), cell(partition, "partition"), cell(partition, "position"),
               cell(partition, "end"), cell(partition, "lag_records"), cell(partition, "watermark"),
               is_true(member(partition, "idle")) ? "yes" : "no"});
  }
  return "\n" + table.to_string();
}

std::string version_table(const Json& versions) {
  Table table({"VERSION", "ROLE", "STATE", "SINCE", "ROWS_IN", "ROWS_OUT", "LAG", "RESTARTS"});
  for (const Json& version : items_of(versions)) {
    table.add({cell(version, "version"), cell(version, "role"), cell(version, "state"),
               cell(version, "since"), cell(version, "rows_in"), cell(version, "rows_out"),
               cell(version, "lag_records"), cell(version, "restarts")});
  }
  return table.to_string();
}

std::string difference_text(const Json& difference) {
  std::string counts = fmt::format(
      "{} records live, {} of the replay; of keys and times {} have the same, {} something else, "
      "{} live alone, {} the replay alone\n",
      text(difference, "live_records"), text(difference, "replay_records"),
      text(difference, "same_groups"), text(difference, "changed_groups"),
      text(difference, "live_only_groups"), text(difference, "replay_only_groups"));
  if (is_true(member(difference, "identical")))
    return "diff 0: record for record the same, " + counts;
  if (is_true(member(difference, "same"))) return "diff 0: the same in another order, " + counts;
  std::string out = "diff: " + counts;
  for (const Json& group : items_of(member(difference, "first"))) {
    out += fmt::format("  {} {} of {}\n    live   {}\n    replay {}\n", cell(group, "time"),
                       cell(group, "key"), text(group, "topic"), cell(group, "live"),
                       cell(group, "replay"));
  }
  return out;
}

}  // namespace

std::string pipelines_text(const Json& list) {
  Table table({"PIPELINE", "STATE", "VERSION", "MODE", "IN/S", "OUT/S", "LAG", "RESTARTS"});
  for (const Json& pipeline : items_of(member(list, "pipelines"))) {
    std::string mode = cell(pipeline, "mode");
    // Cells have no blanks.
    mode = mode.substr(0, mode.find(' '));
    table.add({cell(pipeline, "name"), cell(pipeline, "state"), cell(pipeline, "version"), mode,
               cell(pipeline, "rows_in_per_s"), cell(pipeline, "rows_out_per_s"),
               cell(pipeline, "lag_records"), cell(pipeline, "restarts")});
  }
  return table.to_string();
}

std::string pipeline_text(const Json& pipeline) {
  const Json& live = live_of(pipeline);
  std::string out =
      fmt::format("pipeline {}: {}, {}, version {} is live\n", text(pipeline, "name"),
                  text(pipeline, "state"), cell(pipeline, "mode"), cell(pipeline, "version"));
  out += fmt::format(
      "reads    {}\nwrites   {}\n", list_text(pipeline, {{"sources", ""}, {"files", "file "}}),
      list_text(pipeline, {{"writes", ""}, {"views", "view "}, {"folders", "files in "}}));
  out += held_up_text(member(pipeline, "held_up"));
  out += status_text(pipeline);
  const Json& snapshot = member(live, "snapshot");
  if (!std::holds_alternative<std::nullptr_t>(snapshot)) {
    out += fmt::format("snapshot epoch {}, {}, {} s old\n", text(snapshot, "epoch"),
                       state_bytes_text(snapshot, "bytes"), text(snapshot, "age_seconds"));
  }
  out += runs_text(live) + restarts_text(live);
  out += partitions_text(live);
  return out + "\n" + version_table(member(pipeline, "versions"));
}

std::string waits_text(const Json& pipeline, const std::string& version) {
  for (const Json& shown : items_of(member(pipeline, "versions"))) {
    bool waits = text(shown, "version") == version && is_there(shown, "waits_for");
    if (waits) return text(shown, "waits_for");
  }
  return "";
}

std::string why_text(const Json& why) {
  std::string out;
  for (const Json& sentence : items_of(member(why, "why"))) out += text_of(sentence) + "\n";
  return out;
}

std::string versions_text(const Json& versions) {
  return version_table(member(versions, "versions"));
}

std::string replay_progress_text(const Json& replay) {
  std::string left;
  if (is_there(replay, "seconds_left")) {
    left = ", " + seconds_text(number_of(member(replay, "seconds_left"))) + " left";
  }
  std::string what = is_true(member(replay, "comparing")) ? "comparing; " : "";
  // As long as it reads, its progress says more.
  std::string waits = is_true(member(replay, "done")) && is_there(replay, "waits_for")
                          ? "; " + text(replay, "waits_for")
                          : "";
  return fmt::format("{}version {} {}: {:.1f} %, {} rows/s{}{}", what, text(replay, "version"),
                     text(replay, "state"), number_of(member(replay, "percent")),
                     cell(replay, "rows_per_s"), left, waits);
}

std::string replay_text(const Json& replay) {
  if (is_there(replay, "dead_letters")) {
    return fmt::format(
        "version {} has given what was new in {}: {} rows taken, which gave {}; {} rejected "
        "again\n",
        text(replay, "version"), text(replay, "dead_letters"), cell(replay, "rows_in"),
        cell(replay, "rows_out"), cell(replay, "bad"));
  }
  std::string out =
      fmt::format("version {} is {}: {} rows in, {} out\n", text(replay, "version"),
                  text(replay, "role"), cell(replay, "rows_in"), cell(replay, "rows_out"));
  if (is_there(replay, "anew_because")) {
    out += "it has read anew, because the recorded epochs cannot be repeated: " +
           text(replay, "anew_because") + "\n";
  }
  const Json& difference = member(replay, "diff");
  if (!std::holds_alternative<std::nullptr_t>(difference)) out += difference_text(difference);
  return out;
}

}  // namespace leat::tools
