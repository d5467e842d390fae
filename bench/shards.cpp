// What more shards give: the same load on servers with one and with several, taking turns, so that
// what else the machine does meets both. Clients send frames made beforehand and look at nothing
// that comes back, so that the server has what there is of the machine.
//
//   bench-shards [SHARDS [MIB [ROUNDS]]]    shards to compare with one (default 2), how much to
//                                           produce each time (default 128), how often (default 5)
//
// Figures are medians of the rounds, ratios medians of the rounds' own. CPU is that of the process,
// clients included.
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/core.h>

#include "base/logging.h"
#include "base/random.h"
#include "raw_client.h"
#include "record/builder.h"
#include "server/server.h"
#include "wire/messages.h"

using namespace leat;
using Steady = std::chrono::steady_clock;

namespace {

constexpr std::int32_t partitions = 8;
constexpr std::size_t clients = 4;
constexpr std::size_t window = 4;  // requests of a client under way
constexpr std::size_t batch_bytes = 64 << 10;
constexpr std::size_t batches_per_fetch = 16;
constexpr std::size_t latencies = 500;

struct Load {
  const char* name;
  record::Compression codec;
  log::Durability durability;
};
constexpr std::array loads{
    Load{"64 KiB batches, os", record::Compression::none, log::Durability::os},
    Load{"the same in zstd, os", record::Compression::zstd, log::Durability::os},
    Load{"64 KiB batches, fsync", record::Compression::none, log::Durability::fsync},
    Load{"the same in zstd, fsync", record::Compression::zstd, log::Durability::fsync},
};

/// Of one server under one load.
struct Figures {
  double produce_mb_per_s = 0;  // of records, before compression
  double produce_cpu_s_per_gb = 0;
  double fetch_mb_per_s = 0;  // of what is sent
  double p50_us = 0;          // one small batch in flight
  double p99_us = 0;
};

double seconds_since(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// A batch of lines that compress about as a log's do.
struct Batch {
  Batch(record::Compression codec, std::size_t size) {
    record::BatchBuilder builder;
    Random random(7);
    while (builder.size_bytes() < size) {
      std::string line =
          fmt::format(R"({{"user":{},"page":"/wiki/{:x}","action":"edit","bytes":{},"bot":false}})",
                      random.below(1'000'000), random.next(), random.below(5000));
      builder.append(1'700'000'000'000, {}, as_bytes(line));
    }
    plain_bytes = builder.size_bytes();
    records = builder.record_count();
    bytes = builder.build({codec});
  }
  std::size_t plain_bytes = 0;
  std::int32_t records = 0;
  Bytes bytes;
};

Bytes produce_frame(const Batch& batch, std::int32_t partition) {
  wire::ProduceRequest request;
  request.acks = -1;
  request.timeout_ms = 60'000;
  auto& topic = request.topic_data.emplace_back();
  topic.name = "t";
  auto& data = topic.partition_data.emplace_back();
  data.index = partition;
  data.records = wire::Records(batch.bytes);
  wire::RequestHeader header;
  header.version = 9;
  return wire::encode_request(request, header)->bytes;
}

Bytes fetch_frame(std::int32_t partition, std::int64_t offset, std::size_t bytes) {
  wire::FetchRequest request;
  request.max_bytes = static_cast<std::int32_t>(bytes);
  request.session_epoch = -1;
  auto& topic = request.topics.emplace_back();
  topic.topic = "t";
  auto& asked = topic.partitions.emplace_back();
  asked.partition = partition;
  asked.fetch_offset = offset;
  asked.partition_max_bytes = static_cast<std::int32_t>(bytes);
  wire::RequestHeader header;
  header.version = 12;
  return wire::encode_request(request, header)->bytes;
}

/// A server in this process, in a directory of its own, and the load on it.
class Bench {
 public:
  Bench(const Load& load, std::size_t shards, std::size_t bytes)
      : batch_(load.codec, batch_bytes), per_client_(bytes / batch_.plain_bytes / clients) {
    directory_ = (std::filesystem::temp_directory_path() / "leat-bench-XXXXXX").string();
    ASSERT(::mkdtemp(directory_.data()) != nullptr);
    server::ServerOptions options;
    options.broker.store.directory = directory_ + "/data";
    options.broker.store.durability = load.durability;
    options.kafka = {"127.0.0.1", 0};
    options.shards = shards;
    auto server = server::Server::start(options);
    ASSERT(server.has_value());
    server_ = std::move(*server);
    std::promise<void> made;
    server_->executor().post([&] {
      server_->broker().create_topic({"t", partitions, {}}, [&](const auto& topic) {
        ASSERT(topic.has_value());
        made.set_value();
      });
    });
    made.get_future().get();
  }
  ~Bench() {
    server_.reset();
    std::filesystem::remove_all(directory_);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  Figures run() {
    Figures figures;
    double cpu = cpu_seconds();
    auto start = Steady::now();
    for_each_client([this](int socket, std::size_t client) { produce(socket, client); });
    double took = seconds_since(start);
    auto produced = static_cast<double>(batch_.plain_bytes * per_client_ * clients);
    figures.produce_mb_per_s = produced / took / 1e6;
    figures.produce_cpu_s_per_gb = (cpu_seconds() - cpu) / (produced / 1e9);
    check_all_is_there();
    start = Steady::now();
    for_each_client([this](int socket, std::size_t client) { fetch(socket, client); });
    auto fetched = static_cast<double>(batch_.bytes.size() * per_client_ * clients);
    figures.fetch_mb_per_s = fetched / seconds_since(start) / 1e6;
    measure_latency(figures);
    return figures;
  }

 private:
  /// A client's batches go to its two partitions in turn.
  static std::int32_t partition_of(std::size_t client, std::size_t turn) {
    return static_cast<std::int32_t>(2 * client + turn % 2);
  }

  template <class Work>
  void for_each_client(Work work) {
    std::vector<int> sockets;
    for (std::size_t i = 0; i < clients; ++i) {
      sockets.push_back(bench::connect_to(server_->kafka_address()));
    }
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < clients; ++i) {
        threads.emplace_back([&work, socket = sockets[i], i] { work(socket, i); });
      }
    }
    for (int socket : sockets) ::close(socket);
  }

  void produce(int socket, std::size_t client) const {
    std::array frames{produce_frame(batch_, partition_of(client, 0)),
                      produce_frame(batch_, partition_of(client, 1))};
    Bytes answer(256);
    for (std::size_t i = 0; i < per_client_ + window; ++i) {
      if (i >= window) bench::receive_frame(socket, answer, 0);
      if (i < per_client_) bench::send_all(socket, frames[i % 2]);
    }
  }

  /// All batches are of one size, so the size of an answer says how many it has.
  void fetch(int socket, std::size_t client) const {
    Bytes answer(256 << 10);
    for (std::size_t turn = 0; turn < 2; ++turn) {
      std::size_t left = (per_client_ + 1 - turn) / 2;
      std::int64_t offset = 0;
      while (left > 0) {
        bench::send_all(socket, fetch_frame(partition_of(client, turn), offset,
                                            batches_per_fetch * batch_.bytes.size()));
        std::size_t got = bench::receive_frame(socket, answer, 0) / batch_.bytes.size();
        ASSERT(got > 0);
        offset += static_cast<std::int64_t>(got) * batch_.records;
        left -= std::min(left, got);
      }
    }
  }

  void check_all_is_there() const {
    std::int64_t records = 0;
    for (std::int32_t p = 0; p < partitions; ++p) {
      auto partition = server_->broker().find_partition("t", PartitionId{p});
      records += partition->view()->high_watermark.value();
    }
    ASSERT(records == static_cast<std::int64_t>(per_client_ * clients) * batch_.records);
  }

  void measure_latency(Figures& figures) const {
    int socket = bench::connect_to(server_->kafka_address());
    Batch small(record::Compression::none, 100);
    std::vector<Bytes> frames;
    for (std::int32_t p = 0; p < partitions; ++p) frames.push_back(produce_frame(small, p));
    Bytes answer(256);
    std::vector<double> took;
    for (std::size_t i = 0; i < latencies; ++i) {
      auto start = Steady::now();
      bench::send_all(socket, frames[i % frames.size()]);
      bench::receive_frame(socket, answer, 0);
      took.push_back(seconds_since(start) * 1e6);
    }
    ::close(socket);
    std::sort(took.begin(), took.end());
    figures.p50_us = took[took.size() / 2];
    figures.p99_us = took[took.size() * 99 / 100];
  }

  Batch batch_;
  std::size_t per_client_;
  std::string directory_;
  std::unique_ptr<server::Server> server_;
};

void compare(const Load& load, std::size_t shards, std::size_t bytes, std::size_t rounds) {
  constexpr std::array figures{&Figures::produce_mb_per_s, &Figures::produce_cpu_s_per_gb,
                               &Figures::fetch_mb_per_s, &Figures::p50_us, &Figures::p99_us};
  constexpr std::array names{"produce, MB/s of records", "its CPU s/GB, clients included",
                             "fetch, MB/s sent", "one small batch, p50 us", "its p99 us"};
  std::array<std::vector<double>, figures.size()> one, several, ratios;
  for (std::size_t round = 0; round < rounds; ++round) {
    // Each of them comes first in every other round.
    Figures of[2];
    for (std::size_t turn : {round % 2, 1 - round % 2}) {
      of[turn] = Bench(load, turn == 0 ? 1 : shards, bytes).run();
    }
    for (std::size_t i = 0; i < figures.size(); ++i) {
      one[i].push_back(of[0].*figures[i]);
      several[i].push_back(of[1].*figures[i]);
      ratios[i].push_back(of[1].*figures[i] / (of[0].*figures[i]));
    }
  }
  fmt::print("{}\n", load.name);
  for (std::size_t i = 0; i < figures.size(); ++i) {
    fmt::print("  {:<32} {:>10.2f} {:>10.2f} {:>7.2f}x\n", names[i], median(one[i]),
               median(several[i]), median(ratios[i]));
  }
}

}  // namespace

int main(int argc, char** argv) {
  auto argument = [&](int i, std::size_t otherwise) {
    return argc > i ? static_cast<std::size_t>(std::atoi(argv[i])) : otherwise;
  };
  std::size_t shards = argument(1, 2);
  std::size_t bytes = argument(2, 128) << 20;
  std::size_t rounds = argument(3, 5);
  set_log_level(LogLevel::error);
  fmt::print("{} clients, {} partitions, {} cores\n{:<34} {:>10} {:>10} {:>8}\n", clients,
             partitions, std::thread::hardware_concurrency(), "", "1 shard",
             fmt::format("{} shards", shards), "ratio");
  for (const Load& load : loads) compare(load, shards, bytes, rounds);
}
