// leat replay: re-emits the records of a topic at a multiple of their own pace.
//
// The partitions' records are one sequence, by time (merged_topic.h). The end is where each
// partition ended when the command started, so replaying a topic into itself ends, too.
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <fmt/core.h>

#include "base/clock.h"
#include "column/timestamp.h"
#include "leat/blocking.h"
#include "tools/commands.h"
#include "tools/connect.h"
#include "tools/interrupt.h"
#include "tools/merged_topic.h"
#include "tools/pace.h"
#include "tools/pacer.h"
#include "tools/position.h"
#include "tools/progress.h"
#include "tools/record_target.h"
#include "tools/record_template.h"
#include "tools/topic_parts.h"

namespace leat::tools {

namespace {

struct ReplayOptions {
  std::string brokers = default_brokers;
  std::string topic;
  std::string range = "start:";
  std::optional<std::string> to;
  std::string speed = "1";
  std::string codec = "none";
  std::optional<std::string> record_template;
  std::string format = "text";
};

/// Finds the target topic, or makes it like the source. Gives the number of its partitions.
std::size_t prepare_topic(const ReplayOptions& options, std::size_t partitions) {
  blocking::Admin admin(client_options(options.brokers));
  if (auto count = count_partitions(admin, *options.to)) return *count;
  NewTopic topic(*options.to, static_cast<std::int32_t>(partitions));
  try {
    for (const ConfigEntry& config : admin.topic_configs(options.topic))
      if (!config.is_default && config.value)
        topic.configs.emplace_back(config.name, *config.value);
  } catch (const Exception&) {
    // A broker may keep its settings to itself; then the target has the defaults.
  }
  create_topic(admin, std::move(topic));
  return partitions;
}

class Replaying {
 public:
  Replaying(MergedTopic& records, RecordTarget& target, const Pace& pace,
            const Interrupt& interrupt)
      : records_(records), target_(target), pacer_(pace, target, progress_, interrupt) {}

  Result<void> run();
  /// On stderr: what was done.
  void report();

 private:
  std::string line(std::optional<std::int64_t> time_ms);

  MergedTopic& records_;
  RecordTarget& target_;
  Progress progress_;
  Pacer pacer_;
  std::int64_t count_ = 0;
};

Result<void> Replaying::run() {
  std::optional<std::int64_t> time_ms;
  std::function<std::string()> text = [&] { return line(time_ms); };
  while (!target_.is_closed()) {
    auto next = records_.next();
    if (!next) break;
    time_ms = next->time_ms;
    if (!pacer_.wait(time_ms, text)) break;
    Result<void> put = target_.put(*next->record);
    if (!put) return put;
    ++count_;
  }
  return {};
}

std::string Replaying::line(std::optional<std::int64_t> time_ms) {
  std::int64_t done = records_.offsets_done();
  std::int64_t total = records_.offsets_total();
  auto left = progress_.seconds_left(static_cast<double>(done), static_cast<double>(total));
  std::string text = fmt::format("{} of {} records, {} %, {:.0f} records/s", done, total,
                                 total > 0 ? 100 * done / total : 100, progress_.rate());
  if (time_ms && *time_ms >= column::timestamp_min.ms && *time_ms <= column::timestamp_max.ms) {
    text += ", at ";
    column::append_timestamp(text, column::Timestamp{*time_ms});
  }
  if (left) text += ", " + seconds_text(*left) + " left";
  return text;
}

void Replaying::report() {
  progress_.wipe();
  double seconds = std::max(progress_.seconds(), 1e-6);
  fmt::print(stderr, "{} records in {:.2f} s, {:.0f} records/s\n", count_, seconds,
             static_cast<double>(count_) / seconds);
}

Result<std::unique_ptr<RecordTarget>> open_target(const ReplayOptions& options,
                                                  std::size_t partitions) {
  if (options.to) {
    bool keeps_partitions = prepare_topic(options, partitions) >= partitions;
    return make_topic_target({options.brokers, *options.to, options.codec, keeps_partitions});
  }
  if (options.format == "json") return make_json_target();
  auto record_template = RecordTemplate::parse(options.record_template.value_or("%s\n"));
  if (!record_template) return fail(record_template);
  return make_text_target(std::move(*record_template));
}

Result<void> check(const ReplayOptions& options) {
  if (options.record_template && options.format == "json")
    return fail(Errc::invalid_argument, "-f and --format json exclude each other");
  if (options.to && (options.record_template || options.format == "json"))
    return fail(Errc::invalid_argument, "-f and --format are for stdout, not for --to");
  if (!options.to && options.codec != "none") return fail(Errc::invalid_argument, "-z is for --to");
  return {};
}

int replay(const ReplayOptions& options) {
  if (auto checked = check(options); !checked) return fail_command(checked.error());
  auto speed = parse_speed(options.speed);
  if (!speed) return fail_command(speed.error());
  auto range = Range::parse(options.range, SystemClock().wall_ms());
  if (!range) return fail_command(range.error());
  Interrupt interrupt;
  // An interrupt ends the reading, not the delivery of what was read.
  ClientOptions reading = client_options(options.brokers, interrupt.token());
  blocking::Admin admin(reading);
  auto parts = find_parts(admin, {options.topic, std::nullopt, *range, true, true});
  if (!parts) return fail_command(parts.error());
  auto target = open_target(options, parts->size());
  if (!target) return fail_command(target.error());
  MergedTopic records(reading, options.topic, *parts);
  Replaying replaying(records, **target, Pace(*speed), interrupt);
  Result<void> put;
  Result<void> read = attempt([&] { put = replaying.run(); });
  Result<void> done = read ? put : read;
  Result<void> finished = (*target)->finish();
  replaying.report();
  if (!done && !interrupt.requested()) return fail_command(done.error());
  if (!finished) return fail_command(finished.error());
  if (!interrupt.requested()) return exit_ok;
  complain("interrupted");
  return interrupt.exit_code();
}

void declare(Arguments& arguments) {
  auto options = std::make_shared<ReplayOptions>();
  arguments.required("TOPIC", options->topic, "The topic");
  arguments.brokers(options->brokers);
  arguments.option("-o,--offset RANGE", options->range,
                   "A:B, as for leat consume; the end is pinned when the command starts");
  arguments.option("--to TOPIC", options->to,
                   "The topic that the records go to, instead of stdout; made like the first one "
                   "if it is missing");
  arguments.option("--speed X", options->speed,
                   "Times their own pace, by the records' timestamps, or max");
  arguments.choice("-z,--compression CODEC", options->codec, codec_names(),
                   "How batches for --to are compressed");
  arguments.option("-f,--template TEMPLATE", options->record_template,
                   "What to print, as for leat consume");
  arguments.format(options->format);
  arguments.run([options] { return replay(*options); });
}

}  // namespace

const Command replay_command{
    "replay", "Re-emits the records of a topic, at a multiple of their own pace",
    "  leat replay edits                               as fast as they once came\n"
    "  leat replay edits --speed 60 -f '%T %s\\n'       a minute a second\n"
    "  leat replay edits --to rehearsal --speed max    copies the topic\n"
    "  leat replay edits --to rehearsal -o @2015-09-12T10:00:00Z:@2015-09-12T11:00:00Z\n"
    "Partitions are merged by timestamp; within one, the order of the log is kept. Key, value,\n"
    "headers and timestamp are kept, and the partition's number where --to has as many. Ctrl-C\n"
    "stops after a whole record and delivers what was read; the exit code is then 130.",
    declare};

}  // namespace leat::tools
