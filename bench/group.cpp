// Groups: how soon 1,000 members are in a stable group, how many commits a second, and in what
// memory. The server and its clients share a process and its cores; what clients cost is small.
//
// The reference of the commits is the disk: 4 KiB written and synced, one after the other, which
// one commit at a time cannot beat. Many at once share syncs.
#include <sys/resource.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/logging.h"
#include "raw_client.h"
#include "server/server.h"
#include "wire/messages.h"

using namespace leat;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t members = 1'000;
constexpr std::size_t commit_groups = 500;
constexpr std::size_t commit_rounds = 60;
constexpr int partitions = 10;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// Of this process, which is server and clients.
double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// A client of the group protocol over a socket of its own.
class Client {
 public:
  explicit Client(const net::Address& address) : socket_(bench::connect_to(address)) {}
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;

  template <class Request>
  void send(const Request& request) {
    wire::RequestHeader header;
    header.version = Request::valid.last;
    header.client_id = "bench";
    bench::send_all(socket_, wire::encode_request(request, header)->bytes);
  }
  template <class Request>
  typename Request::Response receive() {
    std::size_t size = bench::receive_frame(socket_, frame_, frame_.size());
    auto header = wire::parse_response(BytesView(frame_).first(size));
    ASSERT(header.has_value());
    auto response = wire::decode_response<typename Request::Response>(*header, Request::valid.last);
    ASSERT(response.has_value());
    return std::move(*response);
  }

  void send_join() {
    wire::JoinGroupRequest request;
    request.group_id = "many";
    request.session_timeout_ms = 60'000;
    request.rebalance_timeout_ms = 60'000;
    request.member_id = id;
    request.protocol_type = "consumer";
    request.protocols.push_back({"range", Bytes(100)});
    send(request);
  }
  void send_sync(const std::vector<wire::SyncGroupRequest::Assignment>& assignments) {
    wire::SyncGroupRequest request;
    request.group_id = "many";
    request.generation_id = generation;
    request.member_id = id;
    request.assignments = assignments;
    send(request);
  }

  std::string id;
  std::int32_t generation = -1;

 private:
  static inline Bytes frame_ = Bytes(std::size_t{1} << 20);
  int socket_;
};

using Clients = std::vector<std::unique_ptr<Client>>;

/// All come at once, are told their ids, come again, and get their part.
void join_all(const net::Address& address, Clients& clients) {
  for (std::size_t i = 0; i < members; ++i) clients.push_back(std::make_unique<Client>(address));
  std::uint64_t before = resident_bytes();
  auto start = Clock::now();
  for (auto& client : clients) client->send_join();
  for (auto& client : clients) {
    auto told = client->receive<wire::JoinGroupRequest>();
    ASSERT(told.error_code == wire::ErrorCode::member_id_required);
    client->id = told.member_id;
  }
  for (auto& client : clients) client->send_join();
  Client* leader = nullptr;
  std::vector<wire::SyncGroupRequest::Assignment> assignments;
  for (auto& client : clients) {
    auto joined = client->receive<wire::JoinGroupRequest>();
    ASSERT(joined.error_code == wire::ErrorCode::none);
    client->generation = joined.generation_id;
    if (joined.members.empty()) continue;
    leader = client.get();
    for (const auto& member : joined.members) assignments.push_back({member.member_id, Bytes(50)});
  }
  ASSERT(leader != nullptr && assignments.size() == members);
  for (auto& client : clients) {
    if (client.get() != leader) client->send_sync({});
  }
  leader->send_sync(assignments);
  for (auto& client : clients) {
    ASSERT(client->receive<wire::SyncGroupRequest>().error_code == wire::ErrorCode::none);
  }
  double took = seconds_since(start);
  fmt::print("{} members become stable in {:.2f} s, in {:.1f} MiB\n", members, took,
             static_cast<double>(resident_bytes() - before) / (1 << 20));
}

void beat_all(Clients& clients) {
  constexpr int rounds = 20;
  auto start = Clock::now();
  for (int round = 0; round < rounds; ++round) {
    for (auto& client : clients) {
      wire::HeartbeatRequest request;
      request.group_id = "many";
      request.generation_id = client->generation;
      request.member_id = client->id;
      client->send(request);
    }
    for (auto& client : clients) {
      ASSERT(client->receive<wire::HeartbeatRequest>().error_code == wire::ErrorCode::none);
    }
  }
  fmt::print("{:.0f} heartbeats/s\n", rounds * members / seconds_since(start));
}

/// Each group commits all partitions of a topic, has its answer, and commits again.
double commit_all(const net::Address& address, std::size_t groups, std::size_t rounds) {
  Clients clients;
  for (std::size_t i = 0; i < groups; ++i) clients.push_back(std::make_unique<Client>(address));
  auto start = Clock::now();
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < groups; ++i) {
      wire::OffsetCommitRequest request;
      request.group_id = fmt::format("group-{}", i);
      request.topics.emplace_back().name = "t";
      for (int p = 0; p < partitions; ++p) {
        auto& partition = request.topics.back().partitions.emplace_back();
        partition.partition_index = p;
        partition.committed_offset = static_cast<std::int64_t>(round);
      }
      clients[i]->send(request);
    }
    for (auto& client : clients) {
      auto answer = client->receive<wire::OffsetCommitRequest>();
      ASSERT(answer.topics[0].partitions[0].error_code == wire::ErrorCode::none);
    }
  }
  return static_cast<double>(groups * rounds) / seconds_since(start);
}

/// 4 KiB written over what is there, and synced, a second.
double syncs_per_second(const std::string& directory) {
  int file = ::open((directory + "/reference").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  Bytes block(4 << 10);
  Bytes room(std::size_t{4} << 20);
  ASSERT(::pwrite(file, room.data(), room.size(), 0) == static_cast<ssize_t>(room.size()));
  ASSERT(::fsync(file) == 0);
  constexpr int rounds = 500;
  auto start = Clock::now();
  for (int i = 0; i < rounds; ++i) {
    ASSERT(::pwrite(file, block.data(), block.size(), i * 4096) > 0);
    ASSERT(::fdatasync(file) == 0);
  }
  double rate = rounds / seconds_since(start);
  ::close(file);
  return rate;
}

void raise_file_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main() {
  raise_file_limit();
  set_log_level(LogLevel::error);
  std::string directory = (std::filesystem::temp_directory_path() / "leat-bench-XXXXXX").string();
  ASSERT(::mkdtemp(directory.data()) != nullptr);
  server::ServerOptions options;
  options.broker.store.directory = directory + "/data";
  options.kafka = {"127.0.0.1", 0};
  auto server = server::Server::start(options);
  ASSERT(server.has_value());
  std::promise<void> made;
  (*server)->executor().post([&] {
    (*server)->broker().create_topic({"t", partitions, {}}, [&](const auto&) { made.set_value(); });
  });
  made.get_future().get();
  net::Address address = (*server)->kafka_address();
  {
    Clients clients;
    join_all(address, clients);
    beat_all(clients);
  }
  double syncs = syncs_per_second(directory);
  double alone = commit_all(address, 1, 500);
  fmt::print("1 group: {:.0f} commits/s of {} partitions; {:.0f} syncs of 4 KiB/s: ratio {:.2f}\n",
             alone, partitions, syncs, alone / syncs);
  double cpu = cpu_seconds();
  double many = commit_all(address, commit_groups, commit_rounds);
  cpu = (cpu_seconds() - cpu) / (commit_groups * commit_rounds);
  fmt::print(
      "{} groups: {:.0f} commits/s, {:.0f} offsets/s: {:.1f} times the syncs, {:.0f} us of "
      "CPU each\n",
      commit_groups, many, many * partitions, many / syncs, cpu * 1e6);
  server->reset();
  std::filesystem::remove_all(directory);
}
