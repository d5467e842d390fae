// Runs over a data directory in this process, or over a cluster.
#include "leat/runtime.h"

#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "file/posix_file_system.h"
#include "flow/appender.h"
#include "flow/graph.h"
#include "remote/remote_topics.h"
#include "stream/data_directory.h"
#include "stream/runner.h"

namespace leat::flow {

namespace {

template <class T>
T value_of(Result<T> result) {
  if (!result) throw Error(result.error().what);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

std::optional<Timestamp> time_of(stream::Watermark watermark) {
  if (watermark == stream::watermark_min) return {};
  return Timestamp(std::chrono::milliseconds(watermark));
}

// The states are the runner's, in its order.
RunStatus public_status(const stream::RunStatus& of) {
  RunStatus status;
  status.state = static_cast<RunStatus::State>(of.state);
  status.error = of.error;
  status.rows_in = of.progress.rows_in;
  status.rows_out = of.progress.rows_out;
  status.late = of.progress.late;
  status.bad = of.progress.bad;
  status.event_time = time_of(of.progress.watermark);
  status.held_back_by = of.progress.held_back_by;
  status.state_bytes = of.progress.state_bytes;
  for (std::size_t i = 0; i < of.progress.partitions.size(); ++i) {
    const auto& partition = of.progress.partitions[i];
    auto& to = status.partitions.emplace_back();
    to.source = partition.name;
    to.number = partition.id.value();
    to.position = partition.position.value();
    to.event_time = time_of(partition.watermark);
    to.idle = partition.idle;
    if (i < of.ends.size() && of.ends[i]) to.end = of.ends[i]->value();
  }
  return status;
}

}  // namespace

struct Runtime::Inside {
  SystemClock clock;
  file::PosixFileSystem files;
  // One of these, and what it has:
  std::unique_ptr<stream::DataDirectory> directory;
  std::unique_ptr<remote::RemoteTopics> cluster;
  stream::TopicStore* topics = nullptr;
  std::optional<Appender> appender;

  Offset start_of(const plan::Source& source, const stream::Topic& topic, PartitionId partition,
                  const stream::Readable& readable, const StartAt& from);
  std::vector<Offset> starts(const plan::Plan& plan, const StartAt& from);
};

// Where one partition of a source is read from.
Offset Runtime::Inside::start_of(const plan::Source& source, const stream::Topic& topic,
                                 PartitionId partition, const stream::Readable& readable,
                                 const StartAt& from) {
  for (const auto& position : from.offsets) {
    if (position.topic != topic.name || position.partition != partition.value()) continue;
    Offset offset{position.offset};
    if (offset >= readable.start && offset <= readable.high_watermark) return offset;
    throw Error(fmt::format("partition {} of {} cannot be read from offset {}: it has {} to {}",
                            position.partition, topic.name, position.offset, readable.start.value(),
                            readable.high_watermark.value()));
  }
  if (!from.time || source.upsert) return readable.start;
  if (directory == nullptr) throw Error("a time to begin at needs a directory: name offsets");
  auto found = directory->broker().find_partition(topic.id, partition);
  if (!found) throw Error("the topic '" + topic.name + "' was deleted");
  auto at = value_of(found->view()->find_timestamp(from.time->time_since_epoch().count()));
  return at ? at->offset : readable.high_watermark;
}

// Of all partitions, as a task has them: by source, then number. None for the beginnings.
std::vector<Offset> Runtime::Inside::starts(const plan::Plan& plan, const StartAt& from) {
  std::vector<Offset> starts;
  if (!from.time && from.offsets.empty()) return starts;
  std::size_t named = 0;
  for (const auto& node : plan.nodes) {
    const auto* source = std::get_if<plan::Source>(&node.body);
    if (source == nullptr) continue;
    if (source->topic.empty()) {
      starts.push_back(Offset{0});
      continue;
    }
    auto topic = value_of(topics->find_topic(source->topic));
    auto readable = value_of(value_of(topics->open(topic))->readable());
    for (std::int32_t i = 0; i < topic.partitions; ++i) {
      const auto& range = readable.at(static_cast<std::size_t>(i));
      starts.push_back(start_of(*source, topic, PartitionId{i}, range, from));
    }
    for (const auto& position : from.offsets) {
      bool there = position.topic == topic.name && position.partition < topic.partitions;
      if (there && position.partition >= 0) ++named;
    }
  }
  if (named < from.offsets.size()) {
    throw Error("the pipeline does not read all the partitions that it is to begin with");
  }
  return starts;
}

struct Run::Inside {
  std::unique_ptr<stream::Runner> runner;
};

Run::Run(leat::detail::Owned<Inside> inside) : inside_(std::move(inside)) {}
Run::~Run() = default;
Run::Run(Run&&) noexcept = default;
Run& Run::operator=(Run&&) noexcept = default;

void Run::wait() {
  value_of(inside_->runner->wait());
}
void Run::drain() {
  inside_->runner->drain();
}
void Run::stop() {
  inside_->runner->stop();
}
RunStatus Run::status() const {
  return public_status(inside_->runner->status());
}

Runtime::Runtime(RuntimeOptions options) : inside_(std::make_unique<Inside>()) {
  if (options.cluster) {
    inside_->cluster = std::make_unique<remote::RemoteTopics>(std::move(*options.cluster));
    inside_->topics = inside_->cluster.get();
    inside_->appender.emplace(*inside_->topics, inside_->clock);
    return;
  }
  broker::BrokerOptions broker;
  broker.store.directory = options.directory;
  broker.store.owner = "pid " + std::to_string(::getpid()) + ", which embeds it";
  inside_->directory = value_of(
      stream::DataDirectory::open(broker, inside_->files, inside_->clock, Random::from_entropy()));
  inside_->topics = &inside_->directory->topics();
  inside_->appender.emplace(*inside_->topics, inside_->clock);
}

Runtime::~Runtime() {
  // Whoever wants to know what went wrong calls it.
  (void)inside_->appender->flush();
}

void Runtime::create_topic(std::string_view name, std::int32_t partitions) {
  value_of(inside_->topics->create_topic(std::string(name), partitions));
}

std::int64_t Runtime::append(const OutRecord& record) {
  return value_of(inside_->appender->append(record)).value();
}
void Runtime::send(const OutRecord& record) {
  value_of(inside_->appender->send(record));
}
void Runtime::flush() {
  value_of(inside_->appender->flush());
}

Run Runtime::run(const Pipeline& pipeline, RunOptions options) {
  flush();
  plan::Plan plan = detail::GraphAccess::graph_of(pipeline).finish();
  stream::RunOptions inside;
  inside.from = inside_->starts(plan, options.from);
  inside.at_end = static_cast<stream::AtEnd>(options.at_end);
  inside.workers = options.workers;
  inside.state_bytes_max = options.state_bytes_max;
  inside.console = [](std::string_view lines) -> Result<void> {
    bool written = std::fwrite(lines.data(), 1, lines.size(), stdout) == lines.size();
    if (!written) return fail(Errc::io_error, "cannot write to the standard output");
    return {};
  };
  auto run = std::make_unique<Run::Inside>();
  run->runner = value_of(stream::Runner::open(std::move(plan), *inside_->topics, &inside_->files,
                                              inside_->clock, inside));
  run->runner->start();
  return Run(std::move(run));
}

}  // namespace leat::flow
