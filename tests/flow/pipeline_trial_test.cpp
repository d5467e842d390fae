// The harness for people's own pipelines, with pipelines as people have them.
#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../../examples/fraud/fraud_pipeline.h"
#include "leat/pipeline_test.h"
#include "leat/stream.h"

TEST_SUITE_BEGIN("flow");

namespace leat::flow {
namespace {

using namespace std::chrono_literals;

struct Edit {
  std::string channel;
  std::int64_t added = 0;
  Timestamp time;

  static void columns(auto& self, auto& visit) {
    visit("channel", self.channel);
    visit("added", self.added);
    visit("time", self.time);
  }
};

struct Sums {
  Timestamp window_end;
  std::string channel;
  std::int64_t edits = 0;
  std::optional<std::int64_t> added;

  static void columns(auto& self, auto& visit) {
    visit("window_end", self.window_end);
    visit("channel", self.channel);
    visit("edits", self.edits);
    visit("added", self.added);
  }
  bool operator==(const Sums&) const = default;
};

/// So long after some midnight.
Timestamp at(std::chrono::milliseconds time) {
  return std::chrono::sys_days(std::chrono::days(20'000)) + time;
}

void add_sums(Pipeline& pipeline) {
  pipeline
      .from<Edit>(
          "edits",
          {.event_time = "time", .disorder = 1s, .bad_records = BadRows::dead_letters("bad")})
      .filter(col("added") != 0)
      .key_by("channel")
      .window(tumbling(1min))
      .aggregate({count().as("edits"), sum(col("added")).as("added")}, {.late_topic = "late"})
      .to("sums", {.keys = {"channel"}});
}

}  // namespace

TEST_CASE("rows are pushed, event time closes their windows, and results are read as structs") {
  Pipeline pipeline("sums");
  add_sums(pipeline);
  PipelineTest test(pipeline);
  CHECK_FALSE(test.event_time().has_value());
  test.push("edits", Edit{"en", 3, at(10s)});
  test.push("edits", Edit{"en", 4, at(20s)});
  test.push("edits", Edit{"de", 0, at(30s)});
  CHECK(test.event_time() == at(29s));
  CHECK(test.take<Sums>("sums").empty());
  test.push("edits", Edit{"de", 5, at(61s)});
  CHECK(test.take<Sums>("sums") == std::vector<Sums>{{at(1min), "en", 2, 7}});
  CHECK(test.take<Sums>("sums").empty());
  test.finish();
  CHECK(test.take_json("sums") ==
        std::vector<std::string>{R"({"window_start":"2024-10-04T00:01:00Z","window_end":)"
                                 R"("2024-10-04T00:02:00Z","channel":"de","edits":1,"added":5})"});
  CHECK_THROWS_AS(test.push("edits", Edit{"de", 5, at(61s)}), Error);
}

TEST_CASE("event time can be moved on alone, and what comes earlier is late") {
  Pipeline pipeline("sums");
  add_sums(pipeline);
  PipelineTest test(pipeline, {.partitions = 2});
  test.push("edits", Edit{"en", 3, at(10s)}, 1);
  CHECK(test.take_records("sums").empty());
  test.advance_to(at(1min));
  auto records = test.take_records("sums");
  REQUIRE(records.size() == 1);
  CHECK(records[0].key == "en");
  CHECK(records[0].timestamp == at(1min) - 1ms);
  CHECK(test.event_time() == at(1min));
  test.push("edits", Edit{"en", 9, at(59s)}, 0);
  CHECK(test.late() == 1);
  auto late = test.take_records("late");
  REQUIRE(late.size() == 1);
  CHECK(late[0].value == R"({"channel":"en","added":9,"time":"2024-10-04T00:00:59Z"})");
  test.finish();
  CHECK(test.take_records("sums").empty());
}

TEST_CASE("records that are no rows are found among the dead letters") {
  Pipeline pipeline("sums");
  add_sums(pipeline);
  PipelineTest test(pipeline);
  test.push("edits", TestRecord{.key = "k", .value = "{not json", .timestamp = at(1s)});
  CHECK(test.bad() == 1);
  auto dead = test.take_records("bad");
  REQUIRE(dead.size() == 1);
  CHECK(dead[0].value == "{not json");
  CHECK(dead[0].key == "k");
}

TEST_CASE("what a function's arguments are called is what they are") {
  Pipeline pipeline("sums");
  pipeline.from<Edit>("edits", {.event_time = "time"})
      .map({position("hello", col("channel")).as("position"),
            replace("banana", "an", "AN").as("replaced"), split_part("a,b,c", ",", 2).as("part"),
            lpad("7", 3, "0").as("padded"), starts_with("hello", "he").as("starts"),
            like("hello", "h%").as("like"), nullif(3, 4).as("nullif"), left("hello", 2).as("left"),
            trim("xhix", "x").as("trimmed"),
            cardinality(array_remove(array({1, 2, 2}), 2)).as("left_over"),
            between(2, 1, 3).as("between"), date_trunc("hour", col("time")).as("hour"),
            regexp_replace("a1b2", "[0-9]", "#", "g").as("masked")})
      .to("values");
  PipelineTest test(pipeline);
  test.push("edits", Edit{"l", 3, at(90min)});
  CHECK(test.take_json("values") ==
        std::vector<std::string>{
            R"({"position":3,"replaced":"bANANa","part":"b","padded":"007","starts":true,)"
            R"("like":true,"nullif":3,"left":"he","trimmed":"hi","left_over":1,"between":true,)"
            R"("hour":"2024-10-04T01:00:00Z","masked":"a#b#"})"});
}

TEST_CASE("a pipeline that goes on with its snapshot gives what it would have given") {
  Pipeline pipeline("sums");
  add_sums(pipeline);
  PipelineTest test(pipeline);
  test.push("edits", Edit{"en", 3, at(10s)});
  test.restart();
  test.push("edits", Edit{"en", 4, at(20s)});
  test.restart();
  test.finish();
  CHECK(test.take<Sums>("sums") == std::vector<Sums>{{at(1min), "en", 2, 7}});
}

TEST_CASE("what was late and bad is counted on behind a restart") {
  Pipeline pipeline("sums");
  add_sums(pipeline);
  PipelineTest test(pipeline);
  test.push("edits", TestRecord{.value = "{not json", .timestamp = at(1s)});
  test.push("edits", Edit{"en", 3, at(10min)});
  test.push("edits", Edit{"en", 3, at(1s)});
  test.restart();
  CHECK(test.bad() == 1);
  CHECK(test.late() == 1);
  test.push("edits", TestRecord{.value = "{not json", .timestamp = at(1s)});
  test.push("edits", Edit{"en", 3, at(1s)});
  test.restart();
  CHECK(test.bad() == 2);
  CHECK(test.late() == 2);
}

TEST_CASE("what was late before a pipeline went on with its snapshot is late behind it") {
  Pipeline pipeline("sums");
  add_sums(pipeline);
  PipelineTest test(pipeline, {.partitions = 2});
  test.push("edits", Edit{"en", 3, at(10s)}, 1);
  test.advance_to(at(1min));
  CHECK(test.take<Sums>("sums") == std::vector<Sums>{{at(1min), "en", 1, 3}});
  test.restart();
  // What is silent holds nothing back, as before.
  test.push("edits", Edit{"en", 5, at(61s)}, 0);
  test.push("edits", Edit{"en", 7, at(130s)}, 0);
  CHECK(test.take<Sums>("sums") == std::vector<Sums>{{at(2min), "en", 1, 5}});
  test.restart();
  test.push("edits", Edit{"en", 9, at(59s)}, 1);
  CHECK(test.take_records("late").size() == 1);
}

TEST_CASE("what does not fit is said when it is pushed or read") {
  Pipeline pipeline("sums");
  add_sums(pipeline);
  PipelineTest test(pipeline);
  CHECK_THROWS_AS(test.push("edist", Edit{}), Error);
  CHECK_THROWS_WITH_AS(test.push("edits", Edit{}, 3), "the topic 'edits' has no partition 3",
                       Error);
  test.push("edits", Edit{"en", 3, at(10s)});
  test.finish();
  CHECK_THROWS_AS(test.take<Edit>("sums"), Error);
}

TEST_CASE("functions of the program run in it as they do in a run") {
  Pipeline pipeline("fraud");
  fraud::add_detector(pipeline);
  PipelineTest test(pipeline);
  for (int i = 0; i < 6; ++i) {
    test.push("transactions", fraud::Transaction{"t" + std::to_string(i), "ann", 10, at(i * 10s)});
  }
  test.push("transactions", fraud::Transaction{"t6", "bob", 10'001, at(61s)});
  auto alerts = test.take<fraud::Alert>("fraud-alerts");
  REQUIRE(alerts.size() == 2);
  CHECK(alerts[0].transaction_id == "t5");
  CHECK(alerts[0].reasons == std::vector<std::string>{"6 transactions in 5 minutes"});
  CHECK(alerts[1].transaction_id == "t6");
  CHECK(alerts[1].timestamp == at(61s));
}

TEST_CASE("the console's lines are read as they are written") {
  Pipeline pipeline("p");
  pipeline.from<Edit>("edits", {.event_time = "time"}).map({col("channel")}).to_console();
  PipelineTest test(pipeline);
  test.push("edits", Edit{"en", 3, at(10s)});
  CHECK(test.take_console() == "{\"channel\":\"en\"}\n");
  CHECK(test.take_console().empty());
}

}  // namespace leat::flow

TEST_SUITE_END();
