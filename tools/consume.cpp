// leat consume: prints the records of a topic.
//
// When the range ends, partitions are printed one after the other, each in the order of its
// offsets, so that the same range prints the same text. When it is open, or ends behind what is
// there, records are printed as they arrive, of each partition in order.
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
#include "client/record_reader.h"
#include "tools/commands.h"
#include "tools/connect.h"
#include "tools/interrupt.h"
#include "tools/output.h"
#include "tools/position.h"
#include "tools/record_json.h"
#include "tools/record_template.h"

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

/// One partition and what of it is to be printed.
struct Part {
  std::int32_t partition = 0;
  PartitionRange range;
  /// Where the partition ended when the command started.
  std::int64_t end_offset = 0;
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
  bool output_failed() const { return output_.failed(); }

 private:
  Result<std::vector<Part>> find_parts();
  Result<std::vector<std::int32_t>> find_partitions();
  Result<void> print(const std::vector<Part>& parts);
  Result<void> print(const client::Fetched& fetched, const PartitionRange& range);
  bool is_done() const { return left_ <= 0 || output_.closed() || interrupt_.requested(); }

  const ConsumeOptions& options_;
  Range range_;
  RecordTemplate template_;
  client::BlockingClient& client_;
  const Interrupt& interrupt_;
  client::ConsumerOptions consumer_options_;
  record::Scratch scratch_;
  Output output_;
  std::int64_t left_;
};

Result<std::vector<std::int32_t>> Consuming::find_partitions() {
  auto topic = client_.describe_topic(options_.topic);
  if (!topic) return fail(topic);
  auto count = static_cast<std::int32_t>(topic->partitions.size());
  std::vector<std::int32_t> partitions;
  for (std::int32_t i = 0; i < count; ++i)
    if (options_.partition.value_or(i) == i) partitions.push_back(i);
  if (partitions.empty())
    return fail(Errc::unknown_topic_or_partition,
                fmt::format("topic {} has {} partitions and none of number {}", options_.topic,
                            count, options_.partition.value_or(-1)));
  return partitions;
}

Result<std::vector<Part>> Consuming::find_parts() {
  auto partitions = find_partitions();
  if (!partitions) return fail(partitions);
  // The end is asked for first: what a time finds later may lie behind it, never before the start.
  std::vector<std::int64_t> questions{client::at_end, client::at_start};
  if (range_.begin.kind == Position::Kind::time) questions.push_back(range_.begin.number);
  std::vector<client::OffsetQuery> queries;
  for (std::int64_t at : questions)
    for (std::int32_t partition : *partitions) queries.push_back({options_.topic, partition, at});
  auto offsets = client_.list_offsets(std::move(queries), consumer_options_.read_committed);
  if (!offsets) return fail(offsets);
  std::vector<Part> parts;
  for (std::size_t i = 0; i < partitions->size(); ++i) {
    auto answer = [&](std::size_t question) {
      return (*offsets)[question * partitions->size() + i];
    };
    PartitionEnds ends;
    ends.end_offset = answer(0).value_or(0);
    ends.start_offset = answer(1).value_or(0);
    if (questions.size() > 2) ends.begin_time_offset = answer(2);
    auto resolved = resolve(range_, ends, options_.exit_at_end);
    if (!resolved)
      return fail(resolved.error().code, fmt::format("{}/{}: {}", options_.topic, (*partitions)[i],
                                                     resolved.error().what));
    parts.push_back({(*partitions)[i], *resolved, ends.end_offset});
  }
  return parts;
}

Result<void> Consuming::run() {
  auto parts = find_parts();
  if (!parts) return fail(parts);
  bool all_there = std::all_of(parts->begin(), parts->end(), [](const Part& part) {
    return part.range.end && *part.range.end <= part.end_offset;
  });
  if (!all_there) return print(*parts);
  for (const Part& part : *parts) {
    if (is_done()) break;
    Result<void> printed = print(std::vector{part});
    if (!printed) return printed;
  }
  return {};
}

Result<void> Consuming::print(const std::vector<Part>& parts) {
  std::vector<client::Assignment> assignments;
  for (const Part& part : parts)
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
    auto part = std::find_if(parts.begin(), parts.end(), [&](const Part& candidate) {
      return candidate.partition == (*fetched)->partition;
    });
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
    if (--left_ <= 0 || output_.closed()) return {};
  }
  if (const Error* error = records.error()) return tl::unexpected(*error);
  return {};
}

int consume(const ConsumeOptions& options) {
  if (options.group)
    return fail_command({Errc::invalid_argument,
                         "-g: consumer groups are not there yet; without them, -o says from where "
                         "to read"});
  if (options.record_template && options.format == "json")
    return fail_command({Errc::invalid_argument, "-f and --format json exclude each other"});
  auto range = Range::parse(options.range, SystemClock().wall_ms());
  if (!range) return fail_command(range.error());
  auto record_template = RecordTemplate::parse(options.record_template.value_or("%s\n"));
  if (!record_template) return fail_command(record_template.error());
  Interrupt interrupt;
  auto connect = client_options(options.brokers, interrupt.token());
  if (!connect) return fail_command(connect.error());
  client::BlockingClient client(std::move(*connect));
  Consuming consuming(options, *range, std::move(*record_template), client, interrupt);
  Result<void> done = consuming.run();
  if (!done && !interrupt.requested()) return fail_command(done.error());
  return consuming.output_failed() ? exit_error : exit_ok;
}

void declare(Arguments& arguments) {
  auto options = std::make_shared<ConsumeOptions>();
  arguments.required("TOPIC", options->topic, "The topic");
  arguments.brokers(options->brokers);
  arguments.option("-p,--partition", options->partition, "Only this one (default: all)");
  arguments.option("-o,--offset", options->range,
                   "RANGE: A:B, from A on and before B, each of them start, end, N, -N (before "
                   "the end), +N (after the start) or @TIME (RFC 3339, epoch ms, @-2h); the end is "
                   "pinned when the command starts");
  arguments.option("-n,--count", options->count, "Stop after so many records");
  arguments.flag("-e,--exit", options->exit_at_end, "Stop at the end, as it is at the start");
  arguments.option("-g,--group", options->group, "Read as a member of a consumer group");
  arguments.option("-f,--template", options->record_template,
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
    "With an end, partitions are printed one after the other; else as their records arrive.\n"
    "A range that ends at a time is read to the end of the log: records may be out of order.",
    declare};

}  // namespace leat::tools
