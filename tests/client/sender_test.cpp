// Transactions over real sockets, against a server of ours, in either protocol.
#include "client/sender.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "client/blocking_client.h"
#include "client/blocking_consumer.h"
#include "client/record_reader.h"
#include "client/session.h"
#include "server/peer.h"

namespace leat::client {
namespace {

using namespace std::chrono_literals;

/// A producer with the transactional id "pay", and all that it needs.
struct Paying {
  Paying(server::TestServer& server, std::function<void(ProducerOptions&)> change = nullptr) {
    ClientOptions client_options;
    client_options.brokers = server.server().kafka_address().to_string();
    session.emplace(client_options);
    ProducerOptions options;
    options.transactional_id = "pay";
    if (change) change(options);
    sender = std::make_shared<Sender>(session->cluster(), options, nullptr);
    session->post([sender = sender] { sender->start(); });
    auto learned = session->run([&](const auto&) { return sender->learn_topic("out"); });
    REQUIRE(learned);
  }
  ~Paying() {
    session->post([sender = sender] { sender->stop(); });
  }
  Result<void> begin() {
    return session->run([&](const auto&) { return sender->begin(); });
  }
  Result<void> commit() {
    return session->run([&](const auto&) { return sender->commit(); });
  }
  Result<void> abort() {
    return session->run([&](const auto&) { return sender->abort(); });
  }
  Result<void> send_offset(std::int64_t offset) {
    return session->run([&](const auto&) {
      return sender->send_offsets({{"out", 0, offset, -1, ""}}, {"g", -1, "", {}});
    });
  }
  Result<Sender::Append> append(std::string_view value, std::int32_t partition = 0) {
    OutRecord record;
    record.value = as_bytes(value);
    record.partition = partition;
    return sender->try_append("out", record);
  }

  std::optional<Session> session;
  std::shared_ptr<Sender> sender;
};

/// What is committed in a partition.
std::vector<std::string> committed(server::TestServer& server, std::int32_t partition,
                                   std::int64_t end) {
  ClientOptions options;
  options.brokers = server.server().kafka_address().to_string();
  BlockingClient client(options);
  BlockingConsumer consumer(client, {{"out", partition, 0, end}}, {});
  std::vector<std::string> values;
  record::Scratch scratch;
  while (!consumer.finished()) {
    auto fetched = consumer.poll(10s);
    REQUIRE(fetched);
    if (!*fetched) continue;
    RecordReader records(**fetched, scratch);
    while (const record::Record* record = records.next())
      values.emplace_back(as_text(*record->value));
  }
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
    auto refused = paying.append("too early");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::invalid_txn_state);
    REQUIRE(paying.begin());
    REQUIRE(paying.append("a", 0));
    REQUIRE(paying.append("b", 1));
    REQUIRE(paying.send_offset(5));
    REQUIRE(paying.commit());
    CHECK_FALSE(paying.append("too late"));
    REQUIRE(paying.begin());
    REQUIRE(paying.append("c", 0));
    REQUIRE(paying.abort());
    REQUIRE(paying.begin());
    REQUIRE(paying.append("d", 0));
    REQUIRE(paying.commit());
    // a and d, their markers, and perhaps c and its.
    server::Peer peer = server.connect();
    auto end = server::fetch(peer, server::fetch_request("out", 0)).high_watermark;
    CHECK(committed(server, 0, end) == std::vector<std::string>{"a", "d"});
    CHECK(committed(server, 1, 2) == std::vector<std::string>{"b"});
    BlockingClient client(paying.session->cluster()->options());
    auto offsets = client.group_offsets("g");
    REQUIRE(offsets);
    REQUIRE(offsets->size() == 1);
    CHECK(offsets->front().offset == 5);
  }
}

TEST_CASE("a producer with the same transactional id shuts out the one before") {
  server::TestServer server;
  server.create_topic("out");
  Paying first(server);
  REQUIRE(first.begin());
  REQUIRE(first.append("a"));
  Paying second(server);
  REQUIRE(second.begin());
  auto fenced = first.commit();
  REQUIRE_FALSE(fenced);
  if (fenced.error().code != Errc::producer_fenced) fenced = first.abort();
  REQUIRE_FALSE(fenced);
  CHECK(fenced.error().code == Errc::producer_fenced);
  REQUIRE(second.append("b"));
  REQUIRE(second.commit());
}

TEST_CASE("a record that fails takes its transaction along, which can be aborted") {
  server::TestServer server;
  server.create_topic("out", 1, {{"max.message.bytes", "1000"}});
  Paying paying(server);
  REQUIRE(paying.begin());
  REQUIRE(paying.append("a"));
  REQUIRE(paying.append(std::string(5000, 'x')));
  auto failed = paying.commit();
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == Errc::message_too_large);
  CHECK_FALSE(paying.append("b"));
  REQUIRE(paying.abort());
  REQUIRE(paying.begin());
  REQUIRE(paying.append("c"));
  REQUIRE(paying.commit());
}

TEST_CASE("transactions need an id, and operations that make no sense are refused") {
  server::TestServer server;
  server.create_topic("out");
  Paying without(server, [](ProducerOptions& options) { options.transactional_id.clear(); });
  CHECK(without.begin().error().code == Errc::invalid_argument);
  Paying paying(server);
  CHECK(paying.commit().error().code == Errc::invalid_txn_state);
  CHECK(paying.abort().error().code == Errc::invalid_txn_state);
  REQUIRE(paying.begin());
  CHECK(paying.begin().error().code == Errc::invalid_txn_state);
  REQUIRE(paying.commit());
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::client
