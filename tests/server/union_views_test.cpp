// A batch's result and what has come since, as one view: each row counts once, whenever it is read.
#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "base/random.h"
#include "pipeline/union_view.h"
#include "server/http_asking.h"

TEST_SUITE_BEGIN("server");

using namespace leat;
using namespace leat::server;

namespace {

constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t hour_ms = 60 * minute_ms;
constexpr std::int64_t disorder_ms = 20 * minute_ms;
constexpr int partitions = 3;  // the last one is always empty

/// Rows per window, as a view.
std::string plan_text(const std::string& view, const std::string& mode, std::int64_t size_ms,
                      const std::string& keep = "null") {
  return fmt::format(
      R"({{"version": 1, "name": "p-{}", "mode": {{"type": "{}"}}, "nodes": [
        {{"name": "in", "type": "source", "topic": "in", "event_time": "t", "idle_ms": 50,
          "disorder_ms": {}, "columns": [{{"name": "t", "type": "timestamp"}}]}},
        {{"name": "w", "type": "window", "input": "in", "emit": "update",
          "window": {{"kind": "tumbling", "size_ms": {}}},
          "aggregates": [{{"function": "count", "name": "rows"}}]}},
        {{"name": "out", "type": "sink", "input": "w", "view": "{}", "keys": ["window_start"],
          "keep_ms": {}}}]}})",
      view, mode, disorder_ms, size_ms, view, keep);
}

constexpr const char* union_text =
    R"({"version": 1, "type": "union_view", "name": "both", "batch": "hours", "live": "minutes",
        "column": "window_start", "granularity_ms": 3600000})";

struct Reading {
  std::int64_t rows = 0;
  std::string boundary;
  std::string error;
  /// A row on the wrong side, or there twice.
  std::string wrong;
};

Reading read(TestServer& server, const std::string& query = "?limit=100000") {
  auto answer = get_json(server, "/v1/views/both" + query);
  Reading reading{0, text_at(answer, "boundary"), text_at(answer, "error"), ""};
  auto boundary_ms = pipeline::time_of_cell(reading.boundary);
  const auto* rows = std::get_if<plan::JsonArray>(&answer["rows"]);
  if (rows == nullptr) return reading;
  std::int64_t end_ms = 0;
  for (const auto& row : *rows) {
    const auto& object = std::get<plan::JsonObject>(row);
    reading.rows += std::stoll(text_at(object, "rows"));
    std::int64_t start_ms = *pipeline::time_of_cell(text_at(object, "window_start"));
    // By rising times, none within another: so none counts twice.
    if (start_ms < end_ms) reading.wrong = text_at(object, "window_start");
    end_ms = *pipeline::time_of_cell(text_at(object, "window_end"));
    bool is_hour = end_ms - start_ms == hour_ms;
    if (is_hour != (start_ms < boundary_ms.value_or(0))) reading.wrong = "at the boundary";
  }
  return reading;
}

/// Rows whose times rise, but for up to the disorder that the plans allow: so none is late, also
/// behind the silence of a partition.
class Rows {
 public:
  explicit Rows(std::uint64_t seed) : random_(seed) {}

  void produce_some(TestServer& server, int count) {
    for (int partition = 0; partition < partitions - 1; ++partition) {
      std::vector<std::string> values;
      for (int i = 0; i < count; ++i) {
        now_ms_ += static_cast<std::int64_t>(random_.below(2 * minute_ms));
        auto back_ms = static_cast<std::int64_t>(random_.below(disorder_ms + 1));
        std::int64_t time_ms = std::max<std::int64_t>(now_ms_ - back_ms, 0);
        values.push_back(fmt::format(R"({{"t": {}}})", time_ms));
      }
      sent_ += count;
      Peer peer = server.connect();
      auto produced = produce(peer, "in", batch_of(values), partition);
      REQUIRE(produced.error_code == wire::ErrorCode::none);
    }
  }
  std::int64_t sent() const { return sent_; }

 private:
  Random random_;
  std::int64_t now_ms_ = 0;
  std::atomic<std::int64_t> sent_{0};
};

void deploy_all(TestServer& server, const std::string& keep = "null") {
  server.create_topic("in", partitions);
  ask_http(server, "POST", "/v1/pipelines", plan_text("minutes", "stream", minute_ms, keep));
  ask_http(server, "POST", "/v1/pipelines", plan_text("hours", "batch", hour_ms));
  std::string made = ask_http(server, "POST", "/v1/views", union_text);
  REQUIRE_MESSAGE(made.find("union view both is there") != made.npos, made);
}

/// Runs the batch, and waits for its result.
void run_batch(TestServer& server) {
  std::string before = text_at(get_json(server, "/v1/views/hours"), "moment");
  ask_http(server, "POST", "/v1/pipelines/p-hours/run");
  CHECK(wait_for([&] {
    std::string now = text_at(get_json(server, "/v1/views/hours"), "moment");
    return !now.empty() && now != before;
  }));
}

bool has_all(TestServer& server, const Rows& rows) {
  bool is_so = wait_for([&] { return read(server).rows == rows.sent(); });
  if (!is_so) MESSAGE(read(server).rows, " of ", rows.sent(), " ", read(server).error);
  return is_so;
}

}  // namespace

TEST_CASE("each row counts once in a union view, under disorder, however often the batch runs") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    TestServer server;
    deploy_all(server);
    Rows rows(seed);
    rows.produce_some(server, 100);
    CHECK(has_all(server, rows));
    CHECK(read(server).boundary.empty());
    std::string before;
    for (int i = 0; i < 4; ++i) {
      rows.produce_some(server, 60);
      run_batch(server);
      Reading reading = read(server);
      CHECK(reading.wrong.empty());
      CHECK(reading.boundary > before);
      before = reading.boundary;
      rows.produce_some(server, 40);
      CHECK(has_all(server, rows));
    }
    server.restart();
    CHECK(wait_for([&] { return read(server).boundary == before; }));
    CHECK(has_all(server, rows));
  }
}

TEST_CASE("the boundary moves in one step for whoever reads while the batch runs again") {
  TestServer server;
  deploy_all(server);
  Rows rows(17);
  rows.produce_some(server, 200);
  REQUIRE(has_all(server, rows));
  std::atomic<bool> is_over{false};
  std::atomic<int> readings{0};
  std::string wrong;
  std::thread reader([&] {
    std::int64_t most = 0;
    std::string boundary;
    while (!is_over) {
      Reading reading = read(server);
      // All that was there at the beginning is always there, and nothing counts that was not sent.
      bool loses = reading.rows < most || reading.rows > rows.sent();
      if (!reading.error.empty()) wrong = reading.error;
      if (!reading.wrong.empty()) wrong = reading.wrong;
      if (loses) wrong = fmt::format("{} rows behind {}", reading.rows, most);
      if (reading.boundary < boundary) wrong = "the boundary went back to " + reading.boundary;
      most = std::max(most, reading.rows);
      boundary = reading.boundary;
      ++readings;
    }
  });
  for (int i = 0; i < 6; ++i) {
    rows.produce_some(server, 50);
    run_batch(server);
  }
  is_over = true;
  reader.join();
  CHECK(wrong.empty());
  CHECK(readings > 6);
  CHECK(has_all(server, rows));
}

TEST_CASE("a union view is read in pages, and as it was before the batch ran again") {
  TestServer server;
  deploy_all(server);
  Rows rows(5);
  rows.produce_some(server, 150);
  run_batch(server);
  REQUIRE(has_all(server, rows));
  auto whole = get_json(server, "/v1/views/both?limit=100000");
  std::string moment = text_at(whole, "moment");
  std::int64_t sent = rows.sent();
  rows.produce_some(server, 150);
  run_batch(server);
  REQUIRE(has_all(server, rows));
  std::string then = "as_of=" + moment;
  CHECK(read(server, "?limit=100000&" + then).rows == sent);
  CHECK(read(server, "?limit=100000&" + then).boundary == text_at(whole, "boundary"));
  plan::JsonArray pages;
  std::string after;
  for (int i = 0; i < 1000; ++i) {
    auto page = get_json(server, fmt::format("/v1/views/both?limit=7&{}{}", then, after));
    const auto* some = std::get_if<plan::JsonArray>(&page["rows"]);
    REQUIRE(some != nullptr);
    CHECK(some->size() <= 7);
    for (const auto& row : *some) pages.push_back(row);
    std::string next = text_at(page, "next");
    if (next.empty()) break;
    after = "&after=" + next;
  }
  std::string in_pages, at_once;
  plan::append_json(in_pages, plan::Json(pages));
  plan::append_json(at_once, whole["rows"]);
  CHECK(in_pages == at_once);
  CHECK(read(server, "?as_of=3").error.find("has two epochs") != std::string::npos);
}

TEST_CASE("a union view tells of rows that neither side has any more, and what helps") {
  TestServer server;
  deploy_all(server, "9000000");
  Rows rows(9);
  rows.produce_some(server, 20);
  REQUIRE(wait_for([&] { return read(server).rows == rows.sent(); }));
  rows.produce_some(server, 100);
  std::string error;
  CHECK(wait_for([&] {
    error = read(server).error;
    return !error.empty();
  }));
  CHECK(error.find("union view both would miss rows: minutes keeps none of before") == 0);
  CHECK(error.find("`leat pipeline run p-hours`") != error.npos);
  run_batch(server);
  CHECK(has_all(server, rows));
}

TEST_CASE("a union view stays until it is dropped, and says when one of its views has gone") {
  TestServer server;
  deploy_all(server);
  server.restart();
  CHECK(wait_for([&] { return get_json(server, "/v1/views/both").contains("rows"); }));
  std::string taken =
      ask_http(server, "POST", "/v1/pipelines", plan_text("both", "stream", minute_ms));
  CHECK(taken.find("view 'both' is a union view") != taken.npos);
  ask_http(server, "DELETE", "/v1/pipelines/p-hours");
  CHECK(read(server).error.find("union view both: there is no view hours") == 0);
  CHECK(ask_http(server, "DELETE", "/v1/views/both").find("dropped union view both") !=
        std::string::npos);
  CHECK(read(server).error.find("there is no view both") == 0);
}

TEST_SUITE_END();
