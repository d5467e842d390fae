// leat fsck: reads a data directory and says what is wrong with it.
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include <fmt/core.h>

#include "base/clock.h"
#include "base/logging.h"
#include "file/posix_file_system.h"
#include "log/store.h"
#include "stream/data_directory.h"
#include "tools/commands.h"
#include "tools/connect.h"
#include "tools/data_topics.h"
#include "tools/output.h"
#include "tools/progress.h"
#include "tools/record_json.h"

namespace leat::tools {

namespace {

struct FsckOptions {
  std::string data = "./leat-data";
  std::optional<std::string> accept_loss;
  std::vector<std::string> range;
  std::string format = "text";
};

const char* describe(log::Finding::Kind kind) {
  switch (kind) {
    case log::Finding::Kind::damage: return "damage";
    case log::Finding::Kind::cut: return "unacknowledged";
    case log::Finding::Kind::accepted: return "accepted";
    case log::Finding::Kind::seal: return "seal";
    case log::Finding::Kind::index: return "index";
    case log::Finding::Kind::journal: return "journal";
    case log::Finding::Kind::unknown: return "unknown";
  }
  return "unknown";
}

void append_text(std::string& out, const log::Finding& finding, const std::string& partition) {
  out += fmt::format("{}: {}", describe(finding.kind), finding.path);
  if (finding.offsets.base != finding.offsets.next) {
    out += fmt::format(": {} offsets {}:{}", partition, finding.offsets.base.value(),
                       finding.offsets.next.value());
  }
  if (finding.bytes > 0) {
    out += fmt::format(", {} bytes at position {}", finding.bytes, finding.position);
  }
  out += fmt::format(": {}\n", finding.cause);
}

void append_json(std::string& out, const log::Finding& finding, const std::string& partition) {
  out += fmt::format("{{\"kind\":\"{}\",\"path\":", describe(finding.kind));
  append_json_text(out, finding.path);
  out += ",\"partition\":";
  append_json_text(out, partition);
  out += fmt::format(
      ",\"base_offset\":{},\"next_offset\":{},\"position\":{},\"bytes\":{},\"cause\":",
      finding.offsets.base.value(), finding.offsets.next.value(), finding.position, finding.bytes);
  append_json_text(out, finding.cause);
  out += "}\n";
}

int check(const FsckOptions& options, file::FileSystem& files) {
  auto names = read_topic_names(files, options.data);
  Progress progress;
  auto show = [&](std::uint64_t done, std::uint64_t total) {
    progress.show([&] {
      auto left = progress.seconds_left(static_cast<double>(done), static_cast<double>(total));
      return fmt::format("{} of {}, {}/s{}", bytes_text(done), bytes_text(total),
                         bytes_text(static_cast<std::uint64_t>(progress.rate())),
                         left ? ", " + seconds_text(*left) + " left" : "");
    });
  };
  auto report = log::check_directory(files, options.data, show);
  progress.wipe();
  if (!report) return fail_command(report.error());
  Output output;
  bool is_damaged = false;
  for (const log::Finding& finding : report->findings) {
    std::string partition = partition_name(names, finding.partition);
    if (options.format == "json") {
      append_json(output.buffer(), finding, partition);
    } else {
      append_text(output.buffer(), finding, partition);
    }
    output.written();
    if (finding.kind != log::Finding::Kind::damage || is_damaged) continue;
    is_damaged = true;
    fmt::print(stderr,
               "Damaged records are not served, all others are. To have readers skip them:\n"
               "  leat fsck --data {} --accept-loss {} {}:{}\n",
               options.data, partition, finding.offsets.base.value(), finding.offsets.next.value());
  }
  fmt::print(stderr, "{} partitions, {} records in {} batches, {} bytes: {}\n", report->partitions,
             report->records, report->batches, report->bytes,
             report->damaged() ? "DAMAGED" : "sound");
  return report->damaged() ? exit_error : exit_ok;
}

/// What `--accept-loss edits/0 100:200` names.
struct Loss {
  std::string topic;
  PartitionId partition;
  log::OffsetRange range;
};

Result<Loss> parse_loss(const FsckOptions& options) {
  auto wrong = [] {
    return fail(Errc::invalid_argument,
                "--accept-loss takes TOPIC/PARTITION and BASE:NEXT, such as: edits/0 100:200");
  };
  auto number = [](std::string_view text, std::int64_t& into) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
    return error == std::errc{} && end == text.data() + text.size() && into >= 0;
  };
  std::string_view target = *options.accept_loss;
  std::size_t slash = target.rfind('/');
  if (slash == target.npos || options.range.size() != 1) return wrong();
  std::string_view range = options.range[0];
  std::size_t colon = range.find(':');
  std::int64_t partition = 0;
  std::int64_t base = 0;
  std::int64_t next = 0;
  if (colon == range.npos || !number(target.substr(slash + 1), partition) ||
      partition > INT32_MAX || !number(range.substr(0, colon), base) ||
      !number(range.substr(colon + 1), next) || base >= next) {
    return wrong();
  }
  return Loss{std::string(target.substr(0, slash)),
              PartitionId{static_cast<std::int32_t>(partition)},
              {Offset{base}, Offset{next}}};
}

/// Asks `question` where the broker lives and waits for its answer, which is shared: the one who
/// gives it may still be at it when we go on.
template <class Answer>
Answer ask(stream::DataDirectory& directory,
           UniqueFunction<void(std::shared_ptr<std::promise<Answer>>)> question) {
  auto answer = std::make_shared<std::promise<Answer>>();
  std::future<Answer> given = answer->get_future();
  directory.executor().post(
      [question = std::move(question), answer]() mutable { question(std::move(answer)); });
  return given.get();
}

/// Reads the range, so that the log knows what of it is damaged: only that can be given up.
Result<void> find_damage(stream::DataDirectory& directory, const TopicPartition& id,
                         const log::OffsetRange& range) {
  constexpr std::uint64_t read_bytes = 1 << 20;
  bool was_damaged_here = false;
  for (Offset at = range.base; at < range.next;) {
    // Asking behind a read finds what that read told the log.
    auto view = ask<std::shared_ptr<const log::LogView>>(directory, [&](auto answer) {
      auto partition = directory.broker().find_partition(id.topic_id, id.partition);
      answer->set_value(partition == nullptr ? nullptr : partition->view());
    });
    if (!view) return fail(Errc::unknown_topic_or_partition, "the topic has no such partition");
    auto known = std::find_if(view->damaged.begin(), view->damaged.end(), [&](const auto& damage) {
      return damage.base <= at && at < damage.next;
    });
    if (known != view->damaged.end()) {
      at = known->next;
      was_damaged_here = false;
      continue;
    }
    auto slice = view->read(at, read_bytes);
    if (slice && slice->bytes > 0) {
      at = slice->next_offset;
    } else if (slice || was_damaged_here || slice.error().code != Errc::corrupt_message) {
      return slice ? Result<void>() : fail(slice);
    } else {
      was_damaged_here = true;
    }
  }
  return {};
}

Result<void> accept(const Loss& loss, const std::string& data, file::FileSystem& files) {
  SystemClock clock;
  broker::BrokerOptions options;
  options.store.directory = data;
  options.store.owner = fmt::format("pid {}, leat fsck --accept-loss", ::getpid());
  auto directory = stream::DataDirectory::open(options, files, clock, Random::from_entropy());
  if (!directory) return fail(directory);
  auto topic = (*directory)->topics().find_topic(loss.topic);
  if (!topic) return fail(topic);
  TopicPartition id{topic->id, loss.partition};
  if (auto found = find_damage(**directory, id, loss.range); !found) return found;
  return ask<Result<void>>(**directory, [&](auto answer) {
    (*directory)->broker().store().accept_loss(id, loss.range, [answer](Result<void> result) {
      answer->set_value(result);
    });
  });
}

int fsck(const FsckOptions& options) {
  set_log_level(LogLevel::none);  // the findings say it all
  file::PosixFileSystem files;
  if (!options.accept_loss && !options.range.empty()) {
    return fail_command(
        {Errc::invalid_argument,
         fmt::format("a directory is named by --data: leat fsck --data {}; and a range of offsets "
                     "belongs to --accept-loss",
                     options.range[0])});
  }
  {
    auto lock = hold_directory(files, options.data);
    if (!lock) return fail_command(lock.error());
    if (!options.accept_loss) return check(options, files);
  }
  auto loss = parse_loss(options);
  if (!loss) return fail_command(loss.error());
  if (auto accepted = accept(*loss, options.data, files); !accepted) {
    return fail_command(accepted.error());
  }
  fmt::print("accepted the loss of {} records: {}/{} offsets {}:{}\n",
             loss->range.next - loss->range.base, loss->topic, loss->partition.value(),
             loss->range.base.value(), loss->range.next.value());
  return exit_ok;
}

void declare(Arguments& arguments) {
  auto options = std::make_shared<FsckOptions>();
  arguments.option("-d,--data DIR", options->data, "The data directory");
  arguments.option("--accept-loss TOPIC/PARTITION", options->accept_loss,
                   "Whose damaged RANGE readers shall skip from now on");
  arguments.positionals("RANGE", options->range, "BASE:NEXT, the offsets that are lost", false);
  arguments.format(options->format);
  arguments.run([options] { return fsck(*options); });
}

}  // namespace

const Command fsck_command{
    "fsck", "Checks a data directory that no server holds, and changes nothing",
    "  leat fsck                                    checks ./leat-data\n"
    "  leat fsck --data /var/lib/leat --format json\n"
    "  leat fsck --accept-loss edits/0 100:200      readers skip these offsets from now on\n"
    "The exit code is 1 if acknowledged records are damaged. Damaged bytes are never deleted.",
    declare};

}  // namespace leat::tools
