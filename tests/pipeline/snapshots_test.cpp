// Snapshots as files: whole or not there, the newest two, damage that is seen.
#include <doctest/doctest.h>

#include "base/sim_executor.h"
#include "file/fake_file_system.h"
#include "pipeline/snapshots.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;

namespace {

Snapshot snapshot_of(std::uint64_t epoch, std::size_t bytes = 10'000) {
  Snapshot snapshot;
  snapshot.epoch = epoch;
  snapshot.next = Offset{static_cast<std::int64_t>(2 * epoch)};
  snapshot.counts = {epoch * 10, epoch, 1, 2};
  snapshot.files_epoch = epoch - 1;
  snapshot.repeated = EpochPlace{7, Offset{9}};
  snapshot.begin.plan_hash = "abc";
  snapshot.begin.inputs.push_back({1, "in", {}, PartitionId{3}, Offset{4}, {}, Offset{5}});
  snapshot.state.resize(bytes, static_cast<std::byte>(epoch));
  return snapshot;
}

struct Disk {
  explicit Disk(std::uint64_t seed = 1) : files(executor, seed) {
    REQUIRE(files.make_directories("/data"));
    REQUIRE(files.sync_directory("/"));
  }
  Snapshots snapshots() { return Snapshots(files, "/data", "p.1"); }
  SimExecutor executor;
  file::FakeFileSystem files;
};

}  // namespace

TEST_CASE("a snapshot is read as it was written, and the last two are kept") {
  Disk disk;
  auto snapshots = disk.snapshots();
  CHECK(snapshots.list()->empty());
  for (std::uint64_t epoch : {5, 100, 20}) {
    auto bytes = snapshots.write(snapshot_of(epoch));
    REQUIRE_MESSAGE(bytes.has_value(), bytes.error().what);
    CHECK(*bytes > 10'000);
  }
  CHECK(*snapshots.list() == std::vector<std::uint64_t>{100, 20});
  auto read = snapshots.read(20);
  REQUIRE_MESSAGE(read.has_value(), read.error().what);
  Snapshot same = snapshot_of(20);
  CHECK(read->next == same.next);
  CHECK(read->counts == same.counts);
  CHECK(read->files_epoch == 19);
  CHECK(read->repeated == same.repeated);
  CHECK(read->begin == same.begin);
  CHECK(read->state == same.state);
  CHECK_FALSE(read->finished);
  CHECK(disk.files.file_paths() == std::vector<std::string>{"/data/pipelines/p.1/100.snapshot",
                                                            "/data/pipelines/p.1/20.snapshot"});
  REQUIRE(snapshots.remove());
  REQUIRE(snapshots.remove());
  CHECK(disk.files.file_paths().empty());
}

TEST_CASE("every flipped bit of a snapshot is seen") {
  Disk disk;
  auto snapshots = disk.snapshots();
  auto bytes = snapshots.write(snapshot_of(3, 50));
  REQUIRE(bytes.has_value());
  for (std::uint64_t position = 0; position < *bytes; ++position) {
    for (int bit : {0, 7}) {
      disk.files.flip_bit("/data/pipelines/p.1/3.snapshot", position, bit);
      CHECK_FALSE(snapshots.read(3).has_value());
      disk.files.flip_bit("/data/pipelines/p.1/3.snapshot", position, bit);
    }
  }
  CHECK(snapshots.read(3).has_value());
}

TEST_CASE(
    "a crash at any change leaves the snapshots before, and the new one whole or not at all") {
  bool done = false;
  std::uint64_t seen_new = 0, seen_old = 0;
  for (std::uint64_t changes = 0; !done; ++changes) {
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      CAPTURE(changes);
      CAPTURE(seed);
      Disk disk(seed);
      auto snapshots = disk.snapshots();
      REQUIRE(snapshots.write(snapshot_of(1)).has_value());
      REQUIRE(snapshots.write(snapshot_of(2)).has_value());
      disk.files.stop_after(changes);
      bool written = snapshots.write(snapshot_of(3)).has_value();
      done = done || !disk.files.stopped();
      seed % 2 == 0 ? disk.files.power_loss() : disk.files.kill();
      auto after = disk.snapshots();
      auto epochs = after.list();
      REQUIRE(epochs.has_value());
      REQUIRE_FALSE(epochs->empty());
      for (std::uint64_t epoch : *epochs) {
        auto read = after.read(epoch);
        REQUIRE_MESSAGE(read.has_value(), read.error().what);
        CHECK(read->state == snapshot_of(epoch).state);
      }
      if (written) CHECK(epochs->front() == 3);
      CHECK(epochs->front() >= 2);
      ++(epochs->front() == 3 ? seen_new : seen_old);
      // What was left lying aside goes with the next.
      REQUIRE(after.write(snapshot_of(4)).has_value());
      CHECK(disk.files.file_paths().size() == 2);
    }
  }
  CHECK(seen_new > 0);
  CHECK(seen_old > 0);
}

TEST_SUITE_END();
