// What clients see of epochs: committed records as soon as they are, ordinary transactions, and
// topics of the server's own.
#include <future>
#include <initializer_list>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker/epochs.h"
#include "server/peer.h"
#include "server/transactions_client.h"

TEST_SUITE_BEGIN("server");

using namespace leat;
using namespace leat::server;
using wire::ErrorCode;

namespace {

using Values = std::vector<std::string>;

/// A pipeline in the server, as far as it commits.
class Pipeline {
 public:
  Pipeline(TestServer& server, const std::string& owner) : server_(server) {
    std::promise<Result<std::shared_ptr<broker::EpochWriter>>> opened;
    server.on_shard([&](broker::Broker& broker) {
      broker.epochs().open(owner, [&](auto writer) { opened.set_value(std::move(writer)); });
    });
    auto writer = opened.get_future().get();
    REQUIRE(writer);
    writer_ = std::move(*writer);
  }
  /// A record for each of the topics, in their first partitions.
  Result<void> commit(const std::string& record, const std::vector<std::string>& topics) {
    std::vector<broker::EpochWriter::Output> output;
    for (const std::string& topic : topics) {
      auto id = server_.server().broker().find_topic(topic)->info.id;
      output.push_back({{id, PartitionId{0}}, batch_of({record})});
    }
    BytesView bytes = as_bytes(record);
    std::promise<Result<void>> committed;
    writer_->commit({bytes.begin(), bytes.end()}, std::move(output),
                    [&](Result<void> done) { committed.set_value(std::move(done)); });
    return committed.get_future().get();
  }

 private:
  TestServer& server_;
  std::shared_ptr<broker::EpochWriter> writer_;
};

}  // namespace

TEST_CASE("a client that reads committed records sees an epoch when its writer is told") {
  TestServer server;
  server.create_topic("t");
  server.create_topic("u");
  Peer peer = server.connect();
  Pipeline pipeline(server, "p.1");
  for (int i = 0; i < 3; ++i) {
    std::string value(1, static_cast<char>('a' + i));
    REQUIRE(pipeline.commit(value, {"t", "u"}));
    Values all;
    for (char c = 'a'; c <= value[0]; ++c) all.emplace_back(1, c);
    for (wire::Version version : std::initializer_list<wire::Version>{4, 11, 12}) {
      CHECK(committed(peer, "t", version) == all);
      CHECK(committed(peer, "u", version) == all);
    }
    CHECK(committed(peer, "__epochs.p.1") == all);
  }
}

TEST_CASE("a fetch that waits for committed records is answered by an epoch") {
  TestServer server;
  server.create_topic("t");
  Pipeline pipeline(server, "p.1");
  REQUIRE(pipeline.commit("a", {"t"}));
  Peer peer = server.connect();
  // Behind the marker of the first one.
  REQUIRE(wait_for([&] { return fetch_as(peer, "t", true).last_stable_offset == 2; }));
  wire::FetchRequest request = fetch_request("t", 2);
  request.isolation_level = 1;
  request.max_wait_ms = 9'000;
  request.min_bytes = 1;
  peer.send_request(request, 12);
  REQUIRE(pipeline.commit("b", {"t"}));
  auto answer = peer.receive<wire::FetchRequest>(12);
  CHECK(records_in(answer.responses.at(0).partitions.at(0).records.bytes()) == Values{"2:b"});
}

TEST_CASE("an epoch that is aborted is an aborted transaction to clients") {
  TestServer server;
  server.create_topic("t");
  server.create_topic("small", 1, {{"max.message.bytes", "70"}});
  Peer peer = server.connect();
  Pipeline pipeline(server, "p.1");
  REQUIRE(pipeline.commit("a", {"t"}));
  auto failed = pipeline.commit("lost", {"t", "small"});
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == Errc::message_too_large);
  Pipeline next(server, "p.1");
  REQUIRE(next.commit("b", {"t"}));
  CHECK(committed(peer, "t") == Values{"a", "b"});
  CHECK(committed(peer, "small").empty());
  CHECK(committed(peer, "__epochs.p.1") == Values{"a", "b"});
}

TEST_CASE("producers of epochs are described, and nobody else ends their transactions") {
  TestServer server;
  server.create_topic("t");
  Peer peer = server.connect();
  Pipeline pipeline(server, "p.1");
  REQUIRE(pipeline.commit("a", {"t"}));
  wire::DescribeProducersRequest describe;
  describe.topics.push_back({"t", {0}});
  auto producers = peer.ask(describe).topics.at(0).partitions.at(0).active_producers;
  REQUIRE(producers.size() == 1);
  CHECK(producers[0].current_txn_start_offset == -1);
  CHECK(producers[0].last_sequence == 0);
  wire::WriteTxnMarkersRequest markers;
  auto& marker = markers.markers.emplace_back();
  marker.producer_id = producers[0].producer_id;
  marker.producer_epoch = static_cast<std::int16_t>(producers[0].producer_epoch);
  marker.topics.push_back({"t", {0}});
  auto written = peer.ask(markers, 1).markers.at(0).topics.at(0).partitions.at(0);
  CHECK(written.error_code == ErrorCode::invalid_txn_state);
  CHECK(peer.ask(wire::ListTransactionsRequest{}).transactions.empty());
  CHECK(committed(peer, "t") == Values{"a"});
}

TEST_CASE("clients read topics of epochs and of pipelines, and do nothing else to them") {
  TestServer server;
  server.create_topic("t");
  Peer peer = server.connect();
  for (const std::string& name : {std::string("__epochs.p.1"), std::string("__pipelines")}) {
    CAPTURE(name);
    wire::MetadataRequest metadata;
    metadata.topics.emplace().push_back({{}, name});
    metadata.allow_auto_topic_creation = true;
    CHECK(peer.ask(metadata).topics.at(0).error_code == ErrorCode::unknown_topic_or_partition);
    wire::CreateTopicsRequest create;
    auto& asked = create.topics.emplace_back();
    asked.name = name;
    asked.num_partitions = 1;
    asked.replication_factor = 1;
    CHECK(peer.ask(create).topics.at(0).error_code == ErrorCode::invalid_topic_exception);
    CHECK(produce(peer, name, batch_of({"x"})).error_code == ErrorCode::invalid_topic_exception);
  }
  Pipeline pipeline(server, "p.1");
  REQUIRE(pipeline.commit("a", {"t"}));
  std::string name = "__epochs.p.1";
  wire::MetadataRequest metadata;
  metadata.topics.emplace().push_back({{}, name});
  CHECK(peer.ask(metadata).topics.at(0).is_internal);
  CHECK(produce(peer, name, batch_of({"x"})).error_code == ErrorCode::invalid_topic_exception);
  wire::DeleteTopicsRequest remove;
  remove.topic_names = {name};
  CHECK(peer.ask(remove, 5).responses.at(0).error_code == ErrorCode::invalid_request);
  wire::DeleteRecordsRequest trim;
  trim.topics.push_back({name, {{0, 1}}});
  CHECK(peer.ask(trim).topics.at(0).partitions.at(0).error_code ==
        ErrorCode::invalid_topic_exception);
  wire::CreatePartitionsRequest grow;
  grow.topics.emplace_back().name = name;
  grow.topics[0].count = 2;
  CHECK(peer.ask(grow).results.at(0).error_code == ErrorCode::invalid_request);
  CHECK(committed(peer, name) == Values{"a"});
}

TEST_CASE("epochs are there after a server has been stopped and started again") {
  TestServer server;
  server.create_topic("t");
  {
    Pipeline pipeline(server, "p.1");
    for (int i = 0; i < 20; ++i) REQUIRE(pipeline.commit("a", {"t"}));
  }
  server.restart();
  Peer peer = server.connect();
  CHECK(committed(peer, "t").size() == 20);
  CHECK(committed(peer, "__epochs.p.1").size() == 20);
  Pipeline pipeline(server, "p.1");
  REQUIRE(pipeline.commit("b", {"t"}));
  CHECK(committed(peer, "t").back() == "b");
}

TEST_SUITE_END();
