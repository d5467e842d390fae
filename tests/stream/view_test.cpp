// Results as tables: what readers see, and when; how it was; what a snapshot has.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/random.h"
#include "stream/chunk_of_rows.h"
#include "stream/memory_topics.h"
#include "stream/runner.h"
#include "stream/task.h"
#include "stream/view.h"
#include "stream/view_sink.h"

TEST_SUITE_BEGIN("stream");

using namespace leat;
using namespace leat::stream;

namespace {

using Table = std::map<std::string, std::string>;

void stage(View& view, const std::string& key, const std::optional<std::string>& value,
           std::int64_t time_ms = 0) {
  if (!value) return view.stage(key, nullptr);
  view.stage(key, std::make_shared<ViewRow>(ViewRow{key, *value, time_ms}));
}

void commit(View& view, std::uint64_t epoch, Watermark watermark = watermark_min) {
  view.seal();
  ViewMoment moment;
  moment.epoch = epoch;
  moment.committed_ms = static_cast<std::int64_t>(epoch) * 1000;
  moment.watermark = watermark;
  moment.inputs.push_back({"in", PartitionId{0}, Offset{static_cast<std::int64_t>(epoch) * 10}});
  view.publish(std::move(moment));
}

Table table_of(const View::Answer& answer) {
  Table table;
  for (const auto& row : answer.rows) table[row->key] = row->json;
  return table;
}

Table read(const View& view, View::Query query = {}) {
  auto answer = view.read(query);
  REQUIRE_MESSAGE(answer.has_value(), answer.error().what);
  return table_of(*answer);
}

View::Query at_epoch(std::uint64_t epoch) {
  View::Query query;
  query.epoch = epoch;
  return query;
}

}  // namespace

TEST_CASE("a view shows the last row of each key, and what is gone no more") {
  View view({"v", {}});
  stage(view, "a", "1");
  stage(view, "b", "1");
  stage(view, "a", "2");
  commit(view, 1);
  CHECK(read(view) == Table{{"a", "2"}, {"b", "1"}});
  stage(view, "b", std::nullopt);
  stage(view, "never", std::nullopt);
  commit(view, 2);
  CHECK(read(view) == Table{{"a", "2"}});
  CHECK(view.rows() == 1);
}

TEST_CASE("a view shows nothing of an epoch before it is committed") {
  View view({"v", {}});
  stage(view, "a", "1");
  commit(view, 1);
  stage(view, "a", "2");
  CHECK(read(view) == Table{{"a", "1"}});
  view.seal();
  CHECK(read(view) == Table{{"a", "1"}});
  stage(view, "a", "3");  // already of the epoch behind it
  ViewMoment moment;
  moment.epoch = 2;
  view.publish(moment);
  CHECK(read(view) == Table{{"a", "2"}});
  auto answer = view.read({});
  CHECK(answer->moment.epoch == 2);
}

TEST_CASE("a view tells how it was at an epoch, and at a time") {
  View view({"v", {}});
  stage(view, "a", "1");
  commit(view, 3);
  stage(view, "a", "2");
  stage(view, "b", "2");
  commit(view, 5);
  stage(view, "a", std::nullopt);
  commit(view, 6);
  CHECK(read(view, at_epoch(3)) == Table{{"a", "1"}});
  CHECK(read(view, at_epoch(4)) == Table{{"a", "1"}});
  CHECK(read(view, at_epoch(5)) == Table{{"a", "2"}, {"b", "2"}});
  CHECK(read(view, at_epoch(6)) == Table{{"b", "2"}});
  View::Query then;
  then.time_ms = 5999;
  CHECK(view.read(then)->moment.epoch == 5);
  CHECK(view.read(then)->moment.inputs.at(0).next == Offset{50});
  then.key = "a";
  CHECK(read(view, then) == Table{{"a", "2"}});
  auto ahead = view.read(at_epoch(7));
  REQUIRE_FALSE(ahead.has_value());
  CHECK(ahead.error().what == "view v is at epoch 6, before epoch 7");
}

TEST_CASE("what a view keeps of older epochs is bounded, and it says from where on it knows") {
  View::Options options{"v", {}};
  options.undo_bytes_max = 4000;
  View view(options);
  for (std::uint64_t epoch = 1; epoch <= 200; ++epoch) {
    stage(view, "a", std::to_string(epoch));
    commit(view, epoch);
  }
  CHECK(view.bytes() < 5000);
  auto [oldest, newest] = view.epochs();
  CHECK(newest == 200);
  CHECK(oldest > 150);
  CHECK(read(view, at_epoch(oldest)) == Table{{"a", std::to_string(oldest)}});
  auto gone = view.read(at_epoch(oldest - 1));
  REQUIRE_FALSE(gone.has_value());
  CHECK(gone.error().code == Errc::offset_out_of_range);
  CHECK(gone.error().what == fmt::format("view v is known from epoch {} on", oldest));
}

TEST_CASE("rows that are too far behind the watermark leave a view that says so") {
  View view({"v", 1000});
  stage(view, "old", "1", 5000);
  stage(view, "new", "1", 9000);
  commit(view, 1, 6000);
  CHECK(read(view).size() == 2);
  commit(view, 2, 6001);
  CHECK(read(view) == Table{{"new", "1"}});
  CHECK(read(view, at_epoch(1)).size() == 2);
  stage(view, "new", "2", 20'000);
  commit(view, 3, 15'000);
  CHECK(read(view) == Table{{"new", "2"}});
  commit(view, 4, watermark_max);  // the end of a bounded run lets nothing go
  CHECK(read(view) == Table{{"new", "2"}});
}

TEST_CASE("a view is read in parts, each from behind the last key of the one before") {
  View view({"v", {}});
  for (char key = 'a'; key <= 'g'; ++key) stage(view, std::string(1, key), "1");
  commit(view, 1);
  stage(view, "c", std::nullopt);
  stage(view, "h", "1");
  commit(view, 2);
  for (std::uint64_t epoch : {1, 2}) {
    std::string keys;
    View::Query query = at_epoch(epoch);
    query.limit = 2;
    for (bool more = true; more;) {
      auto answer = view.read(query);
      REQUIRE(answer.has_value());
      for (const auto& row : answer->rows) keys += row->key;
      more = answer->has_more;
      if (!answer->rows.empty()) query.after = answer->rows.back()->key;
    }
    CHECK(keys == (epoch == 1 ? "abcdefg" : "abdefgh"));
  }
}

TEST_CASE("whatever changes come, a view is what a table would be, then and now (by seed)") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    View view({"v", {}});
    std::map<std::uint64_t, Table> history;
    Table now;
    history[0] = now;
    for (std::uint64_t epoch = 1; epoch <= 30; ++epoch) {
      for (auto n = random.below(6); n > 0; --n) {
        std::string key = std::to_string(random.below(8));
        if (random.one_in(3)) {
          stage(view, key, std::nullopt);
          now.erase(key);
        } else {
          now[key] = std::to_string(random.below(1000));
          stage(view, key, now[key]);
        }
      }
      commit(view, epoch);
      history[epoch] = now;
    }
    for (const auto& [epoch, table] : history) CHECK(read(view, at_epoch(epoch)) == table);
    // Also with what is not committed: what an epoch on its way has, and what comes behind it.
    stage(view, "under way", "1");
    view.seal();
    stage(view, "later", "1");
    StateWriter writer;
    writer.section("v", 1);
    view.snapshot(writer);
    Bytes bytes = writer.finish();
    auto reader = StateReader::open(bytes);
    REQUIRE(reader.has_value());
    REQUIRE(reader->section("v", 1).has_value());
    View restored({"v", {}});
    REQUIRE(restored.restore(*reader).has_value());
    REQUIRE(reader->finish().has_value());
    now["under way"] = "1";
    now["later"] = "1";
    CHECK(read(restored) == now);
  }
}

namespace {

plan::Plan counting_plan() {
  auto plan = plan::parse(R"j({"version": 1, "name": "p", "nodes": [
      {"name": "in", "type": "source", "topic": "in", "event_time": "at", "columns": [
         {"name": "at", "type": "timestamp"}, {"name": "k", "type": "text"}]},
      {"name": "w", "type": "window", "input": "in", "keys": ["k"], "emit": "update",
       "window": {"kind": "tumbling", "size_ms": 1000},
       "aggregates": [{"name": "n", "function": "count"}]},
      {"name": "out", "type": "sink", "input": "w", "view": "counts",
       "keys": ["window_start", "k"]}]})j");
  REQUIRE_MESSAGE(plan.has_value(), plan.error().what);
  return *plan;
}

void produce(MemoryTopics& topics, const std::string& key, std::int64_t time_ms) {
  auto topic = topics.create_topic("in", 1);
  OutputBatches out;
  std::string value = fmt::format(R"({{"at":{},"k":"{}"}})", time_ms, key);
  out.append({topic->id, PartitionId{0}}, time_ms, {}, as_bytes(value));
  for (auto& batch : out.take())
    topics.append(batch.partition, std::move(batch.bytes), [](auto) {});
}

}  // namespace

TEST_CASE("a plan's view has what its window says now, and goes on from a snapshot") {
  MemoryTopics topics;
  SystemClock clock;
  produce(topics, "a", 100);
  produce(topics, "b", 200);
  produce(topics, "a", 300);
  OutputBatches out;
  auto task = Task::open(counting_plan(), topics, nullptr, clock, {});
  REQUIRE_MESSAGE(task.has_value(), task.error().what);
  while (*(*task)->step(out)) {
  }
  auto view = (*task)->views().at(0);
  commit(*view, 1);
  auto rows = view->read({});
  REQUIRE(rows->rows.size() == 2);
  std::string key = R"({"window_start":"1970-01-01T00:00:00Z","k":"a"})";
  View::Query of_a;
  of_a.key = key;
  REQUIRE(view->read(of_a)->rows.size() == 1);
  CHECK(view->read(of_a)->rows[0]->json.find(R"("n":2)") != std::string::npos);

  Bytes snapshot = (*task)->snapshot();
  produce(topics, "a", 400);
  auto next = Task::open(counting_plan(), topics, nullptr, clock, {});
  REQUIRE((*next)->restore(snapshot).has_value());
  while (*(*next)->step(out)) {
  }
  auto again = (*next)->views().at(0);
  commit(*again, 2);
  CHECK(again->read({})->rows.size() == 2);
  CHECK(again->read(of_a)->rows.at(0)->json.find(R"("n":3)") != std::string::npos);
  CHECK(out.take().empty());
}

TEST_CASE("a run without epochs refuses a view, and says what to have instead") {
  MemoryTopics topics;
  SystemClock clock;
  produce(topics, "a", 100);
  auto runner = Runner::open(counting_plan(), topics, nullptr, clock, {});
  REQUIRE_FALSE(runner.has_value());
  CHECK(runner.error().what.find("give view counts a topic") != std::string::npos);
}

TEST_CASE("a view says what it is complete up to, and what has gone because of its age") {
  View view({"v", 1000});
  CHECK(view.read({})->moment.dropped_to_ms == watermark_min);
  stage(view, "a", "1", 5000);
  stage(view, "b", "1", 6000);
  commit(view, 1, 6000);
  CHECK(view.read({})->moment.complete_to == 6000);
  CHECK(view.read({})->moment.dropped_to_ms == watermark_min);
  commit(view, 2, 6500);
  CHECK(read(view) == Table{{"b", "1"}});
  CHECK(view.read({})->moment.dropped_to_ms == 5000);
  view.stage_end(6400);
  commit(view, 3, watermark_max);
  CHECK(view.read({})->moment.complete_to == 6400);
  CHECK(view.read(at_epoch(2))->moment.complete_to == 6500);
  CHECK(view.read(at_epoch(1))->moment.dropped_to_ms == watermark_min);
  StateWriter writer;
  view.snapshot(writer);
  Bytes bytes = writer.finish();
  View again({"v", 1000});
  auto reader = StateReader::open(bytes);
  REQUIRE(reader.has_value());
  REQUIRE(again.restore(*reader).has_value());
  commit(again, 3, watermark_max);
  CHECK(again.read({})->moment.complete_to == 6400);
  CHECK(again.read({})->moment.dropped_to_ms == 5000);
}

TEST_CASE("a view can be told that nothing of before it may be seen") {
  View view({"v", {}});
  stage(view, "a", "1");
  commit(view, 1);
  stage(view, "a", "2");
  commit(view, 2);
  view.forget_past();
  CHECK(read(view) == Table{{"a", "2"}});
  CHECK_FALSE(view.read(at_epoch(1)).has_value());
  stage(view, "a", "3");
  commit(view, 3);
  CHECK(read(view, at_epoch(2)) == Table{{"a", "2"}});
}

TEST_SUITE_END();
