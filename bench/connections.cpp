// What a connection of a client costs in memory: silent, with a Fetch that waits, and in the middle
// of a request that does not get on. Resident memory of this process, which is server and clients;
// of the latter it has descriptors only. What one phase leaves behind, the next one has, too.
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <fmt/core.h>

#include "base/logging.h"
#include "raw_client.h"
#include "server/server.h"
#include "wire/messages.h"

using namespace leat;

namespace {

constexpr std::size_t connections = 5'000;

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// A Fetch that waits for a minute.
Bytes waiting_fetch() {
  wire::FetchRequest request;
  request.max_wait_ms = 60'000;
  request.min_bytes = 1;
  request.max_bytes = 1 << 20;
  auto& topic = request.topics.emplace_back();
  topic.topic = "t";
  topic.partitions.emplace_back().partition_max_bytes = 1 << 20;
  wire::RequestHeader header;
  header.version = 12;
  header.client_id = "bench";
  return wire::encode_request(request, header)->bytes;
}

class Bench {
 public:
  explicit Bench(server::Server& server) : server_(server) {}

  void run() {
    auto start = std::chrono::steady_clock::now();
    std::uint64_t before = resident_bytes();
    for (std::size_t i = 0; i < connections; ++i) {
      sockets_.push_back(bench::connect_to(server_.kafka_address()));
    }
    wait_for("leat_kafka_connections", connections);
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    fmt::print("{} connections on {} shards, opened in {:.2f} s\n", connections,
               server_.options().shards, took.count());
    print("silent", before);
    Bytes fetch = waiting_fetch();
    for (int socket : sockets_) bench::send_all(socket, fetch);
    wait_for("leat_kafka_bytes_in_total", connections * fetch.size());
    print("a Fetch waiting", before);
    for (int socket : sockets_) ::close(socket);
    sockets_.clear();
    wait_for("leat_kafka_connections", 0);

    // A length of a MiB, and the first 4 KiB of it.
    Bytes half(4 << 10);
    store_big_endian<std::int32_t>(half.data(), 1 << 20);
    for (std::size_t i = 0; i < connections; ++i) {
      sockets_.push_back(bench::connect_to(server_.kafka_address()));
      bench::send_all(sockets_.back(), half);
    }
    wait_for("leat_kafka_connections", connections);
    std::this_thread::sleep_for(std::chrono::seconds(1));
    print("4 KiB of a request of 1 MiB", before);
    for (int socket : sockets_) ::close(socket);
  }

 private:
  static void print(const char* what, std::uint64_t before) {
    std::uint64_t now = resident_bytes();
    std::uint64_t grown = now > before ? now - before : 0;
    fmt::print("{:<32} {:>6.1f} KiB each, {:>6.1f} MiB resident in all\n", what,
               static_cast<double>(grown) / 1024 / connections,
               static_cast<double>(now) / (1 << 20));
  }

  void wait_for(const std::string& metric, std::size_t least) {
    for (int i = 0; i < 1000; ++i) {
      std::string text = "\n" + server_.metrics().expose();
      std::size_t at = text.find("\n" + metric + " ");
      std::size_t value =
          at == std::string::npos ? 0 : std::strtoull(&text[at + metric.size() + 2], nullptr, 10);
      if (least == 0 ? value == 0 : value >= least) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    fmt::print("{} never came to {}\n", metric, least);
  }

  server::Server& server_;
  std::vector<int> sockets_;
};

}  // namespace

int main(int argc, char** argv) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  set_log_level(LogLevel::error);
  std::string directory = (std::filesystem::temp_directory_path() / "leat-bench-XXXXXX").string();
  ASSERT(::mkdtemp(directory.data()) != nullptr);
  server::ServerOptions options;
  options.broker.store.directory = directory + "/data";
  options.kafka = {"127.0.0.1", 0};
  options.shards = argc > 1 ? static_cast<std::size_t>(std::atoi(argv[1])) : 1;
  auto server = server::Server::start(options);
  ASSERT(server.has_value());
  std::promise<void> made;
  (*server)->executor().post([&] {
    (*server)->broker().create_topic({"t", 1, {}}, [&](const auto&) { made.set_value(); });
  });
  made.get_future().get();
  Bench(**server).run();
  server->reset();
  std::filesystem::remove_all(directory);
}
