// Topics of clusters: against brokers whose leaders change and whose answers get lost, and against
// a server with transactions.
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "base/random.h"
#include "client/fake_cluster.h"
#include "client/lossy_broker.h"
#include "cluster_options.h"
#include "leat/blocking.h"
#include "record/builder.h"
#include "record/record.h"
#include "remote/remote_topics.h"

TEST_SUITE_BEGIN("remote");

using namespace leat;
using namespace leat::remote;
using client::FakeCluster;
using client::Fault;
using wire::ApiKey;

namespace {

Bytes batch_of(const std::vector<std::string>& values) {
  record::BatchBuilder builder;
  for (const auto& value : values) builder.append(0, {}, as_bytes(value));
  return builder.build();
}

/// Waits for records, as a run does, until `partition` was read up to its end.
std::vector<std::string> read_to_end(stream::TopicReader& reader, std::int32_t partition,
                                     std::size_t max_bytes = 4096) {
  PartitionId id{partition};
  auto [next, end] = reader.readable()->at(static_cast<std::size_t>(partition));
  std::vector<std::string> values;
  while (next < end) {
    auto batches = reader.read(id, next, max_bytes);
    REQUIRE_MESSAGE(batches, batches.error().what);
    if (batches->bytes.empty()) {
      std::promise<void> woken;
      reader.when_readable(id, next, [&] { woken.set_value(); });
      auto there = woken.get_future();
      REQUIRE(there.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
      continue;
    }
    for (BytesView left = batches->bytes; !left.empty();) {
      auto batch = record::BatchView::parse(left);
      REQUIRE(batch);
      left = left.subspan(batch->size_bytes());
      if (!batch->is_control()) {
        record::RecordIterator records(*batch);
        while (const record::Record* record = records.next()) {
          if (record->offset >= next) values.emplace_back(as_text(*record->value));
        }
      }
      next = std::max(next, batch->next_offset());
    }
  }
  return values;
}

/// Now and then what a broker does to one request.
FakeCluster::FaultOf faults_of(std::shared_ptr<Random> random) {
  auto mutex = std::make_shared<std::mutex>();
  return [random, mutex](ApiKey key, int) {
    Fault fault;
    std::lock_guard lock(*mutex);
    bool is_hit = key == ApiKey::fetch || key == ApiKey::produce || key == ApiKey::list_offsets;
    if (!is_hit || !random->one_in(6)) return fault;
    const Fault::Kind kinds[] = {Fault::Kind::drop_request, Fault::Kind::drop_answer,
                                 Fault::Kind::cut_answer};
    fault.kind = kinds[random->below(3)];
    return fault;
  };
}

}  // namespace

TEST_CASE("all records are read, once and in order, while leaders change and answers get lost") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    auto random = std::make_shared<Random>(seed);
    FakeCluster cluster(3);
    cluster.add_topic("orders", 3);
    std::vector<std::vector<std::string>> written(3);
    for (int i = 0; i < 400; ++i) {
      auto to = static_cast<std::size_t>(i % 3);
      std::vector<std::string> values;
      for (auto n = 1 + random->below(4); n > 0; --n) {
        values.push_back(fmt::format("{}-{}-{}", i, n, std::string(random->below(900), 'x')));
      }
      cluster.append("orders", static_cast<std::int32_t>(to), batch_of(values));
      written[to].insert(written[to].end(), values.begin(), values.end());
    }
    // So little is fetched ahead that partitions are held back all the time.
    RemoteTopics topics(client::quick_options(cluster), {.partition_bytes = 4096, .bytes = 32768});
    auto topic = topics.find_topic("orders");
    REQUIRE_MESSAGE(topic, topic.error().what);
    auto reader = topics.open(*topic);
    REQUIRE_MESSAGE(reader, reader.error().what);
    cluster.set_faults(faults_of(std::make_shared<Random>(seed + 100)));
    std::atomic<bool> done = false;
    std::thread moving([&] {
      Random moves(seed + 200);
      while (!done) {
        cluster.set_leader("orders", static_cast<std::int32_t>(moves.below(3)),
                           1 + static_cast<int>(moves.below(3)));
        std::this_thread::sleep_for(std::chrono::milliseconds(3));
      }
    });
    std::vector<std::vector<std::string>> read(3);
    std::vector<std::thread> workers;
    for (std::int32_t i = 0; i < 3; ++i) {
      workers.emplace_back(
          [&, i] { read[static_cast<std::size_t>(i)] = read_to_end(**reader, i); });
    }
    for (auto& worker : workers) worker.join();
    done = true;
    moving.join();
    CHECK(read == written);
  }
}

TEST_CASE("a partition that nobody reads any more holds back no other") {
  FakeCluster cluster(1);
  cluster.add_topic("orders", 2);
  std::vector<std::string> written;
  for (int i = 0; i < 200; ++i) {
    std::vector<std::string> values{fmt::format("{}-{}", i, std::string(1000, 'x'))};
    cluster.append("orders", 0, batch_of(values));
    cluster.append("orders", 1, batch_of(values));
    written.push_back(values[0]);
  }
  RemoteTopics topics(client::quick_options(cluster), {.partition_bytes = 4096, .bytes = 16384});
  auto reader = *topics.open(*topics.find_topic("orders"));
  CHECK(reader->read(PartitionId{0}, Offset{0}, 1)->on_their_way);
  CHECK(read_to_end(*reader, 1) == written);
  CHECK(read_to_end(*reader, 0) == written);
}

TEST_CASE(
    "what is appended is there once and in order, while leaders change and answers get lost") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    FakeCluster cluster(3);
    cluster.add_topic("out", 3);
    cluster.set_faults(faults_of(std::make_shared<Random>(seed)));
    std::vector<std::vector<std::string>> written(3);
    std::atomic<int> appended = 0, failed = 0;
    constexpr int batches = 200;
    {
      RemoteTopics topics(client::quick_options(cluster));
      auto topic = topics.find_topic("out");
      REQUIRE_MESSAGE(topic, topic.error().what);
      Random random(seed + 300);
      for (int i = 0; i < batches; ++i) {
        auto to = static_cast<std::int32_t>(random.below(3));
        std::vector<std::string> values;
        for (auto n = 1 + random.below(4); n > 0; --n) values.push_back(fmt::format("{}-{}", i, n));
        auto& all = written[static_cast<std::size_t>(to)];
        all.insert(all.end(), values.begin(), values.end());
        topics.append({topic->id, PartitionId{to}}, batch_of(values),
                      [&](Result<Offset> offset) { ++(offset ? appended : failed); });
        if (random.one_in(20)) {
          cluster.set_leader("out", static_cast<std::int32_t>(random.below(3)),
                             1 + static_cast<int>(random.below(3)));
        }
      }
      while (appended + failed < batches) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    CHECK(failed == 0);
    for (std::int32_t i = 0; i < 3; ++i) {
      CHECK(cluster.values("out", i) == written[static_cast<std::size_t>(i)]);
    }
  }
}

TEST_CASE("records of aborted and open transactions are hidden, also where answers get lost") {
  for (bool loses : {false, true}) {
    CAPTURE(loses);
    LossyBroker broker(false);
    std::vector<std::string> committed;
    ClientOptions direct;
    direct.brokers = broker.server().server().kafka_address().to_string();
    auto send = [](blocking::Producer& producer, const std::string& value) {
      OutRecord record;
      record.topic = "orders";
      record.value = value;
      record.partition = 1;
      producer.send(record);
    };
    ProducerOptions options;
    options.transactional_id = "first";
    blocking::Producer producer(direct, options);
    for (int i = 0; i < 30; ++i) {
      producer.begin();
      std::string value = fmt::format("{}", i);
      send(producer, value);
      send(producer, value + "'");
      if (i % 3 == 1) {
        producer.abort();
        continue;
      }
      producer.commit();
      committed.insert(committed.end(), {value, value + "'"});
    }
    options.transactional_id = "second";
    blocking::Producer open(direct, options);
    open.begin();
    send(open, "open");
    if (loses) broker.proxy().lose(7, 10);
    RemoteTopics topics(hurried_options(broker));
    auto topic = topics.find_topic("orders");
    REQUIRE_MESSAGE(topic, topic.error().what);
    auto reader = topics.open(*topic);
    REQUIRE_MESSAGE(reader, reader.error().what);
    CHECK(read_to_end(**reader, 1, 200) == committed);
  }
}

TEST_CASE("a topic that is not there is made, or is an error that names the cluster") {
  LossyBroker broker(false);
  RemoteTopics topics(hurried_options(broker));
  auto missing = topics.find_topic("none");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == Errc::unknown_topic_or_partition);
  CHECK(missing.error().what ==
        "there is no topic none at " + broker.proxy().address().to_string());
  auto made = topics.create_topic("made", 5);
  REQUIRE_MESSAGE(made, made.error().what);
  CHECK(made->partitions == 5);
  CHECK(topics.create_topic("made", 2)->partitions == 5);
  CHECK(topics.find_topic("made")->id == made->id);
  CHECK_FALSE(topics.create_topic("bad name", 1));
}

TEST_CASE("a topic that was made for results takes those of windows that end long from now") {
  LossyBroker broker(false);
  RemoteTopics topics(hurried_options(broker));
  auto made = topics.create_topic("made", 1);
  REQUIRE_MESSAGE(made, made.error().what);
  auto in_a_month = std::chrono::system_clock::now() + std::chrono::hours(24 * 30);
  record::BatchBuilder builder;
  builder.append(duration_cast<std::chrono::milliseconds>(in_a_month.time_since_epoch()).count(),
                 {}, as_bytes(std::string("result")));
  std::promise<Result<Offset>> appended;
  topics.append({made->id, PartitionId{0}}, builder.build(),
                [&](Result<Offset> offset) { appended.set_value(std::move(offset)); });
  auto offset = appended.get_future().get();
  CHECK_MESSAGE(offset, offset.error().what);
}

TEST_CASE("offsets that are not there, and a topic made anew under its name, are errors") {
  LossyBroker broker(false);
  fill(broker);
  RemoteTopics topics(hurried_options(broker));
  stream::Topic topic = *topics.find_topic("orders");
  auto reader = *topics.open(topic);
  auto error_at = [&](std::int64_t offset) {
    while (true) {
      auto batches = reader->read(PartitionId{0}, Offset{offset}, 1);
      if (!batches) return batches.error();
      std::promise<void> woken;
      reader->when_readable(PartitionId{0}, Offset{offset}, [&] { woken.set_value(); });
      woken.get_future().wait();
    }
  };
  CHECK(error_at(1'000'000).code == Errc::offset_out_of_range);
  blocking::Admin admin(hurried_options(broker));
  admin.delete_topic("orders");
  admin.create_topic({"orders", 3});
  CHECK(reader->readable().error().what == "the topic was deleted, and made anew");
  CHECK(topics.find_topic("orders")->id != topic.id);
}

TEST_SUITE_END();
