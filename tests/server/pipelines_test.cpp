// Pipelines in a server, over HTTP.
#include <chrono>
#include <string>
#include <thread>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "server/peer.h"

TEST_SUITE_BEGIN("server");

using namespace leat;
using namespace leat::server;

namespace {

/// Numbers of "in" that are above `bound`, to "out".
std::string plan_text(int bound = 0, const std::string& more = "") {
  return fmt::format(
      R"({{"version": 1, "name": "p", {} "nodes": [
        {{"name": "in", "type": "source", "topic": "in",
          "columns": [{{"name": "n", "type": "bigint"}}]}},
        {{"name": "some", "type": "filter", "input": "in",
          "condition": {{"call": ">", "arguments": [{{"column": "n"}}, {{"bigint": {}}}]}}}},
        {{"name": "out", "type": "sink", "input": "some", "topic": "out"}}]}})",
      more, bound);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string ask(TestServer& server, const std::string& method, const std::string& path,
                const std::string& body = "") {
  Peer peer = server.connect_http();
  std::string type = method == "POST" ? "Content-Type: application/json\r\n" : "";
  std::string length =
      method == "POST" ? fmt::format("Content-Length: {}\r\n", body.size()) : std::string();
  peer.send(fmt::format("{} /v1/pipelines{} HTTP/1.1\r\nConnection: close\r\n{}{}\r\n{}", method,
                        path, type, length, body));
  return peer.receive_all();
}

void produce_numbers(TestServer& server, int begin, int end) {
  std::vector<std::string> values;
  for (int n = begin; n < end; ++n) values.push_back(fmt::format(R"({{"n": {}}})", n));
  Peer peer = server.connect();
  auto produced = produce(peer, "in", batch_of(values));
  REQUIRE(produced.error_code == wire::ErrorCode::none);
}

/// The values of "out", or of another topic, as committed.
std::vector<std::string> values_of(TestServer& server, const std::string& topic = "out") {
  std::vector<std::string> values;
  Peer peer = server.connect();
  wire::FetchRequest request = fetch_request(topic, 0);
  request.isolation_level = 1;
  while (true) {
    auto partition = fetch(peer, request);
    BytesView rest = partition.records.bytes();
    if (partition.error_code != wire::ErrorCode::none || rest.empty()) return values;
    std::int64_t next = request.topics[0].partitions[0].fetch_offset;
    while (!rest.empty()) {
      auto batch = record::BatchView::parse(rest);
      if (!batch) break;
      rest = rest.subspan(batch->size_bytes());
      next = batch->next_offset().value();
      if (batch->is_control()) continue;
      record::RecordIterator records(*batch);
      while (const record::Record* record = records.next()) {
        values.emplace_back(as_text(*record->value));
      }
    }
    if (next == request.topics[0].partitions[0].fetch_offset) return values;
    request.topics[0].partitions[0].fetch_offset = next;
  }
}

/// "out" has just these numbers, in their order.
bool has_numbers(TestServer& server, int begin, int end) {
  std::vector<std::string> values = values_of(server);
  if (static_cast<int>(values.size()) != end - begin) return false;
  for (int n = begin; n < end; ++n) {
    if (values[static_cast<std::size_t>(n - begin)] != fmt::format(R"({{"n":{}}})", n))
      return false;
  }
  return true;
}

}  // namespace

TEST_CASE("a pipeline that is deployed over HTTP runs, and goes on after stops of any kind") {
  TestServer server;
  server.create_topic("in");
  std::string deployed = ask(server, "POST", "", plan_text());
  CHECK(contains(deployed, "200 OK"));
  CHECK(contains(deployed, R"("message":"pipeline p is deployed: version 1 is live)"));
  produce_numbers(server, 1, 100);
  CHECK(wait_for([&] { return has_numbers(server, 1, 100); }));
  server.restart();
  produce_numbers(server, 100, 200);
  CHECK(wait_for([&] { return has_numbers(server, 1, 200); }));
  // As a crash, with a commit under way perhaps.
  produce_numbers(server, 200, 300);
  server.server().stop_now();
  static_cast<void>(server.server().wait());
  server.restart();
  CHECK(wait_for([&] { return has_numbers(server, 1, 300); }));
  // Its topic has them before it has recovered.
  CHECK(wait_for([&] {
    std::string shown = ask(server, "GET", "/p");
    return contains(shown, R"("state":"running")") && contains(shown, R"("rows_out":299)");
  }));
  CHECK(contains(ask(server, "GET", ""), R"("name":"p")"));
  CHECK(contains(ask(server, "GET", "/p/why"), R"("why":["It keeps up: 299 rows in)"));
  CHECK(contains(ask(server, "DELETE", "/p"), "dropped p; what it wrote stays, in out"));
  CHECK(contains(ask(server, "GET", "/p"), "404"));
  CHECK(has_numbers(server, 1, 300));
}

TEST_CASE("a replay repeats the same, and a promotion hands over without a gap") {
  TestServer server;
  server.create_topic("in");
  ask(server, "POST", "", plan_text());
  produce_numbers(server, 1, 100);
  REQUIRE(wait_for([&] { return has_numbers(server, 1, 100); }));
  CHECK(contains(ask(server, "POST", "/p/replay", R"({"diff": true})"), R"("version":2)"));
  CHECK(wait_for([&] { return contains(ask(server, "GET", "/p/replay"), R"("identical":true)"); }));
  CHECK(values_of(server, "out.v2") == values_of(server));
  ask(server, "POST", "/p/promote", R"({"version": 2})");
  for (int n = 100; n < 200; n += 10) produce_numbers(server, n, n + 10);
  CHECK(wait_for([&] {
    return contains(ask(server, "GET", "/p"), R"("role":"retired")") && has_numbers(server, 1, 200);
  }));
  server.restart();
  ask(server, "POST", "/p/promote", R"({"version": 1})");
  CHECK(wait_for([&] { return contains(ask(server, "GET", "/p"), R"("version":1,"versions")"); }));
  produce_numbers(server, 200, 210);
  CHECK(wait_for([&] { return has_numbers(server, 1, 210); }));
}

TEST_CASE("what is asked wrongly over HTTP is answered with a status and a reason") {
  TestServer server;
  server.create_topic("in");
  struct Row {
    const char* method;
    const char* path;
    const char* body;
    const char* status;
    const char* what;
  };
  ask(server, "POST", "", plan_text());
  const Row rows[] = {
      {"POST", "", "{", "400", "error"},
      {"GET", "/q", "", "404", "there is no pipeline q"},
      {"GET", "/p/nothing", "", "404", "there is nothing at"},
      {"GET", "/p/why/more", "", "404", "there is nothing at"},
      {"DELETE", "/p/why", "", "405", "only GET here"},
      {"DELETE", "", "", "405", "Allow: GET, POST"},
      {"POST", "/p/run", "", "409", "p is no batch"},
      {"POST", "/p/pause", R"({"for": 5})", "400", "'for' is not taken here; nothing is"},
      {"POST", "/p/promote", "{}", "400", "'version' is missing"},
      {"POST", "/p/promote", R"({"version": "2"})", "400", "'version' must be a version's number"},
      {"POST", "/p/promote", R"({"version": 2})", "404", "p has no version 2"},
      {"POST", "/p/replay", R"({"rate": -1})", "400", "'rate' must be a number"},
      {"POST", "/p/replay", R"({"from": "99"})", "400", "partition 0 of in: offset 99 is outside"},
      {"GET", "/p/replay?version=x", "", "400", "version must be"},
      {"GET", "/p/replay", "", "404", "p has no replay"},
      {"DELETE", "/p/versions", "", "400", "version must be"},
      {"DELETE", "/p/versions?version=1", "", "409", "version 1 of p is live"},
      {"DELETE", "/p/versions?version=2", "", "404", "p has no version 2"},
  };
  for (const Row& row : rows) {
    std::string answer = ask(server, row.method, row.path, row.body);
    CHECK_MESSAGE(contains(answer.substr(0, 13), row.status), row.path, answer);
    CHECK_MESSAGE(contains(answer, row.what), answer);
  }
  CHECK(contains(ask(server, "GET", "/%70"), R"("name":"p")"));
}

TEST_CASE("a server may end at any moment of what is asked of its pipelines") {
  TestServer server;
  server.create_topic("in");
  ask(server, "POST", "", plan_text());
  produce_numbers(server, 1, 100);
  REQUIRE(wait_for([&] { return has_numbers(server, 1, 100); }));
  ask(server, "POST", "/p/replay", "{}");
  const std::string asked[] = {"pause", "promote", "resume", "promote", "replay"};
  for (int i = 0; i < 20; ++i) {
    const std::string& what = asked[static_cast<std::size_t>(i) % 5];
    std::string body = what == "promote" ? R"({"version": 2})" : "{}";
    Peer peer = server.connect_http();
    peer.send(
        fmt::format("POST /v1/pipelines/p/{} HTTP/1.1\r\nContent-Type: application/json\r\n"
                    "Content-Length: {}\r\n\r\n{}",
                    what, body.size(), body));
    std::this_thread::sleep_for(std::chrono::microseconds(150 * i));
    server.server().stop_now();
    static_cast<void>(server.server().wait());
    server.discard();
    server.restart();
  }
  ask(server, "POST", "/p/resume", "{}");
  produce_numbers(server, 100, 200);
  CHECK(wait_for([&] { return has_numbers(server, 1, 200); }));
}

TEST_CASE(
    "a server that stops while it promotes ends in order, and the promotion is whole or none") {
  TestServer server;
  server.create_topic("in");
  ask(server, "POST", "", plan_text());
  for (int i = 0; i < 20; ++i) produce_numbers(server, i * 100 + 1, i * 100 + 101);
  REQUIRE(wait_for([&] { return has_numbers(server, 1, 2001); }));
  ask(server, "POST", "", plan_text(-1));
  ask(server, "POST", "/p/pause");
  for (int i = 0; i < 10; ++i) {
    bool is_first_live = contains(ask(server, "GET", "/p"), R"("version":1,"versions")");
    Peer peer = server.connect_http();
    std::string body = fmt::format(R"({{"version": {}}})", is_first_live ? 2 : 1);
    peer.send(
        fmt::format("POST /v1/pipelines/p/promote HTTP/1.1\r\nConnection: close\r\nContent-"
                    "Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                    body.size(), body));
    // Sometimes as a crash.
    if (i % 3 == 2) {
      server.server().stop_now();
      static_cast<void>(server.server().wait());
    } else {
      server.stop();
    }
    server.restart();
  }
  ask(server, "POST", "/p/resume");
  produce_numbers(server, 2001, 2101);
  CHECK(wait_for([&] { return has_numbers(server, 1, 2101); }));
}

TEST_CASE("a server stops in bounded time while pipelines are behind") {
  TestServer server;
  server.create_topic("in");
  for (int i = 0; i < 20; ++i) produce_numbers(server, i * 1000 + 1, i * 1000 + 1001);
  ask(server, "POST", "", plan_text());
  server.stop();
  server.restart();
  CHECK(wait_for([&] { return has_numbers(server, 1, 20'001); }));
}

TEST_SUITE_END();
