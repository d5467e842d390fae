// Runs over a data directory in this process, or over a cluster.
#include "leat/runtime.h"

#include <cstdio>
#include <future>
#include <memory>
#include <utility>

#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "file/posix_file_system.h"
#include "flow/graph.h"
#include "record/builder.h"
#include "record/partitioner.h"
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

std::optional<BytesView> bytes_of(const std::optional<std::string_view>& text) {
  return text ? std::optional(as_bytes(*text)) : std::nullopt;
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
  if (of.progress.watermark != stream::watermark_min) {
    status.event_time = Timestamp(std::chrono::milliseconds(of.progress.watermark));
  }
  status.state_bytes = of.progress.state_bytes;
  for (std::size_t i = 0; i < of.progress.partitions.size(); ++i) {
    const auto& partition = of.progress.partitions[i];
    auto& to = status.partitions.emplace_back();
    to.source = partition.name;
    to.number = partition.id.value();
    to.position = partition.position.value();
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
};

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
    return;
  }
  broker::BrokerOptions broker;
  broker.store.directory = options.directory;
  broker.store.owner = "pid " + std::to_string(::getpid()) + ", which embeds it";
  inside_->directory = value_of(
      stream::DataDirectory::open(broker, inside_->files, inside_->clock, Random::from_entropy()));
  inside_->topics = &inside_->directory->topics();
}

Runtime::~Runtime() = default;

void Runtime::create_topic(std::string_view name, std::int32_t partitions) {
  value_of(inside_->topics->create_topic(std::string(name), partitions));
}

std::int64_t Runtime::append(const OutRecord& record) {
  auto& topics = *inside_->topics;
  stream::Topic topic = value_of(topics.find_topic(std::string(record.topic)));
  std::int32_t partition = 0;
  if (record.partition) {
    partition = *record.partition;
  } else if (record.key) {
    partition = record::partition_of_key(as_bytes(*record.key), topic.partitions).value();
  }
  if (partition < 0 || partition >= topic.partitions) {
    throw Error("the topic '" + topic.name + "' has no partition " + std::to_string(partition));
  }
  std::vector<record::Header> headers;
  for (const Header& header : record.headers) {
    headers.push_back({header.name, bytes_of(header.value)});
  }
  std::int64_t time =
      record.timestamp ? record.timestamp->time_since_epoch().count() : inside_->clock.wall_ms();
  record::BatchBuilder batch;
  batch.append(time, bytes_of(record.key), bytes_of(record.value), headers);
  std::promise<Result<Offset>> appended;
  topics.append({topic.id, PartitionId{partition}}, batch.build(),
                [&](Result<Offset> offset) { appended.set_value(std::move(offset)); });
  return value_of(appended.get_future().get()).value();
}

Run Runtime::run(const Pipeline& pipeline, RunOptions options) {
  stream::RunOptions inside;
  inside.at_end = static_cast<stream::AtEnd>(options.at_end);
  inside.workers = options.workers;
  inside.state_bytes_max = options.state_bytes_max;
  inside.console = [](std::string_view lines) -> Result<void> {
    bool written = std::fwrite(lines.data(), 1, lines.size(), stdout) == lines.size();
    if (!written) return fail(Errc::io_error, "cannot write to the standard output");
    return {};
  };
  auto run = std::make_unique<Run::Inside>();
  run->runner =
      value_of(stream::Runner::open(detail::GraphAccess::graph_of(pipeline).finish(),
                                    *inside_->topics, &inside_->files, inside_->clock, inside));
  run->runner->start();
  return Run(std::move(run));
}

}  // namespace leat::flow
