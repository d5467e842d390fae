// leat replay: re-emits the records of a topic at a multiple of their own pace.
//
// The partitions' records are one sequence, by time (merged_topic.h). The end is where each
// partition ended when the command started, so replaying a topic into itself ends, too.
#include <poll.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <fmt/core.h>

#include "base/clock.h"
#include "column/timestamp.h"
#include "leat/blocking.h"
#include "tools/commands.h"
#include "tools/connect.h"
#include "tools/deliveries.h"
#include "tools/interrupt.h"
#include "tools/merged_topic.h"
#include "tools/output.h"
#include "tools/pace.h"
#include "tools/position.h"
#include "tools/progress.h"
#include "tools/record_json.h"
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

/// Where records go. Not thread-safe.
class Target {
 public:
  virtual ~Target() = default;
  virtual Result<void> put(const InRecord& record) = 0;
  /// What was put goes out now: nothing follows for a while.
  virtual void pause() = 0;
  /// Everything that was put has arrived, or why not.
  virtual Result<void> finish() = 0;
  /// Nobody takes any more.
  virtual bool is_closed() const { return false; }
};

class StdoutTarget final : public Target {
 public:
  StdoutTarget(const ReplayOptions& options, RecordTemplate record_template)
      : is_json_(options.format == "json"), template_(std::move(record_template)) {}

  Result<void> put(const InRecord& record) override {
    if (is_json_) {
      append_record_json(output_.buffer(), record);
      output_.buffer() += '\n';
    } else {
      template_.print(record, output_.buffer());
    }
    output_.written();
    return {};
  }
  void pause() override { output_.flush(); }
  Result<void> finish() override {
    output_.flush();
    if (output_.failed()) return fail(Errc::io_error, "not everything was printed");
    return {};
  }
  bool is_closed() const override { return output_.closed(); }

 private:
  bool is_json_;
  RecordTemplate template_;
  Output output_;
};

class TopicTarget final : public Target {
 public:
  TopicTarget(const ReplayOptions& options, bool keeps_partitions)
      : topic_(*options.to),
        keeps_partitions_(keeps_partitions),
        producer_(client_options(options.brokers), producer_options(options)) {}

  Result<void> put(const InRecord& record) override {
    if (deliveries_.failed() > 0) return failure();
    OutRecord out{topic_, record.key, record.value, record.headers, {}, record.timestamp};
    if (keeps_partitions_) out.partition = record.partition;
    producer_.enqueue(out);
    return {};
  }
  void pause() override {}  // what lingers is sent by itself
  Result<void> finish() override {
    producer_.flush();
    if (deliveries_.failed() > 0) return failure();
    return {};
  }

 private:
  Result<void> failure() const {
    return fail(Errc::broker_error,
                fmt::format("{} records were not delivered to {}", deliveries_.failed(), topic_));
  }

  ProducerOptions producer_options(const ReplayOptions& options) {
    ProducerOptions producer;
    producer.compression = codec_named(options.codec);
    producer.on_delivery = [this](const BatchDelivery& batch) { deliveries_.add(batch); };
    return producer;
  }

  std::string topic_;
  bool keeps_partitions_;
  Deliveries deliveries_;
  blocking::Producer producer_;
};

/// The number of a topic's partitions, if it is there.
std::optional<std::size_t> count_partitions(blocking::Admin& admin, const std::string& topic) {
  try {
    return admin.describe_topic(topic).partitions.size();
  } catch (const Exception& failed) {
    if (failed.code() != KafkaError::unknown_topic_or_partition) throw;
    return std::nullopt;
  }
}

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
  admin.create_topic(std::move(topic));
  fmt::print(stderr, "created topic {} with {} partitions\n", *options.to, partitions);
  return partitions;
}

class Replaying {
 public:
  Replaying(MergedTopic& records, Target& target, const Pace& pace, const Interrupt& interrupt)
      : records_(records), target_(target), pace_(pace), interrupt_(interrupt) {}

  Result<void> run();
  /// On stderr: what was done.
  void report();

 private:
  using Clock = std::chrono::steady_clock;

  void wait_until(Pace::Duration due, std::optional<std::int64_t> time_ms);
  std::string line(std::optional<std::int64_t> time_ms);

  MergedTopic& records_;
  Target& target_;
  Pace pace_;
  const Interrupt& interrupt_;
  Progress progress_;
  Clock::time_point started_ = Clock::now();
  std::int64_t count_ = 0;
};

Result<void> Replaying::run() {
  // The clock is looked at now and then only: it costs as much as a record.
  constexpr std::int64_t stride = 256;
  auto now = Pace::Duration::zero();
  while (!interrupt_.requested() && !target_.is_closed()) {
    auto next = records_.next();
    if (!next) break;
    if (count_ % stride == 0) {
      now = Clock::now() - started_;
      progress_.show([&] { return line(next->time_ms); });
    }
    auto due = pace_.due(next->time_ms, now);
    if (due > now) {
      wait_until(due, next->time_ms);
      now = Clock::now() - started_;
      if (interrupt_.requested()) break;
    }
    Result<void> put = target_.put(*next->record);
    if (!put) return put;
    ++count_;
  }
  return {};
}

void Replaying::wait_until(Pace::Duration due, std::optional<std::int64_t> time_ms) {
  using std::chrono::milliseconds;
  constexpr milliseconds look{200};
  bool is_paused = false;
  while (!interrupt_.requested()) {
    // Rounded down: a record may be a millisecond early, and many need not be waited for each.
    auto left = std::chrono::duration_cast<milliseconds>(due - (Clock::now() - started_));
    if (left <= milliseconds(0)) return;
    if (!is_paused) target_.pause();
    is_paused = true;
    progress_.show([&] { return line(time_ms); });
    pollfd wake{interrupt_.wake_fd(), POLLIN, 0};
    ::poll(&wake, 1, static_cast<int>(std::min(left, look).count()));
  }
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

Result<std::unique_ptr<Target>> open_target(const ReplayOptions& options, std::size_t partitions) {
  if (options.to)
    return std::make_unique<TopicTarget>(options, prepare_topic(options, partitions) >= partitions);
  auto record_template = RecordTemplate::parse(options.record_template.value_or("%s\n"));
  if (!record_template) return fail(record_template);
  return std::make_unique<StdoutTarget>(options, std::move(*record_template));
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
