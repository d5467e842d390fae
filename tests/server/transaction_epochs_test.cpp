// The second protocol of transactions (KIP-890), as clients of Kafka 4 speak it, and what older
// ones are told instead.
#include <algorithm>
#include <string>
#include <vector>

#include "server/transactions_client.h"

TEST_SUITE_BEGIN("server");

using namespace leat;
using namespace leat::server;
using wire::ErrorCode;

namespace {

using Values = std::vector<std::string>;

const Profile java_second = {"Java 4, transaction.version 2", 5, 3, 5, 12, 16, 10, 5};
const Profile java_first = {"Java 4, transaction.version 1", 5, 3, 4, 11, 16, 10, 4};
const Profile old = {"librdkafka 2.0.2", 4, 0, 1, 7, 11, 2, 3};

std::int64_t committed_offset(TestServer& server) {
  Peer peer = server.connect();
  wire::OffsetFetchRequest request;
  request.group_id = "g";
  request.topics.emplace();
  auto& topic = request.topics->emplace_back();
  topic.name = "t";
  topic.partition_indexes = {0};
  request.require_stable = true;
  auto partition = peer.ask(request, 7).topics.at(0).partitions.at(0);
  return partition.error_code == ErrorCode::none ? partition.committed_offset : -2;
}

wire::AddPartitionsToTxnRequest::Transaction of_broker(const Client& client, bool verify_only,
                                                       std::vector<std::int32_t> partitions) {
  wire::AddPartitionsToTxnRequest::Transaction transaction;
  transaction.transactional_id = "mine";
  transaction.producer_id = client.producer;
  transaction.producer_epoch = client.epoch;
  transaction.verify_only = verify_only;
  transaction.topics.push_back({"t", std::move(partitions)});
  return transaction;
}

}  // namespace

TEST_CASE("clients of Kafka 4 write without AddPartitionsToTxn, and each end raises their epoch") {
  TestServer server;
  server.create_topic("t", 2);
  Client client(server, java_second, "mine");
  CHECK(client.init() == ErrorCode::none);
  std::int64_t producer = client.producer;
  std::int16_t epoch = client.epoch;
  Peer reader = server.connect();
  for (std::string value : {"a", "b", "c"}) {
    bool is_commit = value != "b";
    CHECK(client.send("t", value, 0) == ErrorCode::none);
    CHECK(client.send("t", value, 1) == ErrorCode::none);
    CHECK(client.end(is_commit) == ErrorCode::none);
    CHECK(client.producer == producer);
    CHECK(client.epoch == ++epoch);
  }
  CHECK(wait_for([&] { return committed(reader, "t") == Values{"a", "c"}; }));
  server.restart();
  Client same(server, java_second, "mine");
  same.producer = client.producer;
  same.epoch = client.epoch;
  CHECK(same.send("t", "d") == ErrorCode::none);
  CHECK(same.end(true) == ErrorCode::none);
  Peer again = server.connect();
  CHECK(wait_for([&] { return committed(again, "t") == Values{"a", "c", "d"}; }));
}

TEST_CASE("a client that missed the answer to EndTxn is told who it is, across a restart too") {
  TestServer server;
  server.create_topic("t");
  for (bool is_commit : {true, false}) {
    Client client(server, java_second, "mine");
    CHECK(client.init() == ErrorCode::none);
    CHECK(client.send("t", "a") == ErrorCode::none);
    auto first = client.ask_end(is_commit);
    CHECK(first.error_code == ErrorCode::none);
    CHECK(first.producer_epoch == client.epoch + 1);
    server.restart();
    Client same(server, java_second, "mine");
    same.producer = client.producer;
    same.epoch = client.epoch;
    auto second = same.ask_end(is_commit);
    CHECK(second.error_code == ErrorCode::none);
    CHECK(second.producer_id == first.producer_id);
    CHECK(second.producer_epoch == first.producer_epoch);
    auto other = same.ask_end(!is_commit);
    CHECK(other.error_code ==
          (is_commit ? ErrorCode::invalid_txn_state : ErrorCode::transaction_abortable));
    CHECK(same.send("t", "late") == ErrorCode::invalid_producer_epoch);
  }
}

TEST_CASE("TxnOffsetCommit adds the offsets to the transaction from its version 5 on") {
  TestServer server;
  server.create_topic("t");
  Client client(server, java_second, "mine");
  CHECK(client.init() == ErrorCode::none);
  CHECK(client.commit_offset("g", "t", 5) == ErrorCode::none);
  CHECK(committed_offset(server) == -2);
  CHECK(client.end(true) == ErrorCode::none);
  CHECK(wait_for([&] { return committed_offset(server) == 5; }));
  CHECK(client.commit_offset("g", "t", 9) == ErrorCode::none);
  CHECK(client.end(false) == ErrorCode::none);
  CHECK(wait_for([&] { return committed_offset(server) == 5; }));
  client.epoch = 0;
  CHECK(client.commit_offset("g", "t", 9) == ErrorCode::invalid_producer_epoch);
}

TEST_CASE("what can only be aborted is told by its own code to the clients that know it") {
  TestServer server;
  server.create_topic("t");
  Client client(server, java_first, "mine");
  CHECK(client.init() == ErrorCode::none);
  CHECK(client.send("t", "outside") == ErrorCode::transaction_abortable);
  CHECK(client.commit_offset("g", "t", 5) == ErrorCode::transaction_abortable);
  CHECK(client.end(true) == ErrorCode::invalid_txn_state);
  Client older(server, old, "older");
  CHECK(older.init() == ErrorCode::none);
  CHECK(older.send("t", "outside") == ErrorCode::invalid_txn_state);
  CHECK(older.commit_offset("g", "t", 5) == ErrorCode::illegal_generation);
  Client newer(server, java_second, "newer");
  CHECK(newer.init() == ErrorCode::none);
  CHECK(newer.end(true) == ErrorCode::transaction_abortable);
  CHECK(newer.end(false) == ErrorCode::none);
  CHECK(newer.epoch == 1);
}

TEST_CASE("whoever had a transactional id before is fenced in the second protocol as well") {
  TestServer server;
  server.create_topic("t");
  Client first(server, java_second, "mine");
  CHECK(first.init() == ErrorCode::none);
  CHECK(first.send("t", "a") == ErrorCode::none);
  Client second(server, java_second, "mine");
  CHECK(second.init() == ErrorCode::none);
  CHECK(first.send("t", "b") == ErrorCode::invalid_producer_epoch);
  CHECK(first.commit_offset("g", "t", 1) == ErrorCode::invalid_producer_epoch);
  CHECK(first.end(true) == ErrorCode::producer_fenced);
  CHECK(first.end(false) == ErrorCode::producer_fenced);
  CHECK(second.send("t", "c") == ErrorCode::none);
  CHECK(second.end(true) == ErrorCode::none);
  Client third(server, old, "mine");
  CHECK(third.init() == ErrorCode::none);
  CHECK(third.add("t") == ErrorCode::none);
  CHECK(third.send("t", "d") == ErrorCode::none);
  CHECK(third.end(true) == ErrorCode::none);
  CHECK(second.end(false) == ErrorCode::producer_fenced);
  Peer reader = server.connect();
  CHECK(wait_for([&] { return committed(reader, "t") == Values{"c", "d"}; }));
}

TEST_CASE("other brokers add partitions to transactions, and ask for them, many in one request") {
  TestServer server;
  server.create_topic("t", 2);
  Client client(server, java_second, "mine");
  CHECK(client.init() == ErrorCode::none);
  Client stale(server, java_second, "mine");
  stale.producer = client.producer + 1000;
  stale.epoch = 0;
  wire::AddPartitionsToTxnRequest request;
  request.transactions = {of_broker(client, false, {0}), of_broker(client, true, {0, 1}),
                          of_broker(stale, true, {0})};
  for (wire::Version version : {wire::Version{4}, wire::Version{5}}) {
    // What is added counts for what is asked later only.
    CHECK(client.peer.ask(request, version).transactions.size() == 3);
    auto response = client.peer.ask(request, version);
    CHECK(response.error_code == ErrorCode::none);
    auto code = [&](std::size_t transaction, std::size_t partition) {
      return response.transactions.at(transaction).topics.at(0).partitions.at(partition).error_code;
    };
    CHECK(response.transactions.at(0).transactional_id == "mine");
    CHECK(code(0, 0) == ErrorCode::none);
    CHECK(code(1, 0) == ErrorCode::none);
    CHECK(code(1, 1) ==
          (version >= 5 ? ErrorCode::transaction_abortable : ErrorCode::invalid_txn_state));
    CHECK(code(2, 0) == ErrorCode::invalid_producer_id_mapping);
  }
}

TEST_CASE("clients are told which protocol of transactions to speak, as the server is set") {
  for (std::int16_t level = 0; level <= 2; ++level) {
    TestServer server([&](ServerOptions& options) { options.transaction_version = level; });
    Peer peer = server.connect();
    wire::ApiVersionsRequest request;
    request.client_software_name = "test";
    request.client_software_version = "1";
    auto is_it = [](const auto& feature) { return feature.name == "transaction.version"; };
    for (wire::Version version : {wire::Version{3}, wire::Version{4}}) {
      auto response = peer.ask(request, version);
      const auto& supported = response.supported_features;
      auto range = std::find_if(supported.begin(), supported.end(), is_it);
      // Clients of version 3 do not bear a range from 0.
      CHECK((range != supported.end()) == (version == 4));
      if (range != supported.end()) CHECK(range->max_version == 2);
      const auto& finalized = response.finalized_features;
      auto feature = std::find_if(finalized.begin(), finalized.end(), is_it);
      CHECK((feature != finalized.end()) == (level > 0));
      if (feature != finalized.end()) CHECK(feature->max_version_level == level);
    }
  }
}

TEST_SUITE_END();
