#include "pipeline/compare_topics.h"

#include <future>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/thread_executor.h"
#include "record/builder.h"
#include "stream/memory_topics.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;

namespace {

struct Row {
  std::int64_t time_ms;
  std::string key;
  std::string value;
  std::int32_t partition = 0;
};

/// What a version wrote to a topic of two partitions.
class Scene {
 public:
  std::vector<OutputRange> write(const std::string& topic, const std::vector<Row>& rows) {
    auto made = topics_.create_topic(topic, 2);
    REQUIRE(made);
    std::vector<std::int64_t> ends(2, 0);
    for (const Row& row : rows) {
      record::BatchBuilder builder;
      builder.append(row.time_ms, as_bytes(row.key), as_bytes(row.value));
      topics_.append({made->id, PartitionId{row.partition}}, builder.build(),
                     [&](const Result<Offset>& offset) {
                       ends[static_cast<std::size_t>(row.partition)] = offset->value() + 1;
                     });
    }
    return {{topic, PartitionId{0}, Offset{0}, Offset{ends[0]}},
            {topic, PartitionId{1}, Offset{0}, Offset{ends[1]}}};
  }
  Difference compare(const std::vector<Row>& live, const std::vector<Row>& other,
                     bool only_last = false) {
    comparison.topics = {{"out", write("out", live), write("out.v2", other), only_last}};
    return compare_now();
  }
  Difference compare_now() {
    std::atomic<bool> stop{false};
    auto difference = compare_topics(topics_, comparison, stop);
    REQUIRE_MESSAGE(difference, difference.error().what);
    return *difference;
  }
  stream::MemoryTopics& topics() { return topics_; }

  Comparison comparison;

 private:
  stream::MemoryTopics topics_;
};

}  // namespace

TEST_CASE("the same records in the same order are identical, in another order the same") {
  std::vector<Row> rows{{5, "a", "1"}, {5, "b", "2"}, {10, "a", "3", 1}, {10, "b", "4"}};
  Difference same = Scene().compare(rows, rows);
  CHECK(same.is_identical);
  CHECK(same.is_same());
  CHECK(same.same_groups == 4);
  CHECK(same.live_records == 4);
  std::swap(rows[0], rows[1]);
  Difference swapped = Scene().compare({rows[1], rows[0], rows[2], rows[3]}, rows);
  CHECK_FALSE(swapped.is_identical);
  CHECK(swapped.is_same());
}

TEST_CASE("what differs is counted by key and time, and the first ones are shown") {
  Difference difference = Scene().compare({{5, "a", "1"}, {5, "b", "2"}, {10, "a", "3", 1}},
                                          {{5, "a", "1"}, {5, "b", "9"}, {15, "a", "3", 1}});
  CHECK_FALSE(difference.is_same());
  CHECK(difference.same_groups == 1);
  CHECK(difference.changed_groups == 1);
  CHECK(difference.live_only_groups == 1);
  CHECK(difference.other_only_groups == 1);
  REQUIRE(difference.first.size() == 3);
  CHECK(difference.first[0].key == "b");
  CHECK(difference.first[0].timestamp_ms == 5);
  CHECK(difference.first[0].live_value == "2");
  CHECK(difference.first[0].other_value == "9");
  CHECK(difference.first[1].other_records == 0);
  CHECK(difference.first[2].live_records == 0);
}

TEST_CASE("a record that is there twice is a difference, unless only the last one counts") {
  std::vector<Row> once{{5, "a", "3"}};
  std::vector<Row> revised{{5, "a", "1"}, {5, "a", "3"}};
  CHECK(Scene().compare(once, revised).changed_groups == 1);
  CHECK(Scene().compare(once, revised, true).is_same());
  CHECK_FALSE(Scene().compare(revised, {{5, "a", "3"}, {5, "a", "1"}}, true).is_same());
}

TEST_CASE("a comparison keeps to offsets and to times") {
  Scene scene;
  std::vector<OutputRange> live =
      scene.write("out", {{5, "a", "1"}, {10, "a", "2"}, {15, "a", "3"}, {20, "a", "4"}});
  std::vector<OutputRange> other = scene.write("out.v2", {{10, "a", "2"}, {15, "a", "3"}});
  scene.comparison.topics = {{"out", live, other}};
  CHECK(scene.compare_now().live_only_groups == 2);
  scene.comparison.to_ms = 20;
  CHECK(scene.compare_now().live_only_groups == 1);
  scene.comparison.is_from_first = true;
  CHECK(scene.compare_now().is_same());
  scene.comparison.is_from_first = false;
  scene.comparison.from_ms = 11;
  CHECK(scene.compare_now().is_same());
  CHECK(scene.compare_now().live_records == 1);
  scene.comparison.from_ms = 5;
  CHECK_FALSE(scene.compare_now().is_same());
  scene.comparison.from_ms = Comparison().from_ms;
  scene.comparison.is_from_first = true;
  scene.comparison.topics[0].live[0].begin = Offset{2};
  CHECK(scene.compare_now().other_only_groups == 1);
}

TEST_CASE("a job can be stopped, and says what it could not read") {
  Scene scene;
  ThreadExecutor executor("compare");
  CompareTopics compare(scene.topics(), executor);
  auto outcome = [&] {
    std::promise<Result<Difference>> promise;
    compare.begin(scene.comparison,
                  [&](Result<Difference> difference) { promise.set_value(std::move(difference)); });
    return promise.get_future().get();
  };
  scene.comparison.topics = {{"gone", {{"gone", PartitionId{0}, Offset{0}, Offset{1}}}, {}}};
  CHECK(outcome().error().code == Errc::unknown_topic_or_partition);
  scene.comparison.topics = {{"out", scene.write("out", {{5, "a", "1"}}), {}}};
  CHECK(outcome()->live_only_groups == 1);
  compare.stop();
  CHECK(outcome().error().code == Errc::cancelled);
}

TEST_SUITE_END();
