// leat consume: prints the records of a topic.
//
// When the range ends, partitions are printed one after the other, each in the order of its
// offsets, so that the same range prints the same text. When it is open, or ends behind what is
// there, records are printed as they arrive, of each partition in order. As a member of a group it
// prints what the group gives it, from where the group is.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/clock.h"
#include "leat/blocking.h"
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
            const Interrupt& interrupt)
      : options_(options),
        range_(range),
        is_json_(options.format == "json"),
        template_(std::move(record_template)),
        interrupt_(interrupt),
        left_(options.count.value_or(INT64_MAX)) {}

  Result<void> run();
  bool output_failed() const { return output_.failed(); }
  /// Interrupted, though an end or a number of records was asked for.
  bool is_cut_short() const {
    return interrupt_.requested() && left_ > 0 && (has_end_ || options_.count.has_value());
  }

 private:
  void read_assigned();
  /// Reads as a member of the group.
  Result<void> read_in_group();
  ConsumerOptions member_options();
  void begin_where_group_is_not(std::span<const Partition> given);
  void read();
  /// True where it goes up to the end of what is to be read, or beyond.
  bool print(PartitionRecords given);
  void print(const InRecord& record);
  void commit(const std::function<bool(const Partition&)>& is_wanted);
  /// Whether all that is ours was read to its end.
  bool is_at_end();
  const TopicPart* find_part(std::int32_t partition) const;
  bool is_full() const { return left_ <= 0 || output_.closed(); }
  bool is_done() const { return is_full() || interrupt_.requested(); }

  const ConsumeOptions& options_;
  Range range_;
  bool is_json_;
  RecordTemplate template_;
  const Interrupt& interrupt_;
  std::vector<TopicPart> parts_;
  std::optional<blocking::Consumer> consumer_;
  Output output_;
  std::int64_t left_;
  bool has_end_ = false;
  /// Everything before is printed, and not committed yet.
  std::map<Partition, std::int64_t> printed_;
  /// What went wrong in a callback.
  Result<void> called_;
};

const TopicPart* Consuming::find_part(std::int32_t partition) const {
  for (const TopicPart& part : parts_)
    if (part.partition == partition) return &part;
  return nullptr;
}

Result<void> Consuming::run() {
  {
    blocking::Admin admin(client_options(options_.brokers, interrupt_.token()));
    TopicQuery query{options_.topic, options_.partition, range_, options_.exit_at_end, true};
    auto parts = find_parts(admin, query);
    if (!parts) return fail(parts);
    parts_ = std::move(*parts);
  }
  if (options_.group) return read_in_group();
  read_assigned();
  return {};
}

void Consuming::read_assigned() {
  ConsumerOptions options;
  options.offset_reset = OffsetReset::none;
  consumer_.emplace(client_options(options_.brokers, interrupt_.token()), options);
  has_end_ = std::all_of(parts_.begin(), parts_.end(),
                         [](const TopicPart& part) { return part.range.end.has_value(); });
  bool all_there = std::all_of(parts_.begin(), parts_.end(), [](const TopicPart& part) {
    return part.range.end && *part.range.end <= part.end_offset;
  });
  std::vector<PartitionOffset> positions;
  for (const TopicPart& part : parts_)
    positions.push_back({{options_.topic, part.partition}, part.range.begin});
  if (!all_there) {
    consumer_->assign(positions);
    return read();
  }
  for (const PartitionOffset& position : positions) {
    if (is_done()) break;
    consumer_->assign({position});
    read();
  }
}

ConsumerOptions Consuming::member_options() {
  ConsumerOptions options;
  options.group = *options_.group;
  options.assignors = {Assignor::range};
  options.offset_reset = OffsetReset::earliest;
  options.session_timeout = std::chrono::seconds(30);
  options.max_poll_interval = std::chrono::seconds(60);
  // What is printed is committed, not what is polled.
  options.auto_commit = false;
  options.on_assigned = [this](std::span<const Partition> given) {
    Result<void> begun = attempt([&] { begin_where_group_is_not(given); });
    if (!begun) called_ = begun;
  };
  options.on_revoked = [this](std::span<const Partition> taken, bool is_lost) {
    auto is_taken = [&](const Partition& partition) {
      return std::find(taken.begin(), taken.end(), partition) != taken.end();
    };
    Result<void> committed = attempt([&] {
      if (!is_lost) commit(is_taken);
    });
    if (!committed) called_ = committed;
    std::erase_if(printed_, [&](const auto& entry) { return is_taken(entry.first); });
  };
  return options;
}

Result<void> Consuming::read_in_group() {
  has_end_ = options_.exit_at_end || range_.end.has_value();
  // An interrupt ends the reading; what was printed is still committed. The patience is for the
  // last words to a group whose cluster does not answer, too.
  ClientOptions connect = client_options(options_.brokers);
  connect.operation_timeout = std::chrono::seconds(5);
  consumer_.emplace(std::move(connect), member_options());
  consumer_->subscribe({options_.topic});
  Result<void> was_read = attempt([&] { read(); });
  Result<void> closed = attempt([&] { consumer_->close(); });
  if (!was_read) return was_read;
  return called_ ? closed : called_;
}

/// -o is for what the group has never read.
void Consuming::begin_where_group_is_not(std::span<const Partition> given) {
  std::vector<CommittedOffset> committed = consumer_->committed();
  for (const Partition& partition : given) {
    bool is_known = std::any_of(committed.begin(), committed.end(),
                                [&](const auto& offset) { return offset.partition == partition; });
    const TopicPart* part = find_part(partition.number);
    if (part && !is_known) consumer_->seek({partition, part->range.begin});
  }
}

void Consuming::read() {
  using std::chrono::milliseconds;
  // What is left before an end may be nothing that polling gives.
  const milliseconds patience = has_end_ ? milliseconds(20) : milliseconds(100);
  auto committed = std::chrono::steady_clock::now();
  bool may_be_at_end = true;
  while (!is_done() && called_) {
    if (has_end_ && may_be_at_end && is_at_end()) break;
    Records records = consumer_->poll(patience);
    may_be_at_end = records.empty();
    for (PartitionRecords& given : records.split()) may_be_at_end |= print(std::move(given));
    // Whoever reads along wants to see what there is.
    output_.flush();
    auto now = std::chrono::steady_clock::now();
    if (!options_.group || now - committed < std::chrono::seconds(1)) continue;
    committed = now;
    try {
      commit([](const Partition&) { return true; });
    } catch (const Exception& failed) {
      // It is tried again, until polling gives the cluster up.
      if (!retriable(failed.code())) throw;
    }
  }
}

bool Consuming::print(PartitionRecords given) {
  const TopicPart* part = find_part(given.partition.number);
  static const PartitionRange everything;
  const PartitionRange& range = part ? part->range : everything;
  std::int64_t end = range.end.value_or(INT64_MAX);
  std::int64_t printed = std::min(given.next_offset, end);
  for (const InRecord& record : given.records) {
    if (record.offset >= end || is_full()) {
      printed = std::min(record.offset, end);
      break;
    }
    if (range.holds_time(record.timestamp.time_since_epoch().count())) print(record);
  }
  // Nobody knows how much of it was seen where output is closed.
  if (!output_.closed()) printed_[given.partition] = printed;
  bool is_to_end = given.next_offset >= end;
  if (is_to_end) consumer_->pause(given.partition);
  return is_to_end;
}

/// Where the group has gone on without us there is nothing to be done about it: somebody else
/// prints that again.
void Consuming::commit(const std::function<bool(const Partition&)>& is_wanted) {
  output_.flush();
  std::vector<CommittedOffset> offsets;
  for (const auto& [partition, offset] : printed_)
    if (is_wanted(partition)) offsets.push_back({partition, offset});
  if (offsets.empty() || output_.closed()) return;
  try {
    consumer_->commit_offsets(offsets);
    for (const CommittedOffset& offset : offsets) printed_.erase(offset.partition);
  } catch (const Exception& failed) {
    bool is_gone =
        failed.code() == ClientError::cancelled || failed.code() == ClientError::invalid_argument;
    if (!is_gone) throw;
  }
}

void Consuming::print(const InRecord& record) {
  if (is_json_) {
    append_record_json(output_.buffer(), record);
    output_.buffer() += '\n';
  } else {
    template_.print(record, output_.buffer());
  }
  output_.written();
  --left_;
}

bool Consuming::is_at_end() {
  std::vector<Partition> ours = consumer_->assignment();
  for (const Partition& partition : ours) {
    const TopicPart* part = find_part(partition.number);
    auto position = consumer_->position(partition);
    if (!part || !part->range.end || !position || *position < *part->range.end) return false;
  }
  // Who has nothing may be given something yet.
  return !ours.empty();
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
  Consuming consuming(options, *range, std::move(*record_template), interrupt);
  Result<void> read;
  Result<void> asked = attempt([&] { read = consuming.run(); });
  Result<void> done = asked ? read : asked;
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
