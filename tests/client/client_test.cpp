// The blocking client over real sockets, against brokers that misbehave on demand.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <numeric>
#include <stop_token>
#include <thread>

#include <fmt/core.h>

#include "fake_cluster.h"
#include "leat/blocking.h"
#include "record/builder.h"
#include "server/peer.h"

namespace leat::blocking {
namespace {

using client::FakeCluster;
using client::Fault;
using client::quick_options;

using wire::ApiKey;
using wire::ErrorCode;
using namespace std::chrono_literals;

/// What became of the batches.
struct Report {
  void add(const BatchDelivery& batch) {
    std::lock_guard lock(mutex);
    (batch.error ? failed : delivered) += batch.record_count;
    if (batch.error) errors.emplace_back(batch.text);
    is_possibly_persisted |= possibly_persisted(batch.error);
  }
  /// Options of a producer that fills it.
  ProducerOptions options() {
    ProducerOptions options;
    options.on_delivery = [this](const BatchDelivery& batch) { add(batch); };
    return options;
  }
  std::mutex mutex;
  std::int64_t delivered = 0;
  std::int64_t failed = 0;
  bool is_possibly_persisted = false;
  std::vector<std::string> errors;
};

/// Sends "0" … "<count-1>" to partition 0 of `topic`, each as a batch of its own or all together.
void send_numbers(Producer& producer, int count, bool one_by_one) {
  for (int i = 0; i < count; ++i) {
    std::string value = std::to_string(i);
    producer.enqueue({"orders", {}, value, {}, 0, {}});
    if (one_by_one) producer.flush();
  }
  producer.flush();
}

std::vector<std::string> numbers(int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.push_back(std::to_string(i));
  return all;
}

/// Reads at least as many values.
std::vector<std::string> read(Consumer& consumer, std::size_t count) {
  std::vector<std::string> values;
  while (values.size() < count)
    for (const InRecord& record : consumer.poll()) values.emplace_back(*record.value);
  return values;
}

/// What `operation` throws; code and text are empty where it throws nothing.
Exception failure_of(const std::function<void()>& operation) {
  try {
    operation();
  } catch (const Exception& failed) {
    return failed;
  }
  return {{}, ""};
}

/// Gives `fault` to the first `count` requests of an API.
FakeCluster::FaultOf first(ApiKey key, int count, Fault fault) {
  auto left = std::make_shared<std::atomic<int>>(count);
  return [key, left, fault](ApiKey asked, int) {
    return asked == key && left->fetch_sub(1) > 0 ? fault : Fault{};
  };
}

void fill(FakeCluster& cluster, const std::string& topic, int partition, int from, int count) {
  record::BatchBuilder builder;
  for (int i = from; i < from + count; ++i)
    builder.append(i, std::nullopt, as_bytes(std::to_string(i)));
  cluster.append(topic, partition, builder.build());
}

TEST_SUITE_BEGIN("client");

TEST_CASE("records arrive in order, in few requests") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  Report report;
  Producer producer(quick_options(cluster), report.options());
  send_numbers(producer, 1000, false);
  CHECK(report.delivered == 1000);
  CHECK(cluster.values("orders", 0) == numbers(1000));
  CHECK(cluster.requests(ApiKey::produce) < 100);
}

TEST_CASE("a request whose connection breaks is sent again, and its records are there once") {
  for (auto kind : {Fault::Kind::drop_request, Fault::Kind::drop_answer, Fault::Kind::cut_answer}) {
    for (bool idempotence : {true, false}) {
      FakeCluster cluster(1);
      cluster.add_topic("orders", 1);
      Report report;
      ProducerOptions options = report.options();
      options.idempotence = idempotence;
      Producer producer(quick_options(cluster), options);
      send_numbers(producer, 5, true);
      cluster.set_faults(first(ApiKey::produce, 2, {kind, ErrorCode::none}));
      send_numbers(producer, 5, true);
      CHECK(report.failed == 0);
      auto values = cluster.values("orders", 0);
      // Without idempotence a lost answer means that the records are there twice.
      if (!idempotence) values.erase(std::unique(values.begin(), values.end()), values.end());
      auto expected = numbers(5);
      auto again = numbers(5);
      expected.insert(expected.end(), again.begin(), again.end());
      CHECK(values == expected);
    }
  }
}

TEST_CASE("many batches are under way when the connection breaks, and none is lost or doubled") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  std::atomic<int> asked = 0;
  cluster.set_faults([&](ApiKey key, int) {
    int kind = key == ApiKey::produce ? asked++ % 7 : 0;
    if (kind == 3) return Fault{Fault::Kind::drop_answer, ErrorCode::none};
    if (kind == 5) return Fault{Fault::Kind::drop_request, ErrorCode::none};
    return Fault{};
  });
  Report report;
  ProducerOptions options = report.options();
  options.batch_bytes = 200;
  options.linger = 0ms;
  Producer producer(quick_options(cluster), options);
  send_numbers(producer, 1000, false);
  CHECK(report.delivered == 1000);
  CHECK(cluster.values("orders", 0) == numbers(1000));
}

TEST_CASE("a broker that gives no producer id fails the records, with its words") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  cluster.set_faults(first(ApiKey::init_producer_id, 2,
                           {Fault::Kind::none, ErrorCode::cluster_authorization_failed}));
  Report report;
  Producer producer(quick_options(cluster), report.options());
  send_numbers(producer, 1, true);
  REQUIRE(report.failed == 1);
  CHECK(report.errors[0].find("CLUSTER_AUTHORIZATION_FAILED") != std::string::npos);
  cluster.set_faults(nullptr);
  send_numbers(producer, 1, true);
  CHECK(report.delivered == 1);
}

TEST_CASE("an answer may come byte by byte") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  cluster.set_faults([](ApiKey, int) { return Fault{Fault::Kind::trickle, ErrorCode::none}; });
  Report report;
  Producer producer(quick_options(cluster), report.options());
  send_numbers(producer, 100, false);
  CHECK(report.delivered == 100);
  Consumer consumer(quick_options(cluster));
  consumer.assign({{{"orders", 0}, 0}});
  CHECK(read(consumer, 100) == numbers(100));
}

TEST_CASE("records follow a partition to its new leader") {
  FakeCluster cluster(3);
  cluster.add_topic("orders", 1);
  Report report;
  Producer producer(quick_options(cluster), report.options());
  send_numbers(producer, 1, true);
  cluster.set_leader("orders", 0, 3);
  send_numbers(producer, 1, true);
  cluster.set_leader("orders", 0, 2);
  Consumer consumer(quick_options(cluster));
  consumer.assign({{{"orders", 0}, 0}});
  CHECK(read(consumer, 2) == std::vector<std::string>{"0", "0"});
  CHECK(report.failed == 0);
}

TEST_CASE("an error that may pass is tried again, in order") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  cluster.set_faults(
      first(ApiKey::produce, 3, {Fault::Kind::none, ErrorCode::not_enough_replicas}));
  Report report;
  ProducerOptions options = report.options();
  options.batch_bytes = 200;
  Producer producer(quick_options(cluster), options);
  send_numbers(producer, 200, false);
  CHECK(report.delivered == 200);
  CHECK(cluster.values("orders", 0) == numbers(200));
}

TEST_CASE("an error that stays is reported with code, topic, partition and broker") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  cluster.set_faults(
      first(ApiKey::produce, 1, {Fault::Kind::none, ErrorCode::topic_authorization_failed}));
  Report report;
  Producer producer(quick_options(cluster), report.options());
  send_numbers(producer, 1, true);
  REQUIRE(report.failed == 1);
  CHECK(report.errors[0] == fmt::format("orders/0: TOPIC_AUTHORIZATION_FAILED (29) from "
                                        "broker 127.0.0.1:{}",
                                        cluster.port(1)));
}

TEST_CASE("records that nobody acknowledges in time are given up, and may have been stored") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  cluster.set_faults(first(ApiKey::produce, 1000, {Fault::Kind::drop_answer, ErrorCode::none}));
  Report report;
  ProducerOptions options = report.options();
  options.delivery_timeout = 100ms;
  Producer producer(quick_options(cluster), options);
  send_numbers(producer, 1, true);
  CHECK(report.failed == 1);
  CHECK(report.is_possibly_persisted);
}

TEST_CASE("a broker that never answers loses its connection, not the record") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  cluster.set_faults(first(ApiKey::produce, 1, {Fault::Kind::never, ErrorCode::none}));
  ClientOptions client_options = quick_options(cluster);
  client_options.request_timeout = 50ms;
  Report report;
  Producer producer(client_options, report.options());
  send_numbers(producer, 1, true);
  CHECK(report.delivered == 1);
  CHECK(cluster.connections() >= 2);
}

TEST_CASE("sending waits for room, and goes on when there is some") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  Report report;
  ProducerOptions options = report.options();
  options.buffer_bytes = 2000;
  options.linger = 10s;
  Producer producer(quick_options(cluster), options);
  send_numbers(producer, 1000, false);
  CHECK(report.delivered == 1000);
  CHECK(cluster.values("orders", 0) == numbers(1000));
}

TEST_CASE("partitions on several brokers are read at once, each in order") {
  FakeCluster cluster(3);
  cluster.add_topic("orders", 3);
  std::vector<PartitionOffset> positions;
  for (int partition = 0; partition < 3; ++partition) {
    cluster.set_leader("orders", partition, partition + 1);
    for (int batch = 0; batch < 10; ++batch)
      fill(cluster, "orders", partition, partition * 1000 + batch * 10, 10);
    positions.push_back({{"orders", partition}, 5});
  }
  ConsumerOptions options;
  options.prefetch_bytes = 1;  // one answer at a time
  options.partition_fetch_bytes = 300;
  Consumer consumer(quick_options(cluster), options);
  consumer.assign(positions);
  auto values = read(consumer, 3 * 95);
  REQUIRE(values.size() == 3 * 95);
  for (int partition = 0; partition < 3; ++partition) {
    std::vector<int> own;
    for (const std::string& value : values)
      if (std::stoi(value) / 1000 == partition) own.push_back(std::stoi(value) % 1000);
    std::vector<int> expected(95);
    std::iota(expected.begin(), expected.end(), 5);
    CHECK(own == expected);
  }
}

TEST_CASE("a consumer at the end gets what comes") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  Consumer consumer(quick_options(cluster));
  consumer.assign({{{"orders", 0}, 0}});
  CHECK(consumer.poll(1ms).empty());
  fill(cluster, "orders", 0, 0, 3);
  CHECK(read(consumer, 3) == numbers(3));
  CHECK(consumer.position({"orders", 0}) == 3);
}

TEST_CASE("a position that the partition does not have is an error, not a jump") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  fill(cluster, "orders", 0, 0, 10);
  fill(cluster, "orders", 0, 10, 10);
  cluster.set_start_offset("orders", 0, 10);
  for (std::int64_t begin : {5, 21}) {
    ConsumerOptions options;
    options.offset_reset = OffsetReset::none;
    Consumer consumer(quick_options(cluster), options);
    consumer.assign({{{"orders", 0}, begin}});
    Exception failed = failure_of([&] { consumer.poll(); });
    CHECK(failed.code() == KafkaError::offset_out_of_range);
    std::string text = failed.what();
    CHECK(text.find(fmt::format("orders/0 at offset {}: OFFSET_OUT_OF_RANGE", begin)) == 0);
  }
}

TEST_CASE("reading survives broken connections and leaders that move") {
  FakeCluster cluster(2);
  cluster.add_topic("orders", 1);
  for (int batch = 0; batch < 50; ++batch) fill(cluster, "orders", 0, batch * 10, 10);
  std::atomic<int> count{0};
  cluster.set_faults([&](ApiKey key, int) {
    if (key != ApiKey::fetch) return Fault{};
    int n = count++;
    if (n % 7 == 3) cluster.set_leader("orders", 0, n % 2 + 1);
    if (n % 5 == 2) return Fault{Fault::Kind::cut_answer, ErrorCode::none};
    if (n % 5 == 4) return Fault{Fault::Kind::none, ErrorCode::leader_not_available};
    return Fault{};
  });
  ConsumerOptions options;
  options.partition_fetch_bytes = 500;
  Consumer consumer(quick_options(cluster), options);
  consumer.assign({{{"orders", 0}, 0}});
  CHECK(read(consumer, 500) == numbers(500));
}

TEST_CASE("offsets are looked up at every partition's leader") {
  using Kind = OffsetQuery::Kind;
  FakeCluster cluster(2);
  cluster.add_topic("orders", 2);
  cluster.set_leader("orders", 1, 2);
  fill(cluster, "orders", 0, 0, 5);
  fill(cluster, "orders", 1, 0, 7);
  Admin admin(quick_options(cluster));
  cluster.set_faults(
      first(ApiKey::list_offsets, 2, {Fault::Kind::none, ErrorCode::not_leader_or_follower}));
  auto found = admin.list_offsets({{{"orders", 0}, Kind::start},
                                   {{"orders", 1}, Kind::start},
                                   {{"orders", 0}, Kind::end},
                                   {{"orders", 1}, Kind::stable_end},
                                   {{"orders", 1}, Kind::time, Timestamp(12345ms)}});
  CHECK(found == std::vector<std::optional<std::int64_t>>{0, 0, 5, 7, std::nullopt});
}

TEST_CASE("a broker that speaks no version of ours is refused with both ranges") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  cluster.limit(ApiKey::produce, {0, 2});
  Report report;
  Producer producer(quick_options(cluster), report.options());
  send_numbers(producer, 1, true);
  REQUIRE(report.failed == 1);
  CHECK(report.errors[0].find("speaks Produce 0 to 2, this client 3 to 11") != std::string::npos);
}

TEST_CASE("a broker that knows only the first version of ApiVersions is understood") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  cluster.limit(ApiKey::api_versions, {0, 2});
  Admin admin(quick_options(cluster));
  CHECK(admin.describe_topic("orders").partitions.size() == 1);
  CHECK(cluster.requests(ApiKey::api_versions) == 2);
}

TEST_CASE("an address that nobody listens at is told at once") {
  std::uint16_t free_port = FakeCluster(1).port(1);
  ClientOptions options;
  options.brokers = fmt::format("127.0.0.1:{}", free_port);
  Admin admin(options);
  Exception failed = failure_of([&] { admin.list_topics(); });
  CHECK(failed.what() ==
        fmt::format("cannot connect to 127.0.0.1:{}: Connection refused", free_port));
  CHECK(failure_of([&] { admin.describe_topic("orders"); }).code());
  CHECK(failure_of([&] { admin.delete_topic("orders"); }).code());
}

TEST_CASE("one address that answers is enough") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  ClientOptions options = quick_options(cluster);
  options.brokers = fmt::format("127.0.0.1:{},{}", FakeCluster(1).port(1), options.brokers);
  CHECK(Admin(options).describe_topic("orders").partitions.size() == 1);
}

TEST_CASE("a topic that is not there is an error that names it") {
  FakeCluster cluster(1);
  Admin admin(quick_options(cluster));
  Exception failed = failure_of([&] { admin.describe_topic("orders"); });
  CHECK(failed.code() == KafkaError::unknown_topic_or_partition);
  CHECK(std::string(failed.what()).find("topic orders: UNKNOWN_TOPIC_OR_PARTITION (3)") == 0);
}

TEST_CASE("a request to stop ends what waits for an acknowledgement, and says what became of it") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  cluster.set_faults([](ApiKey key, int) {
    return Fault{key == ApiKey::produce ? Fault::Kind::never : Fault::Kind::none, ErrorCode::none};
  });
  std::stop_source stop;
  ClientOptions options = quick_options(cluster);
  options.stop = stop.get_token();
  Report report;
  Producer producer(options, report.options());
  producer.enqueue({"orders", {}, "x", {}, 0, {}});
  std::thread stopper([&] {
    while (cluster.requests(ApiKey::produce) == 0) std::this_thread::yield();
    stop.request_stop();
  });
  // The record was given up before flush() looked, or it is flush() that is.
  Exception failed = failure_of([&] { producer.flush(); });
  stopper.join();
  CHECK((!failed.code() || failed.code() == ClientError::cancelled));
  CHECK(failure_of([&] {
          producer.enqueue({"orders", {}, "y", {}, 0, {}});
        }).code() == ClientError::cancelled);
  CHECK(server::wait_for([&] {
    std::lock_guard lock(report.mutex);
    return report.failed == 1;
  }));
  CHECK(report.delivered == 0);
  CHECK(report.is_possibly_persisted);
}

TEST_CASE("objects may end at any time, in any state") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  cluster.set_faults([](ApiKey key, int) {
    return Fault{key == ApiKey::produce ? Fault::Kind::never : Fault::Kind::none, ErrorCode::none};
  });
  for (int i = 0; i < 20; ++i) {
    Report report;
    Producer producer(quick_options(cluster), report.options());
    Consumer consumer(quick_options(cluster));
    consumer.assign({{{"orders", 0}, 0}});
    producer.enqueue({"orders", {}, "x", {}, 0, {}});
    if (i % 3 == 0) consumer.poll(1ms);
    if (i % 2 == 0) producer = Producer(quick_options(cluster));
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::blocking
