// The runtime over a real data directory: the same pipeline as in wikipedia_test.cpp, from a log on
// disk and into it.
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "file/posix_file_system.h"
#include "record/builder.h"
#include "record/record.h"
#include "stream/data_directory.h"
#include "record/partitioner.h"
#include "stream/runner.h"
#include "stream/wikipedia.h"

TEST_SUITE_BEGIN("stream");

using namespace leat;
using namespace leat::stream;

namespace {

file::PosixFileSystem files;
const SystemClock system_clock;

/// A directory that is gone when the test is.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "leat-stream-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  std::string path() const { return path_ + "/data"; }

 private:
  std::string path_;
};

std::unique_ptr<DataDirectory> open(const TemporaryDirectory& temporary) {
  broker::BrokerOptions options;
  options.store.directory = temporary.path();
  options.store.owner = "test";
  auto directory = DataDirectory::open(options, files, system_clock, Random(1));
  REQUIRE_MESSAGE(directory, directory.error().what);
  return std::move(*directory);
}

/// Appends and waits; what was appended is readable then.
void append(TopicStore& topics, const TopicPartition& partition, Bytes batch) {
  std::atomic<bool> done{false};
  topics.append(partition, std::move(batch), [&](Result<Offset> appended) {
    REQUIRE_MESSAGE(appended, appended.error().what);
    done = true;
    done.notify_one();
  });
  done.wait(false);
}

void produce_edits(TopicStore& topics, const Topic& topic) {
  std::vector<record::BatchBuilder> builders(static_cast<std::size_t>(topic.partitions));
  auto flush = [&](std::int32_t partition) {
    auto& builder = builders[static_cast<std::size_t>(partition)];
    if (builder.empty()) return;
    append(topics, {topic.id, PartitionId{partition}},
           builder.build({.compression = record::Compression::lz4}));
  };
  for (const auto& edit : wikipedia_edits()) {
    std::size_t channel = edit.find("\"channel\":\"") + 11;
    std::string key = edit.substr(channel, edit.find('"', channel) - channel);
    std::int32_t partition = record::partition_of_key(as_bytes(key), topic.partitions).value();
    auto& builder = builders[static_cast<std::size_t>(partition)];
    builder.append(0, as_bytes(key), as_bytes(edit));
    if (builder.record_count() == 700) flush(partition);
  }
  for (std::int32_t i = 0; i < topic.partitions; ++i) flush(i);
}

/// Keys, values and timestamps of a partition, one record a line.
std::vector<std::string> lines(TopicStore& topics, const std::string& name) {
  Topic topic = *topics.find_topic(name);
  std::vector<std::string> all;
  auto reader = *topics.open(topic);
  auto readable = *reader->readable();
  for (std::int32_t i = 0; i < topic.partitions; ++i) {
    auto [next, end] = readable[static_cast<std::size_t>(i)];
    while (next < end) {
      auto batches = reader->read(PartitionId{i}, next, 1);
      REQUIRE(batches);
      auto batch = record::BatchView::parse(batches->bytes);
      record::RecordIterator records(*batch);
      while (const record::Record* record = records.next()) {
        all.push_back(std::to_string(i) + " " + std::to_string(record->timestamp_ms) + " " +
                      std::string(as_text(*record->key)) + " " +
                      std::string(as_text(*record->value)));
      }
      next = batch->next_offset();
    }
  }
  return all;
}

}  // namespace

TEST_CASE("a data directory without a server runs a pipeline live and again by replay") {
  TemporaryDirectory temporary;
  plan::Plan plan = *edits_per_channel().idle({}).into("edits-per-channel", 2);
  std::vector<std::string> live;
  {
    auto directory = open(temporary);
    Topic topic = *directory->topics().create_topic("edits", 4);
    CHECK(directory->topics().create_topic("edits", 9)->id == topic.id);
    auto runner = Runner::open(plan, directory->topics(), nullptr, system_clock, {});
    REQUIRE_MESSAGE(runner, runner.error().what);
    (*runner)->start();
    produce_edits(directory->topics(), topic);
    (*runner)->drain();
    auto result = (*runner)->wait();
    REQUIRE_MESSAGE(result, result.error().what);
    CHECK((*runner)->status().progress.rows_in == wikipedia_edits().size());
    live = lines(directory->topics(), "edits-per-channel");
    CHECK(live.size() == wikipedia_tumble_5m().size());
  }
  auto directory = open(temporary);
  CHECK(lines(directory->topics(), "edits-per-channel") == live);
  auto replay = Runner::open(shadow_of(plan, ".again"), directory->topics(), nullptr, system_clock,
                             {.at_end = AtEnd::flush});
  REQUIRE(replay);
  REQUIRE((*replay)->run());
  CHECK(lines(directory->topics(), "edits-per-channel.again") == live);
}

TEST_CASE("a topic that was found has all its records, however young the broker is") {
  constexpr std::int32_t batches = 20;
  TemporaryDirectory temporary;
  {
    auto directory = open(temporary);
    Topic topic = *directory->topics().create_topic("orders", 4);
    // With a producer's id: how much of it is committed takes a look at the log.
    for (std::int32_t id = 0; id < topic.partitions; ++id) {
      for (std::int32_t sequence = 0; sequence < batches; ++sequence) {
        record::BatchBuilder builder;
        builder.append(0, {}, as_bytes(std::string("order")));
        append(directory->topics(), {topic.id, PartitionId{id}},
               builder.build(
                   {.producer_id = ProducerId{7}, .producer_epoch = 0, .base_sequence = sequence}));
      }
    }
  }
  constexpr int starts = 10;
  for (int i = 0; i < starts; ++i) {
    auto directory = open(temporary);
    Topic topic = *directory->topics().find_topic("orders");
    std::int64_t records = 0;
    auto reader = *directory->topics().open(topic);
    auto readable = *reader->readable();
    for (const auto& partition : readable) records += partition.high_watermark.value();
    CHECK(records == topic.partitions * batches);
  }
}

TEST_CASE("a live run whose input is deleted stops with an error that says so") {
  TemporaryDirectory temporary;
  auto directory = open(temporary);
  Topic topic = *directory->topics().create_topic("edits", 2);
  plan::Plan plan = *edits_per_channel().idle({}).into("edits-per-channel", 2);
  auto reader = *directory->topics().open(topic);
  auto runner = Runner::open(plan, directory->topics(), nullptr, system_clock, {});
  REQUIRE_MESSAGE(runner, runner.error().what);
  (*runner)->start();
  produce_edits(directory->topics(), topic);
  SUBCASE("at any moment") {}
  SUBCASE("while it waits for records") {
    while ((*runner)->status().progress.rows_in < wikipedia_edits().size()) {
      std::this_thread::yield();
    }
  }
  directory->executor().post([&] {
    directory->broker().delete_topic(topic.id, [](Result<void> done) { REQUIRE(done); });
  });
  auto result = (*runner)->wait();
  REQUIRE_FALSE(result);
  CHECK(result.error().code == Errc::unknown_topic_or_partition);
  CHECK(result.error().what.find(" of edits from offset ") != std::string::npos);
  CHECK(result.error().what.ends_with("the topic was deleted"));
  CHECK((*runner)->status().state == RunState::failed);
  // Another topic of that name is not its input.
  CHECK(directory->topics().create_topic("edits", 2)->id != topic.id);
  CHECK(reader->readable().error().code == Errc::unknown_topic_or_partition);
  CHECK_FALSE(reader->known_end(PartitionId{0}));
}

TEST_CASE("topics that are not there, and offsets out of range, are errors") {
  TemporaryDirectory temporary;
  auto directory = open(temporary);
  CHECK(directory->topics().find_topic("none").error().code == Errc::unknown_topic_or_partition);
  CHECK(directory->topics().create_topic("bad name", 1).error().code == Errc::invalid_topic);
  Topic topic = *directory->topics().create_topic("t", 1);
  auto reader = *directory->topics().open(topic);
  auto none = reader->read(PartitionId{0}, Offset{0}, 1);
  CHECK(none->bytes.empty());
  CHECK_FALSE(none->on_their_way);
  CHECK(reader->read(PartitionId{0}, Offset{1}, 1).error().code == Errc::offset_out_of_range);
}

TEST_CASE("who waits for a record is woken by it, or at once if it is there") {
  TemporaryDirectory temporary;
  auto directory = open(temporary);
  Topic topic = *directory->topics().create_topic("t", 1);
  TopicPartition partition{topic.id, PartitionId{0}};
  std::atomic<int> woken{0};
  auto wake = [&] {
    ++woken;
    woken.notify_all();
  };
  auto one = [] {
    record::BatchBuilder builder;
    builder.append(0, {}, as_bytes("x"));
    return builder.build();
  };
  auto reader = *directory->topics().open(topic);
  reader->when_readable(PartitionId{0}, Offset{1}, wake);
  append(directory->topics(), partition, one());
  CHECK(woken == 0);
  append(directory->topics(), partition, one());
  while (woken == 0) woken.wait(0);
  reader->when_readable(PartitionId{0}, Offset{0}, wake);
  CHECK(woken == 2);
}

TEST_SUITE_END();
