// What a start makes of the last epoch of an owner: the same however often it is tried, and what
// nobody can have seen otherwise.
#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "broker/epoch_envelope.h"
#include "broker/epochs_world.h"

TEST_SUITE_BEGIN("broker");

using namespace leat;
using namespace leat::broker;

namespace {

using Values = EpochWorld::Values;
using std::chrono::seconds;

constexpr ProducerId producer{700'000};

/// Puts there what a process that died has left, batch by batch.
class Remains {
 public:
  explicit Remains(EpochWorld& world) : world_(world) {}

  /// The batch that follows those before; where it is.
  EpochPlace data(const std::string& topic, std::int32_t number, const std::string& value,
                  std::int32_t epoch = 0) {
    auto partition = world_.at(topic, number);
    std::int32_t sequence = sequences_[partition->log().id()]++;
    Offset at = append(
        partition, EpochWorld::in_transaction(producer, epoch_producer_epoch, sequence, value, 1));
    return {partition->log().id(), epoch, sequence, at + 1};
  }
  void record(const std::string& value, const EpochEnvelope& envelope) {
    EpochRecord record{producer, records_++, 1};
    append(world_.at(epochs_topic("p.1"), 0),
           build_epoch_record(record, as_bytes(value), envelope));
  }
  void marker(const std::string& topic, std::int32_t number, std::int32_t epoch, bool is_commit) {
    append(world_.at(topic, number), record::build_end_marker(producer, epoch_producer_epoch,
                                                              epoch_marker(epoch, is_commit), 1));
  }
  /// Of somebody who numbers nothing.
  void plain(const std::string& topic, std::int32_t number, const std::string& value) {
    append(world_.at(topic, number), EpochWorld::batch_of({value}));
  }

 private:
  Offset append(const std::shared_ptr<Partition>& partition, Bytes bytes) {
    auto owner = std::make_shared<Bytes>(std::move(bytes));
    std::optional<Result<Offset>> appended;
    partition->executor().post([&, partition] {
      partition->load_producers([&, partition](const Result<void>&) {
        partition->append_checked({owner, MutableBytes(*owner), 1, 1},
                                  [&](Result<Offset> at) { appended = std::move(at); });
      });
    });
    REQUIRE(world_.run_until([&] { return appended.has_value(); }));
    REQUIRE_MESSAGE(*appended, appended->error().what);
    return **appended;
  }

  EpochWorld& world_;
  std::map<TopicPartition, std::int32_t> sequences_;
  std::int32_t records_ = 0;
};

void begin(EpochWorld& world) {
  world.create_topic("t", 3);
  world.create_topic("u", 1);
  world.writer();
}

/// The file of partition 0 of the topic with that id.
std::string segment_of(EpochWorld& world, const std::string& id) {
  std::string segment;
  for (const std::string& path : world.files().file_paths()) {
    bool is_it = path.find(id + "/0/") != std::string::npos && path.ends_with(".log");
    if (is_it) segment = path;
  }
  REQUIRE_FALSE(segment.empty());
  return segment;
}

/// After a crash, and again after others in the middle of what the start does; also where a reader
/// comes before the owner is opened.
void check_found(const std::function<void(EpochWorld&)>& prepare,
                 const std::function<void(EpochWorld&)>& check) {
  for (std::int64_t steps = 0; steps < 60; steps += 3) {
    for (bool is_power_loss : {false, true}) {
      CAPTURE(steps);
      CAPTURE(is_power_loss);
      EpochWorld world(static_cast<std::uint64_t>(steps) + 1);
      begin(world);
      prepare(world);
      world.crash(is_power_loss);
      world.set_steps(steps);
      if (steps % 2 == 0) {
        world.open_owner();
      } else {
        auto partition = world.at("t", 0);
        partition->executor().post(
            [partition] { partition->load_producers([](const Result<void>&) {}); });
        while (world.step()) {
        }
      }
      world.set_steps(1'000'000'000);
      world.crash(!is_power_loss);
      check(world);
      world.writer();
      check(world);
      world.crash(is_power_loss);
      check(world);
    }
  }
}

}  // namespace

TEST_CASE(
    "an epoch whose writer was told is there after a crash, at any moment, and others are "
    "there as a whole or not at all") {
  for (bool is_power_loss : {false, true}) {
    bool is_over = false;
    for (std::int64_t steps = 1; !is_over; steps += 2) {
      CAPTURE(is_power_loss);
      CAPTURE(steps);
      EpochWorld world(static_cast<std::uint64_t>(steps));
      world.create_topic("t", 3);
      auto writer = world.writer();
      world.set_steps(steps);
      Values told;
      for (const char* value : {"a", "b", "c"}) {
        if (!world.commit(writer, value)) break;
        told.emplace_back(value);
      }
      is_over = !world.is_over();
      world.set_steps(1'000'000'000);
      world.crash(is_power_loss);
      // A second crash, while the last epoch is ended.
      world.set_steps(steps % 40);
      world.open_owner();
      world.set_steps(1'000'000'000);
      world.crash(steps % 3 == 0);
      Values records = world.records();
      Values all{"a", "b", "c"};
      REQUIRE(records.size() >= told.size());
      REQUIRE(records.size() <= told.size() + 1);
      CHECK(std::equal(records.begin(), records.end(), all.begin()));
      for (std::int32_t p = 0; p < 3; ++p) CHECK(world.committed("t", p) == records);
      REQUIRE(world.commit(world.writer(), "d"));
      records.emplace_back("d");
      CHECK(world.records() == records);
      for (std::int32_t p = 0; p < 3; ++p) CHECK(world.committed("t", p) == records);
    }
  }
}

TEST_CASE("a last epoch that all its partitions have is committed") {
  check_found(
      [](EpochWorld& world) {
        Remains remains(world);
        EpochEnvelope envelope;
        for (std::int32_t p = 0; p < 3; ++p) envelope.places.push_back(remains.data("t", p, "a"));
        remains.record("a", envelope);
      },
      [](EpochWorld& world) {
        for (std::int32_t p = 0; p < 3; ++p) CHECK(world.committed("t", p) == Values{"a"});
        CHECK(world.records() == Values{"a"});
      });
}

TEST_CASE("a last epoch that one of its partitions does not have is aborted in all") {
  check_found(
      [](EpochWorld& world) {
        Remains remains(world);
        EpochEnvelope envelope;
        for (std::int32_t p = 0; p < 2; ++p) envelope.places.push_back(remains.data("t", p, "a"));
        envelope.places.push_back({world.at("t", 2)->log().id(), 0, 0, Offset{1}});
        remains.record("a", envelope);
      },
      [](EpochWorld& world) {
        for (std::int32_t p = 0; p < 3; ++p) CHECK(world.committed("t", p).empty());
        CHECK(world.records().empty());
      });
}

TEST_CASE("a last epoch with a partition that has only a part of it is aborted") {
  check_found(
      [](EpochWorld& world) {
        Remains remains(world);
        EpochEnvelope envelope;
        envelope.places.push_back(remains.data("t", 0, "a"));
        EpochPlace place = remains.data("t", 1, "a");
        place.last_sequence = 1;
        place.next_offset = Offset{2};
        envelope.places.push_back(place);
        remains.record("a", envelope);
      },
      [](EpochWorld& world) {
        for (std::int32_t p = 0; p < 2; ++p) CHECK(world.committed("t", p).empty());
        CHECK(world.records().empty());
      });
}

TEST_CASE("a topic that was deleted counts as having had its part of the last epoch") {
  check_found(
      [](EpochWorld& world) {
        Remains remains(world);
        EpochEnvelope envelope;
        envelope.places = {remains.data("t", 0, "a"), remains.data("u", 0, "a")};
        remains.record("a", envelope);
        world.delete_topic("u");
      },
      [](EpochWorld& world) {
        CHECK(world.committed("t", 0) == Values{"a"});
        CHECK(world.records() == Values{"a"});
      });
}

TEST_CASE(
    "a last epoch of which a partition was told that it is aborted is aborted, though all "
    "others seem to have it") {
  check_found(
      [](EpochWorld& world) {
        Remains remains(world);
        EpochEnvelope envelope;
        envelope.places = {remains.data("t", 0, "a"), remains.data("t", 1, "a"),
                           remains.data("u", 0, "a")};
        remains.record("a", envelope);
        remains.marker("t", 1, 0, false);
        world.delete_topic("u");
      },
      [](EpochWorld& world) {
        for (std::int32_t p = 0; p < 2; ++p) CHECK(world.committed("t", p).empty());
        CHECK(world.records().empty());
      });
}

TEST_CASE("of an epoch that is committed the markers that are missing are written") {
  check_found(
      [](EpochWorld& world) {
        Remains remains(world);
        EpochEnvelope envelope;
        for (std::int32_t p = 0; p < 3; ++p) envelope.places.push_back(remains.data("t", p, "a"));
        remains.record("a", envelope);
        remains.marker("t", 1, 0, true);
        remains.marker(epochs_topic("p.1"), 0, 0, true);
      },
      [](EpochWorld& world) {
        for (std::int32_t p = 0; p < 3; ++p) CHECK(world.committed("t", p) == Values{"a"});
        CHECK(world.records() == Values{"a"});
      });
}

TEST_CASE("what stands behind the last record is of an epoch that never was") {
  check_found(
      [](EpochWorld& world) {
        Remains remains(world);
        EpochEnvelope envelope;
        for (std::int32_t p = 0; p < 2; ++p) envelope.places.push_back(remains.data("t", p, "a"));
        remains.record("a", envelope);
        remains.marker("t", 0, 0, true);
        remains.marker("t", 1, 0, true);
        remains.marker(epochs_topic("p.1"), 0, 0, true);
        // One partition that the last record lists, and one that it does not.
        remains.data("t", 0, "b", 1);
        remains.data("t", 2, "b", 1);
      },
      [](EpochWorld& world) {
        CHECK(world.committed("t", 0) == Values{"a"});
        CHECK(world.committed("t", 1) == Values{"a"});
        CHECK(world.committed("t", 2).empty());
        CHECK(world.records() == Values{"a"});
      });
}

TEST_CASE("a record tells of the epoch before for as long as its markers are not durable") {
  for (bool is_whole : {true, false}) {
    check_found(
        [is_whole](EpochWorld& world) {
          Remains remains(world);
          EpochEnvelope first;
          for (std::int32_t p = 0; p < 2; ++p) first.places.push_back(remains.data("t", p, "a"));
          remains.record("a", first);
          remains.marker("t", 0, 0, true);
          remains.marker(epochs_topic("p.1"), 0, 0, true);
          EpochEnvelope second;
          second.number = 1;
          second.ended = first.places;
          second.places.push_back(remains.data("t", 0, "b", 1));
          if (!is_whole) second.places.push_back({world.at("t", 2)->log().id(), 1, 0, Offset{1}});
          remains.record("b", second);
        },
        [is_whole](EpochWorld& world) {
          Values all = is_whole ? Values{"a", "b"} : Values{"a"};
          CHECK(world.committed("t", 0) == all);
          CHECK(world.committed("t", 1) == Values{"a"});
          CHECK(world.records() == all);
        });
  }
}

TEST_CASE(
    "where a later epoch has got to, the last record's is committed, though its own marker is "
    "missing") {
  check_found(
      [](EpochWorld& world) {
        Remains remains(world);
        EpochEnvelope envelope;
        for (std::int32_t p = 0; p < 2; ++p) envelope.places.push_back(remains.data("t", p, "a"));
        remains.record("a", envelope);
        remains.marker("t", 0, 0, true);
        remains.data("t", 0, "b", 1);
      },
      [](EpochWorld& world) {
        CHECK(world.committed("t", 0) == Values{"a"});
        CHECK(world.committed("t", 1) == Values{"a"});
        CHECK(world.records() == Values{"a"});
      });
}

TEST_CASE(
    "a last epoch whose producer a partition has forgotten since then is what its marker there "
    "said") {
  for (bool is_commit : {true, false}) {
    CAPTURE(is_commit);
    EpochWorld world;
    begin(world);
    Remains remains(world);
    EpochEnvelope envelope;
    for (std::int32_t p = 0; p < 2; ++p) envelope.places.push_back(remains.data("t", p, "a"));
    remains.record("a", envelope);
    remains.marker("t", 1, 0, is_commit);
    world.crash(true);
    // The owner is not opened: its pipeline is paused, say.
    world.load("t", 1);
    world.executor().run_for(std::chrono::hours(25));
    REQUIRE(world.at("t", 1)->log().producers().empty());
    world.writer();
    Values all = is_commit ? Values{"a"} : Values{};
    CHECK(world.committed("t", 0) == all);
    CHECK(world.committed("t", 1) == all);
    CHECK(world.records() == all);
  }
}

TEST_CASE("what somebody else has written where the last epoch should be is not taken for it") {
  EpochWorld world;
  begin(world);
  Remains remains(world);
  EpochEnvelope envelope;
  envelope.places = {remains.data("t", 0, "a"), {world.at("t", 1)->log().id(), 0, 0, Offset{1}}};
  remains.record("a", envelope);
  remains.plain("t", 1, "b");
  world.crash(true);
  world.writer();
  CHECK(world.committed("t", 0).empty());
  CHECK(world.committed("t", 1) == Values{"b"});
  CHECK(world.records().empty());
}

TEST_CASE("what an owner without a record has open is aborted") {
  check_found([](EpochWorld& world) { Remains(world).data("t", 1, "a"); },
              [](EpochWorld& world) {
                CHECK(world.committed("t", 1).empty());
                CHECK(world.records().empty());
              });
}

TEST_CASE("a reader of one partition is enough for an epoch to be ended in all") {
  EpochWorld world;
  begin(world);
  REQUIRE(world.commit(world.writer(), "a"));
  world.crash(false);
  world.load("t", 1);
  world.executor().run_for(seconds(1));
  for (std::int32_t p = 0; p < 3; ++p) {
    CHECK(world.kinds("t", p) == Values{"data", "commit"});
    CHECK(world.is_stable("t", p));
  }
  CHECK(world.kinds(epochs_topic("p.1"), 0) == Values{"data", "commit"});
}

TEST_CASE("an epoch over a thousand partitions is found again") {
  EpochWorld world;
  world.create_topic("t", 1'000);
  REQUIRE(world.commit(world.writer(), "a"));
  world.crash(true);
  world.writer();
  for (std::int32_t p : {0, 500, 999}) {
    CHECK_FALSE(world.has_open("t", p));
    CHECK(world.committed("t", p) == Values{"a"});
  }
}

TEST_CASE("damage to the last epoch's output does not undo what its writer was told") {
  EpochWorld world;
  begin(world);
  REQUIRE(world.commit(world.writer(), "a"));
  auto partition = world.at("t", 0);
  std::string id = partition->log().id().topic_id.to_hex();
  // Another one, so that the disk knows that the first was whole.
  world.create_topic("other", 1);
  partition.reset();
  world.crash(false);
  std::string segment = segment_of(world, id);
  world.files().flip_bit(segment, 9, 1);
  world.crash(false);
  world.writer();
  CHECK(world.committed("t", 1) == Values{"a"});
  CHECK(world.committed("t", 2) == Values{"a"});
  CHECK(world.records() == Values{"a"});
}

TEST_CASE("an owner whose last record is damaged says so, and can be removed") {
  EpochWorld world;
  begin(world);
  auto writer = world.writer();
  REQUIRE(world.commit(writer, "a"));
  REQUIRE(world.commit(writer, "b"));
  std::string id = world.at(epochs_topic("p.1"), 0)->log().id().topic_id.to_hex();
  world.restart();
  std::string segment = segment_of(world, id);
  // In the value of each of the batches, wherever they are.
  for (std::uint64_t at = 70; at < 400; at += 20) world.files().flip_bit(segment, at, 3);
  world.restart();
  auto opened = world.open_owner();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == Errc::corrupt_message);
  REQUIRE(world.remove_owner());
  REQUIRE(world.commit(world.writer(), "c"));
  CHECK(world.records() == Values{"c"});
}

TEST_CASE("a start reads as much of an owner with many epochs as of one with few") {
  std::vector<std::uint64_t> read;
  for (int epochs : {10, 1'000}) {
    EpochWorld world;
    begin(world);
    auto writer = world.writer();
    for (int i = 0; i < epochs; ++i) REQUIRE(world.commit(writer, "a"));
    world.restart();
    world.restart();
    world.files().reset_counts();
    world.restart();
    read.push_back(world.files().counts().reads);
  }
  CHECK(read[1] <= read[0] + 4);
}

TEST_SUITE_END();
