#include "tools/stall_watch.h"

#include <doctest/doctest.h>

namespace leat::tools {
namespace {

using namespace std::chrono_literals;

RunFigures held_by(const std::string& partition, operators::Watermark watermark) {
  RunFigures figures;
  figures.watermark = watermark;
  figures.held_back_by = partition;
  figures.event_time = "held back by " + partition;
  return figures;
}

}  // namespace

TEST_SUITE_BEGIN("tools");

TEST_CASE("event time that stands still behind a partition is told once for each") {
  StallWatch watch;
  CHECK_FALSE(watch.look(held_by("a", 5), 0s));
  CHECK_FALSE(watch.look(held_by("a", 5), 4s));
  // It moves.
  CHECK_FALSE(watch.look(held_by("a", 6), 5s));
  CHECK_FALSE(watch.look(held_by("a", 6), 9s));
  CHECK(watch.look(held_by("a", 6), 10s) == "held back by a");
  CHECK_FALSE(watch.look(held_by("a", 6), 100s));
  CHECK_FALSE(watch.look(held_by("b", 6), 101s));
  CHECK(watch.look(held_by("b", 6), 106s) == "held back by b");
}

TEST_CASE("event time that nothing is ahead of is not told") {
  StallWatch watch;
  CHECK_FALSE(watch.look(held_by("", 5), 0s));
  CHECK_FALSE(watch.look(held_by("", 5), 100s));
}

TEST_SUITE_END();

}  // namespace leat::tools
