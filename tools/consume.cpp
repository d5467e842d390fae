// leat consume: prints the records of a topic.
//
// When the range ends, partitions are printed one after the other, each in the order of its
// offsets, so that the same range prints the same text. When it is open, or ends behind what is
// there, records are printed as they arrive, of each partition in order. As a member of a group it
// prints what the group gives it, from where the group is.
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/clock.h"
#include "client/blocking_client.h"
#include "client/blocking_consumer.h"
#include "client/blocking_group_consumer.h"
#include "client/record_reader.h"
#include "tools/commands.h"
#include "tools/connect.h"
#include "tools/interrupt.h"
#include "tools/output.h"
#include "tools/position.h"
#include "tools/record_json.h"
#include "tools/record_template.h"
#include "tools/topic_parts.h"

namespace leat::tools {

namespace {

struct ConsumeOptions {
  std::string brokers = default_brokers;
  std::string topic;
  std::optional<std::int64_t> partition;
  std::string range = "start:";
  std::optional<std::int64_t> count;
  bool exit_at_end = false;
  std::optional<std::string> group;
  std::optional<std::string> record_template;
  std::string format = "text";
};

class Consuming {
 public:
  Consuming(const ConsumeOptions& options, Range range, RecordTemplate record_template,
            client::BlockingClient& client, const Interrupt& interrupt)
      : options_(options),
        range_(range),
        template_(std::move(record_template)),
        client_(client),
        interrupt_(interrupt),
        left_(options.count.value_or(INT64_MAX)) {}

  Result<void> run();
  /// Reads as a member of the group.
  Result<void> run_in_group(const ClientOptions& connect);
  bool output_failed() const { return output_.failed(); }
  /// Interrupted, though an end or a number of records was asked for.
  bool is_cut_short() const {
    return interrupt_.requested() && left_ > 0 && (has_end_ || options_.count.has_value());
  }

 private:
  Result<void> print(const std::vector<TopicPart>& parts);
  Result<void> print_group(client::BlockingGroupConsumer& consumer,
                           const std::vector<TopicPart>& parts);
  Result<void> print(const client::Fetched& fetched, const PartitionRange& range);
  bool is_done() const { return left_ <= 0 || output_.closed() || interrupt_.requested(); }

  const ConsumeOptions& options_;
  Range range_;
  RecordTemplate template_;
  client::BlockingClient& client_;
  const Interrupt& interrupt_;
  ConsumerOptions consumer_options_;
  record::Scratch scratch_;
  Output output_;
  std::int64_t left_;
  bool has_end_ = false;
  std::int64_t printed_until_ = 0;  // of the partition printed last
};

const TopicPart* find_part(const std::vector<TopicPart>& parts, std::int32_t partition) {
  for (const TopicPart& part : parts) {
    if (part.partition == partition) return &part;
  }
  return nullptr;
}

Result<void> Consuming::run() {
  auto parts = find_parts(client_, {options_.topic, options_.partition, range_,
                                    options_.exit_at_end, consumer_options_.read_committed});
  if (!parts) return fail(parts);
  has_end_ = std::all_of(parts->begin(), parts->end(),
                         [](const TopicPart& part) { return part.range.end.has_value(); });
  bool all_there = std::all_of(parts->begin(), parts->end(), [](const TopicPart& part) {
    return part.range.end && *part.range.end <= part.end_offset;
  });
  if (!all_there) return print(*parts);
  for (const TopicPart& part : *parts) {
    if (is_done()) break;
    Result<void> printed = print(std::vector{part});
    if (!printed) return printed;
  }
  return {};
}

Result<void> Consuming::print(const std::vector<TopicPart>& parts) {
  std::vector<client::Assignment> assignments;
  for (const TopicPart& part : parts)
    assignments.push_back({options_.topic, part.partition, part.range.begin, part.range.end});
  client::BlockingConsumer consumer(client_, std::move(assignments), consumer_options_);
  while (!is_done()) {
    auto fetched = consumer.poll(std::chrono::milliseconds(0));
    if (fetched && !*fetched) {
      // Nothing is waiting: whoever reads along wants to see what there is.
      output_.flush();
      if (consumer.finished()) break;
      fetched = consumer.poll(std::chrono::milliseconds(100));
    }
    if (!fetched) return fail(fetched);
    if (!*fetched) continue;
    const TopicPart* part = find_part(parts, (*fetched)->partition);
    Result<void> printed = print(**fetched, part->range);
    if (!printed) return printed;
  }
  return {};
}

Result<void> Consuming::print(const client::Fetched& fetched, const PartitionRange& range) {
  RecordPlace place{fetched.topic, fetched.partition};
  bool json = options_.format == "json";
  client::RecordReader records(fetched, scratch_);
  while (const record::Record* record = records.next()) {
    if (!range.holds_time(record->timestamp_ms)) continue;
    if (json) {
      append_record_json(output_.buffer(), place, *record);
      output_.buffer() += '\n';
    } else {
      template_.print(place, *record, output_.buffer());
    }
    output_.written();
    if (output_.closed()) return {};
    printed_until_ = record->offset.value() + 1;
    if (--left_ <= 0) return {};
  }
  if (const Error* error = records.error()) return tl::unexpected(*error);
  printed_until_ = fetched.end;
  return {};
}

Result<void> Consuming::run_in_group(const ClientOptions& connect) {
  auto parts = find_parts(client_, {options_.topic, std::nullopt, range_, options_.exit_at_end,
                                    consumer_options_.read_committed});
  if (!parts) return fail(parts);
  has_end_ = options_.exit_at_end || range_.end.has_value();
  client::GroupConsumerOptions group;
  group.topics = {options_.topic};
  group.consumer = consumer_options_;
  group.consumer.group = *options_.group;
  group.consumer.assignors = {Assignor::range};
  group.consumer.session_timeout = std::chrono::seconds(30);
  group.consumer.max_poll_interval = std::chrono::seconds(60);
  group.before_commit = [this] { output_.flush(); };
  group.begin_at = [&](const std::string& topic, std::int32_t partition) {
    client::Assignment assignment{topic, partition, 0, std::nullopt};
    if (const TopicPart* part = find_part(*parts, partition)) {
      assignment.begin = part->range.begin;
      assignment.end = part->range.end;
    }
    return assignment;
  };
  client::BlockingGroupConsumer consumer(client_, connect, std::move(group));
  Result<void> printed = print_group(consumer, *parts);
  Result<void> closed = plain(consumer.close());
  return printed ? closed : printed;
}

Result<void> Consuming::print_group(client::BlockingGroupConsumer& consumer,
                                    const std::vector<TopicPart>& parts) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::seconds commit_interval{1};
  Clock::time_point committed = Clock::now();
  while (!is_done()) {
    auto fetched = consumer.poll(std::chrono::milliseconds(0));
    if (fetched && !*fetched) {
      output_.flush();
      if (consumer.finished()) break;
      fetched = consumer.poll(std::chrono::milliseconds(100));
    }
    if (!fetched) return fail(fetched);
    if (*fetched) {
      const TopicPart* part = find_part(parts, (*fetched)->partition);
      printed_until_ = (*fetched)->begin;
      Result<void> printed = print(**fetched, part != nullptr ? part->range : PartitionRange{});
      if (!printed) return printed;
      consumer.done_until(options_.topic, (*fetched)->partition, printed_until_);
    }
    if (Clock::now() - committed < commit_interval) continue;
    committed = Clock::now();
    if (auto done = consumer.commit(); !done) return fail(done);
  }
  return {};
}

int consume(const ConsumeOptions& options) {
  if (options.group && options.partition)
    return fail_command({Errc::invalid_argument,
                         "-g and -p exclude each other: a group shares out the partitions"});
  if (options.record_template && options.format == "json")
    return fail_command({Errc::invalid_argument, "-f and --format json exclude each other"});
  auto range = Range::parse(options.range, SystemClock().wall_ms());
  if (!range) return fail_command(range.error());
  auto record_template = RecordTemplate::parse(options.record_template.value_or("%s\n"));
  if (!record_template) return fail_command(record_template.error());
  Interrupt interrupt;
  auto connect = client_options(options.brokers, interrupt.token());
  if (!connect) return fail_command(connect.error());
  client::BlockingClient client(*connect);
  Consuming consuming(options, *range, std::move(*record_template), client, interrupt);
  Result<void> done = options.group ? consuming.run_in_group(*connect) : consuming.run();
  if (!done && !interrupt.requested()) return fail_command(done.error());
  if (consuming.output_failed()) return exit_error;
  return consuming.is_cut_short() ? interrupt.exit_code() : exit_ok;
}

void declare(Arguments& arguments) {
  auto options = std::make_shared<ConsumeOptions>();
  arguments.required("TOPIC", options->topic, "The topic");
  arguments.brokers(options->brokers);
  arguments.option("-p,--partition N", options->partition, "Only this one (default: all)");
  arguments.option("-o,--offset RANGE", options->range,
                   "A:B, from A on and before B, each of them start, end, N, -N (before "
                   "the end), +N (after the start) or @TIME (RFC 3339, epoch ms, @-2h); the end is "
                   "pinned when the command starts");
  arguments.option("-n,--count N", options->count, "Stop after so many records");
  arguments.flag("-e,--exit", options->exit_at_end, "Stop at the end, as it is at the start");
  arguments.option(
      "-g,--group GROUP", options->group,
      "Read as a member of this group, from where it is; -o is for what it has never read");
  arguments.option("-f,--template TEMPLATE", options->record_template,
                   "What to print: %t topic, %p partition, %o offset, %k key, %s value, %T "
                   "timestamp, %h headers, %K %S bytes of key and value, \\n \\t \\xHH");
  arguments.format(options->format);
  arguments.run([options] { return consume(*options); });
}

}  // namespace

const Command consume_command{
    "consume", "Prints the records of a topic",
    "  leat consume edits                            from the start, then whatever comes\n"
    "  leat consume edits -o end                     whatever comes\n"
    "  leat consume edits -o -10: -e                 the last ten of each partition\n"
    "  leat consume edits -o @-1h -f '%T %k %s\\n'    since an hour ago, with time and key\n"
    "  leat consume edits -o @2015-09-12T10:00:00Z:@2015-09-12T11:00:00Z -e\n"
    "  leat consume edits -e --format json | leat produce copy -F json\n"
    "  leat consume edits -g audit                   what group audit has not read yet\n"
    "With an end, partitions are printed one after the other; else as their records arrive.\n"
    "A range that ends at a time ends, in each partition, before its first record that is as "
    "late.\n"
    "Ctrl-C stops after a whole record; the exit code is 130 if an end was asked for.",
    declare};

}  // namespace leat::tools
