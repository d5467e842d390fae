#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "stream/pipeline.h"

TEST_SUITE_BEGIN("stream");

using namespace leat;
using namespace leat::stream;
using namespace std::chrono_literals;
using column::Type;

namespace {

Pipeline edits() {
  return Pipeline::from("in")
      .json({{"time", Type::timestamp},
             {"user", Type::text},
             {"size", Type::bigint},
             {"score", Type::double_precision},
             {"minor", Type::boolean}})
      .event_time("time");
}

/// The error of a plan, which must have one.
void check(const Result<Plan>& plan, const std::string& expected) {
  REQUIRE_FALSE(plan);
  CHECK(plan.error().code == Errc::plan_error);
  CHECK(plan.error().what == expected);
}

}  // namespace

TEST_CASE("a builder makes a plan of plain data") {
  auto plan = edits()
                  .disorder(2s)
                  .idle({})
                  .filter(col("size") > 0)
                  .key_by({"user"})
                  .tumble(5min)
                  .aggregate({count("n"), sum("size", "sizes"), avg("score", "mean")})
                  .late_to("late")
                  .dead_letters_to("dead")
                  .into("out", 3);
  REQUIRE(plan);
  CHECK(plan->name == "out");
  CHECK(plan->source.disorder_ms == 2'000);
  CHECK_FALSE(plan->source.idle_ms);
  CHECK(plan->source.bad_records == BadRecords::dead_letter);
  CHECK(plan->sink.partitions == 3);
  CHECK(*schema_after(*plan, 2) == Schema{{"window_start", Type::timestamp},
                                          {"window_end", Type::timestamp},
                                          {"user", Type::text},
                                          {"n", Type::bigint},
                                          {"sizes", Type::bigint},
                                          {"mean", Type::double_precision}});
  Plan shadow = shadow_of(*plan, ".v2");
  CHECK(shadow.sink.topic == "out.v2");
  CHECK(shadow.source.topic == "in");
  CHECK(std::get<WindowPlan>(shadow.steps[1]).late_topic == "late.v2");
  CHECK(shadow.source.dead_letter_topic == "dead.v2");
}

TEST_CASE("a plan that does not fit is refused, and the error names the place") {
  check(Pipeline::from("").json({{"a", Type::text}}).into("out"), "source: it names no topic");
  check(Pipeline::from("in").into("out"), "source: there are no columns");
  check(Pipeline::from("in").json({{"a", Type::text}, {"a", Type::text}}).into("out"),
        "source: there are two columns a");
  check(edits().event_time("when").into("out"),
        "source: event time: there is no column when, only time, user, size, score, minor");
  check(edits().event_time("user").into("out"),
        "source: the event time user is a text, not a timestamp");
  check(edits().disorder(-1ms).into("out"), "source: the disorder is negative");
  check(edits().ahead_at_most(-1ms).into("out"),
        "source: the bound of event times ahead is negative");
  check(edits().into(""), "sink: it names no topic");
  check(edits().into("in"), "sink: it would write to the topic it reads, in");
  check(edits().filter(col("size")).into("out"),
        "step 1 (filter): the condition is a bigint, not a boolean");
  check(edits().filter(col("size") == "x").into("out"),
        "step 1 (filter): a bigint cannot be compared with a text (=)");
  check(edits().filter(col("minor") && col("user")).into("out"),
        "step 1 (filter): and, or and not take booleans, not a text");
  check(edits().filter(col("minor")).project({{"a", col("b")}}).into("out"),
        "step 2 (project): column a: there is no column b, only time, user, size, score, minor");
  check(edits().key_by({"users"}).tumble(1s).into("out"),
        "step 1 (window): key: there is no column users, only time, user, size, score, minor");
  check(edits().tumble(0s).into("out"), "step 1 (window): the window's size is not positive");
  check(edits().tumble(1s).aggregate({sum("user", "x")}).into("out"),
        "step 1 (window): x: a text has neither sum nor average: user");
  check(edits().tumble(1s).aggregate({count("window_end")}).into("out"),
        "step 1 (window): there are two columns window_end");
  check(edits().tumble(1s).tumble(1s).into("out"),
        "step 2 (window): a pipeline has one window; put the second into a pipeline of its own");
  check(edits().aggregate({count("n")}).into("out"),
        "aggregate: there is no window before it: call tumble()");
  check(edits().key_by({"user"}).tumble(1s).project({{"end", col("window_end")}}).into("out"),
        "sink: key: there is no column user, only end");
  check(edits().dead_letters_to("out").into("out"),
        "source: the dead-letter topic is the source's or the sink's own");
  check(edits().tumble(1s).late_to("in").into("out"),
        "window: the late topic has another use in this plan: in");
}

TEST_CASE("a whole number is compared with a double as one") {
  CHECK(edits().filter(col("score") >= 1).into("out"));
  CHECK(edits().filter(1 < col("score") || col("size") != 7 || !col("minor")).into("out"));
}

TEST_SUITE_END();
