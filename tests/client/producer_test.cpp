// Producer, as programs use it: what they are told of their records, in which order they arrive,
// and how it ends.
#include "leat/client.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>

#include "fake_cluster.h"
#include "client/client_context.h"
#include "server/peer.h"

namespace leat {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using client::FakeCluster;
using client::Fault;
using client::quick_options;
using namespace std::chrono_literals;
using wire::ApiKey;
using wire::ErrorCode;

void never_answer_produce(FakeCluster& fake) {
  fake.set_faults([](ApiKey key, int) {
    return Fault{key == ApiKey::produce ? Fault::Kind::never : Fault::Kind::none, ErrorCode::none};
  });
}

const auto token = with_diagnostics(asio::use_future);

OutRecord numbered(const std::string& value, std::string_view topic = "orders") {
  OutRecord record;
  record.topic = topic;
  record.value = value;
  record.partition = 0;
  return record;
}

std::vector<std::string> numbers(int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.push_back(std::to_string(i));
  return all;
}

TEST_SUITE_BEGIN("client");

TEST_CASE("a sent record is acknowledged with its place, and arrives whole") {
  server::TestServer server;
  server.create_topic("orders", 3);
  ClientOptions options = options_for(server);
  asio::io_context context;
  Producer producer(context.get_executor(), options);
  bool is_done = false;
  auto send = [&]() -> asio::awaitable<void> {
    std::vector<Header> headers{{"a", "1"}, {"b", std::nullopt}};
    OutRecord record;
    record.topic = "orders";
    record.key = "k";
    record.value = "v";
    record.headers = headers;
    record.timestamp = Timestamp(1234ms);
    record.partition = 2;
    Delivery first = co_await producer.async_send(record);
    CHECK(first.partition == 2);
    CHECK(first.offset == 0);
    CHECK(first.timestamp == Timestamp(1234ms));
    Delivery second = co_await producer.async_send(record);
    CHECK(second.offset == 1);
    try {
      record.partition = 7;
      co_await producer.async_send(record);
      FAIL("nothing was thrown");
    } catch (const Exception& exception) {
      CHECK(exception.code() == ClientError::invalid_argument);
      CHECK_FALSE(possibly_persisted(exception.code()));
    }
    is_done = true;
  };
  asio::co_spawn(context, send(), [](std::exception_ptr failed) { CHECK_FALSE(failed); });
  run_until(context, [&] { return is_done; });
  server::Peer peer = server.connect();
  auto fetched = server::fetch(peer, server::fetch_request("orders", 0, 2));
  auto batch = record::BatchView::parse(fetched.records.bytes());
  REQUIRE(batch);
  record::RecordIterator records(*batch);
  const record::Record* record = records.next();
  REQUIRE(record);
  CHECK(as_text(*record->key) == "k");
  CHECK(as_text(*record->value) == "v");
}

TEST_CASE("records of many calls arrive in their order, also where they wait for room") {
  for (std::size_t buffer_bytes : {std::size_t{32} << 20, std::size_t{400}}) {
    FakeCluster fake(1);
    fake.add_topic("orders", 1);
    asio::io_context context;
    ProducerOptions options;
    options.buffer_bytes = buffer_bytes;
    options.batch_bytes = std::min(options.batch_bytes, buffer_bytes);
    Producer producer(context.get_executor(), quick_options(fake), options);
    int acknowledged = 0;
    for (int i = 0; i < 200; ++i) {
      // What is borrowed is gone when the call has returned.
      std::string value = std::to_string(i);
      producer.async_send(numbered(value), [&, i](error_code code, Delivery delivery) {
        CHECK_FALSE(code);
        CHECK(delivery.offset == i);
        ++acknowledged;
      });
    }
    run_until(context, [&] { return acknowledged == 200; });
    CHECK(fake.values("orders", 0) == numbers(200));
  }
}

TEST_CASE("records are compressed as hard as was asked for") {
  auto bytes_at = [](int level) {
    FakeCluster fake(1);
    fake.add_topic("orders", 1);
    asio::io_context context;
    ProducerOptions options;
    options.compression = Compression::gzip;
    options.compression_level = level;
    Producer producer(context.get_executor(), quick_options(fake), options);
    std::string text;
    for (int i = 0; i < 20'000; ++i) text += std::to_string(i * i % 1000);
    bool is_done = false;
    producer.async_send(numbered(text), [&](error_code code, const Delivery&) {
      CHECK_FALSE(code);
      is_done = true;
    });
    run_until(context, [&] { return is_done; });
    return fake.bytes("orders", 0);
  };
  CHECK(bytes_at(9) < bytes_at(1));
}

TEST_CASE("trying to send never waits, and says by its tag what became of a record") {
  FakeCluster fake(1);
  fake.add_topic("orders", 1);
  asio::io_context context;
  std::vector<std::uint64_t> delivered;
  ProducerOptions options;
  options.batch_bytes = options.buffer_bytes = 1000;
  options.on_delivery = [&](const BatchDelivery& batch) {
    CHECK_FALSE(batch.error);
    CHECK(batch.topic == "orders");
    CHECK(batch.base_offset == static_cast<std::int64_t>(delivered.size()));
    CHECK(batch.record_count == static_cast<std::int32_t>(batch.tags.size()));
    delivered.insert(delivered.end(), batch.tags.begin(), batch.tags.end());
  };
  Producer producer(context.get_executor(), quick_options(fake), options);
  int refused = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    std::string value = std::to_string(i);
    while (!producer.try_send(numbered(value), i)) {
      ++refused;
      wait(context, producer.async_room(token));
    }
  }
  CHECK(refused > 1);
  wait(context, producer.async_flush(token));
  REQUIRE(delivered.size() == 200);
  for (std::uint64_t i = 0; i < 200; ++i) CHECK(delivered[i] == i);
  CHECK(fake.values("orders", 0) == numbers(200));
}

TEST_CASE("queueing ends before the record is acknowledged, flushing after it") {
  FakeCluster fake(1);
  fake.add_topic("orders", 1);
  asio::io_context context;
  ProducerOptions options;
  options.linger = 1h;
  Producer producer(context.get_executor(), quick_options(fake), options);
  for (const std::string& value : numbers(10))
    wait(context, producer.async_enqueue(numbered(value), 0, token));
  CHECK(fake.values("orders", 0).empty());
  wait(context, producer.async_flush(token));
  CHECK(fake.values("orders", 0) == numbers(10));
}

TEST_CASE("a topic that is not there is told to whoever sends to it, and again when asked again") {
  FakeCluster fake(1);
  fake.add_topic("orders", 1);
  asio::io_context context;
  ClientOptions options = quick_options(fake);
  options.operation_timeout = 20ms;
  Producer producer(context.get_executor(), options);
  std::optional<error_code> refused;
  producer.async_send(numbered("0", "nothing"), [&](error_code code, Delivery) { refused = code; });
  // Behind one that waits, and all the same.
  auto sent = producer.async_send(numbered("1"), token);
  run_until(context, [&] { return refused.has_value(); });
  CHECK(*refused == KafkaError::unknown_topic_or_partition);
  CHECK_FALSE(possibly_persisted(*refused));
  CHECK(wait(context, std::move(sent)).offset == 0);
  for (int i = 0; i < 2; ++i) {
    CHECK_FALSE(producer.try_send(numbered("2", "nothing")));
    wait(context, producer.async_room(token));
    CHECK_THROWS_AS(producer.try_send(numbered("2", "nothing")), Exception);
  }
}

TEST_CASE("a producer counts a topic's partitions, and has the topic made where that is allowed") {
  server::TestServer server;
  server.create_topic("orders", 3);
  ClientOptions options = options_for(server);
  asio::io_context context;
  Producer producer(context.get_executor(), options);
  CHECK(wait(context, producer.async_partition_count("orders", token)) == 3);
  // Then its records need not wait for what is known of it.
  CHECK(producer.try_send(numbered("0")));
  CHECK(wait(context, producer.async_partition_count("invoices", token)) == 1);
  Admin admin(context.get_executor(), options);
  CHECK(wait(context, admin.async_describe_topic("invoices", token)).partitions.size() == 1);
  auto refused = producer.async_partition_count("not a topic", token);
  CHECK_THROWS_AS(wait(context, std::move(refused)), Exception);
}

TEST_CASE("a cancelled send says whether the record may be in the log") {
  FakeCluster fake(1);
  fake.add_topic("orders", 1);
  never_answer_produce(fake);
  asio::io_context context;
  ProducerOptions options;
  options.batch_bytes = options.buffer_bytes = 10;
  options.linger = 0ms;
  Producer producer(context.get_executor(), quick_options(fake), options);
  asio::cancellation_signal sent;
  asio::cancellation_signal waiting;
  std::optional<error_code> of_sent;
  std::optional<error_code> of_waiting;
  producer.async_send(numbered("sent"),
                      asio::bind_cancellation_slot(
                          sent.slot(), [&](error_code code, Delivery) { of_sent = code; }));
  run_until(context, [&] { return fake.requests(ApiKey::produce) > 0; });
  producer.async_send(numbered("waiting"),
                      asio::bind_cancellation_slot(
                          waiting.slot(), [&](error_code code, Delivery) { of_waiting = code; }));
  sent.emit(asio::cancellation_type::terminal);
  waiting.emit(asio::cancellation_type::terminal);
  run_until(context, [&] { return of_sent && of_waiting; });
  CHECK(*of_sent == ClientError::cancelled);
  CHECK(possibly_persisted(*of_sent));
  CHECK(*of_waiting == ClientError::cancelled);
  CHECK_FALSE(possibly_persisted(*of_waiting));
}

TEST_CASE("closing and destroying a producer tell of every record") {
  for (bool destroys : {false, true}) {
    FakeCluster fake(1);
    fake.add_topic("orders", 1);
    never_answer_produce(fake);
    asio::io_context context;
    ProducerOptions options;
    options.batch_bytes = 200;
    options.buffer_bytes = 2000;
    int given_up = 0;
    options.on_delivery = [&](const BatchDelivery& batch) {
      CHECK(batch.error == ClientError::cancelled);
      given_up += batch.record_count;
    };
    std::optional<Producer> producer(std::in_place, context.get_executor(), quick_options(fake),
                                     options);
    int ended = 0;
    auto count = [&](error_code code, Delivery) {
      CHECK(code == ClientError::cancelled);
      ++ended;
    };
    for (const std::string& value : numbers(100)) producer->async_send(numbered(value), count);
    run_until(context, [&] { return fake.requests(ApiKey::produce) > 0; });
    int flushed = 0;
    producer->async_flush([&](error_code code) {
      CHECK(code == ClientError::cancelled);
      ++flushed;
    });
    if (destroys) {
      producer.reset();
    } else {
      producer->close();
      producer->async_send(numbered("late"), count);
      producer->async_room([&](error_code code) {
        CHECK(code == ClientError::cancelled);
        ++flushed;
      });
    }
    context.restart();
    context.run();
    CHECK(ended == (destroys ? 100 : 101));
    CHECK(flushed == (destroys ? 1 : 2));
    // The others had not been queued yet.
    CHECK(given_up > 0);
    CHECK(given_up < 100);
  }
}

TEST_CASE("a producer may outlive the context, with records in any state") {
  FakeCluster fake(1);
  fake.add_topic("orders", 1);
  never_answer_produce(fake);
  for (int steps = 0; steps < 20; ++steps) {
    std::optional<Producer> producer;
    auto alive = std::make_shared<int>();
    {
      asio::io_context context;
      ProducerOptions options;
      options.batch_bytes = options.buffer_bytes = 200;
      producer.emplace(asio::make_strand(context), quick_options(fake), options);
      for (const std::string& value : numbers(20))
        producer->async_send(numbered(value), [alive](error_code, Delivery) {});
      for (int step = 0; step < steps; ++step) context.run_one_for(2ms);
    }
    CHECK(alive.use_count() == 1);
    producer.reset();
  }
}

TEST_CASE("a transaction's records and offsets are seen when it is committed, all or none") {
  server::TestServer server;
  server.create_topic("orders");
  server.create_topic("input");
  ClientOptions options = options_for(server);
  ProducerOptions producer_options;
  producer_options.transactional_id = "till";
  asio::io_context context;
  Producer producer(context.get_executor(), options, producer_options);
  Admin admin(context.get_executor(), options);
  auto stable_end = [&] {
    std::vector<OffsetQuery> query{{{"orders", 0}, OffsetQuery::Kind::stable_end}};
    return wait(context, admin.async_list_offsets(query, token))[0];
  };
  auto send_all = [&] {
    std::vector<std::future<Delivery>> sent;
    for (const std::string& value : numbers(10))
      sent.push_back(producer.async_send(numbered(value), token));
    for (auto& future : sent) wait(context, std::move(future));
  };
  CHECK_THROWS_AS(wait(context, producer.async_send(numbered("early"), token)), Exception);
  wait(context, producer.async_begin(token));
  send_all();
  CHECK(stable_end() == 0);
  GroupMetadata member{"billing", -1, "", std::nullopt};
  std::vector<CommittedOffset> offsets{{{"input", 0}, 5}};
  wait(context, producer.async_send_offsets(offsets, member, token));
  CHECK(wait(context, admin.async_group_offsets("billing", token)).empty());
  wait(context, producer.async_commit(token));
  // It is decided; its markers are on their way.
  auto committed_offset = [&] {
    auto committed = wait(context, admin.async_group_offsets("billing", token));
    return committed.empty() ? -1 : committed[0].offset;
  };
  CHECK(server::wait_for([&] { return stable_end() > 0 && committed_offset() == 5; }));
  std::int64_t end = stable_end().value_or(0);
  wait(context, producer.async_begin(token));
  send_all();
  offsets[0].offset = 9;
  wait(context, producer.async_send_offsets(offsets, member, token));
  wait(context, producer.async_abort(token));
  CHECK(server::wait_for([&] { return stable_end() > end; }));
  CHECK(committed_offset() == 5);
  try {
    wait(context, producer.async_commit(token));
    FAIL("nothing was thrown");
  } catch (const Exception& exception) {
    CHECK(exception.code() == ClientError::invalid_state);
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat
