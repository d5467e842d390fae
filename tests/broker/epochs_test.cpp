// What an epoch's commit promises: all or nothing over any number of partitions, with one commit of
// the journal, and seen right then.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "broker/epoch_envelope.h"
#include "broker/epochs_world.h"
#include "broker/transactions.h"

TEST_SUITE_BEGIN("broker");

using namespace leat;
using namespace leat::broker;

namespace {

using Values = EpochWorld::Values;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// So that nothing of an earlier epoch is on its way.
void let_markers_in(EpochWorld& world) {
  world.executor().run_for(seconds(1));
}

}  // namespace

TEST_CASE("an epoch is there in all its partitions and its record when its writer is told") {
  EpochWorld world;
  world.create_topic("t", 3);
  auto writer = world.writer();
  REQUIRE(world.commit(writer, "a"));
  for (std::int32_t p = 0; p < 3; ++p) {
    // Without its marker, that is.
    CHECK(world.at("t", p)->view()->last_stable_offset == Offset{1});
    CHECK(committed_values(*world.at("t", p)->view()) == Values{"a"});
  }
  CHECK(committed_values(*world.at("__epochs.p.1", 0)->view()) == Values{"a"});
  CHECK(writer->topic() == "__epochs.p.1");
}

TEST_CASE("an epoch over many partitions costs one sync before its writer is told") {
  EpochWorld world;
  world.create_topic("t", 50);
  auto writer = world.writer();
  REQUIRE(world.commit(writer, "a"));
  let_markers_in(world);
  std::uint64_t before = world.syncs();
  REQUIRE(world.commit(writer, "b"));
  CHECK(world.syncs() == before + 1);
  CHECK(committed_values(*world.at("t", 49)->view()) == Values{"a", "b"});
}

TEST_CASE("markers go with the next epoch, so that one epoch after the other takes one sync each") {
  EpochWorld world;
  world.create_topic("t", 5);
  auto writer = world.writer();
  REQUIRE(world.commit(writer, "0"));
  let_markers_in(world);
  std::uint64_t before = world.syncs();
  constexpr int epochs = 10;
  for (int i = 0; i < epochs; ++i) REQUIRE(world.commit(writer, fmt::format("{}", i)));
  CHECK(world.syncs() == before + epochs);
  CHECK(world.kinds("t", 4) == world.kinds("t", 0));
  Values kinds = world.kinds("t", 0);
  REQUIRE(kinds.size() >= 4);
  CHECK(Values(kinds.begin(), kinds.begin() + 4) == Values{"data", "commit", "data", "commit"});
}

TEST_CASE("markers that nothing comes behind are written after a while") {
  EpochWorld world;
  world.create_topic("t", 2);
  auto writer = world.writer();
  REQUIRE(world.commit(writer, "a"));
  CHECK(world.kinds("t", 0) == Values{"data"});
  CHECK(world.kinds("__epochs.p.1", 0) == Values{"data"});
  let_markers_in(world);
  CHECK(world.kinds("t", 0) == Values{"data", "commit"});
  CHECK(world.kinds("t", 1) == Values{"data", "commit"});
  CHECK(world.kinds("__epochs.p.1", 0) == Values{"data", "commit"});
}

TEST_CASE("whoever waits for committed records hears of an epoch before its writer") {
  EpochWorld world;
  world.create_topic("t", 1);
  auto writer = world.writer();
  REQUIRE(world.commit(writer, "a"));
  let_markers_in(world);
  auto partition = world.at("t", 0);
  Offset seen;
  log::Log::Ticket ticket;
  partition->executor().post([&] {
    ticket = partition->log().on_advance(
        [&] { seen = std::max(seen, *partition->view()->last_stable_offset); });
  });
  world.executor().run_for(milliseconds(1));
  Offset told;
  bool is_done = false;
  writer->commit(EpochWorld::bytes_of("b"), world.everywhere("b"), [&](const Result<void>& done) {
    REQUIRE(done);
    told = seen;
    is_done = true;
  });
  REQUIRE(world.run_until([&] { return is_done; }));
  CHECK(told == Offset{3});
  partition->executor().post([&] { ticket.reset(); });
  world.executor().run_for(milliseconds(1));
}

TEST_CASE("the next epoch may be begun from within the end of the one before") {
  EpochWorld world;
  world.create_topic("t", 2);
  auto writer = world.writer();
  int done = 0;
  std::function<void()> next = [&] {
    writer->commit(EpochWorld::bytes_of(fmt::format("{}", done)),
                   world.everywhere(fmt::format("{}", done)), [&](const Result<void>& result) {
                     REQUIRE(result);
                     if (++done < 5) next();
                   });
  };
  next();
  REQUIRE(world.run_until([&] { return done == 5; }));
  CHECK(world.records() == Values{"0", "1", "2", "3", "4"});
  CHECK(world.committed("t", 1) == Values{"0", "1", "2", "3", "4"});
}

TEST_CASE("an epoch may have several batches in a partition, or no output at all") {
  EpochWorld world;
  world.create_topic("t", 1);
  auto writer = world.writer();
  REQUIRE(world.commit(writer, "a", {world.to("t", 0, {"1", "2"}), world.to("t", 0, {"3"})}));
  REQUIRE(world.commit(writer, "b", {}));
  REQUIRE(world.commit(writer, "c", {world.to("t", 0, {"4"})}));
  CHECK(world.committed("t", 0) == Values{"1", "2", "3", "4"});
  CHECK(world.records() == Values{"a", "b", "c"});
}

TEST_CASE("an epoch of more bytes than a commit of the journal takes is committed as a whole") {
  EpochWorld world;
  world.create_topic("t", 4);
  auto writer = world.writer();
  std::string large(900'000, 'x');
  std::vector<EpochWriter::Output> output;
  for (std::int32_t p = 0; p < 4; ++p) {
    output.push_back(world.to("t", p, {large}));
    output.push_back(world.to("t", p, {large + "2"}));
  }
  REQUIRE(world.commit(writer, "a", std::move(output)));
  for (std::int32_t p = 0; p < 4; ++p) {
    CHECK(committed_values(*world.at("t", p)->view()) == Values{large, large + "2"});
  }
}

TEST_CASE("owners and other producers write to the same partitions side by side") {
  EpochWorld world;
  world.create_topic("t", 2);
  auto first = world.writer("p.1");
  auto second = world.writer("p.2");
  auto a = world.start(first, "a", world.everywhere("a"));
  auto b = world.start(second, "b", world.everywhere("b"));
  REQUIRE(world.wait(a));
  REQUIRE(world.wait(b));
  CHECK(world.records("p.1") == Values{"a"});
  CHECK(world.records("p.2") == Values{"b"});
  Values values = world.committed("t", 0);
  std::sort(values.begin(), values.end());
  CHECK(values == Values{"a", "b"});
}

TEST_CASE("an owner that is opened again has another producer, and the writer before is refused") {
  EpochWorld world;
  world.create_topic("t", 2);
  auto first = world.writer();
  REQUIRE(world.commit(first, "a"));
  auto under_way = world.start(first, "b", world.everywhere("b"));
  auto second = world.writer();
  // What was under way is over by then.
  REQUIRE(under_way->has_value());
  CHECK_FALSE(world.has_open("t", 0));
  REQUIRE(world.commit(second, "c"));
  auto refused = world.commit(first, "d");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::producer_fenced);
  Values records = world.records();
  bool has_b = under_way->value().has_value();
  CHECK(records == (has_b ? Values{"a", "b", "c"} : Values{"a", "c"}));
  CHECK(world.committed("t", 1) == records);
}

TEST_CASE("a writer that is let go of leaves nothing open") {
  EpochWorld world;
  world.create_topic("t", 2);
  auto writer = world.writer();
  REQUIRE(world.commit(writer, "a"));
  auto last = world.start(writer, "b", world.everywhere("b"));
  writer.reset();
  REQUIRE(world.wait(last));
  let_markers_in(world);
  CHECK_FALSE(world.has_open("t", 0));
  CHECK_FALSE(world.has_open("t", 1));
  CHECK_FALSE(world.has_open("__epochs.p.1", 0));
  CHECK(world.records() == Values{"a", "b"});
}

TEST_CASE("a broker that is closed leaves nothing open, and the next one finds all epochs") {
  EpochWorld world;
  world.create_topic("t", 2);
  auto writer = world.writer();
  REQUIRE(world.commit(writer, "a"));
  REQUIRE(world.commit(writer, "b"));
  world.restart();
  CHECK_FALSE(world.has_open("t", 0));
  CHECK_FALSE(world.has_open("__epochs.p.1", 0));
  CHECK(world.records() == Values{"a", "b"});
  CHECK(world.committed("t", 0) == Values{"a", "b"});
}

TEST_CASE("an owner is removed with its topic, and may be made anew") {
  EpochWorld world;
  world.create_topic("t", 1);
  auto writer = world.writer();
  REQUIRE(world.commit(writer, "a"));
  REQUIRE(world.remove_owner());
  CHECK_FALSE(world.broker().find_topic("__epochs.p.1"));
  CHECK_FALSE(world.has_open("t", 0));
  CHECK(world.commit(writer, "b").error().code == Errc::producer_fenced);
  REQUIRE(world.remove_owner());
  writer = world.writer();
  REQUIRE(world.commit(writer, "c"));
  CHECK(world.records() == Values{"c"});
  CHECK(world.committed("t", 0) == Values{"a", "c"});
}

TEST_CASE("an owner is named as a topic may be") {
  EpochWorld world;
  CHECK(world.open_owner("a/b").error().code == Errc::invalid_topic);
  CHECK(world.open_owner(std::string(250, 'a')).error().code == Errc::invalid_topic);
  // Topics of clients may not differ in '.' and '_' only.
  CHECK(world.open_owner("a.b"));
  CHECK(world.open_owner("a_b"));
}

TEST_CASE("topics of epochs and of pipelines are the server's own") {
  EpochWorld world;
  auto writer = world.writer();
  Broker& broker = world.broker();
  CHECK(broker.check_new_topic({"__epochs.q", 1, {}}).error().code == Errc::invalid_topic);
  CHECK(broker.check_new_topic({"__pipelines", 1, {}}).error().code == Errc::invalid_topic);
  Uuid id = broker.find_topic("__epochs.p.1")->info.id;
  auto gone = world.run<void>([&](Broker::Done done) { broker.delete_topic(id, std::move(done)); });
  CHECK(gone.error().code == Errc::invalid_request);
  CHECK(broker.check_new_partitions(id, 2).error().code == Errc::invalid_request);
  CHECK(&world.at("__epochs.p.1", 0)->executor() == &world.executor());
  auto refused = world.commit(writer, "a", {world.to("__epochs.p.1", 0, {"x"})});
  CHECK(refused.error().code == Errc::invalid_topic);
}

TEST_CASE("a producer that was not heard of for long is forgotten, and its writer goes on") {
  EpochWorld world;
  world.create_topic("t", 1);
  auto writer = world.writer();
  REQUIRE(world.commit(writer, "a"));
  REQUIRE(world.commit(writer, "b"));
  world.executor().run_for(std::chrono::hours(25));
  CHECK(world.at("t", 0)->log().producers().empty());
  REQUIRE(world.commit(writer, "c"));
  let_markers_in(world);
  world.crash(true);
  CHECK(world.committed("t", 0) == Values{"a", "b", "c"});
}

TEST_CASE("an epoch's producer counts as done before its marker is there") {
  EpochWorld world;
  world.create_topic("t", 1);
  auto writer = world.writer();
  REQUIRE(world.commit(writer, "a"));
  const auto& producers = world.at("t", 0)->log().producers().producers();
  REQUIRE(producers.size() == 1);
  CHECK(world.kinds("t", 0) == Values{"data"});
  CHECK_FALSE(producers.begin()->second.transaction);
}

TEST_CASE("what a broker that has gone cannot answer any more is cancelled") {
  std::optional<Result<void>> answer;
  {
    EpochWorld world;
    world.create_topic("t", 1);
    auto writer = world.writer();
    writer->commit(EpochWorld::bytes_of("a"), world.everywhere("a"),
                   [&](Result<void> given) { answer = std::move(given); });
  }
  REQUIRE(answer.has_value());
  CHECK(answer->error().code == Errc::cancelled);
}

TEST_CASE("an owner that waits for its last epoch's markers goes with its broker") {
  auto waiting = std::make_shared<int>();
  std::weak_ptr<int> left = waiting;
  {
    EpochWorld world;
    world.create_topic("t", 1);
    auto writer = world.writer();
    REQUIRE(world.commit(writer, "a"));
    bool is_answered = false;
    world.broker().epochs().open(
        "p.1", [&, held = std::exchange(waiting, nullptr)](auto) { is_answered = true; });
    CHECK_FALSE(is_answered);
  }
  CHECK(left.expired());
}

TEST_SUITE_END();
