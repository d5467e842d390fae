// What is tried again that nobody has asked for, and when.
#include "pipeline/duties.h"

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

TEST_CASE("a duty that fails waits longer each time, a minute at most") {
  Duties duties;
  CHECK(duties.is_due("d", 0s));
  Duties::Time now = 0s;
  for (auto pause : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    duties.failed("d", {Errc::no_space, "full"}, now);
    CHECK_FALSE(duties.is_due("d", now + pause - 1ms));
    CHECK(duties.is_due("e", now));
    now += pause;
    CHECK(duties.next_due() == now);
    CHECK(duties.is_due("d", now));
  }
  duties.done("d");
  CHECK(duties.is_due("d", now));
  CHECK_FALSE(duties.next_due());
}

TEST_CASE("a duty is never given up, though a run would be that fails so") {
  Duties duties;
  Duties::Time now = 0s;
  for (int i = 0; i < 5; ++i) {
    CHECK(duties.is_due("d", now));
    duties.failed("d", {Errc::plan_error, "no"}, now);
    CHECK_FALSE(duties.is_due("d", now));
    now += 60s;
  }
}

TEST_CASE("a duty's failure is news once, and again when it fails in another way") {
  Duties duties;
  CHECK(duties.failed("d", {Errc::no_space, "full"}, 0s));
  CHECK_FALSE(duties.failed("d", {Errc::no_space, "full"}, 1s));
  CHECK(duties.failed("d", {Errc::storage_error, "broken"}, 3s));
  auto held_up = duties.held_up(4s, 1'000'000);
  REQUIRE(held_up.size() == 1);
  CHECK(held_up.front().failures == 3);
  CHECK(held_up.front().error.what == "broken");
  CHECK(held_up.front().next_try_ms == 1'003'000);
}

TEST_CASE("a duty that there is no need of any more is forgotten when its time has come") {
  Duties duties;
  duties.failed("d", {Errc::no_space, "full"}, 0s);
  duties.failed("e", {Errc::no_space, "full"}, 0s);
  duties.forget_unasked(0s);
  duties.forget_unasked(500ms);
  CHECK(duties.is_waiting("d"));
  CHECK(duties.is_due("e", 1s));
  duties.forget_unasked(1s);
  CHECK_FALSE(duties.is_waiting("d"));
  CHECK(duties.is_waiting("e"));
}

TEST_SUITE_END();
