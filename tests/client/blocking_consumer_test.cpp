// The blocking consumer: what polling gives, where callbacks are called, and how it ends.
#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "leat/blocking.h"
#include "client/client_context.h"
#include "server/peer.h"

namespace leat::blocking {
namespace {

using namespace std::chrono_literals;

class Fixture {
 public:
  explicit Fixture(std::int32_t partitions = 1) { server.create_topic("orders", partitions); }

  ClientOptions options() { return options_for(server); }
  /// Sends `count` records to a partition.
  void send(int count, std::int32_t partition = 0) {
    Producer producer(options());
    OutRecord record;
    record.topic = "orders";
    record.partition = partition;
    record.value = "x";
    for (int i = 0; i < count; ++i) producer.enqueue(record);
    producer.flush();
  }

  server::TestServer server;
};

ConsumerOptions in_group() {
  ConsumerOptions options;
  options.group = "billing";
  options.offset_reset = OffsetReset::earliest;
  options.auto_commit = false;
  options.heartbeat_interval = 20ms;
  options.fetch_wait = 20ms;
  return options;
}

std::size_t count_of(Records records) {
  std::size_t count = 0;
  for ([[maybe_unused]] const InRecord& record : records) ++count;
  return count;
}

template <class Call>
std::error_code thrown_by(Call call) {
  try {
    call();
  } catch (const Exception& exception) {
    return exception.code();
  }
  return {};
}

TEST_SUITE_BEGIN("client");

TEST_CASE("a blocking consumer reads in a group, and the next one goes on where it committed") {
  Fixture fixture;
  fixture.send(10);
  {
    Consumer first(fixture.options(), in_group());
    first.subscribe({"orders"});
    std::size_t count = 0;
    while (count < 10) count += count_of(first.poll());
    CHECK(first.assignment().size() == 1);
    CHECK(first.position({"orders", 0}) == 10);
    CHECK(first.group_metadata().group == "billing");
    CHECK(first.committed().empty());
    first.commit_offsets({{{"orders", 0}, 4}});
    CHECK(first.committed().at(0).offset == 4);
    first.commit();
    CHECK(first.committed().at(0).offset == 10);
    first.seek({{"orders", 0}, 3});
    CHECK(count_of(first.poll()) == 7);
    Consumer moved(std::move(first));
    moved.close();
    CHECK(thrown_by([&] { moved.poll(); }) == ClientError::cancelled);
  }
  fixture.send(5);
  Consumer second(fixture.options(), in_group());
  second.subscribe({"orders"});
  Records records = second.poll(10s);
  REQUIRE_FALSE(records.empty());
  CHECK(records.begin()->offset == 10);
  second.close();
}

TEST_CASE("a blocking poll that runs out of time gives no records, and loses none") {
  Fixture fixture;
  Consumer consumer(fixture.options());
  consumer.assign({{{"orders", 0}, 0}});
  CHECK(consumer.poll(1ms).empty());
  std::thread sender([&] {
    for (int i = 0; i < 20; ++i) fixture.send(5);
  });
  std::int64_t next = 0;
  for (int turn = 0; next < 100; ++turn) {
    Records records = consumer.poll(std::chrono::milliseconds(turn % 3));
    for (const InRecord& record : records) CHECK(record.offset == next++);
  }
  sender.join();
  CHECK(consumer.poll(0ms).empty());
}

TEST_CASE("callbacks are called on the thread that polls, and may do all but poll and close") {
  Fixture fixture(2);
  for (std::int32_t partition : {0, 1}) fixture.send(10, partition);
  std::thread::id here = std::this_thread::get_id();
  std::size_t assigned = 0;
  std::size_t revoked = 0;
  std::optional<Consumer> first;
  ConsumerOptions options = in_group();
  options.on_assigned = [&](std::span<const Partition> partitions) {
    CHECK(std::this_thread::get_id() == here);
    assigned += partitions.size();
    for (const Partition& partition : partitions) first->seek({partition, 6});
  };
  options.on_revoked = [&](std::span<const Partition> partitions, bool is_lost) {
    CHECK(std::this_thread::get_id() == here);
    CHECK_FALSE(is_lost);
    revoked += partitions.size();
    first->commit();
    CHECK(first->committed().size() == 2);
    CHECK(thrown_by([&] { first->poll(1ms); }) == ClientError::invalid_state);
    CHECK(thrown_by([&] { first->close(); }) == ClientError::invalid_state);
  };
  first.emplace(fixture.options(), options);
  first->subscribe({"orders"});
  std::size_t count = 0;
  while (count < 8) {
    Records records = first->poll();
    for (const InRecord& record : records) count += record.offset >= 6 ? 1 : 100;
  }
  CHECK(count == 8);
  CHECK(assigned == 2);

  // The other one is given a partition, and what is committed of it is what was read.
  Consumer second(fixture.options(), in_group());
  second.subscribe({"orders"});
  while (second.assignment().empty()) {
    CHECK(first->poll(10ms).empty());
    CHECK(second.poll(10ms).empty());
  }
  CHECK(revoked == 1);
  first->close();
  CHECK(revoked == 2);
  for (const CommittedOffset& offset : second.committed()) CHECK(offset.offset == 10);
  second.close();
}

TEST_CASE("before it subscribes a consumer has nothing to poll, and nothing to seek in") {
  Fixture fixture;
  fixture.send(10);
  Consumer consumer(fixture.options(), in_group());
  consumer.seek({{"orders", 0}, 3});
  consumer.seek({"orders", 0}, Timestamp(1ms));
  consumer.pause({"orders", 0});
  consumer.resume({"orders", 0});
  CHECK_FALSE(consumer.position({"orders", 0}));
  CHECK(consumer.assignment().empty());
  CHECK(thrown_by([&] { consumer.poll(); }) == ClientError::invalid_state);
  CHECK(thrown_by([&] { consumer.poll(1ms); }) == ClientError::invalid_state);
  consumer.subscribe({"orders"});
  CHECK(consumer.poll().begin()->offset == 0);
}

TEST_CASE("a consumer either subscribes or is assigned partitions") {
  Fixture fixture;
  fixture.send(10);
  for (bool subscribes_first : {true, false}) {
    Consumer consumer(fixture.options(), in_group());
    if (subscribes_first) consumer.subscribe({"orders"});
    consumer.assign({{{"orders", 0}, 0}});
    if (!subscribes_first) consumer.subscribe({"orders"});
    CHECK(thrown_by([&] { consumer.poll(); }) == ClientError::invalid_argument);
    CHECK(thrown_by([&] { consumer.commit(); }) == ClientError::invalid_argument);
  }
}

TEST_CASE("a partition that is assigned twice is read once") {
  Fixture fixture;
  fixture.send(10);
  Consumer consumer(fixture.options());
  consumer.assign({{{"orders", 0}, 2}, {{"orders", 0}, 7}});
  CHECK(consumer.assignment().size() == 1);
  CHECK(consumer.poll().begin()->offset == 7);
  CHECK(consumer.poll(20ms).empty());
}

TEST_CASE("only who has subscribed commits, and others are told so at once") {
  Fixture fixture;
  fixture.send(10);
  for (std::string group : {"", "billing"}) {
    ConsumerOptions options;
    options.group = group;
    Consumer consumer(fixture.options(), options);
    CHECK(thrown_by([&] { consumer.commit(); }) == ClientError::invalid_state);
    consumer.assign({{{"orders", 0}, 0}});
    CHECK(count_of(consumer.poll()) == 10);
    CHECK(thrown_by([&] { consumer.commit(); }) == ClientError::invalid_state);
    auto commit = [&] { consumer.commit_offsets({{{"orders", 0}, 5}}); };
    CHECK(thrown_by(commit) == ClientError::invalid_state);
    consumer.close();
  }
}

TEST_CASE("offsets that cannot be committed are refused, and do not stand in the way of others") {
  Fixture fixture;
  fixture.send(10);
  Consumer consumer(fixture.options(), in_group());
  consumer.subscribe({"orders"});
  CHECK(count_of(consumer.poll()) == 10);
  for (CommittedOffset offset : {CommittedOffset{{"orders", 0}, -1},
                                 CommittedOffset{{"orders", 0}, 5, std::string(40'000, 'x')}}) {
    auto commit = [&] { consumer.commit_offsets({offset}); };
    CHECK(thrown_by(commit) == ClientError::invalid_argument);
    Admin admin(fixture.options());
    auto alter = [&] { admin.alter_group_offsets("other", {offset}); };
    CHECK(thrown_by(alter) == ClientError::invalid_argument);
  }
  consumer.commit();
  CHECK(consumer.committed().at(0).offset == 10);
}

TEST_CASE("what a coordinator refuses is told with its address") {
  Fixture fixture;
  auto text = [&](ConsumerOptions options) {
    Consumer consumer(fixture.options(), options);
    consumer.subscribe({"orders"});
    try {
      while (true) consumer.poll();
    } catch (const Exception& exception) {
      return std::string(exception.what());
    }
  };
  std::string broker = " from broker " + fixture.options().brokers;
  ConsumerOptions no_session = in_group();
  no_session.session_timeout = 10ms;
  no_session.heartbeat_interval = 1ms;
  CHECK(text(no_session) == "group billing: INVALID_SESSION_TIMEOUT (26)" + broker);
  ConsumerOptions nowhere = in_group();
  nowhere.offset_reset = OffsetReset::none;
  CHECK(text(nowhere) == "orders/0: OFFSET_OUT_OF_RANGE (1)" + broker +
                             ": nothing is committed, and nobody said where to begin");
}

TEST_CASE("a request to stop ends a consumer that polls") {
  Fixture fixture;
  std::stop_source stop;
  ClientOptions options = fixture.options();
  options.stop = stop.get_token();
  Consumer consumer(options, in_group());
  consumer.subscribe({"orders"});
  std::thread stopper([&] { stop.request_stop(); });
  CHECK(thrown_by([&] { consumer.poll(); }) == ClientError::cancelled);
  stopper.join();
  CHECK(thrown_by([&] { consumer.poll(1ms); }) == ClientError::cancelled);
  CHECK(thrown_by([&] { consumer.committed(); }) == ClientError::cancelled);
}

TEST_CASE("a blocking consumer may end at any time, also before its callbacks were called") {
  Fixture fixture(2);
  fixture.send(10);
  for (int steps = 0; steps < 15; ++steps) {
    ConsumerOptions options = in_group();
    options.on_assigned = [](std::span<const Partition>) {};
    Consumer consumer(fixture.options(), options);
    if (steps > 0) consumer.subscribe({"orders"});
    if (steps > 1) consumer.poll(std::chrono::milliseconds(steps - 2));
    if (steps % 2 == 0) consumer = Consumer(fixture.options(), in_group());
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::blocking
