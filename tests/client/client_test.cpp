// The blocking client over real sockets, against brokers that misbehave on demand.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <stop_token>

#include <fmt/core.h>

#include "client/blocking_client.h"
#include "client/blocking_consumer.h"
#include "client/blocking_producer.h"
#include "fake_cluster.h"
#include "client/record_reader.h"
#include "record/builder.h"

namespace leat::client {
namespace {

using wire::ApiKey;
using wire::ErrorCode;
using namespace std::chrono_literals;

/// What became of the batches.
struct Report {
  void add(const Delivery& delivery) {
    std::lock_guard lock(mutex);
    (delivery.error ? failed : delivered) += delivery.record_count;
    if (delivery.error) errors.push_back(*delivery.error);
    possibly_persisted |= delivery.possibly_persisted;
  }
  std::mutex mutex;
  std::int64_t delivered = 0;
  std::int64_t failed = 0;
  bool possibly_persisted = false;
  std::vector<Error> errors;
};

/// Sends "0" … "<count-1>" to partition 0 of `topic`, each as a batch of its own or all together.
void send_numbers(BlockingProducer& producer, int count, bool one_by_one) {
  for (int i = 0; i < count; ++i) {
    std::string value = std::to_string(i);
    OutRecord record;
    record.value = as_bytes(value);
    record.partition = 0;
    REQUIRE(producer.send("orders", record));
    if (one_by_one) REQUIRE(producer.flush());
  }
  REQUIRE(producer.flush());
}

std::vector<std::string> numbers(int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.push_back(std::to_string(i));
  return all;
}

/// Values read until `consumer` has finished or failed.
std::vector<std::string> read_all(BlockingConsumer& consumer,
                                  std::optional<Error>* error = nullptr) {
  std::vector<std::string> values;
  record::Scratch scratch;
  while (!consumer.finished()) {
    auto fetched = consumer.poll(10s);
    if (!fetched) {
      REQUIRE_MESSAGE(error, fetched.error().what);
      *error = fetched.error();
      return values;
    }
    if (!*fetched) continue;
    RecordReader records(**fetched, scratch);
    while (const record::Record* record = records.next())
      values.emplace_back(as_text(*record->value));
    REQUIRE_FALSE(records.error());
  }
  return values;
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
  BlockingClient client(quick_options(cluster));
  Report report;
  BlockingProducer producer(client, {}, [&](const Delivery& delivery) { report.add(delivery); });
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
      BlockingClient client(quick_options(cluster));
      Report report;
      ProducerOptions options;
      options.idempotence = idempotence;
      BlockingProducer producer(client, options,
                                [&](const Delivery& delivery) { report.add(delivery); });
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
  BlockingClient client(quick_options(cluster));
  Report report;
  ProducerOptions options;
  options.batch_bytes = 200;
  options.linger = 0ms;
  BlockingProducer producer(client, options,
                            [&](const Delivery& delivery) { report.add(delivery); });
  send_numbers(producer, 1000, false);
  CHECK(report.delivered == 1000);
  CHECK(cluster.values("orders", 0) == numbers(1000));
}

TEST_CASE("a broker that gives no producer id fails the records, with its words") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  cluster.set_faults(first(ApiKey::init_producer_id, 2,
                           {Fault::Kind::none, ErrorCode::cluster_authorization_failed}));
  BlockingClient client(quick_options(cluster));
  Report report;
  BlockingProducer producer(client, {}, [&](const Delivery& delivery) { report.add(delivery); });
  send_numbers(producer, 1, true);
  REQUIRE(report.failed == 1);
  CHECK(report.errors[0].what.find("CLUSTER_AUTHORIZATION_FAILED") != std::string::npos);
  cluster.set_faults(nullptr);
  send_numbers(producer, 1, true);
  CHECK(report.delivered == 1);
}

TEST_CASE("an answer may come byte by byte") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  cluster.set_faults([](ApiKey, int) { return Fault{Fault::Kind::trickle, ErrorCode::none}; });
  BlockingClient client(quick_options(cluster));
  Report report;
  BlockingProducer producer(client, {}, [&](const Delivery& delivery) { report.add(delivery); });
  send_numbers(producer, 100, false);
  CHECK(report.delivered == 100);
  BlockingConsumer consumer(client, {{"orders", 0, 0, 100}}, {});
  CHECK(read_all(consumer) == numbers(100));
}

TEST_CASE("records follow a partition to its new leader") {
  FakeCluster cluster(3);
  cluster.add_topic("orders", 1);
  BlockingClient client(quick_options(cluster));
  Report report;
  BlockingProducer producer(client, {}, [&](const Delivery& delivery) { report.add(delivery); });
  send_numbers(producer, 1, true);
  cluster.set_leader("orders", 0, 3);
  send_numbers(producer, 1, true);
  cluster.set_leader("orders", 0, 2);
  BlockingConsumer consumer(client, {{"orders", 0, 0, 2}}, {});
  CHECK(read_all(consumer) == std::vector<std::string>{"0", "0"});
  CHECK(report.failed == 0);
}

TEST_CASE("an error that may pass is tried again, in order") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  cluster.set_faults(
      first(ApiKey::produce, 3, {Fault::Kind::none, ErrorCode::not_enough_replicas}));
  BlockingClient client(quick_options(cluster));
  Report report;
  ProducerOptions options;
  options.batch_bytes = 200;
  BlockingProducer producer(client, options,
                            [&](const Delivery& delivery) { report.add(delivery); });
  send_numbers(producer, 200, false);
  CHECK(report.delivered == 200);
  CHECK(cluster.values("orders", 0) == numbers(200));
}

TEST_CASE("an error that stays is reported with code, topic, partition and broker") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  cluster.set_faults(
      first(ApiKey::produce, 1, {Fault::Kind::none, ErrorCode::topic_authorization_failed}));
  BlockingClient client(quick_options(cluster));
  Report report;
  BlockingProducer producer(client, {}, [&](const Delivery& delivery) { report.add(delivery); });
  send_numbers(producer, 1, true);
  REQUIRE(report.failed == 1);
  CHECK(report.errors[0].what == fmt::format("orders/0: TOPIC_AUTHORIZATION_FAILED (29) from "
                                             "broker 127.0.0.1:{}",
                                             cluster.port(1)));
}

TEST_CASE("records that nobody acknowledges in time are given up, and may have been stored") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  cluster.set_faults(first(ApiKey::produce, 1000, {Fault::Kind::drop_answer, ErrorCode::none}));
  BlockingClient client(quick_options(cluster));
  Report report;
  ProducerOptions options;
  options.delivery_timeout = 100ms;
  BlockingProducer producer(client, options,
                            [&](const Delivery& delivery) { report.add(delivery); });
  send_numbers(producer, 1, true);
  CHECK(report.failed == 1);
  CHECK(report.possibly_persisted);
}

TEST_CASE("a broker that never answers loses its connection, not the record") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  cluster.set_faults(first(ApiKey::produce, 1, {Fault::Kind::never, ErrorCode::none}));
  ClientOptions client_options = quick_options(cluster);
  client_options.request_timeout = 50ms;
  BlockingClient client(client_options);
  Report report;
  BlockingProducer producer(client, {}, [&](const Delivery& delivery) { report.add(delivery); });
  send_numbers(producer, 1, true);
  CHECK(report.delivered == 1);
  CHECK(cluster.connections() >= 2);
}

TEST_CASE("sending waits for room, and goes on when there is some") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  BlockingClient client(quick_options(cluster));
  Report report;
  ProducerOptions options;
  options.buffer_bytes = 2000;
  options.linger = 10s;
  BlockingProducer producer(client, options,
                            [&](const Delivery& delivery) { report.add(delivery); });
  send_numbers(producer, 1000, false);
  CHECK(report.delivered == 1000);
  CHECK(cluster.values("orders", 0) == numbers(1000));
}

TEST_CASE("partitions on several brokers are read at once, each in order") {
  FakeCluster cluster(3);
  cluster.add_topic("orders", 3);
  std::vector<Assignment> assignments;
  for (int partition = 0; partition < 3; ++partition) {
    cluster.set_leader("orders", partition, partition + 1);
    for (int batch = 0; batch < 10; ++batch)
      fill(cluster, "orders", partition, partition * 1000 + batch * 10, 10);
    assignments.push_back({"orders", partition, 5, 95});
  }
  BlockingClient client(quick_options(cluster));
  ConsumerOptions options;
  options.prefetch_bytes = 1;  // one answer at a time
  options.partition_fetch_bytes = 300;
  BlockingConsumer consumer(client, assignments, options);
  auto values = read_all(consumer);
  REQUIRE(values.size() == 3 * 90);
  for (int partition = 0; partition < 3; ++partition) {
    std::vector<int> own;
    for (const std::string& value : values)
      if (std::stoi(value) / 1000 == partition) own.push_back(std::stoi(value) % 1000);
    std::vector<int> expected(90);
    std::iota(expected.begin(), expected.end(), 5);
    CHECK(own == expected);
  }
}

TEST_CASE("a consumer at the end gets what comes") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  BlockingClient client(quick_options(cluster));
  BlockingConsumer consumer(client, {{"orders", 0, 0, std::nullopt}}, {});
  auto nothing = consumer.poll(1ms);
  REQUIRE(nothing);
  CHECK_FALSE(*nothing);
  fill(cluster, "orders", 0, 0, 3);
  auto fetched = consumer.poll(10s);
  REQUIRE(fetched);
  REQUIRE(*fetched);
  CHECK((*fetched)->end == 3);
  CHECK_FALSE(consumer.finished());
}

TEST_CASE("a position that the partition does not have is an error, not a jump") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  fill(cluster, "orders", 0, 0, 10);
  fill(cluster, "orders", 0, 10, 10);
  cluster.set_start_offset("orders", 0, 10);
  BlockingClient client(quick_options(cluster));
  for (std::int64_t begin : {5, 21}) {
    BlockingConsumer consumer(client, {{"orders", 0, begin, std::nullopt}}, {});
    std::optional<Error> error;
    CHECK(read_all(consumer, &error).empty());
    REQUIRE(error);
    CHECK(error->code == Errc::offset_out_of_range);
    CHECK(error->what.find(fmt::format("orders/0 at offset {}: OFFSET_OUT_OF_RANGE", begin)) == 0);
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
  BlockingClient client(quick_options(cluster));
  ConsumerOptions options;
  options.partition_fetch_bytes = 500;
  BlockingConsumer consumer(client, {{"orders", 0, 0, 500}}, options);
  CHECK(read_all(consumer) == numbers(500));
}

TEST_CASE("offsets are looked up at every partition's leader") {
  FakeCluster cluster(2);
  cluster.add_topic("orders", 2);
  cluster.set_leader("orders", 1, 2);
  fill(cluster, "orders", 0, 0, 5);
  fill(cluster, "orders", 1, 0, 7);
  BlockingClient client(quick_options(cluster));
  cluster.set_faults(
      first(ApiKey::list_offsets, 2, {Fault::Kind::none, ErrorCode::not_leader_or_follower}));
  auto found = client.list_offsets({{"orders", 0, at_start},
                                    {"orders", 1, at_start},
                                    {"orders", 0, at_end},
                                    {"orders", 1, at_end},
                                    {"orders", 1, 12345}},
                                   true);
  REQUIRE(found);
  CHECK(*found == std::vector<OffsetFound>{0, 0, 5, 7, std::nullopt});
}

TEST_CASE("a broker that speaks no version of ours is refused with both ranges") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  cluster.limit(ApiKey::produce, {0, 2});
  BlockingClient client(quick_options(cluster));
  Report report;
  BlockingProducer producer(client, {}, [&](const Delivery& delivery) { report.add(delivery); });
  send_numbers(producer, 1, true);
  REQUIRE(report.failed == 1);
  CHECK(report.errors[0].what.find("speaks Produce 0 to 2, this client 3 to 11") !=
        std::string::npos);
}

TEST_CASE("a broker that knows only the first version of ApiVersions is understood") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  cluster.limit(ApiKey::api_versions, {0, 2});
  BlockingClient client(quick_options(cluster));
  CHECK(client.describe_topic("orders"));
  CHECK(cluster.requests(ApiKey::api_versions) == 2);
}

TEST_CASE("an address that nobody listens at is told at once") {
  std::uint16_t free_port = FakeCluster(1).port(1);
  ClientOptions options;
  options.brokers = fmt::format("127.0.0.1:{}", free_port);
  BlockingClient client(options);
  auto topics = client.list_topics();
  REQUIRE_FALSE(topics);
  CHECK(topics.error().what ==
        fmt::format("cannot connect to 127.0.0.1:{}: Connection refused", free_port));
  CHECK_FALSE(client.describe_topic("orders"));
  CHECK_FALSE(client.delete_topic("orders"));
}

TEST_CASE("one address that answers is enough") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  ClientOptions options = quick_options(cluster);
  options.brokers = fmt::format("127.0.0.1:{},{}", FakeCluster(1).port(1), options.brokers);
  BlockingClient client(options);
  CHECK(client.describe_topic("orders"));
}

TEST_CASE("a topic that is not there is an error that names it") {
  FakeCluster cluster(1);
  BlockingClient client(quick_options(cluster));
  auto described = client.describe_topic("orders");
  REQUIRE_FALSE(described);
  CHECK(described.error().code == Errc::unknown_topic_or_partition);
  CHECK(described.error().what.find("topic orders: UNKNOWN_TOPIC_OR_PARTITION (3)") == 0);
}

TEST_CASE("a request to stop ends whatever waits") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  cluster.set_faults([](ApiKey key, int) {
    return Fault{key == ApiKey::produce || key == ApiKey::list_offsets ? Fault::Kind::never
                                                                       : Fault::Kind::none,
                 ErrorCode::none};
  });
  std::stop_source stop;
  ClientOptions options = quick_options(cluster);
  options.stop = stop.get_token();
  BlockingClient client(options);
  Report report;
  BlockingProducer producer(client, {}, [&](const Delivery& delivery) { report.add(delivery); });
  OutRecord record;
  record.value = as_bytes("x");
  REQUIRE(producer.send("orders", record));
  std::thread stopper([&] {
    while (cluster.requests(ApiKey::list_offsets) == 0) std::this_thread::yield();
    stop.request_stop();
  });
  auto found = client.list_offsets({{"orders", 0, at_end}}, true);
  stopper.join();
  REQUIRE_FALSE(found);
  CHECK(found.error().code == Errc::cancelled);
  CHECK_FALSE(client.list_topics());
  // The record was given up before flush() looked, and that was reported, or flush() gives up.
  bool flushed = producer.flush().has_value();
  std::lock_guard lock(report.mutex);
  CHECK(report.delivered == 0);
  CHECK((report.failed == 1 || !flushed));
}

TEST_CASE("no delivery is reported to a producer that is gone") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  cluster.set_faults(first(ApiKey::produce, 1, {Fault::Kind::never, ErrorCode::none}));
  auto client = std::make_unique<BlockingClient>(quick_options(cluster));
  std::atomic<int> reported{0};
  auto producer = std::make_unique<BlockingProducer>(*client, ProducerOptions{},
                                                     [&](const Delivery&) { ++reported; });
  OutRecord record;
  record.value = as_bytes("x");
  REQUIRE(producer->send("orders", record));
  while (cluster.requests(ApiKey::produce) == 0) std::this_thread::yield();
  producer.reset();
  client.reset();
  CHECK(reported == 0);
}

TEST_CASE("objects may end at any time, in any state") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 1);
  cluster.set_faults([](ApiKey key, int) {
    return Fault{key == ApiKey::produce ? Fault::Kind::never : Fault::Kind::none, ErrorCode::none};
  });
  for (int i = 0; i < 20; ++i) {
    auto client = std::make_unique<BlockingClient>(quick_options(cluster));
    BlockingProducer producer(*client, {}, [](const Delivery&) {});
    BlockingConsumer consumer(*client, {{"orders", 0, 0, std::nullopt}}, {});
    OutRecord record;
    record.value = as_bytes("x");
    REQUIRE(producer.send("orders", record));
    if (i % 2 == 0) client.reset();
    if (i % 3 == 0) REQUIRE(consumer.poll(1ms));
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::client
