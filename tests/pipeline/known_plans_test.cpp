// What only one of a server's pipelines may have: the names of views, and folders.
#include "pipeline/known_plans.h"

#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "pipeline/service_world.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using namespace std::chrono_literals;

namespace {

/// What several requests are answered that come before the first is through.
class AtOnce {
 public:
  explicit AtOnce(ServiceWorld& world) : world_(world) {}
  void deploy(const std::string& plan) { world_.service().deploy(plan, {}, answer()); }
  void define(const std::string& text) { world_.service().define_view(text, answer()); }
  std::vector<std::string> texts() {
    world_.run_until([&] { return left_ == 0; });
    return texts_;
  }

 private:
  Service::Answer answer() {
    ++left_;
    texts_.emplace_back();
    return [this, number = texts_.size() - 1](Result<plan::Json> given) {
      --left_;
      if (given) {
        plan::append_json(texts_[number], *given);
      } else {
        texts_[number] = "error: " + given.error().what;
      }
    };
  }
  ServiceWorld& world_;
  std::vector<std::string> texts_;
  int left_ = 0;
};

/// Rows per hour, as a view.
std::string view_plan(const std::string& name, const std::string& view,
                      const std::string& mode = "stream") {
  return fmt::format(R"({{"version": 1, "name": "{}", "mode": {{"type": "{}"}}, "nodes": [
      {{"name": "in", "type": "source", "topic": "in", "event_time": "t",
       "columns": [{{"name": "t", "type": "timestamp"}}]}},
      {{"name": "w", "type": "window", "input": "in",
       "window": {{"kind": "tumbling", "size_ms": 3600000 }},
       "aggregates": [{{"function": "count", "name": "rows"}}]}},
      {{"name": "out", "type": "sink", "view": "{}", "keys": ["window_start"],
       "input": "w"}}]}})",
                     name, mode, view);
}

std::string union_text(const std::string& name) {
  return fmt::format(
      R"({{"version": 1, "type": "union_view", "name": "{}", "batch": "b", "live": "l",
          "column": "window_start", "granularity_ms": 3600000}})",
      name);
}

std::string files_plan(const std::string& name, const std::string& folder,
                       const std::string& mode = "stream", int bound = 0) {
  std::string more = mode == "micro_batch" ? R"(, "trigger_ms": 1000)" : "";
  std::string plan = plan_text(name, bound, R"("mode": {"type": ")" + mode + "\"" + more + "},");
  std::string topic = R"("topic": "out")";
  return plan.replace(plan.rfind(topic), topic.size(), R"("files": ")" + folder + "\"");
}

}  // namespace

TEST_CASE("of two pipelines that are deployed at once with one view's name one has it") {
  ServiceWorld world;
  AtOnce asked(world);
  asked.deploy(view_plan("p", "v"));
  asked.deploy(view_plan("q", "v"));
  auto texts = asked.texts();
  CHECK(contains(texts[0], "pipeline p is deployed"));
  CHECK(contains(texts[1], "view 'v' is one of pipeline p: names of views are the server's"));
  CHECK_FALSE(contains(world.list(), R"("name":"q")"));
  // Nothing is left of the attempt.
  world.drop();
  CHECK(contains(world.deploy(view_plan("q", "v")), "pipeline q is deployed"));
}

TEST_CASE("a name that could not be taken for want of room is free again") {
  ServiceWorld world;
  world.files().set_free_bytes(0);
  // So large that it needs pages of its own.
  std::string plan = view_plan("p", "v");
  for (int i = 0; i < 40; ++i) {
    plan.insert(plan.find(R"({"name": "t")"),
                fmt::format(R"({{"name": "{}{}", "type": "text"}}, )", std::string(200, 'x'), i));
  }
  CHECK(contains(world.deploy(plan), "it cannot be remembered"));
  world.files().set_free_bytes({});
  CHECK(contains(world.deploy(view_plan("q", "v")), "pipeline q is deployed"));
}

TEST_CASE("of a pipeline and a union view that want one name at once one has it") {
  for (bool is_union_first : {true, false}) {
    CAPTURE(is_union_first);
    ServiceWorld world;
    world.deploy(view_plan("pb", "b", "batch"));
    world.deploy(view_plan("pl", "l"));
    AtOnce asked(world);
    if (is_union_first) asked.define(union_text("v"));
    asked.deploy(view_plan("p", "v"));
    if (!is_union_first) asked.define(union_text("v"));
    auto texts = asked.texts();
    if (is_union_first) {
      CHECK(contains(texts[0], "union view v is there"));
      CHECK(contains(texts[1], "view 'v' is a union view"));
    } else {
      CHECK(contains(texts[0], "pipeline p is deployed"));
      CHECK(contains(texts[1], "union view v: pipeline p has a view of that name"));
    }
  }
}

TEST_CASE("a union view cannot have the name of a view of a version that is not at work") {
  ServiceWorld world;
  world.deploy(view_plan("pb", "b", "batch"));
  world.deploy(view_plan("pl", "l"));
  world.deploy(plan_text("p"));
  world.deploy(view_plan("p", "v"));
  AtOnce asked(world);
  asked.define(union_text("v"));
  CHECK(contains(asked.texts()[0], "union view v: pipeline p has a view of that name"));
}

TEST_CASE("of two pipelines that are deployed at once with names that collide one has it") {
  ServiceWorld world;
  AtOnce asked(world);
  asked.deploy(plan_text("a.b"));
  asked.deploy(plan_text("a_b"));
  auto texts = asked.texts();
  CHECK(contains(texts[0], "pipeline a.b is deployed"));
  CHECK(contains(texts[1], "pipeline 'a_b' differs from 'a.b' only in '.' and '_'"));
}

TEST_CASE("a folder is written to by one pipeline: another one is told which") {
  ServiceWorld world;
  CHECK(contains(world.deploy(files_plan("p", "/out/rows")), "writes to files in /out/rows"));
  std::string refused = world.deploy(files_plan("q", "/out/rows", "batch"));
  CHECK(contains(refused,
                 "nodes[2] 'out': pipeline p, which is always at work, writes files to "
                 "/out/rows"));
  CHECK(contains(refused, "give it a folder of its own"));
  CHECK(contains(world.deploy(files_plan("q", "/out//rows/", "batch")), "error plan_error"));
  CHECK(contains(world.deploy(files_plan("q", "/out/rows")), "error plan_error"));
  CHECK(contains(world.deploy(files_plan("q", "/out/others", "batch")), "pipeline q is deployed"));
  refused = world.deploy(files_plan("r", "/out/others"));
  CHECK(contains(refused, "pipeline q, a batch, writes files to /out/others"));
  // Two batches replace one another's files, as two runs of one do.
  CHECK(contains(world.deploy(files_plan("s", "/out/others", "batch")), "pipeline s is deployed"));
  AtOnce asked(world);
  asked.deploy(files_plan("x", "/out/x"));
  asked.deploy(files_plan("y", "/out/x", "batch"));
  auto texts = asked.texts();
  CHECK(contains(texts[0], "pipeline x is deployed"));
  CHECK(contains(texts[1], "pipeline x, which is always at work, writes files to /out/x"));
}

TEST_CASE("a version in another mode cannot write to the folder of the one before") {
  ServiceWorld world;
  world.deploy(files_plan("p", "/out/rows"));
  CHECK(contains(world.deploy(files_plan("p", "/out/rows", "stream", 7)), "version 2 of p"));
  CHECK(contains(world.deploy(files_plan("p", "/out/rows", "micro_batch", 8)), "version 3 of p"));
  CHECK(contains(world.deploy(files_plan("p", "/out/rows", "batch", 9)),
                 "version 1 of this pipeline, which is always at work, writes files to /out/rows"));
  CHECK(contains(world.deploy(files_plan("p", "/out/new", "batch", 9)), "version 4 of p"));
}

TEST_CASE("a pipeline that writes files or views says where") {
  ServiceWorld world;
  CHECK(contains(world.deploy(files_plan("p", "/out/rows")), "writes to files in /out/rows"));
  CHECK(contains(world.show(), R"("folders":["/out/rows"])"));
  CHECK(contains(world.deploy(view_plan("q", "v")), "writes to view v"));
  CHECK(contains(world.show("q"), R"("views":["v"])"));
  CHECK(contains(world.deploy(plan_text("r")), "writes to out"));
  CHECK(contains(world.show("r"), R"("writes":["out"])"));
}

TEST_SUITE_END();
