// Transactions over real sockets, against a server of ours, in either protocol.
#include "leat/blocking.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "client/client_context.h"
#include "server/peer.h"

namespace leat::blocking {
namespace {

using namespace std::chrono_literals;

/// A producer with the transactional id "pay".
struct Paying {
  explicit Paying(server::TestServer& server, const std::string& id = "pay")
      : producer(options_for(server), with_id(id)) {}

  static ProducerOptions with_id(const std::string& id) {
    ProducerOptions options;
    options.transactional_id = id;
    return options;
  }
  void append(std::string_view value, std::int32_t partition = 0) {
    producer.enqueue({"out", {}, value, {}, partition, {}});
  }
  void send_offset(std::int64_t offset) {
    producer.send_offsets({{{"out", 0}, offset}}, {"g", -1, "", {}});
  }

  Producer producer;
};

/// What goes wrong, or nothing.
std::error_code failure_of(const std::function<void()>& operation) {
  try {
    operation();
  } catch (const Exception& failed) {
    return failed.code();
  }
  return {};
}

/// What is committed in a partition before `end`.
std::vector<std::string> committed(server::TestServer& server, std::int32_t partition,
                                   std::int64_t end) {
  Consumer consumer(options_for(server));
  consumer.assign({{{"out", partition}, 0}});
  std::vector<std::string> values;
  while (consumer.position({"out", partition}).value_or(0) < end)
    for (const InRecord& record : consumer.poll(100ms)) values.emplace_back(*record.value);
  return values;
}

TEST_SUITE_BEGIN("client");

TEST_CASE("what a transaction wrote is there when it was committed, in either protocol") {
  for (std::int16_t version : {std::int16_t{1}, std::int16_t{2}}) {
    CAPTURE(version);
    server::TestServer server(
        [&](server::ServerOptions& options) { options.transaction_version = version; });
    server.create_topic("out", 2);
    Paying paying(server);
    CHECK(failure_of([&] { paying.append("too early"); }) == ClientError::invalid_state);
    paying.producer.begin();
    paying.append("a", 0);
    paying.append("b", 1);
    paying.send_offset(5);
    paying.producer.commit();
    CHECK(failure_of([&] { paying.append("too late"); }) == ClientError::invalid_state);
    paying.producer.begin();
    paying.append("c", 0);
    paying.producer.abort();
    paying.producer.begin();
    paying.append("d", 0);
    paying.producer.commit();
    // a and d, their markers, and perhaps c and its.
    server::Peer peer = server.connect();
    auto end = server::fetch(peer, server::fetch_request("out", 0)).high_watermark;
    CHECK(committed(server, 0, end) == std::vector<std::string>{"a", "d"});
    CHECK(committed(server, 1, 2) == std::vector<std::string>{"b"});
    auto offsets = Admin(options_for(server)).group_offsets("g");
    REQUIRE(offsets.size() == 1);
    CHECK(offsets.front().offset == 5);
  }
}

TEST_CASE("a producer with the same transactional id shuts out the one before") {
  server::TestServer server;
  server.create_topic("out");
  Paying first(server);
  first.producer.begin();
  first.append("a");
  Paying second(server);
  second.producer.begin();
  std::error_code fenced = failure_of([&] { first.producer.commit(); });
  CHECK(fenced);
  if (!fatal(fenced)) fenced = failure_of([&] { first.producer.abort(); });
  CHECK(fatal(fenced));
  second.append("b");
  second.producer.commit();
}

TEST_CASE("a record that fails takes its transaction along, which can be aborted") {
  server::TestServer server;
  server.create_topic("out", 1, {{"max.message.bytes", "1000"}});
  Paying paying(server);
  paying.producer.begin();
  paying.append("a");
  paying.append(std::string(5000, 'x'));
  CHECK(failure_of([&] { paying.producer.commit(); }) == KafkaError::message_too_large);
  CHECK(failure_of([&] { paying.append("b"); }));
  paying.producer.abort();
  paying.producer.begin();
  paying.append("c");
  paying.producer.commit();
}

TEST_CASE("transactions need an id, and operations that make no sense are refused") {
  server::TestServer server;
  server.create_topic("out");
  Paying without(server, "");
  CHECK(failure_of([&] { without.producer.begin(); }) == ClientError::invalid_argument);
  Paying paying(server);
  CHECK(failure_of([&] { paying.producer.commit(); }) == ClientError::invalid_state);
  CHECK(failure_of([&] { paying.producer.abort(); }) == ClientError::invalid_state);
  paying.producer.begin();
  CHECK(failure_of([&] { paying.producer.begin(); }) == ClientError::invalid_state);
  paying.producer.commit();
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::blocking
