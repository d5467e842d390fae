// What the client library costs the program that embeds it: leat::Producer and leat::Consumer
// beside librdkafka, against the same `leat serve --durability os`. Each client is a process of its
// own, on one core, the server on another. They take turns in each round, so that what else the
// machine does meets all; ratios are medians of the rounds' own.
//
//   bench-client [MIB [ROUNDS [ONLY]]]    how much to produce and consume each time, in values of
//                                         100 B (default 64; twice that in values of 1 KiB), how
//                                         often (3); only `none`, `lz4` or `pace`
//
// All clients: idempotence, acks of all, linger 5 ms, batches up to 512 KiB, 32 MiB of buffer, no
// delay of small segments; records in runs of a thousand for each partition, and after each run the
// client's own events are polled. librdkafka takes a run by one rd_kafka_produce_batch(), which
// copies, as ours does, and reports errors only; ours takes records one by one. Counted is the CPU
// time of all threads from the first record to the last acknowledgement, with connections open.
// Consumers fetch up to 1 MiB of a partition at a time; librdkafka checks no CRC, ours does. `fetch
// alone` receives the same answers and does not look at the records: no consumer can cost less.
//
// librdkafka is the system's, and that whose path LIBRDKAFKA names, or one of a Python package in
// `venv` of the build folder. Data goes to `client-data` of that.
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "bare_fetch.h"
#include "leat/client.h"
#include "processes.h"
#include "producing_clients.h"
#include "rdkafka.h"
#include "record/compression.h"
#include "record/scratch.h"

using namespace leat;
using namespace leat::bench;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t run_records = 1000;
constexpr std::size_t paced_per_ms = 10;
constexpr std::size_t paced_records = 30'000;
constexpr const char* fetch_alone = "fetch alone";

/// What it cost, and its output.
struct Figure {
  double cpu_s = 0;
  double wall_s = 0;
  double peak_mib = 0;
  double p50_ms = 0;
  double p99_ms = 0;
};

/// Texts of which no two are alike, and which a codec makes half as large, roughly.
std::vector<std::string> make_values(std::size_t bytes) {
  std::mt19937 random(1);
  std::vector<std::string> values(run_records);
  for (std::string& value : values) {
    while (value.size() < bytes) {
      value += fmt::format(R"({{"user":{},"amount":{}.{:02},"shop":"s{}","at":17{:08}}})",
                           random() % 100'000, random() % 1000, random() % 100, random() % 100,
                           random() % 100'000'000);
    }
    value.resize(bytes);
  }
  return values;
}

double peak_mib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word)
    if (word == "VmHWM:") break;
  double kib = 0;
  status >> kib;
  return kib / 1024;
}

/// Measures from its making on.
class Meter {
 public:
  void stop(Figure& figure) const {
    figure.cpu_s = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_;
    figure.wall_s = seconds_since(start_);
  }

 private:
  double cpu_ = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  Steady::time_point start_ = Steady::now();
};

// ---- What they do -------------------------------------------------------------------------------

std::unique_ptr<ProducingClient> make_producer(const Task& task) {
  if (task.who == "leat") return std::make_unique<LeatProducer>(task);
  return std::make_unique<RdkafkaProducer>(task);
}

/// Connections are open and the partitions known before the clock runs.
void warm_up(ProducingClient& client, const Task& task, std::span<const std::string> values) {
  for (std::size_t p = 0; p < task.partitions; ++p) client.send(values.first(1), p, 0);
  client.flush();
}

Figure produce(const Task& task) {
  std::vector<std::string> values = make_values(task.value_bytes);
  auto client = make_producer(task);
  warm_up(*client, task, values);
  Meter meter;
  for (std::size_t run = 0; run < task.records / run_records; ++run) {
    client->send(values, run % task.partitions, 0);
    client->poll();
  }
  client->flush();
  Figure figure;
  meter.stop(figure);
  figure.peak_mib = peak_mib();
  return figure;
}

/// At a steady rate; latency counts from when a record was due.
Figure pace(const Task& task) {
  std::vector<std::string> values = make_values(task.value_bytes);
  auto client = make_producer(task);
  warm_up(*client, task, values);
  std::vector<double> took_ms(paced_records);
  // Connected for some time already, as programs are.
  auto start = Steady::now() + 100ms;
  auto due = [&](std::uint64_t tag) { return start + tag / paced_per_ms * 1ms; };
  client->poll_on_thread([&](std::uint64_t tag, Steady::time_point now) {
    took_ms[tag] = std::chrono::duration<double, std::milli>(now - due(tag)).count();
  });
  Meter meter;
  for (std::size_t tag = 0; tag < paced_records; tag += paced_per_ms) {
    std::this_thread::sleep_until(due(tag));
    std::span<const std::string> some(values.data() + tag % run_records, paced_per_ms);
    client->send(some, tag / paced_per_ms % task.partitions, tag);
  }
  client->flush();
  Figure figure;
  meter.stop(figure);
  client.reset();
  std::sort(took_ms.begin(), took_ms.end());
  figure.p50_ms = took_ms[paced_records / 2];
  figure.p99_ms = took_ms[paced_records / 100 * 99];
  figure.peak_mib = peak_mib();
  return figure;
}

std::size_t consume_by_leat(const Task& task) {
  boost::asio::io_context context;
  auto work = boost::asio::make_work_guard(context);
  Consumer consumer(context.get_executor(), options_of(task.address), ConsumerOptions{});
  std::vector<PartitionOffset> positions;
  for (std::size_t p = 0; p < task.partitions; ++p)
    positions.push_back({{task.topic, static_cast<std::int32_t>(p)}, 0});
  consumer.assign(positions);
  std::size_t bytes = 0;
  for (std::size_t read = 0; read < task.records;) {
    auto [records] =
        wait<Records>(context, [&](auto done) { consumer.async_poll(std::move(done)); });
    for (const InRecord& record : records) {
      bytes += record.value->size();
      ++read;
    }
  }
  return bytes;
}

std::size_t consume_by_rdkafka(const Task& task) {
  RdkafkaClient client(task, RD_KAFKA_CONSUMER,
                       {{"fetch.message.max.bytes", std::to_string(1 << 20)},
                        {"fetch.max.bytes", std::to_string(16 << 20)},
                        {"queued.min.messages", "10000000"},
                        {"queued.max.messages.kbytes", std::to_string(buffer_bytes >> 10)}});
  rd_kafka_queue_t* queue = client.api.queue_new(client.client);
  for (std::size_t p = 0; p < task.partitions; ++p)
    ASSERT(client.api.consume_start_queue(client.topic, static_cast<std::int32_t>(p), 0, queue) ==
           0);
  std::array<rd_kafka_message_t*, run_records> messages{};
  std::size_t bytes = 0;
  for (std::size_t read = 0; read < task.records;) {
    // It waits until it has as many as it was asked for.
    std::size_t wanted = std::min(messages.size(), task.records - read);
    ssize_t got = client.api.consume_batch_queue(queue, 10'000, messages.data(), wanted);
    if (got <= 0) give_up("ten seconds passed with nothing to read");
    for (ssize_t i = 0; i < got; ++i) {
      rd_kafka_message_t* message = messages[static_cast<std::size_t>(i)];
      if (message->err != 0) give_up(client.api.err2str(message->err));
      bytes += message->len;
      client.api.message_destroy(message);
    }
    read += static_cast<std::size_t>(got);
  }
  for (std::size_t p = 0; p < task.partitions; ++p)
    client.api.consume_stop(client.topic, static_cast<std::int32_t>(p));
  client.api.queue_destroy(queue);
  return bytes;
}

std::size_t consume_by_nobody(const Task& task) {
  auto address = net::Address::parse(task.address, {});
  auto records = static_cast<std::int64_t>(task.records);
  return static_cast<std::size_t>(fetch_only(*address, task.topic, task.partitions, records)) *
         task.value_bytes;
}

Figure consume(const Task& task) {
  Meter meter;
  std::size_t bytes = task.who == "leat"        ? consume_by_leat(task)
                      : task.who == fetch_alone ? consume_by_nobody(task)
                                                : consume_by_rdkafka(task);
  Figure figure;
  meter.stop(figure);
  if (bytes != task.records * task.value_bytes) give_up("not what was produced was consumed");
  figure.peak_mib = peak_mib();
  return figure;
}

int be_client(char** words) {
  Task task{.who = words[0], .what = words[1], .address = words[2], .topic = words[3]};
  task.value_bytes = std::strtoul(words[4], nullptr, 10);
  task.partitions = std::strtoul(words[5], nullptr, 10);
  task.codec = words[6];
  task.records = std::strtoul(words[7], nullptr, 10);
  Figure figure = task.what == "produce" ? produce(task)
                  : task.what == "pace"  ? pace(task)
                                         : consume(task);
  fmt::print("{} {} {} {} {}\n", figure.cpu_s, figure.wall_s, figure.peak_mib, figure.p50_ms,
             figure.p99_ms);
  return 0;
}

Figure run(const Places& places, const Task& task) {
  Child child({std::filesystem::read_symlink("/proc/self/exe"), "--as", task.who, task.what,
               task.address, task.topic, std::to_string(task.value_bytes),
               std::to_string(task.partitions), task.codec, std::to_string(task.records)},
              places.client_core);
  Figure figure;
  int fields = std::fscanf(child.output, "%lf %lf %lf %lf %lf", &figure.cpu_s, &figure.wall_s,
                           &figure.peak_mib, &figure.p50_ms, &figure.p99_ms);
  std::fclose(child.output);
  ::waitpid(child.pid, nullptr, 0);
  if (fields != 5) give_up("a client failed: " + task.who + " " + task.what);
  return figure;
}

// ---- The table ----------------------------------------------------------------------------------

struct Contender {
  std::string who;
  std::string name;
};

std::vector<Contender> find_contenders() {
  std::vector<Contender> all{{"leat", "leat"}};
  std::vector<std::string> paths{"librdkafka.so.1"};
  auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path();
  if (const char* named = std::getenv("LIBRDKAFKA")) {
    paths.push_back(named);
  } else if (std::filesystem::exists(folder / "venv/lib")) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "venv/lib")) {
      bool is_it = entry.path().filename().string().starts_with("librdkafka") &&
                   entry.path().parent_path().filename() == "confluent_kafka.libs";
      if (is_it) paths.push_back(entry.path());
    }
  }
  for (const std::string& path : paths)
    all.push_back({path, fmt::format("librdkafka {}", Rdkafka(path).version_str())});
  all.push_back({fetch_alone, fetch_alone});
  return all;
}

void create_topic(const std::string& address, const std::string& name, std::size_t partitions) {
  boost::asio::io_context context;
  auto work = boost::asio::make_work_guard(context);
  Admin admin(context.get_executor(), options_of(address));
  NewTopic topic(name, static_cast<std::int32_t>(partitions));
  wait<>(context, [&](auto done) { admin.async_create_topic(topic, std::move(done)); });
}

/// CPU seconds for LZ4 alone to compress that many records in full batches.
double bare_lz4(const Task& task) {
  std::vector<std::string> values = make_values(task.value_bytes);
  Bytes batch;
  while (batch.size() < batch_bytes) {
    BytesView value = as_bytes(values[batch.size() / task.value_bytes % values.size()]);
    batch.insert(batch.end(), value.begin(), value.end());
  }
  record::Scratch scratch;
  record::compress(record::Compression::lz4, batch, scratch);
  constexpr int times = 50;
  double start = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
  for (int i = 0; i < times; ++i) record::compress(record::Compression::lz4, batch, scratch);
  double each = (cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - start) / times;
  return each * static_cast<double>(task.records * task.value_bytes) / batch_bytes;
}

std::string spread(std::vector<double> ratios) {
  auto [low, high] = std::minmax_element(ratios.begin(), ratios.end());
  return fmt::format("{:.2f} ({:.2f} to {:.2f})", median(ratios), *low, *high);
}

std::vector<double> each(const std::vector<Figure>& figures, double Figure::*member) {
  std::vector<double> values;
  for (const Figure& figure : figures) values.push_back(figure.*member);
  return values;
}

using Rounds = std::vector<std::vector<Figure>>;  // by contender, the first one is ours

void print(const Task& task, const std::vector<Contender>& contenders, const Rounds& rounds,
           double lz4_s) {
  for (std::size_t c = 0; c < contenders.size(); ++c) {
    if (rounds[c].empty()) continue;
    std::string what = fmt::format("{} {} B x {} {}: {}", task.what, task.value_bytes,
                                   task.partitions, task.codec, contenders[c].name);
    auto records = static_cast<double>(task.records) / 1e3;
    fmt::print("{:<50} {:>7.0f} {:>7.0f} {:>6.0f}", what,
               records / median(each(rounds[c], &Figure::cpu_s)),
               records / median(each(rounds[c], &Figure::wall_s)),
               median(each(rounds[c], &Figure::peak_mib)));
    if (task.what == "pace")
      fmt::print("   p50 {:.2f} ms, p99 {:.2f} ms", median(each(rounds[c], &Figure::p50_ms)),
                 median(each(rounds[c], &Figure::p99_ms)));
    if (c > 0) {
      std::vector<double> ratios, outside, p99;
      for (std::size_t r = 0; r < rounds[c].size(); ++r) {
        const Figure& ours = rounds[0][r];
        const Figure& theirs = rounds[c][r];
        ratios.push_back(theirs.cpu_s / ours.cpu_s);
        outside.push_back((ours.cpu_s - lz4_s) / (theirs.cpu_s - lz4_s));
        p99.push_back(ours.p99_ms / theirs.p99_ms);
      }
      if (task.what == "pace")
        fmt::print("   ours to it: p99 {}", spread(p99));
      else
        fmt::print("   ours to it: {}", spread(ratios));
      if (lz4_s > 0) fmt::print(", CPU outside LZ4 {}", spread(outside));
    }
    fmt::print("\n");
  }
  std::fflush(stdout);
}

void compare(const Places& places, const std::vector<Contender>& contenders, Task task,
             std::size_t round_count) {
  bool is_lz4 = task.codec == "lz4";
  double lz4_s = is_lz4 ? bare_lz4(task) : 0;
  Rounds produced(contenders.size());
  Rounds consumed(contenders.size());
  for (std::size_t round = 0; round < round_count; ++round) {
    ServerProcess server(serve_command(places, "os"), places.data, places.server_core);
    task.address = server.address();
    for (std::size_t c = 0; c < contenders.size(); ++c) {
      task.who = contenders[c].who;
      if (task.who == fetch_alone) continue;
      task.topic = fmt::format("t{}", c);
      create_topic(task.address, task.topic, task.partitions);
      produced[c].push_back(run(places, task));
    }
    if (task.what != "produce") continue;
    // All read what one has written, the warm-up too, which is one record in each partition.
    for (std::size_t c = 0; c < contenders.size(); ++c) {
      Task reading = task;
      reading.what = "consume";
      reading.who = contenders[c].who;
      reading.topic = "t0";
      reading.records += task.partitions;
      consumed[c].push_back(run(places, reading));
    }
  }
  print(task, contenders, produced, lz4_s);
  if (task.what != "produce") return;
  task.what = "consume";
  print(task, contenders, consumed, 0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 10 && std::string_view(argv[1]) == "--as") return be_client(argv + 2);
  std::size_t mib = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 64;
  std::size_t rounds = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 3;
  std::string_view only = argc > 3 ? argv[3] : "";
  if (mib == 0 || rounds == 0) give_up("usage: bench-client [MIB [ROUNDS [none|lz4|pace]]]");
  Places places = find_places("client-data");
  pin(places.client_core);
  std::vector<Contender> contenders = find_contenders();
  fmt::print(
      "buffers of {} MiB; aims: produce 1.5 at 100 B and 1.1 at 1 KiB, CPU outside LZ4 at "
      "most 0.7, consume 2, p99 at most 1\n",
      buffer_bytes >> 20);
  fmt::print("{:<50} {:>7} {:>7} {:>6}\n", "value x partitions, codec: client", "k/CPU s", "k/s",
             "MiB");
  for (const char* codec : {"none", "lz4"}) {
    if (!only.empty() && only != codec) continue;
    for (std::size_t value_bytes : {100, 1024}) {
      for (std::size_t partitions : {1, 8}) {
        std::size_t records = (mib << 20) * (value_bytes > 100 ? 2 : 1) / value_bytes;
        records -= records % run_records;
        Task task{.what = "produce", .value_bytes = value_bytes, .partitions = partitions};
        task.codec = codec;
        task.records = records;
        compare(places, contenders, task, rounds);
      }
    }
  }
  if (only.empty() || only == "pace") {
    Task task{.what = "pace", .value_bytes = 100, .partitions = 1};
    task.codec = "none";
    task.records = paced_records;
    compare(places, contenders, task, rounds);
  }
  std::filesystem::remove_all(places.data);
}
