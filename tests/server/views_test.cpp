// Views in a server, over HTTP.
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "server/http_asking.h"

TEST_SUITE_BEGIN("server");

using namespace leat;
using namespace leat::server;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

/// How many rows of "in" above `bound` each pair of keys had, in a day.
std::string plan_text(const std::string& name, const std::string& view, int bound = 0,
                      const std::string& keys = R"("k")", const std::string& more = "") {
  return fmt::format(
      R"({{"version": 1, "name": "{}", {} "nodes": [
        {{"name": "in", "type": "source", "topic": "in", "event_time": "t", "idle_ms": 0,
          "columns": [{{"name": "t", "type": "timestamp"}}, {{"name": "k", "type": "text"}},
                      {{"name": "j", "type": "bigint"}}]}},
        {{"name": "some", "type": "filter", "input": "in",
          "condition": {{"call": ">", "arguments": [{{"column": "j"}}, {{"bigint": {}}}]}}}},
        {{"name": "w", "type": "window", "input": "some", "emit": "update", "keys": [{}],
          "window": {{"kind": "tumbling", "size_ms": 86400000}},
          "aggregates": [{{"function": "count", "name": "rows"}}]}},
        {{"name": "out", "type": "sink", "input": "w", "view": "{}", "keys": [{}]}}]}})",
      name, more, bound, keys, view, keys);
}

/// The rows of "in" above `bound`, as a topic.
std::string topic_plan_text(const std::string& name, int bound = 0) {
  return fmt::format(
      R"({{"version": 1, "name": "{}", "nodes": [
        {{"name": "in", "type": "source", "topic": "in",
          "columns": [{{"name": "k", "type": "text"}}, {{"name": "j", "type": "bigint"}}]}},
        {{"name": "some", "type": "filter", "input": "in",
          "condition": {{"call": "<", "arguments": [{{"column": "j"}}, {{"bigint": {}}}]}}}},
        {{"name": "out", "type": "sink", "input": "some", "topic": "{}-out"}}]}})",
      name, 100 + bound, name);
}

void produce_row(TestServer& server, const std::string& key, int j, int time_ms = 1000) {
  Peer peer = server.connect();
  auto produced = produce(
      peer, "in", batch_of({fmt::format(R"({{"t": {}, "k": "{}", "j": {}}})", time_ms, key, j)}));
  REQUIRE(produced.error_code == wire::ErrorCode::none);
}

std::string deploy(TestServer& server, const std::string& plan) {
  return ask_http(server, "POST", "/v1/pipelines", plan);
}

std::string view(TestServer& server, const std::string& path = "/counts") {
  return ask_http(server, "GET", "/v1/views" + path);
}

/// The rows of a view as it is now, "a=2 b=1".
std::string rows(TestServer& server, const std::string& path = "/counts") {
  auto answer = get_json(server, "/v1/views" + path);
  const auto* found = std::get_if<plan::JsonArray>(&answer["rows"]);
  if (found == nullptr) return text_at(answer, "error");
  std::string text;
  for (const auto& row : *found) {
    const auto& object = std::get<plan::JsonObject>(row);
    text += (text.empty() ? "" : " ") + text_at(object, "k") + text_at(object, "j") + "=" +
            text_at(object, "rows");
  }
  return text;
}

bool wait_for_rows(TestServer& server, const std::string& wanted,
                   const std::string& path = "/counts") {
  bool is_there = wait_for([&] { return rows(server, path) == wanted; });
  if (!is_there) MESSAGE(rows(server, path));
  return is_there;
}

}  // namespace

TEST_CASE("a view is read over HTTP, by key, in pages, and of which inputs it is") {
  TestServer server;
  server.create_topic("in");
  CHECK(contains(view(server, ""), R"({"views":[]})"));
  deploy(server, plan_text("p", "counts"));
  for (const char* key : {"a", "b", "a", "c"}) produce_row(server, key, 1);
  CHECK(wait_for_rows(server, "a=2 b=1 c=1"));
  std::string whole = view(server);
  CHECK(contains(whole, R"("pipeline":"p")"));
  CHECK(contains(whole, R"("inputs":[{"offset":4,"partition":0,"topic":"in"}])"));
  CHECK(contains(whole, R"("columns":["window_start","window_end","k","rows"])"));
  CHECK(contains(whole, R"("watermark":"1970-01-01T00:00:01)"));
  CHECK(contains(view(server, ""),
                 R"("keys":["k"],"kind":"table","pipeline":"p","role":"live","rows":3)"));
  CHECK(rows(server, "/counts?key=a") == "a=2");
  CHECK(rows(server, "/counts?key=z").empty());
  CHECK(rows(server, "/counts?limit=2") == "a=2 b=1");
  CHECK(contains(view(server, "/counts?limit=2"), R"("next":"b")"));
  CHECK(rows(server, "/counts?limit=2&after=b") == "c=1");
  CHECK(contains(view(server, "/counts?limit=2&after=b"), R"("next":null)"));
}

TEST_CASE("a key of several columns is a JSON array") {
  TestServer server;
  server.create_topic("in");
  deploy(server, plan_text("p", "counts", 0, R"("k", "j")"));
  produce_row(server, "a", 1);
  produce_row(server, "a", 2);
  produce_row(server, "a", 2);
  CHECK(wait_for_rows(server, "a1=1 a2=2"));
  CHECK(rows(server, "/counts?key=%5B%22a%22,2%5D") == "a2=2");
  CHECK(contains(view(server, "/counts?key=a"),
                 "the key of view counts is a JSON array of 2: [k, j]"));
}

TEST_CASE("a view is read as it was at any epoch and time, also of before a crash") {
  TestServer server;
  server.create_topic("in");
  deploy(server, plan_text("p", "counts"));
  std::map<std::string, std::string> by_epoch;
  for (int i = 1; i <= 5; ++i) {
    produce_row(server, "a", 1);
    REQUIRE(wait_for_rows(server, fmt::format("a={}", i)));
    by_epoch[text_at(get_json(server, "/v1/views/counts"), "moment")] = fmt::format("a={}", i);
  }
  auto check_all = [&] {
    for (const auto& [epoch, wanted] : by_epoch) {
      CHECK(rows(server, "/counts?as_of=" + epoch) == wanted);
    }
    CHECK(rows(server, "/counts?as_of=%40-0ms") == "a=5");
    CHECK(contains(rows(server, "/counts?as_of=%40-1d"), "was not there by then: it begins with"));
    CHECK(contains(rows(server, "/counts?as_of=99"), "before epoch 99"));
    CHECK(contains(rows(server, "/counts?as_of=7,8"), "has one epoch"));
    CHECK(contains(rows(server, "/counts?as_of=yesterday"), "is no moment of a view"));
  };
  check_all();
  server.server().stop_now();
  static_cast<void>(server.server().wait());
  server.restart();
  REQUIRE(wait_for_rows(server, "a=5"));
  check_all();
  // What stands still is read all the same.
  ask_http(server, "POST", "/v1/pipelines/p/pause");
  produce_row(server, "a", 1);
  CHECK(rows(server) == "a=5");
  server.restart();
  CHECK(wait_for_rows(server, "a=5"));
  ask_http(server, "POST", "/v1/pipelines/p/resume");
  CHECK(wait_for_rows(server, "a=6"));
}

TEST_CASE("a version beside the live one has views of its own, and a promotion repoints the name") {
  TestServer server;
  server.create_topic("in");
  deploy(server, plan_text("p", "counts"));
  produce_row(server, "a", 1);
  produce_row(server, "a", 9);
  REQUIRE(wait_for_rows(server, "a=2"));
  deploy(server, plan_text("p", "counts", 5));
  CHECK(contains(view(server, "/counts.v2"), "there is no view counts.v2; there are: counts"));
  ask_http(server, "POST", "/v1/pipelines/p/replay", "{}");
  REQUIRE(wait_for_rows(server, "a=1", "/counts.v2"));
  CHECK(rows(server) == "a=2");
  ask_http(server, "POST", "/v1/pipelines/p/promote", R"({"version": 2})");
  REQUIRE(wait_for_rows(server, "a=1"));
  CHECK(wait_for_rows(server, "a=2", "/counts.v1"));
  produce_row(server, "b", 9);
  CHECK(wait_for_rows(server, "a=1 b=1"));
  CHECK(wait_for_rows(server, "a=2 b=1", "/counts.v1"));
  ask_http(server, "POST", "/v1/pipelines/p/promote", R"({"version": 1})");
  CHECK(wait_for_rows(server, "a=2 b=1"));
}

TEST_CASE("names of views are the server's, and what is asked wrongly is answered with a reason") {
  TestServer server;
  server.create_topic("in");
  deploy(server, plan_text("p", "counts"));
  CHECK(contains(deploy(server, plan_text("q", "counts")),
                 "view 'counts' is one of pipeline p: names of views are the server's"));
  CHECK(contains(deploy(server, plan_text("q", "counts.v2")),
                 "is named like those of versions beside the live one"));
  CHECK(contains(deploy(server, plan_text("q", "other")), "is deployed"));
  struct Row {
    const char* method;
    const char* path;
    const char* status;
    const char* what;
  };
  const Row rows[] = {
      {"GET", "/v1/views/none", "404", "there is no view none; there are: counts, other"},
      {"GET", "/v1/views/counts/more", "404", "there is nothing at"},
      {"GET", "/v1/views/counts?limit=x", "400", "limit must be a number up to"},
      {"GET", "/v1/views/counts?when=now", "400", "'when' is not taken here; there are: key"},
      {"DELETE", "/v1/views/counts", "409", "belongs to pipeline p"},
      {"DELETE", "/v1/views", "405", "only GET, POST here"},
      {"POST", "/v1/views", "400", "malformed"},
  };
  for (const Row& row : rows) {
    std::string answer = ask_http(server, row.method, row.path);
    CHECK_MESSAGE(contains(answer.substr(0, 13), row.status), row.path, answer);
    bool says = contains(answer, row.what) || std::string(row.what) == "malformed";
    CHECK_MESSAGE(says, answer);
  }
}

TEST_CASE("a batch's view is shown at its end, all of it at once, and kept over restarts") {
  TestServer server;
  server.create_topic("in");
  deploy(server, plan_text("p", "counts", 0, R"("k")", R"("mode": {"type": "batch"},)"));
  CHECK(
      contains(rows(server), "is empty until its batch has run to the end: `leat pipeline run p`"));
  produce_row(server, "a", 1);
  ask_http(server, "POST", "/v1/pipelines/p/run");
  REQUIRE(wait_for_rows(server, "a=1"));
  produce_row(server, "a", 1);
  server.restart();
  CHECK(wait_for_rows(server, "a=1"));
  std::string first = text_at(get_json(server, "/v1/views/counts"), "moment");
  ask_http(server, "POST", "/v1/pipelines/p/run");
  CHECK(wait_for_rows(server, "a=2"));
  CHECK(rows(server, "/counts?as_of=" + first) == "a=1");
}

TEST_CASE("a server stops while views of before are being made, and versions are compared") {
  TestServer server;
  server.create_topic("in");
  deploy(server, plan_text("p", "counts"));
  deploy(server, topic_plan_text("q"));
  for (int i = 1; i <= 50; ++i) produce_row(server, "a", 1);
  REQUIRE(wait_for_rows(server, "a=50"));
  std::string moment = text_at(get_json(server, "/v1/views/counts"), "moment");
  deploy(server, topic_plan_text("q", 7));
  for (int round = 0; round < 8; ++round) {
    CAPTURE(round);
    std::vector<Peer> peers;
    auto send = [&](const std::string& method, const std::string& path, const std::string& body) {
      peers.push_back(server.connect_http());
      peers.back().send(
          fmt::format("{} {} HTTP/1.1\r\nConnection: close\r\n"
                      "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                      method, path, body.size(), body));
    };
    send("POST", "/v1/pipelines/q/replay", R"({"diff": true, "rate": "max"})");
    std::this_thread::sleep_for(std::chrono::milliseconds(60 * (round % 4)));
    // Each is another one, so that none is kept.
    for (int epoch = std::stoi(moment); epoch > 1 && peers.size() < 9; epoch -= 5) {
      send("GET", fmt::format("/v1/views/counts?as_of={}", epoch), "");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(round / 2));
    server.restart();
    REQUIRE(wait_for_rows(server, "a=50"));
  }
}

TEST_SUITE_END();
