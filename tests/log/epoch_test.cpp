// What epochs need of a log: transactions that are committed before their marker is there, markers
// that wait for the next commit, commits that wait for several shards.
#include <array>
#include <chrono>

#include <fmt/core.h>

#include "log/producer_table.h"
#include "machine.h"
#include "record/end_marker.h"

namespace leat::log::testing {
namespace {

TEST_SUITE_BEGIN("log");

using std::chrono::milliseconds;

constexpr ProducerId alice{7};
constexpr ProducerId bob{8};

Batch batch_of(ProducerId id, std::int32_t sequence) {
  record::BatchBuilder builder;
  builder.append(1000, {}, as_bytes(fmt::format("{}-{}", id.value(), sequence)));
  record::BatchOptions options;
  options.producer_id = id;
  options.producer_epoch = 0;
  options.base_sequence = sequence;
  options.is_transactional = true;
  auto owner = std::make_shared<Bytes>(builder.build(options));
  return {owner, MutableBytes(*owner), 1, 1000};
}

Batch marker_of(ProducerId id, bool is_commit, std::int32_t number) {
  auto owner = std::make_shared<Bytes>(record::build_end_marker(id, 0, {is_commit, number}, 1000));
  return {owner, MutableBytes(*owner), 1, 1000};
}

class Epochs : public Machine {
 public:
  explicit Epochs(std::uint64_t seed = 1) : Machine(seed) { open(); }

  void load() {
    bool is_loaded = false;
    log().load_producers([&](const Result<void>& loaded) { is_loaded = loaded.has_value(); });
    while (!is_loaded && executor.run_one()) {
    }
    REQUIRE(is_loaded);
  }
  Answer start(Batch batch, const TopicPartition& id = partition(1)) {
    auto answer = std::make_shared<std::optional<Result<Offset>>>();
    Result<Offset> queued = log(id).append(
        std::move(batch), [answer](Result<Offset> result) { *answer = std::move(result); });
    if (!queued) *answer = std::move(queued);
    return answer;
  }
  /// The offset that it got, or the error's name.
  std::string send(Batch batch) {
    Answer answer = start(std::move(batch));
    while (!answer->has_value() && executor.run_one()) {
    }
    return told(answer);
  }
  static std::string told(const Answer& answer) {
    if (!answer->has_value()) return "nothing";
    if (!**answer) return std::string(name((**answer).error().code));
    return std::to_string((**answer)->value());
  }
  std::int64_t stable() { return log().view()->last_stable_offset->value(); }
  std::uint64_t commits() { return metrics.counter("leat_log_commits_total", "").value(); }
};

TEST_CASE("a transaction may be committed before its marker is there, and is stable from then on") {
  Epochs m;
  std::int64_t heard = -1;
  auto ticket = m.log().on_advance([&] { heard = m.stable(); });
  CHECK(m.send(batch_of(alice, 0)) == "0");
  CHECK(m.send(batch_of(bob, 0)) == "1");
  CHECK(m.send(batch_of(alice, 1)) == "2");
  CHECK(m.stable() == 0);
  m.log().commit_before_marker(alice);
  // Another one is open, which begins in the middle of it.
  CHECK(heard == 1);
  CHECK(m.stable() == 1);
  m.log().commit_before_marker(bob);
  CHECK(heard == 3);
  CHECK(m.send(marker_of(alice, true, 0)) == "3");
  CHECK(m.stable() == 4);
  CHECK(m.send(batch_of(alice, 2)) == "4");
  CHECK(m.stable() == 4);
  CHECK(m.log().view()->aborted->find(Offset{0}, Offset{4}).empty());
}

TEST_CASE("nothing of a producer gets between what is committed and its marker") {
  Epochs m;
  CHECK(m.send(batch_of(alice, 0)) == "0");
  m.log().commit_before_marker(alice);
  CHECK(m.send(batch_of(alice, 1)) == "request_timed_out");
  CHECK(m.send(batch_of(bob, 0)) == "1");
  CHECK(m.send(marker_of(alice, true, 0)) == "2");
  CHECK(m.send(batch_of(alice, 1)) == "3");
  CHECK(m.stable() == 1);
}

TEST_CASE("what is committed stays so when its marker fails") {
  Epochs m;
  CHECK(m.send(batch_of(alice, 0)) == "0");
  m.log().commit_before_marker(alice);
  m.files.set_free_bytes(0);
  Machine::Answer marker = m.start(marker_of(alice, true, 0));
  // It needs a page that is not there.
  Machine::Answer large = m.start(make_batch({std::string(10'000, 'x')}));
  m.executor.run_until_idle();
  CHECK(m.told(marker) == "no_space");
  CHECK(m.told(large) == "no_space");
  CHECK(m.stable() == 1);
  CHECK(m.log().producers().find(alice)->is_committed);
  CHECK(m.send(batch_of(alice, 1)) == "request_timed_out");
  m.files.set_free_bytes({});
  CHECK(m.send(marker_of(alice, true, 0)) == "1");
  CHECK(m.send(batch_of(alice, 1)) == "2");
  CHECK(m.stable() == 2);
}

TEST_CASE("a start knows a transaction without a marker for open, whatever it was before") {
  Epochs m;
  CHECK(m.send(batch_of(alice, 0)) == "0");
  m.log().commit_before_marker(alice);
  CHECK(m.stable() == 1);
  m.kill().open();
  m.load();
  CHECK(m.stable() == 0);
  CHECK_FALSE(m.log().producers().find(alice)->is_committed);
}

TEST_CASE("what can wait goes with the next commit, and with one of its own after a while") {
  Epochs m;
  m.log(partition(1));
  m.log(partition(2));
  Batch waiting = make_batch({"a"});
  waiting.can_wait = true;
  Machine::Answer first = m.start(std::move(waiting));
  m.executor.run_for(milliseconds(50));
  CHECK(m.told(first) == "nothing");
  Machine::Answer second = m.start(make_batch({"b"}), partition(2));
  while (!second->has_value() && m.executor.run_one()) {
  }
  CHECK(m.told(second) == "0");
  CHECK(m.told(first) == (leat::testing::shards() == 1 ? "0" : m.told(first)));
  m.executor.run_for(milliseconds(200));
  CHECK(m.told(first) == "0");

  std::uint64_t before = m.commits();
  waiting = make_batch({"c"});
  waiting.can_wait = true;
  Machine::Answer third = m.start(std::move(waiting));
  m.executor.run_for(milliseconds(200));
  CHECK(m.told(third) == "1");
  CHECK(m.commits() == before + 1);
}

TEST_CASE("what can wait takes along what is appended behind it, and is closed with the store") {
  Epochs m;
  Batch waiting = make_batch({"a"});
  waiting.can_wait = true;
  Machine::Answer first = m.start(std::move(waiting));
  CHECK(m.append({"b"}) == Offset{1});
  CHECK(m.told(first) == "0");
  waiting = make_batch({"c"});
  waiting.can_wait = true;
  m.start(std::move(waiting));
  m.close().open();
  CHECK(m.read() == "a b c");
}

TEST_CASE("commits that are held take in what is appended meanwhile") {
  Epochs m;
  CHECK(m.append({"a"}) == Offset{0});
  CHECK(m.append({"a"}, partition(2)) == Offset{0});
  std::uint64_t before = m.commits();
  std::shared_ptr<void> first = m.store->hold_commits();
  std::shared_ptr<void> second = m.store->hold_commits();
  Machine::Answer one = m.start_append({"b"});
  m.executor.run_for(milliseconds(10));
  Machine::Answer two = m.start_append({"b"}, partition(2));
  m.executor.run_for(milliseconds(10));
  first.reset();
  m.executor.run_for(milliseconds(10));
  CHECK(m.told(one) == "nothing");
  second.reset();
  m.executor.run_for(milliseconds(10));
  CHECK(m.told(one) == "1");
  CHECK(m.told(two) == "1");
  CHECK(m.commits() == before + 1);
  // It may outlive the store.
  first = m.store->hold_commits();
  m.kill();
  first.reset();
}

TEST_CASE("an essential batch is taken where others are refused for lack of room") {
  Machine m;
  m.options.free_bytes_min = std::uint64_t{1} << 20;
  m.open();
  CHECK(m.append({"a"}) == Offset{0});
  m.files.set_free_bytes(std::uint64_t{512} << 10);
  m.executor.run_for(std::chrono::seconds(10));
  auto refused = m.append({"b"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::no_space);
  Batch essential = make_batch({"c"});
  essential.is_essential = true;
  std::optional<Result<Offset>> answer;
  auto placed = m.log().append(std::move(essential),
                               [&](Result<Offset> result) { answer = std::move(result); });
  REQUIRE(placed);
  m.executor.run_for(milliseconds(100));
  REQUIRE(answer.has_value());
  CHECK(**answer == Offset{1});
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::log::testing
