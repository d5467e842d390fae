// What a pipeline promises of history: the recorded steps, done again, give the same bytes, and
// history read again in whatever mode, by however many workers, gives the same final results.
//
// Held for every plan that is kept in a file and for random ones, of runs that are killed, rest,
// and wait for partitions that are silent. LEAT_SIM_SEEDS is how many stories there are,
// LEAT_SIM_FIRST the first one's seed, LEAT_SIM_SEED the only one's.
#include <cstdlib>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "interpreter/random_pipeline.h"
#include "pipeline/kept_plans.h"
#include "pipeline/recorded_life.h"
#include "plan/bound_plan.h"
#include "sim/seeds.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;

namespace {

/// What happened, over all stories.
struct Totals {
  std::size_t deaths = 0;
  std::size_t woken = 0;
  std::size_t judged = 0;
  std::size_t records = 0;

  void add(const RecordedLife& life) {
    deaths += life.deaths();
    woken += life.woken();
    judged += life.judged();
    records += life.records_out();
  }
};

void tell(RecordedLife& life, Totals& totals) {
  CAPTURE(plan::print(life.plan()));
  life.live();
  life.repeat();
  life.reprocess();
  totals.add(life);
}

/// A random plan; some of its sinks write files, too.
plan::Plan random_plan(Random& random) {
  plan::Plan plan = interpreter::random_pipeline(random, static_cast<int>(random.between(1, 4)));
  auto dead_letters = [&](plan::BadRows& rows) {
    if (random.one_in(3)) rows = {plan::BadRows::Policy::dead_letter, "dead"};
  };
  dead_letters(plan.bad_rows);
  for (auto& node : plan.nodes) {
    if (auto* source = std::get_if<plan::Source>(&node.body)) dead_letters(source->bad_records);
    auto late = [&](auto& body) {
      if constexpr (requires { body.late_topic; }) {
        if (random.one_in(3)) body.late_topic = "late";
      }
    };
    std::visit(late, node.body);
  }
  auto bound = plan::bind(plan);
  REQUIRE_MESSAGE(bound.has_value(), bound.error().what);
  for (std::size_t i = 0; i < plan.nodes.size() && random.one_in(2); ++i) {
    const auto* sink = std::get_if<plan::Sink>(&plan.nodes[i].body);
    if (sink == nullptr || bound->nodes[bound->nodes[i].inputs[0]].revises) continue;
    plan::Sink files;
    files.input = sink->input;
    files.files = "/out";
    plan.nodes.push_back({"files", std::move(files)});
    break;
  }
  return plan;
}

void random_story(std::uint64_t seed, Totals& totals) {
  Random random(seed);
  auto plan = random_plan(random);
  std::map<std::string, interpreter::Log> logs;
  logs["a"] = interpreter::random_log(random, 1 + random.below(4), 80);
  logs["b"] = interpreter::random_log(random, 1 + random.below(3), 40);
  RecordedLife life(random.next(), std::move(plan), std::move(logs));
  tell(life, totals);
}

void kept_story(const std::string& path, std::uint64_t seed, Totals& totals) {
  CAPTURE(path);
  Random random(seed);
  auto made = with_logs(path, random, 300);
  RecordedLife life(random.next(), std::move(made.plan), std::move(made.logs));
  tell(life, totals);
}

/// Seeds, each told before it begins to whoever asked for stories.
template <class Story>
void each_seed(std::uint64_t count, Story story) {
  sim::Telling telling;
  std::uint64_t first = sim::number_from("LEAT_SIM_FIRST", 1);
  if (telling.is_verbose()) {
    first = sim::number_from("LEAT_SIM_SEED", 1);
    count = 1;
  }
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    CAPTURE(seed);
    sim::current_seed = seed;
    story(seed);
  }
}

}  // namespace

TEST_CASE("random plans: an exact replay has no difference, and reprocessing the same results") {
  Totals totals;
  std::uint64_t seeds = sim::number_from("LEAT_SIM_SEEDS", 1'000) / 5;
  each_seed(seeds, [&](std::uint64_t seed) { random_story(seed, totals); });
  if (std::getenv("LEAT_SIM_SEED") != nullptr || seeds < 100) return;
  CHECK(totals.deaths > 0);
  CHECK(totals.woken > 0);
  CHECK(totals.judged > 0);
  CHECK(totals.records > 0);
}

TEST_CASE("plans in files: an exact replay has no difference, and reprocessing the same results") {
  std::uint64_t seeds = sim::number_from("LEAT_SIM_SEEDS", 1'000) / 500 + 1;
  for (const auto& path : kept_plans()) {
    Totals totals;
    each_seed(seeds, [&](std::uint64_t seed) { kept_story(path, seed, totals); });
    CHECK_MESSAGE(totals.deaths > 0, path);
  }
}

TEST_SUITE_END();
