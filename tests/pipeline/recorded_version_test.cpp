// Where a version stands, by what it has committed alone, is where a run of it stands.
#include "pipeline/recorded_version.h"

#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "pipeline/play.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

namespace {

Result<std::optional<RecordedVersion>> recorded(Play& play) {
  return find_recorded(play.epochs, play.files, "/data", "p.1");
}

void stop(Play& play) {
  bool has_ended = false;
  play.run().stop([&](const Result<void>&) { has_ended = true; });
  play.pass(1s);
  REQUIRE(has_ended);
  play.drop();
}

std::vector<Offset> offsets_of(const Positions& positions) {
  std::vector<Offset> offsets;
  for (const Position& position : positions) offsets.push_back(position.offset);
  return offsets;
}

}  // namespace

TEST_CASE("a version that never began stands nowhere") {
  Play play;
  auto found = recorded(play);
  REQUIRE_MESSAGE(found, found.error().what);
  CHECK_FALSE(found->has_value());
  auto begin = find_first_begin(play.epochs, "p.9");
  REQUIRE_MESSAGE(begin, begin.error().what);
  CHECK_FALSE(begin->has_value());
}

TEST_CASE("what a version has committed says where it stands, with snapshots and without") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Play play(seed, 3);
    bool has_snapshot = false;
    for (int life = 0; life < 6; ++life) {
      play.start(seed % 2 == 0 ? plan_of(per_second) : plan_of(""));
      auto records = play.random.below(life == 3 ? 3000 : 40);
      for (std::uint64_t i = 0; i < records; ++i) {
        play.produce(static_cast<std::int64_t>(i) * 100, "a", 1,
                     static_cast<std::int32_t>(play.random.below(3)));
        if (play.random.one_in(10)) play.pass(5ms);
      }
      play.run().pause([](const Result<void>&) {});
      play.pass(1s);
      auto stands = offsets_of(play.run().positions());
      if (play.random.one_in(3)) {
        play.crash();
      } else {
        stop(play);
      }
      has_snapshot = has_snapshot || !Snapshots(play.files, "/data", "p.1").list()->empty();
      auto found = recorded(play);
      REQUIRE_MESSAGE(found, found.error().what);
      REQUIRE(found->has_value());
      CHECK((*found)->positions == stands);
      CHECK((*found)->begin.inputs.size() == 3);
    }
    if (seed == 20) CHECK(has_snapshot);
  }
}

TEST_CASE("a version in its warm-up stands at the end of that, for what is before was given") {
  Play play;
  for (int i = 0; i < 5; ++i) play.produce(i * 100);
  auto options = play.options(plan_of(per_second));
  options.silent_to = {{"in", PartitionId{0}, Offset{4}}};
  options.to = Positions{{"in", PartitionId{0}, Offset{2}}};
  play.start(std::move(options));
  play.pass(1s);
  play.drop();
  auto found = recorded(play);
  REQUIRE_MESSAGE(found, found.error().what);
  REQUIRE(found->has_value());
  CHECK((*found)->positions == std::vector<Offset>{Offset{4}});
  auto begin = find_first_begin(play.epochs, "p.1");
  REQUIRE_MESSAGE(begin, begin.error().what);
  REQUIRE(begin->has_value());
  CHECK((*begin)->inputs.at(0).start == Offset{0});
}

TEST_SUITE_END();
