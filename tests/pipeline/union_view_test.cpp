// Views of a batch's and a live one: what goes together, and where one ends and the other begins.
#include "pipeline/union_view.h"

#include <fstream>
#include <sstream>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "plan/parameters.h"
#include "repository.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;

namespace {

constexpr std::int64_t hour_ms = 3'600'000;

std::string file_of(const std::string& name = "u", std::int64_t granularity_ms = hour_ms,
                    const std::string& column = "window_start") {
  return fmt::format(
      R"({{"version":1,"type":"union_view","name":"{}","batch":"b","live":"l","column":"{}",)"
      R"("granularity_ms":{}}})",
      name, column, granularity_ms);
}

plan::Plan plan_of(const std::string& view, const std::string& mode, std::int64_t size_ms,
                   std::int64_t disorder_ms = 0, const std::string& more = "") {
  auto plan = plan::parse(fmt::format(R"({{"version": 1, "name": "p-{}", "mode": {{"type": "{}"}},
      "nodes": [
      {{"name": "in", "type": "source", "topic": "in", "event_time": "t", "disorder_ms": {},
       "columns": [{{"name": "t", "type": "timestamp"}}]}},
      {{"name": "w", "type": "window", "input": "in", "window": {{"kind": "tumbling",
       "size_ms": {} }}, {} "aggregates": [{{"function": "count", "name": "rows"}}]}},
      {{"name": "out", "type": "sink", "view": "{}", "keys": ["window_start"],
       "input": "w"}}]}})",
                                      view, mode, disorder_ms, size_ms, more, view));
  REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
  return std::move(*plan);
}

std::string checked(const plan::Plan& batch, const plan::Plan& live,
                    const std::string& file = file_of()) {
  auto view = parse_union_view(file);
  REQUIRE_MESSAGE(view.has_value(), view.error().what);
  auto ok = check_union(*view, batch, live);
  return ok ? "fits" : ok.error().what;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("the boundary is where the batch is complete, rounded down to what its rows span") {
  auto view = parse_union_view(file_of());
  REQUIRE(view.has_value());
  struct Row {
    std::int64_t complete_to;
    std::int64_t boundary;
  };
  const Row rows[] = {
      {0, 0},         {hour_ms - 1, 0},    {hour_ms, hour_ms}, {hour_ms + 1, hour_ms},
      {-1, -hour_ms}, {-hour_ms, -hour_ms}};
  for (const Row& row : rows) CHECK(view->boundary_ms(row.complete_to) == row.boundary);
  CHECK_FALSE(view->boundary_ms(operators::watermark_min).has_value());
  CHECK_FALSE(view->boundary_ms(operators::watermark_max).has_value());
}

TEST_CASE("the file of a union view is read and printed the same, and what is wrong is said") {
  auto view = parse_union_view(file_of());
  REQUIRE(view.has_value());
  auto again = parse_union_view(print(*view));
  REQUIRE(again.has_value());
  CHECK(print(*again) == print(*view));
  CHECK(again->granularity_ms == hour_ms);
  struct Row {
    std::string file;
    const char* what;
  };
  const Row rows[] = {
      {"[]", "must be a JSON object"},
      {R"({"version": 2})", "'version' must be 1"},
      {R"({"version": 1, "type": "plan"})", "'type' must be \"union_view\""},
      {R"({"version": 1, "type": "union_view", "name": "u"})", "'batch' is missing"},
      {file_of("a/b"), "'name' must be up to 200 letters"},
      {file_of("u.v2"), "must not end like those of versions"},
      {file_of("u", 0), "'granularity_ms' must be above 0"},
      {R"({"version":1,"type":"union_view","name":"u","batch":"b","live":"b","column":"c",)"
       R"("granularity_ms":1})",
       "must be two views"},
      {R"({"version":1,"type":"union_view","name":"u","batch":"b","live":"l","column":"c",)"
       R"("granularity_ms":1,"more":2})",
       "'more' is not known here"},
  };
  for (const Row& row : rows) {
    auto wrong = parse_union_view(row.file);
    REQUIRE_FALSE(wrong.has_value());
    CHECK_MESSAGE(contains(wrong.error().what, row.what), wrong.error().what);
  }
}

TEST_CASE("only what lets every row count once makes a union view") {
  auto batch = plan_of("b", "batch", hour_ms, 5000);
  auto live = plan_of("l", "stream", hour_ms / 60, 5000);
  CHECK(checked(batch, live) == "fits");
  CHECK(contains(checked(live, live), "is no batch"));
  CHECK(contains(checked(batch, batch), "is a batch, and has to run all the time"));
  CHECK(contains(checked(batch, live, file_of("u", hour_ms, "t")), "column 't' is not there"));
  CHECK(contains(checked(batch, live, file_of("u", hour_ms, "rows")),
                 "must be a timestamp or a date"));
  CHECK(contains(checked(batch, live, file_of("u", hour_ms / 2)), "would lie across the boundary"));
  CHECK(contains(checked(batch, plan_of("l", "stream", 7 * 60'000, 5000)),
                 "would lie across the boundary"));
  // What live takes, and the batch has not waited for, would be in neither.
  CHECK(contains(checked(batch, plan_of("l", "stream", hour_ms, 6000)),
                 "give the batch a disorder_ms of 6000"));
  CHECK(contains(checked(batch, plan_of("l", "stream", hour_ms, 5000, R"("lateness_ms": 1000,)")),
                 "give the batch a disorder_ms of 6000"));
}

TEST_CASE("the union view of the lambda job fits the plans that are made of one") {
  auto text_of = [](const char* name) {
    std::ifstream in(repository_path("examples/jobs/lambda") / name, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  };
  auto plan_with = [&](const plan::Parameters& values) {
    auto filled = plan::fill_in(text_of("revenue.plan.json"), values);
    REQUIRE_MESSAGE(filled.has_value(), filled.error().what);
    auto plan = plan::parse(filled->text);
    REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
    return std::move(*plan);
  };
  auto batch = plan_with({{"per", "day"}, {"size_ms", "86400000"}, {"mode", "batch"}});
  auto live = plan_with({{"per", "minute"}, {"keep_ms", "172800000"}});
  CHECK(checked(batch, live, text_of("revenue.view.json")) == "fits");
}

TEST_CASE("names of versions beside the live one are known by their ends") {
  for (const char* name : {"u.v2", "u.v17", "a.b.v1"}) CHECK(is_shadow_name(name));
  for (const char* name : {"u", "u.v", "u.vx", "uv2", "u.v2x"}) CHECK_FALSE(is_shadow_name(name));
}

TEST_SUITE_END();
