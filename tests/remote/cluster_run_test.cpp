// Pipelines over a cluster: the same answers as over a data directory, whatever happens on the way.
#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "base/clock.h"
#include "client/lossy_broker.h"
#include "cluster_options.h"
#include "leat/stream.h"
#include "record/builder.h"
#include "record/partitioner.h"
#include "record/record.h"
#include "remote/remote_topics.h"
#include "stream/runner.h"
#include "stream/wikipedia.h"

TEST_SUITE_BEGIN("remote");

using namespace leat;
using namespace leat::remote;
using stream::AtEnd;
using stream::Runner;

namespace {

const SystemClock system_clock;

/// The edits in a topic of three partitions, by channel.
void produce_edits(stream::TopicStore& topics) {
  auto topic = topics.create_topic("edits", 3);
  REQUIRE_MESSAGE(topic, topic.error().what);
  std::vector<record::BatchBuilder> builders(3);
  std::atomic<int> under_way = 0;
  auto flush = [&](std::size_t partition) {
    if (builders[partition].empty()) return;
    ++under_way;
    topics.append({topic->id, PartitionId{static_cast<std::int32_t>(partition)}},
                  builders[partition].build({.compression = record::Compression::lz4}),
                  [&](Result<Offset> appended) {
                    CHECK_MESSAGE(appended, appended.error().what);
                    --under_way;
                  });
  };
  for (const auto& edit : stream::wikipedia_edits()) {
    std::size_t channel = edit.find("\"channel\":\"") + 11;
    std::string key = edit.substr(channel, edit.find('"', channel) - channel);
    auto to = static_cast<std::size_t>(record::partition_of_key(as_bytes(key), 3).value());
    builders[to].append(0, as_bytes(key), as_bytes(edit));
    if (builders[to].record_count() == 700) flush(to);
  }
  for (std::size_t i = 0; i < 3; ++i) flush(i);
  while (under_way > 0) std::this_thread::yield();
}

/// Values of all partitions, sorted.
std::vector<std::string> values(server::TestServer& server, const std::string& topic) {
  ClientOptions direct;
  direct.brokers = server.server().kafka_address().to_string();
  RemoteTopics topics(direct);
  auto reader = *topics.open(*topics.find_topic(topic));
  auto readable = *reader->readable();
  std::vector<std::string> all;
  for (std::size_t i = 0; i < readable.size(); ++i) {
    PartitionId id{static_cast<std::int32_t>(i)};
    auto [next, end] = readable[i];
    while (next < end) {
      auto batches = reader->read(id, next, 1);
      REQUIRE(batches);
      if (batches->bytes.empty()) {
        std::this_thread::yield();
        continue;
      }
      auto batch = record::BatchView::parse(batches->bytes);
      record::RecordIterator records(*batch);
      while (const record::Record* record = records.next())
        all.emplace_back(as_text(*record->value));
      next = batch->next_offset();
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

plan::Plan edits_plan() {
  return *stream::edits_per_channel().idle({}).into("edits-per-channel", 2);
}

}  // namespace

TEST_CASE(
    "a pipeline over a cluster gives what it gives live and by replay, while answers get lost") {
  std::vector<std::string> live;
  for (std::uint64_t seed : {0, 1, 2, 3}) {
    CAPTURE(seed);
    LossyBroker broker(false);
    broker.server().create_topic("edits", 3);
    if (seed > 0) broker.proxy().lose(seed, 1000);  // an answer takes hundreds of reads
    RemoteTopics topics(hurried_options(broker), {.partition_bytes = 64 << 10, .bytes = 512 << 10});
    auto runner = Runner::open(edits_plan(), topics, nullptr, system_clock,
                               {.read_bytes = 64 << 10, .workers = 2});
    REQUIRE_MESSAGE(runner, runner.error().what);
    (*runner)->start();
    produce_edits(topics);
    (*runner)->drain();
    auto result = (*runner)->wait();
    REQUIRE_MESSAGE(result, result.error().what);
    CHECK((*runner)->status().progress.rows_in == stream::wikipedia_edits().size());
    auto rows = values(broker.server(), "edits-per-channel");
    CHECK(rows.size() == stream::wikipedia_tumble_5m().size());
    if (live.empty()) live = rows;
    CHECK(rows == live);
    auto replay = Runner::open(stream::shadow_of(edits_plan(), ".again"), topics, nullptr,
                               system_clock, {.at_end = AtEnd::flush, .workers = 3});
    REQUIRE_MESSAGE(replay, replay.error().what);
    auto replayed = (*replay)->run();
    REQUIRE_MESSAGE(replayed, replayed.error().what);
    CHECK(values(broker.server(), "edits-per-channel.again") == live);
  }
}

TEST_CASE("a program runs its pipelines over a cluster as over a directory") {
  LossyBroker broker(false);
  flow::Runtime runtime({.cluster = hurried_options(broker)});
  runtime.create_topic("in", 2);
  OutRecord record;
  record.topic = "in";
  record.key = "a";
  record.value = R"({"n": 1})";
  CHECK(runtime.append(record) == 0);
  CHECK(runtime.append(record) == 1);
  flow::Pipeline pipeline("double");
  pipeline.from("in", {{"n", flow::Type::bigint}}).map({(flow::col("n") * 2).as("n")}).to("out");
  runtime.run(pipeline, {.at_end = flow::AtEnd::flush}).wait();
  CHECK(values(broker.server(), "out") == std::vector<std::string>{R"({"n":2})", R"({"n":2})"});
  flow::Pipeline missing("missing");
  missing.from("none", {{"n", flow::Type::bigint}}).to("out");
  CHECK_THROWS_WITH_AS(runtime.run(missing),
                       doctest::Contains("there is no topic none at 127.0.0.1:"), flow::Error);
}

TEST_CASE("a run is stopped at once, also when its broker says nothing any more") {
  LossyBroker broker(false);
  broker.server().create_topic("edits", 3);
  RemoteTopics topics(hurried_options(broker));
  produce_edits(topics);
  auto runner = Runner::open(edits_plan(), topics, nullptr, system_clock, {.read_bytes = 4096});
  REQUIRE_MESSAGE(runner, runner.error().what);
  broker.proxy().silence();
  (*runner)->start();
  (*runner)->stop();
  auto result = (*runner)->wait();
  REQUIRE_MESSAGE(result, result.error().what);
  CHECK((*runner)->status().state == stream::RunState::stopped);
}

TEST_CASE("a run whose input is deleted and made anew ends with an error that says so") {
  LossyBroker broker(false);
  broker.server().create_topic("edits", 3);
  RemoteTopics topics(hurried_options(broker));
  produce_edits(topics);
  auto runner = Runner::open(edits_plan(), topics, nullptr, system_clock, {});
  REQUIRE_MESSAGE(runner, runner.error().what);
  (*runner)->start();
  while ((*runner)->status().progress.rows_in < stream::wikipedia_edits().size()) {
    std::this_thread::yield();
  }
  blocking::Admin admin(hurried_options(broker));
  admin.delete_topic("edits");
  admin.create_topic({"edits", 3});
  auto result = (*runner)->wait();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == Errc::unknown_topic_or_partition);
  CHECK(result.error().what.find("the topic was deleted, and made anew") != std::string::npos);
}

TEST_SUITE_END();
