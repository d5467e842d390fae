#include "broker/broker.h"

#include <array>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "base/sim_executor.h"
#include "file/fake_file_system.h"
#include "record/builder.h"
#include "record/record.h"
#include "shards.h"

TEST_SUITE_BEGIN("broker");

using namespace leat;
using namespace leat::broker;

namespace {

/// A broker on a simulated disk, and a small language to use it.
class World {
 public:
  explicit World(BrokerOptions options = {}) : options_(std::move(options)) {
    options_.store.directory = "/data";
    open();
  }

  void open() {
    auto opened = Broker::open({files_, sim_, sim_, metrics_, shards_.executors()}, options_,
                               Random(1));  // the same chance in every life
    REQUIRE_MESSAGE(opened, opened.error().what);
    broker_ = std::move(*opened);
  }
  void close_and_open() {
    std::optional<Result<void>> closed;
    broker_->close([&](Result<void> result) { closed = result; });
    run_until([&] { return closed.has_value(); });
    REQUIRE(*closed);
    broker_.reset();
    open();
  }
  void kill_and_open() {
    sim_.drop_all();
    files_.kill();
    broker_.reset();
    open();
  }

  /// Ends the process, leaves bytes behind a partition's log that are no batch, and starts again:
  /// recovery cuts them off, which raises the leader epoch.
  void kill_and_open_with_junk(const std::string& topic) {
    std::string id = broker_->find_topic(topic)->info.id.to_hex();
    sim_.drop_all();
    files_.kill();
    broker_.reset();
    for (const std::string& path : files_.file_paths()) {
      if (path.find(id) == std::string::npos || !path.ends_with(".log")) continue;
      auto file = files_.open(path, file::OpenMode::read_write);
      REQUIRE(file);
      std::array junk{as_bytes("junk")};
      REQUIRE((*file)->write_at(*(*file)->size(), junk));
    }
    open();
  }

  Result<TopicInfo> create(const NewTopic& topic) {
    std::optional<Result<TopicInfo>> created;
    broker_->create_topic(topic, [&](Result<TopicInfo> result) { created = std::move(result); });
    run_until([&] { return created.has_value(); });
    return *created;
  }
  Result<void> remove(const std::string& name) {
    std::optional<Result<void>> removed;
    broker_->delete_topic(broker_->find_topic(name)->info.id,
                          [&](Result<void> result) { removed = result; });
    run_until([&] { return removed.has_value(); });
    return *removed;
  }
  Result<void> add_partitions(const std::string& name, std::int32_t count) {
    return wait([&](auto done) {
      broker_->create_partitions(broker_->find_topic(name)->info.id, count, std::move(done));
    });
  }
  Result<void> alter(const std::string& name, const ConfigMap& configs) {
    return wait([&](auto done) {
      broker_->alter_topic(broker_->find_topic(name)->info.id, configs, std::move(done));
    });
  }
  /// The new start offset.
  Result<Offset> delete_records(const std::string& topic, std::int64_t offset) {
    std::optional<Result<Offset>> start;
    broker_->find_partition(topic, PartitionId{0})
        ->delete_records(offset, [&](Result<Offset> result) { start = std::move(result); });
    CHECK_FALSE(start.has_value());
    run_until([&] { return start.has_value(); });
    return *start;
  }
  Result<Appended> produce(const std::string& topic, std::int32_t partition,
                           const std::string& value, std::int64_t timestamp_ms = -2) {
    record::BatchBuilder builder;
    builder.append(timestamp_ms == -2 ? sim_.wall_ms() : timestamp_ms, std::nullopt,
                   as_bytes(value));
    return produce_bytes(topic, partition, builder.build());
  }
  Result<Appended> produce_bytes(const std::string& topic, std::int32_t partition, Bytes batch) {
    auto bytes = std::make_shared<Bytes>(std::move(batch));
    std::optional<Result<Appended>> appended;
    broker_->find_partition(topic, PartitionId{partition})
        ->append(bytes, MutableBytes(*bytes), 9,
                 [&](Result<Appended> result) { appended = std::move(result); });
    CHECK_FALSE(appended.has_value());
    run_until([&] { return appended.has_value(); });
    return *appended;
  }
  /// Every value below the high watermark, with the timestamps, as "value@timestamp".
  std::vector<std::string> read(const std::string& topic, std::int32_t partition) {
    auto view = broker_->find_partition(topic, PartitionId{partition})->view();
    std::vector<std::string> values;
    Offset next = view->start_offset;
    while (next < view->high_watermark) {
      auto slice = view->read(next, 1 << 20);
      REQUIRE_MESSAGE(slice, slice.error().what);
      Bytes bytes(slice->bytes);
      REQUIRE(slice->file->read_at(slice->position, bytes));
      for (BytesView rest = bytes; !rest.empty();) {
        auto batch = record::BatchView::parse(rest);
        REQUIRE(batch);
        record::RecordIterator records(*batch);
        while (const auto* record = records.next()) {
          values.emplace_back(as_text(*record->value));
          last_timestamp_ms = record->timestamp_ms;
        }
        rest = rest.subspan(batch->size_bytes());
      }
      next = slice->next_offset;
    }
    return values;
  }

  Broker& broker() { return *broker_; }
  SimExecutor& sim() { return sim_; }
  file::FakeFileSystem& files() { return files_; }
  template <class Start>
  Result<void> wait(Start start) {
    std::optional<Result<void>> outcome;
    start([&](Result<void> result) { outcome = std::move(result); });
    CHECK_FALSE(outcome.has_value());
    run_until([&] { return outcome.has_value(); });
    return *outcome;
  }
  std::int64_t last_timestamp_ms = 0;

  template <class Condition>
  void run_until(Condition condition) {
    while (!condition()) REQUIRE(sim_.run_one());
  }

 private:
  BrokerOptions options_;
  SimExecutor sim_;
  leat::testing::SimShards shards_{sim_, 7};
  file::FakeFileSystem files_{sim_, 1};
  Metrics metrics_;
  std::unique_ptr<Broker> broker_;
};

using Values = std::vector<std::string>;

}  // namespace

TEST_CASE("a topic that was acknowledged is there after a crash, with its id and settings") {
  World world;
  auto made = world.create({"edits", 3, {{"retention.ms", "5000"}}});
  REQUIRE(made);
  Uuid cluster = world.broker().cluster_id();
  world.kill_and_open();
  TopicPtr topic = world.broker().find_topic("edits");
  REQUIRE(topic != nullptr);
  CHECK(topic->info.id == made->id);
  CHECK(topic->info.partitions == 3);
  CHECK(topic->info.configs.at("retention.ms") == "5000");
  CHECK(world.broker().find_partition("edits", PartitionId{2}) != nullptr);
  CHECK(world.broker().find_partition("edits", PartitionId{3}) == nullptr);
  CHECK(world.broker().find_partition("edits", PartitionId{-1}) == nullptr);
  CHECK(world.broker().cluster_id() == cluster);
}

TEST_CASE("a new topic is refused with the reason") {
  BrokerOptions options;
  options.partitions_max = 10;
  World world(options);
  REQUIRE(world.create({"a.b", 2, {}}));
  struct Case {
    NewTopic topic;
    Errc code;
  };
  for (const Case& c :
       {Case{{"a.b", 1, {}}, Errc::topic_already_exists}, Case{{"a_b", 1, {}}, Errc::invalid_topic},
        Case{{"a/b", 1, {}}, Errc::invalid_topic}, Case{{"c", 0, {}}, Errc::invalid_partitions},
        Case{{"c", 9, {}}, Errc::policy_violation},
        Case{{"c", 1, {{"x", "y"}}}, Errc::invalid_config}}) {
    auto made = world.create(c.topic);
    REQUIRE_FALSE(made);
    CHECK(made.error().code == c.code);
  }
  CHECK(world.create({"c", 8, {}}));
}

TEST_CASE("a topic made again under its name is another topic, and empty") {
  World world;
  auto first = world.create({"t", 1, {}});
  REQUIRE(world.produce("t", 0, "old"));
  REQUIRE(world.remove("t"));
  CHECK(world.broker().find_topic("t") == nullptr);
  auto second = world.create({"t", 1, {}});
  REQUIRE(second);
  CHECK(second->id != first->id);
  CHECK(world.read("t", 0).empty());
  world.kill_and_open();
  CHECK(world.read("t", 0).empty());
  CHECK(world.broker().find_topic(first->id) == nullptr);
}

TEST_CASE("no two topics get the same id, even if chance repeats itself after a restart") {
  World world;
  std::set<Uuid> ids;
  for (int life = 0; life < 3; ++life) {
    for (int i = 0; i < 3; ++i) {
      auto made = world.create({fmt::format("t{}-{}", life, i), 1, {}});
      REQUIRE(made);
      CHECK(ids.insert(made->id).second);
    }
    world.kill_and_open();
  }
}

TEST_CASE("who follows a partition is told when its topic goes, or at once if it has gone") {
  World world;
  REQUIRE(world.create({"t", 1, {}}));
  std::shared_ptr<Partition> partition = world.broker().find_partition("t", PartitionId{0});
  int told = 0;
  Partition::Ticket ticket = partition->on_gone([&] { ++told; });
  REQUIRE(world.remove("t"));
  world.run_until([&] { return told > 0; });
  CHECK(told == 1);
  Partition::Ticket late = partition->on_gone([&] { ++told; });
  CHECK(told == 2);
}

TEST_CASE("records come back in order from each partition, also after a restart and a crash") {
  World world;
  REQUIRE(world.create({"t", 2, {}}));
  CHECK(world.produce("t", 0, "a")->base_offset == Offset{0});
  CHECK(world.produce("t", 1, "b")->base_offset == Offset{0});
  CHECK(world.produce("t", 0, "c")->base_offset == Offset{1});
  world.close_and_open();
  CHECK(world.read("t", 0) == Values{"a", "c"});
  CHECK(world.produce("t", 0, "d")->base_offset == Offset{2});
  world.kill_and_open();
  CHECK(world.read("t", 0) == Values{"a", "c", "d"});
  CHECK(world.read("t", 1) == Values{"b"});
}

TEST_CASE("what a producer may not send is refused and nothing is kept") {
  World world;
  REQUIRE(world.create({"t", 1, {{"max.message.bytes", "200"}}}));
  CHECK(world.produce("t", 0, std::string(300, 'x')).error().code == Errc::message_too_large);
  std::int64_t two_hours_ahead = world.sim().wall_ms() + 2 * 3600 * 1000;
  CHECK(world.produce("t", 0, "x", two_hours_ahead).error().code == Errc::invalid_timestamp);
  record::BatchBuilder builder;
  builder.append(world.sim().wall_ms(), std::nullopt, as_bytes("x"));
  Bytes flipped = builder.build();
  flipped.back() ^= std::byte{1};
  CHECK(world.produce_bytes("t", 0, flipped).error().code == Errc::corrupt_message);
  CHECK(world.read("t", 0).empty());
}

TEST_CASE("a topic with LogAppendTime stamps records with the broker's clock") {
  World world;
  REQUIRE(world.create({"t", 1, {{"message.timestamp.type", "LogAppendTime"}}}));
  auto appended = world.produce("t", 0, "x", 1000);
  REQUIRE(appended);
  CHECK(appended->append_time_ms > 1000);
  CHECK(world.read("t", 0) == Values{"x"});
  CHECK(world.last_timestamp_ms == appended->append_time_ms);
}

TEST_CASE("a keyless record is refused by a compacted topic") {
  World world;
  REQUIRE(world.create({"t", 1, {{"cleanup.policy", "compact"}}}));
  CHECK(world.produce("t", 0, "x").error().code == Errc::invalid_record);
}

TEST_CASE("ListOffsets finds the ends and the first record of a time") {
  World world;
  REQUIRE(world.create({"t", 1, {}}));
  std::int64_t start_ms = world.sim().wall_ms();
  for (int i = 0; i < 5; ++i) REQUIRE(world.produce("t", 0, "x", start_ms + 10 * i));
  auto view = world.broker().find_partition("t", PartitionId{0})->view();
  auto find = [&](std::int64_t timestamp) {
    auto listed = list_offset(*view, LeaderEpoch{0}, timestamp);
    REQUIRE(listed);
    return *listed ? (*listed)->offset.value() : -1;
  };
  CHECK(find(latest_timestamp) == 5);
  CHECK(find(earliest_timestamp) == 0);
  CHECK(find(max_timestamp) == 4);
  CHECK(find(start_ms + 11) == 2);
  CHECK(find(start_ms + 20) == 2);
  CHECK(find(0) == 0);
  CHECK(find(start_ms + 41) == -1);
  CHECK_FALSE(list_offset(*view, LeaderEpoch{0}, -77));
}

TEST_CASE("a lookup by time does not unpack a bomb that is in the log already (fault 22)") {
  World world;
  REQUIRE(world.create({"t", 1, {}}));
  Partition& partition = *world.broker().find_partition("t", PartitionId{0});
  // Past the checks of produce, as from a version with a larger limit.
  record::BatchBuilder builder;
  std::string zeros(1 << 20, 0);
  for (int i = 0; i < 80; ++i) builder.append(1000 + i, std::nullopt, as_bytes(zeros));
  record::BatchOptions options;
  options.compression = record::Compression::zstd;
  auto bomb = std::make_shared<Bytes>(builder.build(options));
  REQUIRE(bomb->size() < 100'000);
  std::optional<Result<Offset>> appended;
  REQUIRE(partition.log().append({bomb, MutableBytes(*bomb), 80, 1079},
                                 [&](Result<Offset> result) { appended = std::move(result); }));
  world.run_until([&] { return appended.has_value(); });
  REQUIRE(*appended);
  // The batch counts as one record: its reader begins at it, and sees for itself.
  auto listed = list_offset(*partition.view(), LeaderEpoch{0}, 1078);
  REQUIRE(listed);
  REQUIRE(*listed);
  CHECK((*listed)->offset == Offset{0});
}

TEST_CASE("a client with another leader epoch is told which way it is off") {
  World world;
  REQUIRE(world.create({"t", 1, {}}));
  Partition& partition = *world.broker().find_partition("t", PartitionId{0});
  std::int32_t ours = partition.log().leader_epoch().value();
  CHECK(partition.check_leader_epoch(-1));
  CHECK(partition.check_leader_epoch(ours));
  CHECK(partition.check_leader_epoch(ours + 1).error().code == Errc::unknown_leader_epoch);
  if (ours > 0) {
    CHECK(partition.check_leader_epoch(ours - 1).error().code == Errc::fenced_leader_epoch);
  }
}

TEST_CASE("partitions that are added are there at once and after a crash, and nothing is moved") {
  World world;
  REQUIRE(world.create({"t", 1, {{"retention.ms", "5000"}}}));
  REQUIRE(world.produce("t", 0, "a"));
  REQUIRE(world.add_partitions("t", 3));
  REQUIRE(world.produce("t", 2, "b"));
  CHECK(world.broker().find_partition("t", PartitionId{2})->settings().log.retention_ms == 5000);
  world.kill_and_open();
  CHECK(world.broker().find_topic("t")->info.partitions == 3);
  CHECK(world.read("t", 0) == Values{"a"});
  CHECK(world.read("t", 1).empty());
  CHECK(world.read("t", 2) == Values{"b"});
}

TEST_CASE("partitions cannot be taken away, nor be more than there is room for") {
  BrokerOptions options;
  options.partitions_max = 10;
  World world(options);
  REQUIRE(world.create({"t", 4, {}}));
  for (std::int32_t count : {4, 3, 0, -1}) {
    CHECK(world.add_partitions("t", count).error().code == Errc::invalid_partitions);
  }
  CHECK(world.add_partitions("t", 11).error().code == Errc::policy_violation);
  CHECK(world.add_partitions("t", 10));
  auto missing = world.wait(
      [&](auto done) { world.broker().create_partitions(Uuid{{1}}, 20, std::move(done)); });
  CHECK(missing.error().code == Errc::unknown_topic_id);
}

TEST_CASE("settings that are changed act at once and outlive a crash; the rest stays") {
  World world;
  REQUIRE(world.create({"t", 2, {{"retention.ms", "5000"}}}));
  REQUIRE(world.alter("t", {{"max.message.bytes", "100"}}));
  CHECK(world.produce("t", 1, std::string(200, 'x')).error().code == Errc::message_too_large);
  CHECK(world.broker().find_topic("t")->info.configs == ConfigMap{{"max.message.bytes", "100"}});
  CHECK(world.alter("t", {{"max.message.bytes", "lots"}}).error().code == Errc::invalid_config);
  world.kill_and_open();
  CHECK(world.broker().find_topic("t")->info.configs == ConfigMap{{"max.message.bytes", "100"}});
  CHECK(world.produce("t", 1, std::string(200, 'x')).error().code == Errc::message_too_large);
}

TEST_CASE("changes of a topic that a full disk refuses are undone, however many wait") {
  World world;
  REQUIRE(world.create({"t", 2, {{"retention.ms", "5000"}}}));
  Uuid id = world.broker().find_topic("t")->info.id;
  world.files().set_free_bytes(0);
  world.files().fail_writes("journal");
  int failed = 0;
  auto count = [&](Result<void> result) { failed += result ? 0 : 1; };
  world.broker().alter_topic(id, {{"retention.ms", "6000"}}, count);
  world.broker().create_partitions(id, 4, count);
  world.broker().create_partitions(id, 6, count);
  world.broker().delete_topic(id, count);
  CHECK(failed == 0);
  world.run_until([&] { return failed == 4; });
  REQUIRE(world.broker().find_topic("t") != nullptr);
  CHECK(world.broker().find_topic("t")->info.partitions == 2);
  CHECK(world.broker().find_topic("t")->info.configs == ConfigMap{{"retention.ms", "5000"}});
  CHECK(world.broker().find_partition("t", PartitionId{1}) != nullptr);
  CHECK(world.broker().find_partition("t", PartitionId{2}) == nullptr);
}

TEST_CASE("deleted records stay deleted, and only what can be read can be deleted") {
  World world;
  REQUIRE(world.create({"t", 1, {}}));
  for (std::string value : {"a", "b", "c", "d"}) REQUIRE(world.produce("t", 0, value));
  CHECK(*world.delete_records("t", 2) == Offset{2});
  CHECK(*world.delete_records("t", 1) == Offset{2});
  CHECK(world.delete_records("t", 5).error().code == Errc::offset_out_of_range);
  CHECK(world.delete_records("t", -2).error().code == Errc::offset_out_of_range);
  world.kill_and_open();
  CHECK(world.read("t", 0) == Values{"c", "d"});
  CHECK(*world.delete_records("t", -1) == Offset{4});
  CHECK(world.read("t", 0).empty());
  CHECK(world.produce("t", 0, "e")->base_offset == Offset{4});
  REQUIRE(world.create({"compacted", 1, {{"cleanup.policy", "compact"}}}));
  CHECK(world.delete_records("compacted", -1).error().code == Errc::policy_violation);
}

TEST_CASE("where each leader epoch ended is found in the log") {
  World world;
  REQUIRE(world.create({"t", 1, {}}));
  auto end_of = [&](std::int32_t epoch) -> std::string {
    Partition& partition = *world.broker().find_partition("t", PartitionId{0});
    auto end = find_epoch_end(*partition.view(), partition.log().leader_epoch(), epoch);
    REQUIRE(end);
    if (!*end) return "none";
    return std::to_string((*end)->epoch.value()) + ":" + std::to_string((*end)->offset.value());
  };
  CHECK(end_of(0) == "0:0");
  for (std::string value : {"a", "b", "c"}) REQUIRE(world.produce("t", 0, value));
  world.kill_and_open_with_junk("t");
  CHECK(end_of(0) == "0:3");
  CHECK(end_of(1) == "1:3");
  for (std::string value : {"d", "e"}) REQUIRE(world.produce("t", 0, value));
  world.kill_and_open_with_junk("t");
  REQUIRE(world.produce("t", 0, "f"));
  CHECK(end_of(0) == "0:3");
  CHECK(end_of(1) == "1:5");
  CHECK(end_of(2) == "2:6");
  CHECK(end_of(3) == "none");
  CHECK(end_of(-1) == "none");
  // Of what was deleted only the end is known.
  REQUIRE(world.delete_records("t", 5));
  CHECK(end_of(0) == "0:5");
}

TEST_SUITE_END();
