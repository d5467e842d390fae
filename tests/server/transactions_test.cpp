// Idempotent producers and transactions as clients speak of them, in their exact versions.
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "server/transactions_client.h"

TEST_SUITE_BEGIN("server");

using namespace leat;
using namespace leat::server;
using wire::ErrorCode;

namespace {

const Profile profiles[] = {
    {"librdkafka 2.0.2", 4, 0, 1, 7, 11, 2, 3},
    {"KafkaJS 2.2.4", 1, 1, 1, 7, 11, 3, 1},
    {"Java 4", 5, 3, 4, 11, 16, 10, 4},
    {"franz-go", 5, 3, 4, 11, 16, 8, 4},
};

using Values = std::vector<std::string>;

}  // namespace

TEST_CASE(
    "a transaction shows when it is committed, and never when it is aborted, to each client") {
  for (const Profile& profile : profiles) {
    CAPTURE(profile.name);
    TestServer server;
    server.create_topic("t");
    Client client(server, profile, "mine");
    CHECK(client.init() == ErrorCode::none);
    CHECK(client.add("t") == ErrorCode::none);
    CHECK(client.send("t", "a") == ErrorCode::none);
    Peer reader = server.connect();
    CHECK(committed(reader, "t", profile.fetch).empty());
    CHECK(fetch_as(reader, "t", true).last_stable_offset == 0);
    CHECK(fetch_as(reader, "t", true).high_watermark == 1);
    CHECK(records_in(fetch_as(reader, "t", false).records.bytes()) == Values{"0:a"});
    CHECK(client.end(true) == ErrorCode::none);
    CHECK(wait_for([&] { return committed(reader, "t") == Values{"a"}; }));
    CHECK(client.add("t") == ErrorCode::none);
    CHECK(client.send("t", "b") == ErrorCode::none);
    CHECK(client.end(false) == ErrorCode::none);
    CHECK(client.add("t") == ErrorCode::none);
    CHECK(client.send("t", "c") == ErrorCode::none);
    CHECK(client.end(true) == ErrorCode::none);
    CHECK(wait_for([&] { return committed(reader, "t") == Values{"a", "c"}; }));
    auto all = fetch_as(reader, "t", true);
    REQUIRE(all.aborted_transactions->size() == 1);
    CHECK(all.aborted_transactions->at(0).producer_id == client.producer);
    CHECK(all.aborted_transactions->at(0).first_offset == 2);
    CHECK(all.last_stable_offset == 6);
    // The same answer again is asked for when an answer was lost.
    CHECK(client.end(true) == ErrorCode::none);
    CHECK(client.end(false) == ErrorCode::invalid_txn_state);
  }
}

TEST_CASE(
    "fault 27: whoever had a transactional id before is told so, in the version's own words") {
  for (const Profile& profile : profiles) {
    CAPTURE(profile.name);
    TestServer server;
    server.create_topic("t");
    Client first(server, profile, "mine");
    CHECK(first.init() == ErrorCode::none);
    CHECK(first.add("t") == ErrorCode::none);
    CHECK(first.send("t", "a") == ErrorCode::none);
    Client second(server, profile, "mine");
    CHECK(second.init() == ErrorCode::none);
    CHECK(second.producer == first.producer);
    CHECK(second.epoch > first.epoch);
    bool knows_fenced = profile.end >= 2;
    ErrorCode fenced =
        knows_fenced ? ErrorCode::producer_fenced : ErrorCode::invalid_producer_epoch;
    CHECK(first.end(true) == fenced);
    CHECK(first.add("t") ==
          (profile.add >= 2 ? ErrorCode::producer_fenced : ErrorCode::invalid_producer_epoch));
    CHECK(first.send("t", "b") == ErrorCode::invalid_producer_epoch);
    CHECK(second.add("t") == ErrorCode::none);
    CHECK(second.send("t", "c") == ErrorCode::none);
    CHECK(second.end(true) == ErrorCode::none);
    Peer reader = server.connect();
    CHECK(wait_for([&] { return committed(reader, "t") == Values{"c"}; }));
  }
}

TEST_CASE("fault 27: what does not belong into a transaction is refused by its code") {
  TestServer server;
  server.create_topic("t", 2);
  Client client(server, profiles[2], "mine");
  CHECK(client.init(15 * 60 * 1000 + 1) == ErrorCode::invalid_transaction_timeout);
  CHECK(client.init(0) == ErrorCode::invalid_transaction_timeout);
  CHECK(client.init() == ErrorCode::none);
  CHECK(client.send("t", "outside") == ErrorCode::transaction_abortable);
  CHECK(client.end(true) == ErrorCode::invalid_txn_state);
  CHECK(client.add("nowhere") == ErrorCode::unknown_topic_or_partition);
  CHECK(client.add("t", 0) == ErrorCode::none);
  CHECK(client.send("t", "elsewhere", 1) == ErrorCode::transaction_abortable);
  CHECK(client.send("t", "in", 0) == ErrorCode::none);
  CHECK(client.send("t", "plain", 0, false) == ErrorCode::transaction_abortable);
  CHECK(client.end(true) == ErrorCode::none);
  CHECK(client.send("t", "late", 0) == ErrorCode::transaction_abortable);
  Client stranger(server, profiles[2], "other");
  stranger.producer = client.producer;
  stranger.epoch = client.epoch;
  CHECK(stranger.end(true) == ErrorCode::invalid_producer_id_mapping);
  CHECK(client.send("__transaction_state", "x") == ErrorCode::invalid_topic_exception);
  Client nameless(server, profiles[0], "");
  wire::InitProducerIdRequest empty;
  empty.transactional_id = "";
  empty.transaction_timeout_ms = 1000;
  CHECK(nameless.peer.ask(empty, 4).error_code == ErrorCode::invalid_request);
}

TEST_CASE("producers without transactions get ids that nobody has had, across restarts") {
  TestServer server;
  server.create_topic("t");
  std::set<std::int64_t> ids;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 5; ++i) {
      Client client(server, profiles[0], "");
      CHECK(client.init() == ErrorCode::none);
      CHECK(client.epoch == 0);
      CHECK(ids.insert(client.producer).second);
      CHECK(client.send("t", "a", 0, false) == ErrorCode::none);
      std::int64_t offset = client.last_offset();
      CHECK(client.send_again("t", "a") == offset);
    }
    server.restart();
  }
  Peer reader = server.connect();
  CHECK(fetch_as(reader, "t", true).high_watermark == 15);
}

TEST_CASE("a fetch of committed records that waits is woken when a transaction is decided") {
  TestServer server;
  server.create_topic("t");
  Client client(server, profiles[0], "mine");
  CHECK(client.init() == ErrorCode::none);
  CHECK(client.add("t") == ErrorCode::none);
  CHECK(client.send("t", "a") == ErrorCode::none);
  Peer reader = server.connect();
  wire::FetchRequest request = fetch_request("t", 0);
  request.isolation_level = 1;
  request.min_bytes = 1;
  request.max_wait_ms = 9'000;
  reader.send_request(request, 11);
  CHECK(client.end(true) == ErrorCode::none);
  auto response = reader.receive<wire::FetchRequest>(11);
  CHECK(records_in(response.responses.at(0).partitions.at(0).records.bytes()).size() == 2);
}

TEST_CASE("ListOffsets of committed records ends at the last stable offset") {
  TestServer server;
  server.create_topic("t");
  Client client(server, profiles[0], "mine");
  CHECK(client.init() == ErrorCode::none);
  Peer peer = server.connect();
  CHECK(produce(peer, "t", batch_of({"before"})).error_code == ErrorCode::none);
  CHECK(client.add("t") == ErrorCode::none);
  CHECK(client.send("t", "a") == ErrorCode::none);
  auto ask = [&](std::int8_t isolation, std::int64_t timestamp) {
    wire::ListOffsetsRequest request;
    request.isolation_level = isolation;
    auto& topic = request.topics.emplace_back();
    topic.name = "t";
    topic.partitions.emplace_back().timestamp = timestamp;
    return peer.ask(request, 8).topics.at(0).partitions.at(0).offset;
  };
  CHECK(ask(0, -1) == 2);
  CHECK(ask(1, -1) == 1);
  CHECK(ask(1, -2) == 0);
  CHECK(ask(1, 1) == 0);
  CHECK(client.end(true) == ErrorCode::none);
  CHECK(wait_for([&] { return ask(1, -1) == 3; }));
}

TEST_CASE("a transaction that nobody ends is aborted at its timeout, and its producer fenced") {
  TestServer server;
  server.create_topic("t");
  Client client(server, profiles[2], "mine");
  CHECK(client.init(1) == ErrorCode::none);
  CHECK(client.add("t") == ErrorCode::none);
  static_cast<void>(client.send("t", "a"));
  Peer reader = server.connect();
  CHECK(wait_for([&] {
    auto fetched = fetch_as(reader, "t", true);
    return fetched.last_stable_offset == fetched.high_watermark && fetched.high_watermark > 0;
  }));
  CHECK(committed(reader, "t").empty());
  CHECK(client.end(true) == ErrorCode::producer_fenced);
}

TEST_CASE("open transactions are described, and WriteTxnMarkers ends one past its coordinator") {
  TestServer server;
  server.create_topic("t");
  Client client(server, profiles[2], "mine");
  CHECK(client.init() == ErrorCode::none);
  CHECK(client.add("t") == ErrorCode::none);
  CHECK(client.send("t", "a") == ErrorCode::none);
  Peer peer = server.connect();
  wire::ListTransactionsRequest list;
  list.state_filters = {"Ongoing", "Nonsense"};
  auto listed = peer.ask(list);
  REQUIRE(listed.transactions.size() == 1);
  CHECK(listed.transactions[0].transactional_id == "mine");
  CHECK(listed.unknown_state_filters == Values{"Nonsense"});
  list.duration_filter_ms = 1'000'000;
  CHECK(peer.ask(list).transactions.empty());
  wire::DescribeTransactionsRequest describe;
  describe.transactional_ids = {"mine", "nobody"};
  auto described = peer.ask(describe).transactions;
  CHECK(described[0].transaction_state == "Ongoing");
  CHECK(described[0].topics.at(0).name == "t");
  CHECK(described[1].error_code == ErrorCode::transactional_id_not_found);
  wire::DescribeProducersRequest producers;
  producers.topics.push_back({"t", {0, 7}});
  auto partitions = peer.ask(producers).topics.at(0).partitions;
  CHECK(partitions[1].error_code == ErrorCode::unknown_topic_or_partition);
  REQUIRE(partitions[0].active_producers.size() == 1);
  CHECK(partitions[0].active_producers[0].current_txn_start_offset == 0);
  wire::WriteTxnMarkersRequest markers;
  auto& marker = markers.markers.emplace_back();
  marker.producer_id = client.producer;
  marker.producer_epoch = client.epoch;
  marker.topics.push_back({"t", {0}});
  auto written = peer.ask(markers, 1).markers.at(0).topics.at(0).partitions.at(0);
  CHECK(written.error_code == ErrorCode::none);
  partitions = peer.ask(producers).topics.at(0).partitions;
  CHECK(partitions[0].active_producers[0].current_txn_start_offset == -1);
}

TEST_CASE("a group's offsets count when the transaction they are in is committed") {
  for (const Profile& profile : profiles) {
    CAPTURE(profile.name);
    TestServer server;
    server.create_topic("t");
    auto fetch_offset = [&](bool require_stable) {
      Peer peer = server.connect();
      wire::OffsetFetchRequest request;
      request.group_id = "g";
      request.topics.emplace();
      auto& topic = request.topics->emplace_back();
      topic.name = "t";
      topic.partition_indexes = {0};
      request.require_stable = require_stable;
      return peer.ask(request, 7).topics.at(0).partitions.at(0);
    };
    Client client(server, profile, "mine");
    CHECK(client.init() == ErrorCode::none);
    // Clients of the older versions abort on it, and go on; invalid_txn_state would be their end.
    ErrorCode not_open =
        profile.offsets >= 4 ? ErrorCode::transaction_abortable : ErrorCode::illegal_generation;
    CHECK(client.commit_offset("g", "t", 5) == not_open);
    CHECK(client.add_offsets("g") == ErrorCode::none);
    CHECK(client.add("t") == ErrorCode::none);
    CHECK(client.send("t", "a") == ErrorCode::none);
    CHECK(client.commit_offset("g", "t", 5) == ErrorCode::none);
    CHECK(fetch_offset(false).committed_offset == -1);
    CHECK(fetch_offset(true).error_code == ErrorCode::unstable_offset_commit);
    CHECK(client.end(true) == ErrorCode::none);
    CHECK(wait_for([&] { return fetch_offset(true).committed_offset == 5; }));
    CHECK(client.add_offsets("g") == ErrorCode::none);
    CHECK(client.commit_offset("g", "t", 9) == ErrorCode::none);
    CHECK(client.end(false) == ErrorCode::none);
    CHECK(wait_for([&] { return fetch_offset(true).committed_offset == 5; }));
    server.restart();
    CHECK(wait_for([&] { return fetch_offset(true).committed_offset == 5; }));
  }
}

TEST_CASE("a transaction with a topic that was deleted ends all the same") {
  TestServer server;
  server.create_topic("t");
  server.create_topic("gone");
  Client client(server, profiles[2], "mine");
  CHECK(client.init() == ErrorCode::none);
  CHECK(client.add("t") == ErrorCode::none);
  CHECK(client.add("gone") == ErrorCode::none);
  CHECK(client.send("gone", "a") == ErrorCode::none);
  CHECK(client.send("t", "a") == ErrorCode::none);
  Peer peer = server.connect();
  wire::DeleteTopicsRequest removal;
  removal.timeout_ms = 1000;
  removal.topic_names = {"gone"};
  CHECK(peer.ask(removal, 4).responses.at(0).error_code == ErrorCode::none);
  CHECK(client.end(true) == ErrorCode::none);
  CHECK(wait_for([&] { return committed(peer, "t") == Values{"a"}; }));
  CHECK(client.add("t") == ErrorCode::none);
}

TEST_SUITE_END();
