// What a transaction costs: producers that put each batch in a transaction of its own, in either of
// the two protocols, beside the same producers that send the same batches without, each waiting for
// its answer. All are synced.
//
//   bench-txn [PRODUCERS [SECONDS [ROUNDS]]]    how many (default 8), for how long each time
//                                               (default 2), how often (default 5)
//
// They take turns, so that what else the machine does meets all. Figures are medians of the
// rounds, the ratio the median of the rounds' own.
#include <algorithm>
#include <atomic>
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
#include "raw_client.h"
#include "record/builder.h"
#include "server/server.h"
#include "wire/messages.h"

using namespace leat;
using Steady = std::chrono::steady_clock;

namespace {

constexpr std::size_t batch_bytes = 4 << 10;

/// As a client sends and reads it: one request at a time.
class Client {
 public:
  explicit Client(const net::Address& address) : socket_(bench::connect_to(address)) {}
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  template <class Request>
  typename Request::Response ask(const Request& request, wire::Version version) {
    wire::RequestHeader header;
    header.version = version;
    bench::send_all(socket_, wire::encode_request(request, header)->bytes);
    std::size_t size = bench::receive_frame(socket_, buffer_, buffer_.size());
    auto response_header = wire::parse_response(BytesView(buffer_).first(size));
    ASSERT(response_header.has_value());
    auto response = wire::decode_response<typename Request::Response>(*response_header, version);
    ASSERT(response.has_value());
    return std::move(*response);
  }

 private:
  int socket_;
  Bytes buffer_ = Bytes(64 << 10);
};

/// How batches are sent: by themselves, or each in a transaction of one of Kafka's protocols.
enum class Way { plain, first, second };

/// Sends batches to a partition of its own.
class Producer {
 public:
  Producer(const net::Address& address, std::int32_t partition, Way way)
      : client_(address), way_(way), partition_(partition), value_(batch_bytes - 100, 'x') {
    wire::InitProducerIdRequest request;
    if (way != Way::plain) id_ = fmt::format("bench-{}", partition);
    if (way != Way::plain) request.transactional_id = id_;
    request.transaction_timeout_ms = 60'000;
    auto response = client_.ask(request, 4);
    ASSERT(response.error_code == wire::ErrorCode::none);
    producer_ = response.producer_id;
    epoch_ = response.producer_epoch;
  }

  void run_once() {
    if (way_ == Way::first) add_partition();
    produce();
    if (way_ != Way::plain) end();
  }

 private:
  void add_partition() {
    wire::AddPartitionsToTxnRequest request;
    request.transactional_id = id_;
    request.producer_id = producer_;
    request.producer_epoch = epoch_;
    request.topics.push_back({"t", {partition_}});
    auto response = client_.ask(request, 3);
    ASSERT(response.results[0].partitions[0].error_code == wire::ErrorCode::none);
  }
  void produce() {
    builder_.append(1'700'000'000'000, {}, as_bytes(value_));
    record::BatchOptions options;
    options.producer_id = ProducerId{producer_};
    options.producer_epoch = epoch_;
    options.base_sequence = sequence_++;
    options.is_transactional = !id_.empty();
    Bytes batch = builder_.build(options);
    wire::ProduceRequest request;
    request.acks = -1;
    request.timeout_ms = 60'000;
    auto& topic = request.topic_data.emplace_back();
    topic.name = "t";
    auto& data = topic.partition_data.emplace_back();
    data.index = partition_;
    data.records = wire::Records(batch);
    auto response = client_.ask(request, way_ == Way::second ? 12 : 9);
    ASSERT(response.responses[0].partition_responses[0].error_code == wire::ErrorCode::none);
  }
  void end() {
    wire::EndTxnRequest request;
    request.transactional_id = id_;
    request.producer_id = producer_;
    request.producer_epoch = epoch_;
    request.committed = true;
    auto response = client_.ask(request, way_ == Way::second ? 5 : 3);
    ASSERT(response.error_code == wire::ErrorCode::none);
    if (way_ != Way::second) return;
    producer_ = response.producer_id;
    epoch_ = response.producer_epoch;
    sequence_ = 0;
  }

  Client client_;
  Way way_;
  std::int32_t partition_;
  std::string value_;
  std::string id_;
  std::int64_t producer_ = -1;
  std::int16_t epoch_ = 0;
  std::int32_t sequence_ = 0;
  record::BatchBuilder builder_;
};

/// A server in this process, in a directory of its own.
class Bench {
 public:
  explicit Bench(std::size_t producers) : producers_(producers) {
    directory_ = (std::filesystem::temp_directory_path() / "leat-bench-XXXXXX").string();
    ASSERT(::mkdtemp(directory_.data()) != nullptr);
    server::ServerOptions options;
    options.broker.store.directory = directory_ + "/data";
    options.kafka = {"127.0.0.1", 0};
    auto server = server::Server::start(options);
    ASSERT(server.has_value());
    server_ = std::move(*server);
    std::promise<void> made;
    server_->executor().post([&] {
      auto count = static_cast<std::int32_t>(producers);
      server_->broker().create_topic({"t", count, {}}, [&](const auto& topic) {
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

  /// Batches per second.
  double run(Way way, std::chrono::seconds time) {
    std::vector<std::unique_ptr<Producer>> producers;
    for (std::size_t i = 0; i < producers_; ++i) {
      producers.push_back(
          std::make_unique<Producer>(server_->kafka_address(), static_cast<std::int32_t>(i), way));
    }
    std::atomic<std::uint64_t> count{0};
    auto begin = Steady::now();
    {
      std::vector<std::jthread> threads;
      for (auto& producer : producers) {
        threads.emplace_back([&, producer = producer.get()] {
          while (Steady::now() - begin < time) {
            producer->run_once();
            ++count;
          }
        });
      }
    }
    double took = std::chrono::duration<double>(Steady::now() - begin).count();
    return static_cast<double>(count) / took;
  }

 private:
  std::size_t producers_;
  std::string directory_;
  std::unique_ptr<server::Server> server_;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

long argument(int count, char** values, int at, long otherwise) {
  return at < count ? std::atol(values[at]) : otherwise;
}

}  // namespace

int main(int count, char** values) {
  auto producers = static_cast<std::size_t>(argument(count, values, 1, 8));
  std::chrono::seconds time(argument(count, values, 2, 2));
  long rounds = argument(count, values, 3, 5);
  set_log_level(LogLevel::error);
  Bench bench(producers);
  std::vector<double> plain;
  std::vector<double> transactions[2];
  std::vector<double> ratios[2];
  for (long i = 0; i < rounds; ++i) {
    plain.push_back(bench.run(Way::plain, time));
    for (Way way : {Way::first, Way::second}) {
      std::size_t at = way == Way::first ? 0 : 1;
      transactions[at].push_back(bench.run(way, time));
      ratios[at].push_back(transactions[at].back() / plain.back());
    }
  }
  fmt::print("{} producers, batches of {} KiB, fsync\n", producers, batch_bytes >> 10);
  fmt::print("plain produces     {:8.0f}/s\n", median(plain));
  fmt::print("transactions       {:8.0f}/s\n", median(transactions[0]));
  fmt::print("ratio              {:8.2f}\n", median(ratios[0]));
  fmt::print("of KIP-890         {:8.0f}/s\n", median(transactions[1]));
  fmt::print("ratio              {:8.2f}\n", median(ratios[1]));
  return 0;
}
