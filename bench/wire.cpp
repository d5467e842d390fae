// What a client sees of the whole server: librdkafka against `leat serve`, beside the mock cluster
// that librdkafka brings along, which keeps the newest 5 MB of a partition in memory and checks
// little. Client and server have a core each. One round takes a mock and a Leat server after the
// other, so that what else the machine does meets both; ratios are medians of the rounds' own.
//
//   bench-wire [MIB [ROUNDS]]     how much to produce each time, in values of 100 B (default 64;
//                                 twice that in values of 1 KiB), and how often (default 3)
//
// The server is the program that LEAT names, or `leat` of the folder above this one. Data goes to
// `wire-data` beside it, and is deleted.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "base/assert.h"
#include "base/crc32c.h"
#include "processes.h"
#include "record/builder.h"

using namespace leat;
using namespace leat::bench;

namespace {

enum class Kind { mock, os, fsync };
constexpr std::array kinds{Kind::mock, Kind::os, Kind::fsync};
constexpr std::array names{"mock cluster", "leat, os", "leat, fsync"};

// The mock forgets what is beyond 5 MB of a partition.
constexpr std::size_t kept_bytes = 4'000'000;
constexpr std::size_t reads_per_round = 8;
constexpr std::size_t latency_blocks = 12;
constexpr std::size_t latencies_per_block = 100;
constexpr std::size_t sync_bytes = 4096;

/// What one figure is about.
struct Load {
  std::size_t value_bytes;
  int partitions;
  std::size_t records;
  double record_bytes;  // in a batch
};

struct Figure {
  double records_per_s = 0;
  double cpu_s_per_gb = 0;
};

// ---- Servers ------------------------------------------------------------------------------------

class Server : public ServerProcess {
 public:
  Server(Kind kind, const Places& places)
      : ServerProcess(command(kind, places), places.data, places.server_core) {}

 private:
  static std::vector<std::string> command(Kind kind, const Places& places) {
    if (kind == Kind::mock) return {std::filesystem::read_symlink("/proc/self/exe"), "--mock"};
    return serve_command(places, kind == Kind::os ? "os" : "fsync");
  }
};

std::string topic_name(const char* what, int partitions) {
  return fmt::format("{}{}", what, partitions);
}

/// This program as the server to compare with.
int be_mock() {
  rd_kafka_t* client = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), nullptr, 0);
  ASSERT(client != nullptr);
  rd_kafka_mock_cluster_t* cluster = rd_kafka_mock_cluster_new(client, 1);
  ASSERT(cluster != nullptr);
  for (const char* what : {"write", "read"}) {
    for (int partitions : {1, 8}) {
      std::string topic = topic_name(what, partitions);
      ASSERT(rd_kafka_mock_topic_create(cluster, topic.c_str(), partitions, 1) ==
             RD_KAFKA_RESP_ERR_NO_ERROR);
    }
  }
  fmt::print("kafka {}\nready\n", rd_kafka_mock_cluster_bootstraps(cluster));
  std::fflush(stdout);
  while (true) ::pause();
}

// ---- Clients ------------------------------------------------------------------------------------

/// One librdkafka client and its one topic.
class Client {
 public:
  using Settings = std::vector<std::pair<const char*, const char*>>;

  /// With `partitions` it makes the topic first.
  Client(rd_kafka_type_t type, const Server& server, const std::string& topic,
         const Settings& settings, int partitions = 0) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", server.address().c_str());
    set(conf, "log.connection.close", "false");
    for (auto [name, value] : settings) set(conf, name, value);
    if (type == RD_KAFKA_PRODUCER) {
      rd_kafka_conf_set_opaque(conf, this);
      rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    }
    std::array<char, 512> error{};
    client_ = rd_kafka_new(type, conf, error.data(), error.size());
    if (client_ == nullptr) give_up(error.data());
    if (partitions > 0) create_topic(topic, partitions);
    topic_ = rd_kafka_topic_new(client_, topic.c_str(), nullptr);
    ASSERT(topic_ != nullptr);
  }
  ~Client() {
    rd_kafka_topic_destroy(topic_);
    rd_kafka_destroy(client_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  rd_kafka_t* get() { return client_; }
  rd_kafka_topic_t* topic() { return topic_; }
  std::size_t delivered() const { return delivered_; }

  void send(int partition, const std::string& value) {
    while (rd_kafka_produce(topic_, partition, 0, const_cast<char*>(value.data()), value.size(),
                            nullptr, 0, nullptr) != 0) {
      if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        give_up(rd_kafka_err2str(rd_kafka_last_error()));
      }
      rd_kafka_poll(client_, 1);
    }
  }
  void send_all(const Load& load, const std::string& value) {
    for (std::size_t i = 0; i < load.records; ++i) {
      send(static_cast<int>(i % static_cast<std::size_t>(load.partitions)), value);
    }
    if (rd_kafka_flush(client_, 60'000) != 0) give_up("a minute passed and not all is answered");
  }

 private:
  void create_topic(const std::string& topic, int partitions) {
    rd_kafka_NewTopic_t* wanted = rd_kafka_NewTopic_new(topic.c_str(), partitions, 1, nullptr, 0);
    rd_kafka_queue_t* queue = rd_kafka_queue_new(client_);
    rd_kafka_CreateTopics(client_, &wanted, 1, nullptr, queue);
    rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 10'000);
    if (event == nullptr || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      give_up("the server makes no topic");
    }
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(wanted);
  }
  static void set(rd_kafka_conf_t* conf, const char* name, const char* value) {
    std::array<char, 512> error{};
    if (rd_kafka_conf_set(conf, name, value, error.data(), error.size()) != RD_KAFKA_CONF_OK) {
      give_up(error.data());
    }
  }
  static void on_delivery(rd_kafka_t* /*client*/, const rd_kafka_message_t* message, void* opaque) {
    if (message->err != 0) give_up(rd_kafka_err2str(message->err));
    ++static_cast<Client*>(opaque)->delivered_;
  }

  rd_kafka_t* client_ = nullptr;
  rd_kafka_topic_t* topic_ = nullptr;
  std::size_t delivered_ = 0;
};

Figure figure(const Load& load, double seconds, double cpu) {
  auto records = static_cast<double>(load.records);
  return {records / seconds, cpu / (records * load.record_bytes / 1e9)};
}

Figure produce(Kind kind, const Server& server, const Load& load, const char* what) {
  const Client::Settings settings{{"delivery.report.only.error", "true"},
                                  {"queue.buffering.max.messages", "1000000"}};
  Client client(RD_KAFKA_PRODUCER, server, topic_name(what, load.partitions), settings,
                kind == Kind::mock ? 0 : load.partitions);
  std::string value(load.value_bytes, 'v');
  // Connections are open and the partitions exist before the clock runs.
  Load warm_up = load;
  warm_up.records = static_cast<std::size_t>(load.partitions);
  client.send_all(warm_up, value);
  double cpu = server.cpu();
  auto start = Steady::now();
  client.send_all(load, value);
  return figure(load, seconds_since(start), server.cpu() - cpu);
}

/// Reads all partitions of a topic from their starts, some times. The first time is for warming up.
std::vector<Figure> consume(const Server& server, const Load& load, const char* what,
                            std::size_t times) {
  Client client(RD_KAFKA_CONSUMER, server, topic_name(what, load.partitions),
                {{"fetch.wait.max.ms", "5"}, {"group.id", "bench"}});
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client.get());
  std::array<rd_kafka_message_t*, 1000> messages{};
  std::vector<Figure> figures;
  for (std::size_t time = 0; time <= times; ++time) {
    double cpu = server.cpu();
    auto start = Steady::now();
    for (int p = 0; p < load.partitions; ++p) {
      ASSERT(rd_kafka_consume_start_queue(client.topic(), p, 0, queue) == 0);
    }
    std::size_t read = 0;
    while (read < load.records) {
      // It waits until it has as many as it was asked for.
      std::size_t wanted = std::min(messages.size(), load.records - read);
      ssize_t got = rd_kafka_consume_batch_queue(queue, 10'000, messages.data(), wanted);
      if (got <= 0) give_up("ten seconds passed with nothing to read");
      for (ssize_t i = 0; i < got; ++i) {
        rd_kafka_message_t* message = messages[static_cast<std::size_t>(i)];
        if (message->err != 0) give_up(rd_kafka_message_errstr(message));
        ASSERT(message->len == load.value_bytes);
        rd_kafka_message_destroy(message);
      }
      read += static_cast<std::size_t>(got);
    }
    figures.push_back(figure(load, seconds_since(start), server.cpu() - cpu));
    for (int p = 0; p < load.partitions; ++p) {
      ASSERT(rd_kafka_consume_stop(client.topic(), p) == 0);
    }
    // Fetches that wait for what is behind the end are over when the next time begins.
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  rd_kafka_queue_destroy(queue);
  figures.erase(figures.begin());
  return figures;
}

// ---- What the hardware gives --------------------------------------------------------------------

/// CPU seconds a GB to copy, check and write without sync what a producer sends, on the server's
/// core.
double bare_cpu(const Places& places) {
  constexpr std::size_t batch_bytes = 1 << 20;
  constexpr std::size_t batches = 192;
  Bytes from(32 * batch_bytes, std::byte{'v'});
  Bytes to(batch_bytes);
  std::filesystem::create_directories(places.data);
  std::string path = places.data / "bare";
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644);
  ASSERT(fd >= 0);
  pin(places.server_core);
  std::uint32_t sum = 0;
  double start = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
  for (std::size_t i = 0; i < batches; ++i) {
    std::memcpy(to.data(), from.data() + (i % 32) * batch_bytes, batch_bytes);
    sum ^= crc32c(to);
    ASSERT(::write(fd, to.data(), to.size()) == static_cast<ssize_t>(to.size()));
  }
  double took = cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - start;
  ASSERT(sum == 0);  // an even number of like batches; keeps the compiler from leaving them out
  pin(places.client_core);
  ::close(fd);
  ::unlink(path.c_str());
  return took / (static_cast<double>(batches * batch_bytes) / 1e9);
}

/// Times small synced writes in the server's place, and records sent one at a time.
class Latencies {
 public:
  explicit Latencies(const Places& places)
      : places_(places),
        mock_(Kind::mock, with(places, "mock")),
        leat_(Kind::fsync, with(places, "leat")) {
    growing_ = open_file("growing");
    written_ = open_file("written");
    Bytes zeros(latencies_per_block * sync_bytes);
    for (std::size_t i = 0; i <= latency_blocks; ++i) {
      ASSERT(::write(written_, zeros.data(), zeros.size()) == static_cast<ssize_t>(zeros.size()));
    }
    ASSERT(::fsync(written_) == 0 && ::lseek(written_, 0, SEEK_SET) == 0);
  }
  ~Latencies() {
    ::close(growing_);
    ::close(written_);
  }
  Latencies(const Latencies&) = delete;
  Latencies& operator=(const Latencies&) = delete;

  void run() {
    const Client::Settings at_once{{"linger.ms", "0"}, {"socket.nagle.disable", "true"}};
    Client to_mock(RD_KAFKA_PRODUCER, mock_, "write1", at_once);
    Client to_leat(RD_KAFKA_PRODUCER, leat_, "write1", at_once, 1);
    std::array<std::vector<double>, 4> took;
    for (std::size_t block = 0; block <= latency_blocks; ++block) {
      sync(growing_, took[0]);
      sync(written_, took[1]);
      send(to_mock, took[2]);
      send(to_leat, took[3]);
      if (block > 0) continue;
      for (auto& times : took) times.clear();
    }
    for (auto& times : took) std::sort(times.begin(), times.end());
    fmt::print("\n{:<38} {:>9} {:>9}\n", "one record of 100 B in flight, fsync", "p50 ms",
               "p99 ms");
    constexpr std::array rows{"bare 4 KiB + fdatasync, growing file", "bare, file written before",
                              "librdkafka to mock cluster, no sync", "librdkafka to leat, fsync"};
    for (std::size_t i = 0; i < rows.size(); ++i) {
      fmt::print("{:<38} {:>9.3f} {:>9.3f}\n", rows[i], at(took[i], 0.5), at(took[i], 0.99));
    }
    for (std::size_t i : {0, 1}) {
      fmt::print("{:<38} {:>8.2f}x {:>8.2f}x   aim 1.5\n",
                 i == 0 ? "leat, to the growing file" : "leat, to the file written before",
                 at(took[3], 0.5) / at(took[i], 0.5), at(took[3], 0.99) / at(took[i], 0.99));
    }
  }

 private:
  static Places with(Places places, const char* folder) {
    places.data /= folder;
    return places;
  }
  static double at(const std::vector<double>& sorted, double share) {
    return sorted[static_cast<std::size_t>(static_cast<double>(sorted.size()) * share)];
  }
  int open_file(const char* name) {
    std::string path = places_.data / name;
    int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644);
    ASSERT(fd >= 0);
    return fd;
  }
  void sync(int fd, std::vector<double>& took) {
    pin(places_.server_core);
    Bytes bytes(sync_bytes, std::byte{'v'});
    for (std::size_t i = 0; i < latencies_per_block; ++i) {
      auto start = Steady::now();
      ASSERT(::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
      ASSERT(::fdatasync(fd) == 0);
      took.push_back(seconds_since(start) * 1e3);
    }
    pin(places_.client_core);
  }
  static void send(Client& client, std::vector<double>& took) {
    const std::string value(100, 'v');
    for (std::size_t i = 0; i < latencies_per_block; ++i) {
      std::size_t before = client.delivered();
      auto start = Steady::now();
      client.send(0, value);
      while (client.delivered() == before) rd_kafka_poll(client.get(), 1000);
      took.push_back(seconds_since(start) * 1e3);
    }
  }

  Places places_;
  Server mock_;
  Server leat_;
  int growing_ = -1;
  int written_ = -1;
};

// ---- The table ----------------------------------------------------------------------------------

/// The figures of one kind of server in all rounds.
struct Row {
  std::vector<double> records_per_s;
  std::vector<double> cpu_s_per_gb;

  void add(const Figure& figure) {
    records_per_s.push_back(figure.records_per_s);
    cpu_s_per_gb.push_back(figure.cpu_s_per_gb);
  }
  void add_median(const std::vector<Figure>& figures) {
    Row row;
    for (const Figure& each : figures) row.add(each);
    add({median(row.records_per_s), median(row.cpu_s_per_gb)});
  }
};

/// `reference` of the same rounds, and the ratio to aim at; none for the reference itself.
void print(const std::string& what, const Row& row, const Load& load, const Row* reference,
           double aim, double bare) {
  double rate = median(row.records_per_s);
  fmt::print("{:<38} {:>7.0f} {:>7.0f}", what, rate / 1e3,
             rate * static_cast<double>(load.value_bytes) / 1e6);
  double cpu = median(row.cpu_s_per_gb);
  if (reference == nullptr) {
    fmt::print("{:>32} {:>7.2f} {:>6.2f}\n", "", cpu, cpu / bare);
  } else {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < row.records_per_s.size(); ++i) {
      ratios.push_back(row.records_per_s[i] / reference->records_per_s[i]);
    }
    auto [low, high] = std::minmax_element(ratios.begin(), ratios.end());
    fmt::print("  {:>6.2f} ({:>5.2f} to {:>5.2f}) aim {:.1f} {:>7.2f} {:>6.2f}\n", median(ratios),
               *low, *high, aim, cpu, cpu / bare);
  }
  std::fflush(stdout);
}

void compare(const Places& places, const Load& load, std::size_t rounds, double bare) {
  std::array<Row, kinds.size()> produced;
  std::array<Row, kinds.size()> consumed;
  Row whole;
  Load kept = load;
  kept.records = static_cast<std::size_t>(load.partitions) *
                 static_cast<std::size_t>(static_cast<double>(kept_bytes) / load.record_bytes);
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t k = 0; k < kinds.size(); ++k) {
      Server server(kinds[k], places);
      produced[k].add(produce(kinds[k], server, load, "write"));
      if (kinds[k] == Kind::os) continue;
      produce(kinds[k], server, kept, "read");
      consumed[k].add_median(consume(server, kept, "read", reads_per_round));
      if (kinds[k] == Kind::fsync) whole.add_median(consume(server, load, "write", 1));
    }
  }
  auto says = [&](const char* verb, std::size_t k) {
    return fmt::format("{} {} B x {}: {}", verb, load.value_bytes, load.partitions, names[k]);
  };
  print(says("produce", 0), produced[0], load, nullptr, 0, bare);
  print(says("produce", 1), produced[1], load, &produced[0], 0.7, bare);
  print(says("produce", 2), produced[2], load, &produced[0], 0.6, bare);
  print(says("consume", 0), consumed[0], load, nullptr, 0, bare);
  print(says("consume", 2), consumed[2], load, &consumed[0], 0.9, bare);
  print(says("consume", 2) + ", all", whole, load, nullptr, 0, bare);
}

double bytes_per_record(std::size_t value_bytes) {
  record::BatchBuilder builder;
  std::string value(value_bytes, 'v');
  constexpr int records = 900;
  for (int i = 0; i < records; ++i) builder.append(1'700'000'000'000, {}, as_bytes(value));
  return static_cast<double>(builder.size_bytes()) / records;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--mock") == 0) return be_mock();
  std::size_t mib = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 64;
  std::size_t rounds = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 3;
  if (mib == 0 || rounds == 0) give_up("usage: bench-wire [MIB [ROUNDS]]");
  Places places = find_places("wire-data");
  pin(places.client_core);
  double bare = bare_cpu(places);
  fmt::print("server CPU beside memcpy + CRC32C + write of the same bytes: {:.2f} s/GB\n", bare);
  fmt::print("{:<38} {:>7} {:>7}  {:<30} {:>7} {:>6}\n", "value x partitions: server", "k rec/s",
             "MB/s", "ratio to mock (lowest, highest)", "CPU/GB", "x bare");
  for (std::size_t value_bytes : {100, 1024}) {
    for (int partitions : {1, 8}) {
      std::size_t bytes = (mib << 20) * (value_bytes > 100 ? 2 : 1);
      Load load{value_bytes, partitions, bytes / value_bytes, bytes_per_record(value_bytes)};
      compare(places, load, rounds, bare);
    }
  }
  Latencies(places).run();
  std::filesystem::remove_all(places.data);
}
