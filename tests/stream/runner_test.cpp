#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "stream/memory_topics.h"
#include "record/partitioner.h"
#include "stream/runner.h"
#include "stream/wikipedia.h"

TEST_SUITE_BEGIN("stream");

using namespace leat;
using namespace leat::stream;
using namespace std::chrono_literals;
using column::Type;

namespace {

const SystemClock system_clock;

plan::Plan per_user(std::int32_t sink_partitions = 1) {
  return *Pipeline::from("in")
              .json({{"user", Type::text}})
              .key_by({"user"})
              .tumble(1s)
              .aggregate({count("n")})
              .into("out", sink_partitions);
}

Bytes batch_of(std::int64_t time_ms, const std::string& user, int records = 1) {
  record::BatchBuilder builder;
  std::string json = "{\"user\":\"" + user + "\"}";
  for (int i = 0; i < records; ++i) builder.append(time_ms, {}, as_bytes(json));
  return builder.build();
}

void append(TopicStore& topics, const std::string& topic, std::int32_t partition, Bytes batch) {
  TopicPartition id{topics.find_topic(topic)->id, PartitionId{partition}};
  topics.append(id, std::move(batch), [](Result<Offset> appended) { REQUIRE(appended); });
}

std::vector<std::string> values(MemoryTopics& topics, const std::string& topic) {
  std::vector<std::string> all;
  for (const auto& record : topics.records(topic, 0)) all.push_back(*record.value);
  return all;
}

std::unique_ptr<Runner> open(const plan::Plan& plan, TopicStore& topics,
                             const RunOptions& options = {}) {
  auto runner = Runner::open(plan, topics, nullptr, system_clock, options);
  REQUIRE_MESSAGE(runner, runner.error().what);
  return std::move(*runner);
}

template <class Condition>
void wait_until(Condition condition) {
  while (!condition()) std::this_thread::sleep_for(1ms);
}

}  // namespace

TEST_CASE("a plan in mode batch ends by itself, and one that waits for triggers is refused") {
  MemoryTopics topics;
  topics.create_topic("in", 1);
  append(topics, "in", 0, batch_of(1'000, "a"));
  plan::Plan plan = per_user();
  plan.mode.type = plan::Mode::Type::batch;
  REQUIRE(open(plan, topics)->run());
  CHECK(values(topics, "out").size() == 1);
  plan.mode = {plan::Mode::Type::micro_batch, 1000, ""};
  auto refused = Runner::open(plan, topics, nullptr, system_clock, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::plan_error);
  CHECK(refused.error().what.find("leave it out") != std::string::npos);
}

TEST_CASE("a live run writes windows as they close, and the rest when it is drained") {
  MemoryTopics topics;
  topics.create_topic("in", 1);
  auto runner = open(per_user(), topics);
  runner->start();
  append(topics, "in", 0, batch_of(1'000, "a"));
  append(topics, "in", 0, batch_of(1'500, "b"));
  append(topics, "in", 0, batch_of(2'000, "a"));
  wait_until([&] { return values(topics, "out").size() == 2; });
  CHECK(runner->status().state == RunState::running);
  runner->drain();
  REQUIRE(runner->wait());
  const std::string second = R"("window_start":"1970-01-01T00:00:01Z",)"
                             R"("window_end":"1970-01-01T00:00:02Z")";
  CHECK(values(topics, "out") ==
        std::vector<std::string>{
            "{" + second + R"(,"user":"a","n":1})", "{" + second + R"(,"user":"b","n":1})",
            R"({"window_start":"1970-01-01T00:00:02Z","window_end":"1970-01-01T00:00:03Z",)"
            R"("user":"a","n":1})"});
  RunStatus status = runner->status();
  CHECK(status.state == RunState::finished);
  CHECK(status.progress.rows_in == 3);
  CHECK(status.progress.rows_out == 3);
  CHECK(status.progress.partitions[0].position == Offset{3});
  CHECK(status.ends == std::vector<std::optional<Offset>>{Offset{3}});
}

TEST_CASE("changes that are told now and then are told in a live run though nothing comes") {
  MemoryTopics topics;
  topics.create_topic("in", 1);
  plan::Plan plan = per_user();
  auto& window = std::get<plan::Window>(plan.nodes[1].body);
  window.emit = plan::Window::Emit::every;
  window.every_ms = 500;
  auto runner = open(plan, topics);
  runner->start();
  append(topics, "in", 0, batch_of(1'000, "a"));
  wait_until([&] { return values(topics, "out").size() == 1; });
  append(topics, "in", 0, batch_of(1'000, "a"));
  wait_until([&] { return values(topics, "out").size() == 2; });
  CHECK(values(topics, "out")[1].find(R"("n":2)") != std::string::npos);
}

TEST_CASE("a run that waits reads only when there is something to read") {
  MemoryTopics topics;
  topics.create_topic("in", 2);
  auto runner = open(per_user(), topics);
  runner->start();
  append(topics, "in", 0, batch_of(1'000, "a"));
  wait_until([&] { return runner->status().progress.rows_in == 1; });
  std::uint64_t reads = topics.reads();
  std::this_thread::sleep_for(20ms);
  // One more round may have been under way, in which both partitions were found read to their ends.
  CHECK(topics.reads() <= reads + 4);
  append(topics, "in", 1, batch_of(1'000, "a"));
  wait_until([&] { return runner->status().progress.rows_in == 2; });
}

TEST_CASE("the status names the partition that holds the watermark back") {
  MemoryTopics topics;
  topics.create_topic("in", 3);
  append(topics, "in", 0, batch_of(9'000, "a"));
  append(topics, "in", 1, batch_of(4'000, "a"));
  append(topics, "in", 2, batch_of(7'000, "a"));
  auto runner = open(per_user(), topics, {.at_end = AtEnd::stop});
  REQUIRE(runner->run());
  Progress progress = runner->status().progress;
  CHECK(progress.held_back_by == 1);
  CHECK(progress.watermark == 4'000);
  CHECK(progress.partitions[0].watermark == 9'000);
}

// Fault 36.
TEST_CASE("an event time of the year 2999 goes to the dead letters, and not into the watermark") {
  MemoryTopics topics;
  topics.create_topic("in", 1);
  auto event = [&](std::int64_t timestamp_ms, const std::string& time) {
    record::BatchBuilder builder;
    std::string json = "{\"at\":\"" + time + "\"}";
    builder.append(timestamp_ms, {}, as_bytes(json));
    append(topics, "in", 0, builder.build());
  };
  event(1'000, "1970-01-01T00:00:01Z");
  event(1'100, "2999-01-01T00:00:00Z");
  event(1'200, "1970-01-01T00:00:02.201Z");
  event(1'300, "1970-01-01T00:00:02.300Z");
  event(-1, "1970-01-01T00:00:04Z");
  plan::Plan plan = *Pipeline::from("in")
                         .json({{"at", Type::timestamp}})
                         .event_time("at")
                         .ahead_at_most(1s)
                         .dead_letters_to("dead")
                         .tumble(1s)
                         .aggregate({count("n")})
                         .late_to("late")
                         .into("out");
  auto runner = open(plan, topics, {.at_end = AtEnd::stop});
  REQUIRE(runner->run());
  Progress progress = runner->status().progress;
  CHECK(progress.rows_in == 3);
  CHECK(progress.bad == 2);
  CHECK(progress.late == 0);
  CHECK(progress.watermark == 4'000);
  auto dead = topics.records("dead", 0);
  REQUIRE(dead.size() == 2);
  CHECK(dead[0].value == R"({"at":"2999-01-01T00:00:00Z"})");
  CHECK(dead[1].value == R"({"at":"1970-01-01T00:00:02.201Z"})");
  CHECK(dead[0].headers[4] == std::pair<std::string, std::string>(
                                  "leat.reason",
                                  "the event time is more than 1000 ms ahead of the record's "
                                  "timestamp: ahead_max_ms of the source"));
}

TEST_CASE("a bounded run ends where its input ended when it was opened") {
  MemoryTopics topics;
  topics.create_topic("in", 1);
  for (int second = 1; second <= 5; ++second) {
    append(topics, "in", 0, batch_of(second * 1'000, "a"));
  }
  SUBCASE("and flushes, as a batch does") {
    auto runner = open(per_user(), topics, {.at_end = AtEnd::flush});
    append(topics, "in", 0, batch_of(9'000, "a"));
    REQUIRE(runner->run());
    CHECK(values(topics, "out").size() == 5);
  }
  SUBCASE("or stops as a live run stood there") {
    auto runner = open(per_user(), topics, {.at_end = AtEnd::stop});
    append(topics, "in", 0, batch_of(9'000, "a"));
    REQUIRE(runner->run());
    CHECK(values(topics, "out").size() == 4);
  }
  SUBCASE("and begins where it is told to") {
    auto runner = open(per_user(), topics, {.at_end = AtEnd::flush, .from = {Offset{2}}});
    REQUIRE(runner->run());
    CHECK(values(topics, "out").size() == 3);
  }
}

TEST_CASE("a run whose next record was deleted stops and names the offsets") {
  MemoryTopics topics;
  Topic topic = *topics.create_topic("in", 1);
  for (int i = 0; i < 9; ++i) append(topics, "in", 0, batch_of(1'000, "a"));
  auto runner = open(per_user(), topics, {.at_end = AtEnd::flush, .from = {Offset{3}}});
  topics.trim({topic.id, PartitionId{0}}, Offset{7});
  auto result = runner->run();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == Errc::offset_out_of_range);
  CHECK(result.error().what.find("offset 3 of partition 0 of in") != std::string::npos);
  CHECK(result.error().what.find("7 to 9") != std::string::npos);
  CHECK(runner->status().state == RunState::failed);
  CHECK(runner->status().error == result.error().what);
  CHECK(topics.records("out", 0).empty());
}

TEST_CASE("a bad record fails a run by default, behind the output that came before it") {
  MemoryTopics topics;
  topics.create_topic("in", 1);
  append(topics, "in", 0, batch_of(1'000, "a"));
  append(topics, "in", 0, batch_of(5'000, "a"));
  append(topics, "in", 0, batch_of(5'000, "\x01"));
  auto runner = open(per_user(), topics);
  runner->start();
  auto result = runner->wait();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == Errc::bad_record);
  CHECK(result.error().what.find("record 2 of partition 0 of in: not JSON: ") != std::string::npos);
}

TEST_CASE("what is skipped is counted") {
  MemoryTopics topics;
  topics.create_topic("in", 1);
  append(topics, "in", 0, batch_of(1'000, "\x01", 3));
  plan::Plan plan = per_user();
  std::get<plan::Source>(plan.nodes[0].body).bad_records.policy = plan::BadRows::Policy::skip;
  auto runner = open(plan, topics, {.at_end = AtEnd::flush});
  REQUIRE(runner->run());
  CHECK(runner->status().progress.bad == 3);
}

namespace {

/// Acknowledges appends later, on a thread of its own, and watches how many bytes wait for that.
class SlowTopics final : public TopicStore {
 public:
  ~SlowTopics() override { thread_.join(); }
  void acknowledge() {
    thread_ = std::thread([this] {
      while (!done_) {
        std::vector<UniqueFunction<void()>> ready;
        {
          std::lock_guard lock(mutex_);
          ready = std::exchange(waiting_, {});
        }
        for (auto& work : ready) work();
        std::this_thread::yield();
      }
    });
  }
  void finish() { done_ = true; }
  std::size_t most_in_flight() const { return most_; }
  MemoryTopics& topics() { return topics_; }

  Result<Topic> find_topic(const std::string& name) override { return topics_.find_topic(name); }
  Result<Topic> create_topic(const std::string& name, std::int32_t partitions) override {
    return topics_.create_topic(name, partitions);
  }
  Result<std::unique_ptr<TopicReader>> open(const Topic& topic) override {
    return topics_.open(topic);
  }
  void append(const TopicPartition& id, Bytes batch, AppendDone done) override {
    std::lock_guard lock(mutex_);
    in_flight_ += batch.size();
    most_ = std::max(most_, in_flight_);
    waiting_.push_back([this, id, batch = std::move(batch), done = std::move(done)]() mutable {
      {
        std::lock_guard inner(mutex_);
        in_flight_ -= batch.size();
      }
      if (fail_after_ > 0 && --fail_after_ == 0) {
        return done(fail(Errc::no_space, "the disk is full"));
      }
      topics_.append(id, std::move(batch), std::move(done));
    });
  }
  int fail_after_ = 0;

 private:
  MemoryTopics topics_;
  std::mutex mutex_;
  std::vector<UniqueFunction<void()>> waiting_;
  std::size_t in_flight_ = 0;
  std::size_t most_ = 0;
  std::atomic<bool> done_{false};
  std::thread thread_;
};

}  // namespace

TEST_CASE("output that is not acknowledged is bounded by bytes, and a failed append ends the run") {
  SlowTopics slow;
  slow.topics().create_topic("in", 1);
  for (int second = 1; second <= 400; ++second) {
    append(slow.topics(), "in", 0, batch_of(second * 1'000, "a"));
  }
  slow.acknowledge();
  RunOptions options{.at_end = AtEnd::flush};
  options.block_rows = 1;
  options.in_flight_bytes_max = 1'000;
  SUBCASE("bounded") {
    auto runner = open(per_user(), slow, options);
    REQUIRE(runner->run());
    CHECK(values(slow.topics(), "out").size() == 400);
    CHECK(slow.most_in_flight() <= 1'000);
    CHECK(slow.most_in_flight() > 300);
  }
  SUBCASE("failed") {
    slow.fail_after_ = 20;
    auto runner = open(per_user(), slow, options);
    auto result = runner->run();
    REQUIRE_FALSE(result);
    CHECK(result.error().code == Errc::no_space);
    CHECK(runner->status().error == "cannot write the output: the disk is full");
  }
  slow.finish();
}

TEST_CASE("a run that was killed and begun again writes equal records for equal windows") {
  MemoryTopics topics;
  Topic topic = *topics.create_topic("edits", 4);
  plan::Plan plan = *edits_per_channel().into("edits-per-channel", 2);
  std::get<plan::Source>(plan.nodes[0].body).idle_ms = 0;
  auto edits = wikipedia_edits();
  edits.resize(8'000);
  auto produce = [&](std::size_t from, std::size_t to) {
    for (; from < to; ++from) {
      std::size_t channel = edits[from].find("\"channel\":\"") + 11;
      std::string key = edits[from].substr(channel, edits[from].find('"', channel) - channel);
      record::BatchBuilder builder;
      builder.append(0, as_bytes(key), as_bytes(edits[from]));
      append(topics, "edits", record::partition_of_key(as_bytes(key), 4).value(), builder.build());
    }
  };
  {
    auto killed = open(plan, topics);
    killed->start();
    produce(0, 3'000);
    wait_until([&] { return killed->status().progress.rows_out > 100; });
  }
  auto runner = open(plan, topics);
  runner->start();
  produce(3'000, edits.size());
  runner->drain();
  REQUIRE(runner->wait());
  auto replay = open(shadow_of(plan, ".again"), topics, {.at_end = AtEnd::flush});
  REQUIRE(replay->run());
  for (std::int32_t partition : {0, 1}) {
    auto twice = topics.records("edits-per-channel", partition);
    auto once = topics.records("edits-per-channel.again", partition);
    CHECK(twice.size() > once.size());
    // First a beginning of the whole, then the whole.
    auto whole = std::vector(twice.end() - static_cast<std::ptrdiff_t>(once.size()), twice.end());
    CHECK(whole == once);
    twice.resize(twice.size() - once.size());
    CHECK(std::equal(twice.begin(), twice.end(), once.begin()));
  }
}

TEST_SUITE_END();
