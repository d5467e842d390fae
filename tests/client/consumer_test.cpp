// Consumer, as programs use it: what polling gives, what is committed, and how it ends.
#include "leat/client.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <map>
#include <optional>

#include "client/client_context.h"
#include "server/peer.h"

namespace leat {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace std::chrono_literals;

const auto token = with_diagnostics(asio::use_future);

/// A server, and a context for its clients.
class Fixture {
 public:
  explicit Fixture(std::int32_t partitions = 1) { server.create_topic("orders", partitions); }

  ClientOptions options() { return options_for(server); }
  void run_until(const std::function<bool()>& done) { leat::run_until(context, done); }
  template <class T>
  T wait(std::future<T> future) {
    return leat::wait(context, std::move(future));
  }
  /// Sends "FROM", ... to a partition, at as many milliseconds.
  void send(int from, int count, std::int32_t partition = 0,
            Compression compression = Compression::none) {
    ProducerOptions producer_options;
    producer_options.compression = compression;
    Producer producer(context.get_executor(), options(), producer_options);
    for (int i = from; i < from + count; ++i) {
      std::string value = std::to_string(i);
      OutRecord record{"orders", "k",       value,
                       {},       partition, Timestamp(std::chrono::milliseconds(i))};
      wait(producer.async_enqueue(record, 0, token));
    }
    wait(producer.async_flush(token));
  }
  /// The values that polling gives, at least as many.
  std::vector<int> poll(Consumer& consumer, std::size_t count) {
    std::vector<int> values;
    while (values.size() < count) {
      Records records = wait(consumer.async_poll(token));
      CHECK_FALSE(records.empty());
      for (const InRecord& record : records)
        values.push_back(std::stoi(std::string(*record.value)));
    }
    return values;
  }

  server::TestServer server;
  asio::io_context context;
};

ConsumerOptions in_group(const std::string& group) {
  ConsumerOptions options;
  options.group = group;
  options.offset_reset = OffsetReset::earliest;
  options.auto_commit_interval = 1h;
  return options;
}

std::vector<int> numbers(int from, int count) {
  std::vector<int> all;
  for (int i = from; i < from + count; ++i) all.push_back(i);
  return all;
}

TEST_SUITE_BEGIN("client");

TEST_CASE("records come whole, in order, from where a partition is assigned") {
  Fixture fixture;
  for (auto codec : {Compression::none, Compression::lz4}) fixture.send(0, 50, 0, codec);
  std::vector<Header> headers{{"a", "1"}, {"b", std::nullopt}};
  OutRecord sent{"orders", "key", std::nullopt, headers, 0, Timestamp(77ms)};
  Producer producer(fixture.context.get_executor(), fixture.options());
  fixture.wait(producer.async_send(sent, token));
  Consumer consumer(fixture.context.get_executor(), fixture.options());
  consumer.assign({{{"orders", 0}, 10}});
  std::int64_t next = 10;
  while (next < 101) {
    Records records = fixture.wait(consumer.async_poll(token));
    CHECK(records.bytes() > 0);
    for (const InRecord& record : records) {
      CHECK(record.topic == "orders");
      CHECK(record.offset == next++);
      if (record.offset < 100) {
        CHECK(record.value == std::to_string(record.offset % 50));
        CHECK(record.headers.empty());
        continue;
      }
      CHECK(record.key == "key");
      CHECK_FALSE(record.value);
      CHECK(record.timestamp == Timestamp(77ms));
      REQUIRE(record.headers.size() == 2);
      CHECK(record.headers[0].value == "1");
      CHECK_FALSE(record.headers[1].value);
    }
  }
  CHECK(fixture.wait(consumer.async_position({"orders", 0}, token)) == 101);
}

TEST_CASE("polling goes on where it is told to, by offset and by time") {
  Fixture fixture;
  fixture.send(0, 100);
  Consumer consumer(fixture.context.get_executor(), fixture.options());
  consumer.assign({{{"orders", 0}, 0}});
  CHECK(fixture.poll(consumer, 100) == numbers(0, 100));
  consumer.seek({{"orders", 0}, 95});
  CHECK(fixture.poll(consumer, 5) == numbers(95, 5));
  consumer.seek({"orders", 0}, Timestamp(90ms));
  CHECK(fixture.poll(consumer, 10) == numbers(90, 10));
}

TEST_CASE("a group goes on where the consumer before said that it was done") {
  Fixture fixture(2);
  fixture.send(0, 100, 0);
  fixture.send(1000, 100, 1);
  {
    Consumer consumer(fixture.context.get_executor(), fixture.options(), in_group("billing"));
    consumer.subscribe({"orders"});
    fixture.poll(consumer, 200);
    CHECK(fixture.wait(consumer.async_assignment(token)).size() == 2);
    CHECK(fixture.wait(consumer.async_committed(token)).empty());
    fixture.wait(consumer.async_commit(token));
    auto committed = fixture.wait(consumer.async_committed(token));
    REQUIRE(committed.size() == 2);
    CHECK(committed[0].offset == 100);
    fixture.send(100, 10, 0);
    CHECK(fixture.poll(consumer, 10) == numbers(100, 10));
    fixture.wait(consumer.async_close(token));
  }
  fixture.send(110, 10, 0);
  Consumer consumer(fixture.context.get_executor(), fixture.options(), in_group("billing"));
  consumer.subscribe({"orders"});
  CHECK(fixture.poll(consumer, 10) == numbers(110, 10));
  fixture.wait(consumer.async_close(token));
}

TEST_CASE("what a cancelled poll would have given is given by the next one, once") {
  Fixture fixture;
  Consumer consumer(fixture.context.get_executor(), fixture.options());
  consumer.assign({{{"orders", 0}, 0}});
  asio::cancellation_signal signal;
  std::optional<error_code> cancelled;
  consumer.async_poll(asio::bind_cancellation_slot(
      signal.slot(), [&](error_code code, Records) { cancelled = code; }));
  std::optional<error_code> second;
  consumer.async_poll([&](error_code code, Records) { second = code; });
  fixture.run_until([&] { return second.has_value(); });
  CHECK(*second == ClientError::invalid_state);
  signal.emit(asio::cancellation_type::terminal);
  fixture.run_until([&] { return cancelled.has_value(); });
  CHECK(*cancelled == ClientError::cancelled);
  // The next one need not wait for the end of one that is cancelled.
  consumer.async_poll(asio::bind_cancellation_slot(signal.slot(), [](error_code, Records) {}));
  fixture.wait(consumer.async_assignment(token));
  signal.emit(asio::cancellation_type::terminal);
  CHECK(fixture.wait(consumer.async_poll_for(0ms, token)).empty());
  fixture.send(0, 10);
  CHECK(fixture.poll(consumer, 10) == numbers(0, 10));
}

TEST_CASE("a poll gives nothing when its time is up, and loses nothing by it") {
  Fixture fixture;
  Consumer consumer(fixture.context.get_executor(), fixture.options());
  consumer.assign({{{"orders", 0}, 0}});
  Producer producer(fixture.context.get_executor(), fixture.options());
  std::vector<int> values;
  int sent = 0;
  for (int i = 0; values.size() < 200; ++i) {
    std::string value = std::to_string(sent);
    OutRecord record{"orders", std::nullopt, value, {}, 0, std::nullopt};
    // So answers come when polls end.
    if (sent < 200 && producer.try_send(record)) ++sent;
    auto timeout = std::chrono::milliseconds(i % 4);
    Records records = fixture.wait(consumer.async_poll_for(timeout, token));
    for (const InRecord& got : records) values.push_back(std::stoi(std::string(*got.value)));
  }
  CHECK(values == numbers(0, 200));
  CHECK(fixture.wait(consumer.async_poll_for(-1ms, token)).empty());
}

TEST_CASE("records of aborted transactions are left out, and polling waits for others") {
  Fixture fixture;
  ProducerOptions transactional;
  transactional.transactional_id = "till";
  Producer producer(fixture.context.get_executor(), fixture.options(), transactional);
  for (bool commits : {false, true}) {
    fixture.wait(producer.async_begin(token));
    std::string value = commits ? "1" : "0";
    OutRecord record{"orders", std::nullopt, value, {}, 0, std::nullopt};
    fixture.wait(producer.async_send(record, token));
    fixture.wait(commits ? producer.async_commit(token) : producer.async_abort(token));
  }
  Consumer consumer(fixture.context.get_executor(), fixture.options());
  consumer.assign({{{"orders", 0}, 0}});
  CHECK(fixture.poll(consumer, 1) == numbers(1, 1));
}

TEST_CASE("where nothing is committed automatically, what is asked for is and nothing else") {
  Fixture fixture(2);
  for (int partition = 0; partition < 2; ++partition) fixture.send(0, 10, partition);
  ConsumerOptions options = in_group("audit");
  options.auto_commit = false;
  Consumer consumer(fixture.context.get_executor(), fixture.options(), options);
  consumer.subscribe({"orders"});
  fixture.poll(consumer, 20);
  CHECK(fixture.wait(consumer.async_poll_for(1ms, token)).empty());
  std::vector<CommittedOffset> offsets{{{"orders", 0}, 3}};
  fixture.wait(consumer.async_commit_offsets(offsets, token));
  auto known = [&] {
    Admin admin(fixture.context.get_executor(), fixture.options());
    std::vector<std::int64_t> all;
    for (const auto& offset : fixture.wait(admin.async_group_offsets("audit", token)))
      all.push_back(offset.offset);
    return all;
  };
  CHECK(known() == std::vector<std::int64_t>{3});
  CHECK(fixture.wait(consumer.async_poll_for(1ms, token)).empty());
  fixture.wait(consumer.async_commit(token));
  CHECK(known() == std::vector<std::int64_t>{10, 10});
  offsets[0].offset = 4;
  fixture.wait(consumer.async_commit_offsets(offsets, token));
  CHECK(known() == std::vector<std::int64_t>{4, 10});
  fixture.wait(consumer.async_close(token));
  CHECK(known() == std::vector<std::int64_t>{4, 10});
}

TEST_CASE("what a poll gave can be split by partition, and each part read by itself") {
  Fixture fixture(3);
  for (int partition = 0; partition < 3; ++partition) fixture.send(partition * 100, 10, partition);
  ProducerOptions transactional;
  transactional.transactional_id = "till";
  Producer producer(fixture.context.get_executor(), fixture.options(), transactional);
  fixture.wait(producer.async_begin(token));
  OutRecord last{"orders", std::nullopt, "10", {}, 0, std::nullopt};
  fixture.wait(producer.async_send(last, token));
  fixture.wait(producer.async_commit(token));
  Consumer consumer(fixture.context.get_executor(), fixture.options());
  consumer.assign({{{"orders", 0}, 0}, {{"orders", 1}, 0}, {{"orders", 2}, 5}});
  std::map<std::int32_t, std::vector<int>> values;
  std::map<std::int32_t, std::int64_t> next_offsets;
  // The marker behind the transaction has an offset, too.
  while (next_offsets[0] < 12 || next_offsets[1] < 10 || next_offsets[2] < 10) {
    Records records = fixture.wait(consumer.async_poll_for(100ms, token));
    // What was walked over is not in the parts; what it stopped at is.
    auto first = records.begin();
    if (first != records.end()) {
      values[first->partition].push_back(std::stoi(std::string(*first->value)));
      ++first;
    }
    std::size_t bytes = records.bytes();
    for (PartitionRecords& part : records.split()) {
      CHECK(part.partition.topic == "orders");
      next_offsets[part.partition.number] = part.next_offset;
      CHECK(part.records.bytes() <= bytes);
      for (const InRecord& record : part.records) {
        CHECK(record.partition == part.partition.number);
        CHECK(record.offset < part.next_offset);
        values[record.partition].push_back(std::stoi(std::string(*record.value)));
      }
    }
    CHECK(records.empty());
    CHECK(records.begin() == records.end());
    CHECK(records.split().empty());
    auto position = fixture.wait(consumer.async_position({"orders", 0}, token));
    if (position) next_offsets[0] = *position;
  }
  CHECK(values[0] == numbers(0, 11));
  CHECK(values[1] == numbers(100, 10));
  CHECK(values[2] == numbers(205, 5));
}

TEST_CASE("what comes behind an aborted transaction is there where records are split, too") {
  Fixture fixture;
  ProducerOptions transactional;
  transactional.transactional_id = "till";
  Producer producer(fixture.context.get_executor(), fixture.options(), transactional);
  for (int i = 0; i < 4; ++i) {
    bool commits = i % 2 == 1;
    fixture.wait(producer.async_begin(token));
    std::string value = std::to_string(i);
    OutRecord record{"orders", std::nullopt, value, {}, 0, std::nullopt};
    fixture.wait(producer.async_send(record, token));
    fixture.wait(commits ? producer.async_commit(token) : producer.async_abort(token));
  }
  Consumer consumer(fixture.context.get_executor(), fixture.options());
  consumer.assign({{{"orders", 0}, 0}});
  std::vector<int> values;
  for (int turns = 0; values.size() < 2 && turns < 50; ++turns) {
    Records records = fixture.wait(consumer.async_poll_for(100ms, token));
    for (PartitionRecords& part : records.split())
      for (const InRecord& record : part.records)
        values.push_back(std::stoi(std::string(*record.value)));
  }
  CHECK(values == std::vector<int>{1, 3});
}

TEST_CASE("a consumer's offsets go into its producer's transaction") {
  Fixture fixture;
  fixture.send(0, 10);
  ConsumerOptions options = in_group("billing");
  options.auto_commit = false;
  Consumer consumer(fixture.context.get_executor(), fixture.options(), options);
  consumer.subscribe({"orders"});
  fixture.poll(consumer, 10);
  ProducerOptions transactional;
  transactional.transactional_id = "till";
  Producer producer(fixture.context.get_executor(), fixture.options(), transactional);
  fixture.wait(producer.async_begin(token));
  GroupMetadata member = fixture.wait(consumer.async_group_metadata(token));
  CHECK(member.group == "billing");
  std::vector<CommittedOffset> offsets{{{"orders", 0}, 10}};
  fixture.wait(producer.async_send_offsets(offsets, member, token));
  fixture.wait(producer.async_commit(token));
  auto committed = fixture.wait(consumer.async_committed(token));
  REQUIRE(committed.size() == 1);
  CHECK(committed[0].offset == 10);
  fixture.wait(consumer.async_close(token));
}

TEST_CASE("closing and destroying a consumer end a poll that waits") {
  Fixture fixture;
  for (bool destroys : {false, true}) {
    std::optional<Consumer> consumer(std::in_place, fixture.context.get_executor(),
                                     fixture.options(), in_group("billing"));
    consumer->subscribe({"orders"});
    int ended = 0;
    consumer->async_poll([&](error_code code, Records records) {
      CHECK(code == ClientError::cancelled);
      CHECK(records.empty());
      ++ended;
    });
    fixture.context.restart();
    fixture.context.run_one_for(10ms);
    if (destroys)
      consumer.reset();
    else
      consumer->async_close([&](error_code) { ++ended; });
    fixture.run_until([&] { return ended == (destroys ? 1 : 2); });
  }
}

TEST_CASE("a consumer may outlive the context, in any state") {
  Fixture fixture;
  fixture.send(0, 10);
  for (int steps = 0; steps < 15; ++steps) {
    std::optional<Consumer> consumer;
    auto alive = std::make_shared<int>();
    {
      asio::io_context context;
      consumer.emplace(asio::make_strand(context), fixture.options(), in_group("billing"));
      consumer->subscribe({"orders"});
      consumer->async_poll([alive](error_code, Records) {});
      for (int step = 0; step < steps; ++step) context.run_one_for(2ms);
    }
    CHECK(alive.use_count() == 1);
    consumer.reset();
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat
