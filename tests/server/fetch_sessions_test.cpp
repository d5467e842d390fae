#include "server/fetch_sessions.h"

#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "server/peer.h"

TEST_SUITE_BEGIN("server");

using namespace leat;
using namespace leat::server;
using namespace std::chrono_literals;
using wire::ErrorCode;

namespace {

constexpr wire::Version by_name = 12;
constexpr wire::Version by_id = 13;

/// A fetch of partitions of "t", waiting for nothing.
wire::FetchRequest request_for(const std::vector<std::int32_t>& partitions, std::int32_t id = 0,
                               std::int32_t epoch = 0, const std::string& name = "t") {
  wire::FetchRequest request;
  request.session_id = id;
  request.session_epoch = epoch;
  request.max_bytes = 1 << 20;
  if (partitions.empty()) return request;
  auto& topic = request.topics.emplace_back();
  topic.topic = name;
  for (std::int32_t partition : partitions) {
    auto& asked = topic.partitions.emplace_back();
    asked.partition = partition;
    asked.partition_max_bytes = 1 << 20;
  }
  return request;
}

std::vector<std::int32_t> partitions_of(FetchSession& session) {
  std::vector<std::int32_t> partitions;
  for (const auto& partition : session.partitions())
    partitions.push_back(partition.asked.partition);
  return partitions;
}

/// A consumer that keeps a session, over a real connection.
class Consumer {
 public:
  explicit Consumer(TestServer& server) : peer_(server.connect()) {}

  /// What the next fetch brings, as "partition@high watermark" with "+" where there are records.
  /// Records are taken: the next fetch asks for what is behind them.
  std::vector<std::string> poll(const std::vector<std::int32_t>& add = {},
                                const std::vector<std::int32_t>& forget = {}) {
    wire::FetchRequest request = request_for({}, id_, epoch_);
    request.max_wait_ms = max_wait_ms;
    request.min_bytes = 1;
    std::map<std::int32_t, bool> asked;
    for (std::int32_t partition : add) asked[partition] = true;
    for (std::int32_t partition : moved_) asked[partition] = true;
    if (!asked.empty()) request.topics.emplace_back().topic = "t";
    for (const auto& [partition, unused] : asked) {
      auto& entry = request.topics[0].partitions.emplace_back();
      entry.partition = partition;
      entry.fetch_offset = offsets_[partition];
      entry.partition_max_bytes = 1 << 20;
    }
    moved_.clear();
    if (!forget.empty()) request.forgotten_topics_data.push_back({"t", {}, forget});
    auto response = peer_.ask(request, by_name);
    error = response.error_code;
    if (error != ErrorCode::none) return {};
    id_ = response.session_id;
    ++epoch_;
    return take(response);
  }

  std::int32_t id() const { return id_; }
  void set_epoch(std::int32_t epoch) { epoch_ = epoch; }
  void start_anew() { id_ = epoch_ = 0; }
  ErrorCode error = ErrorCode::none;
  std::int32_t max_wait_ms = 0;

 private:
  std::vector<std::string> take(const wire::FetchResponse& response) {
    std::vector<std::string> got;
    for (const auto& topic : response.responses) {
      for (const auto& partition : topic.partitions) {
        std::string text = std::to_string(partition.partition_index) + "@" +
                           std::to_string(partition.high_watermark);
        if (partition.error_code != ErrorCode::none) text += "!";
        if (partition.records.size() > 0) {
          text += "+";
          offsets_[partition.partition_index] = partition.high_watermark;
          moved_.push_back(partition.partition_index);
        }
        got.push_back(text);
      }
    }
    return got;
  }

  Peer peer_;
  std::int32_t id_ = 0;
  std::int32_t epoch_ = 0;
  std::map<std::int32_t, std::int64_t> offsets_;
  std::vector<std::int32_t> moved_;
};

using Got = std::vector<std::string>;

}  // namespace

TEST_CASE("a session keeps its partitions, adds and forgets some, and counts epochs") {
  Gauge open;
  FetchSessions sessions({}, Random(1), open);
  auto session = sessions.open(request_for({0, 1}), by_name, 0s);
  REQUIRE(session);
  CHECK(session->id() > 0);
  CHECK(session->epoch() == 1);
  auto request = request_for({2, 1}, session->id(), 1);
  request.topics[0].partitions[1].fetch_offset = 7;
  request.forgotten_topics_data.push_back({"t", {}, {0, 99}});
  auto resumed = sessions.resume(request, by_name, 1s);
  REQUIRE(resumed);
  CHECK(*resumed == session);
  CHECK(session->epoch() == 2);
  CHECK(partitions_of(*session) == std::vector{1, 2});
  CHECK(session->find("t", {}, 1)->asked.fetch_offset == 7);
  session->move_back(*session->find("t", {}, 1));
  CHECK(partitions_of(*session) == std::vector{2, 1});
}

TEST_CASE("requests that do not fit their session are refused, and change nothing (70, 71, 106)") {
  Gauge open;
  FetchSessions sessions({}, Random(1), open);
  auto session = sessions.open(request_for({0}), by_name, 0s);
  auto error = [&](std::int32_t id, std::int32_t epoch, wire::Version version) {
    return sessions.resume(request_for({5}, id, epoch), version, 0s).error();
  };
  CHECK(error(session->id() + 1, 1, by_name) == ErrorCode::fetch_session_id_not_found);
  CHECK(error(0, 1, by_name) == ErrorCode::fetch_session_id_not_found);
  CHECK(error(session->id(), 2, by_name) == ErrorCode::invalid_fetch_session_epoch);
  CHECK(error(session->id(), 1, by_id) == ErrorCode::fetch_session_topic_id_error);
  CHECK(partitions_of(*session) == std::vector{0});
  CHECK(sessions.resume(request_for({}, session->id(), 1), by_name, 0s));
}

TEST_CASE("a session without partitions ends") {
  Gauge open;
  FetchSessions sessions({}, Random(1), open);
  CHECK(sessions.open(request_for({}), by_name, 0s) == nullptr);
  auto session = sessions.open(request_for({0}), by_name, 0s);
  auto request = request_for({}, session->id(), 1);
  request.forgotten_topics_data.push_back({"t", {}, {0}});
  auto resumed = sessions.resume(request, by_name, 0s);
  REQUIRE(resumed);
  CHECK(*resumed == nullptr);
  CHECK(session->epoch() == 0);
  CHECK(sessions.size() == 0);
  CHECK(sessions.size_bytes() == 0);
  CHECK(open.value() == 0);
}

TEST_CASE("sessions are bounded: one that rests makes room, one in use does not (fault 29)") {
  Gauge open;
  FetchSessions sessions({.sessions_max = 2}, Random(1), open);
  auto first = sessions.open(request_for({0}), by_name, 0min);
  auto second = sessions.open(request_for({0}), by_name, 0min);
  REQUIRE(sessions.resume(request_for({}, first->id(), 1), by_name, 1min));
  CHECK(sessions.open(request_for({0}), by_name, 1min) == nullptr);
  CHECK(sessions.open(request_for({0}), by_name, 2min) != nullptr);
  CHECK(second->epoch() == 0);
  CHECK(first->epoch() == 2);
  CHECK(sessions.size() == 2);
  CHECK(open.value() == 2);
}

TEST_CASE("the memory of all sessions is bounded, also where one grows") {
  Gauge open;
  FetchSessions sessions({.bytes_max = 10'000}, Random(1), open);
  auto small = sessions.open(request_for({0, 1}), by_name, 0min);
  REQUIRE(small);
  std::vector<std::int32_t> many;
  for (std::int32_t i = 0; i < 1000; ++i) many.push_back(i);
  CHECK(sessions.open(request_for(many), by_name, 0min) == nullptr);
  CHECK(sessions.open(request_for({0}, 0, 0, std::string(6000, 'n')), by_name, 0min) == nullptr);
  auto grown = sessions.resume(request_for(many, small->id(), 1), by_name, 0min);
  REQUIRE_FALSE(grown);
  CHECK(grown.error() == ErrorCode::fetch_session_id_not_found);
  CHECK(sessions.size() == 0);
  CHECK(sessions.size_bytes() == 0);
}

TEST_CASE("an incremental fetch is told of what is new, and of nothing else (KIP-227)") {
  TestServer server;
  server.create_topic("t", 3);
  Peer producer = server.connect();
  Consumer consumer(server);
  CHECK(consumer.poll({0, 1, 2}) == Got{"0@0", "1@0", "2@0"});
  CHECK(consumer.id() > 0);
  CHECK(consumer.poll().empty());
  produce(producer, "t", batch_of({"a"}), 1);
  CHECK(consumer.poll() == Got{"1@1+"});
  CHECK(consumer.poll().empty());
  // The partition that gave something is behind the others now.
  for (std::int32_t partition : {0, 1, 2}) produce(producer, "t", batch_of({"b"}), partition);
  CHECK(consumer.poll() == Got{"0@1+", "2@1+", "1@2+"});
  CHECK(consumer.poll({}, {0, 2}).empty());
  for (std::int32_t partition : {0, 1}) produce(producer, "t", batch_of({"c"}), partition);
  CHECK(consumer.poll() == Got{"1@3+"});
  CHECK(consumer.poll({0}) == Got{"0@2+"});
}

TEST_CASE("an incremental fetch waits for its session's partitions") {
  TestServer server;
  server.create_topic("t", 2);
  Peer producer = server.connect();
  Consumer consumer(server);
  consumer.poll({0, 1});
  consumer.max_wait_ms = 60'000;
  produce(producer, "t", batch_of({"a"}), 1);
  CHECK(consumer.poll() == Got{"1@1+"});
  producer.send_request(produce_request("t", batch_of({"b"}), 0), 9);
  CHECK(consumer.poll() == Got{"0@1+"});
}

TEST_CASE("an error is told each time, and its end too") {
  TestServer server;
  server.create_topic("t", 1);
  Consumer consumer(server);
  CHECK(consumer.poll({0, 1}) == Got{"0@0", "1@-1!"});
  CHECK(consumer.poll() == Got{"1@-1!"});
  Peer admin = server.connect();
  wire::CreatePartitionsRequest more;
  more.topics.push_back({"t", 2, {}});
  admin.ask(more);
  CHECK(consumer.poll() == Got{"1@0"});
  CHECK(consumer.poll().empty());
}

TEST_CASE("a client whose session is gone or out of step starts a new one") {
  TestServer server;
  server.create_topic("t", 1);
  Consumer consumer(server);
  consumer.poll({0});
  consumer.set_epoch(7);
  consumer.poll();
  CHECK(consumer.error == ErrorCode::invalid_fetch_session_epoch);
  server.restart();
  Consumer other(server);
  other.set_epoch(1);
  other.poll();
  CHECK(other.error == ErrorCode::fetch_session_id_not_found);
  other.start_anew();
  CHECK(other.poll({0}) == Got{"0@0"});
  std::int32_t first = other.id();
  // A full fetch that names a session ends it.
  other.set_epoch(0);
  CHECK(other.poll({0}) == Got{"0@0"});
  CHECK(other.id() != first);
}

TEST_CASE("without room for a session a client is served all the same") {
  TestServer server([](ServerOptions& options) { options.limits.fetch_sessions_max = 0; });
  server.create_topic("t", 1);
  Peer peer = server.connect();
  auto response = peer.ask(request_for({0}), by_name);
  CHECK(response.session_id == 0);
  CHECK(response.responses.size() == 1);
}

TEST_SUITE_END();
