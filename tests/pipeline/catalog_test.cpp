// What is deployed is remembered: across crashes at any moment, and in every detail.
#include "pipeline/catalog.h"

#include <optional>
#include <string>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "base/sim_executor.h"
#include "broker/topic_name.h"
#include "file/fake_file_system.h"
#include "pipeline/service_world.h"
#include "record/builder.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;

namespace {

Deployed some_pipeline() {
  Deployed pipeline;
  pipeline.name = "revenue";
  pipeline.created_ms = 1'700'000'000'000;
  pipeline.paused = true;
  pipeline.next_version = 3;
  Version first;
  auto plan = plan::parse(plan_text("revenue"));
  REQUIRE(plan);
  first.plan = plan::print(*plan);
  first.hash = plan::hash(*plan);
  first.role = Role::retired;
  first.stints.push_back(
      {5, {}, {{"out", PartitionId{0}, Offset{7}}}, {{"out", PartitionId{0}, Offset{9}}}});
  Version second = first;
  second.number = 2;
  second.role = Role::live;
  second.promotes = true;
  second.batch = {3, 100, 50, 17, {{"date", "2026-03-01"}}};
  second.open = OpenPlan{"{\"name\": \"${name}\"}", {{"name", "revenue"}, {"other", "\"ä\""}}};
  Replay replay;
  replay.from = "@2026-03-01";
  replay.silent_to = {{"in", PartitionId{0}, Offset{3}}, {"in", PartitionId{1}, Offset{4}}};
  replay.rows_per_s = 1e6;
  replay.diff = true;
  second.replay = replay;
  pipeline.versions = {first, second};
  return pipeline;
}

/// A catalog over a broker on a disk that crashes.
class World {
 public:
  explicit World(std::uint64_t seed) : files_(sim_, seed) {
    options_.store.directory = "/data";
    options_.store.scrub_bytes_per_second = 0;
    open();
  }
  ~World() {
    sim_.drop_all();
    catalog_.reset();
    broker_.reset();
  }
  void open() {
    auto opened =
        broker::Broker::open({files_, sim_, sim_, metrics_, {}}, options_, Random(++lives_));
    REQUIRE_MESSAGE(opened, opened.error().what);
    broker_ = std::move(*opened);
    catalog_ = std::make_unique<Catalog>(*broker_, sim_);
    auto read = catalog_->open();
    REQUIRE_MESSAGE(read, read.error().what);
  }
  void crash(bool is_power_loss) {
    is_power_loss ? files_.power_loss() : files_.kill();
    sim_.drop_all();
    catalog_.reset();
    broker_.reset();
    open();
  }
  Catalog& catalog() { return *catalog_; }
  broker::Broker& broker() { return *broker_; }
  bool step() { return sim_.run_one(); }
  void finish(const std::optional<Result<void>>& outcome) {
    while (!outcome) REQUIRE(step());
    REQUIRE_MESSAGE(*outcome, outcome->error().what);
  }

 private:
  SimExecutor sim_;
  file::FakeFileSystem files_;
  Metrics metrics_;
  broker::BrokerOptions options_;
  std::uint64_t lives_ = 0;
  std::unique_ptr<broker::Broker> broker_;
  std::unique_ptr<Catalog> catalog_;
};

}  // namespace

TEST_CASE("a pipeline is written and read the same, its plan as JSON") {
  Deployed pipeline = some_pipeline();
  std::string text = encode(pipeline);
  auto read = decode_deployed(text);
  REQUIRE_MESSAGE(read, read.error().what);
  CHECK(encode(*read) == text);
  CHECK(read->versions[1].plan == pipeline.versions[1].plan);
  CHECK(read->versions[1].replay->silent_to == pipeline.versions[1].replay->silent_to);
  CHECK(read->live()->number == 2);
  CHECK(text.find(R"("plan":{"name":"revenue")") != std::string::npos);
}

TEST_CASE("what is no pipeline is refused, and what a newer server wrote by its format") {
  CHECK(decode_deployed("").error().code == Errc::corrupt_message);
  CHECK(decode_deployed("[]").error().code == Errc::corrupt_message);
  CHECK(decode_deployed(R"({"format":1})").error().code == Errc::corrupt_message);
  CHECK(decode_deployed(R"({"format":1,"name":"p","versions":[{"role":"king"}]})").error().code ==
        Errc::corrupt_message);
  CHECK(decode_deployed(R"({"format":2,"name":"p"})").error().code == Errc::unsupported_format);
  CHECK(decode_deployed(R"({"format":1,"name":"p","later":[1]})"));
}

TEST_CASE("what is answered is remembered after a crash at any moment, and nothing else appears") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    World world(seed);
    Random random(seed);
    // What each pipeline was last answered to be, and what it may be.
    std::map<std::string, std::optional<int>> known;
    for (int change = 0; change < 12; ++change) {
      std::string name = fmt::format("p{}", random.below(3));
      bool removes = random.below(4) == 0;
      Deployed pipeline;
      pipeline.name = name;
      pipeline.created_ms = change + 1;
      std::optional<Result<void>> outcome;
      auto done = [&outcome](Result<void> result) { outcome = std::move(result); };
      removes ? world.catalog().remove(name, done) : world.catalog().put(pipeline, done);
      bool crashes = random.below(4) == 0;
      std::uint64_t steps = crashes ? random.below(12) : 1'000'000;
      while (!outcome && steps-- > 0) REQUIRE(world.step());
      std::optional<int> wanted = removes ? std::nullopt : std::optional(change + 1);
      if (crashes) world.crash(random.below(2) == 0);
      const Deployed* found = world.catalog().find(name);
      std::optional<int> there;
      if (found != nullptr) there = static_cast<int>(found->created_ms);
      if (outcome) {
        REQUIRE(*outcome);
        CHECK(there == wanted);
      } else {
        CHECK((there == wanted || there == known[name]));
      }
      known[name] = there;
      for (const auto& [other, value] : known) {
        const Deployed* entry = world.catalog().find(other);
        CHECK((entry != nullptr) == value.has_value());
        if (entry != nullptr) CHECK(entry->created_ms == *value);
      }
    }
  }
}

TEST_CASE("clients cannot write to the topic of pipelines, nor make or delete it") {
  World world(1);
  broker::NewTopic topic;
  topic.name = broker::pipeline_topic;
  CHECK(world.broker().check_new_topic(topic).error().code == Errc::invalid_topic);
  std::optional<Result<void>> put;
  world.catalog().put(some_pipeline(), [&](Result<void> result) { put = std::move(result); });
  world.finish(put);
  auto made = world.broker().find_topic(broker::pipeline_topic);
  REQUIRE(made);
  CHECK(made->info.configs.at("cleanup.policy") == "compact");
  std::optional<Result<void>> deleted;
  world.broker().delete_topic(made->info.id,
                              [&](Result<void> result) { deleted = std::move(result); });
  while (!deleted) REQUIRE(world.step());
  CHECK(deleted->error().code == Errc::invalid_request);
}

TEST_CASE("a record that cannot be read keeps pipelines from being run, and says which") {
  World world(1);
  std::optional<Result<void>> put;
  world.catalog().put(some_pipeline(), [&](Result<void> result) { put = std::move(result); });
  world.finish(put);
  record::BatchBuilder builder;
  builder.append(0, as_bytes("broken"), as_bytes(R"({"format":2,"name":"broken"})"));
  auto bytes = std::make_shared<Bytes>(builder.build());
  std::optional<Result<Offset>> appended;
  auto partition = world.broker().find_partition(broker::pipeline_topic, PartitionId{0});
  partition->append_checked({bytes, MutableBytes(*bytes), 1, 0},
                            [&](Result<Offset> offset) { appended = std::move(offset); });
  while (!appended) REQUIRE(world.step());
  SimExecutor elsewhere;
  Catalog catalog(world.broker(), elsewhere);
  auto opened = catalog.open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == Errc::unsupported_format);
  CHECK(opened.error().what.find("of pipeline broken") != std::string::npos);
}

TEST_SUITE_END();
