#include "log/recovery.h"

#include <algorithm>

#include "log/index.h"
#include "log/journal.h"
#include "log/recovery_guard.h"
#include "machine.h"

namespace leat::log::testing {
namespace {

TEST_SUITE_BEGIN("log");

const TopicPartition p1 = partition(1);
const TopicPartition p2 = partition(2);

std::string big(char letter, std::size_t bytes = 300 << 10) {
  return std::string(bytes, letter);
}

std::string kinds(const Store& store) {
  std::string text;
  for (const Finding& finding : store.findings()) {
    constexpr const char* names[] = {"damage", "cut",     "accepted", "seal",
                                     "index",  "journal", "unknown"};
    text += names[static_cast<int>(finding.kind)];
    text += " ";
  }
  if (!text.empty()) text.pop_back();
  return text;
}

TEST_CASE("after a kill everything acknowledged is there, and nothing is found wrong") {
  Machine m;
  m.open();
  for (int i = 0; i < 50; ++i) {
    REQUIRE(m.append({"a" + std::to_string(i)}, p1).has_value());
    REQUIRE(m.append({"b" + std::to_string(i)}, p2).has_value());
  }
  std::string before = m.read(p1) + m.read(p2);
  m.kill().open();
  CHECK(m.read(p1) + m.read(p2) == before);
  CHECK(kinds(*m.store) == "");
  CHECK(m.log(p1).leader_epoch() == LeaderEpoch{0});
  CHECK(m.append({"next"}, p1) == Offset{50});
}

TEST_CASE(
    "faults 1 and 11: after a power loss everything acknowledged is there, whatever of the rest "
    "survived") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Machine m(seed);
    m.options.journal_bytes = 64 << 10;
    m.log_options.segment_bytes = 2000;
    m.open();
    std::string expected;
    for (int round = 0; round < 4; ++round) {
      for (int i = 0; i < 30; ++i) {
        std::string text = std::to_string(round) + "-" + std::to_string(i);
        REQUIRE(m.append({text}, p1).has_value());
        expected += (expected.empty() ? "" : " ") + text;
        REQUIRE(m.append({text}, p2).has_value());
      }
      // On its way when the lights go out.
      m.start_append({"lost"}, p1);
      m.start_append({"lost"}, p2);
      int steps = static_cast<int>(seed % 4);
      for (int i = 0; i < steps; ++i) m.executor.run_one();
      m.power_loss().open();
      std::string got = m.read(p1);
      if (got == expected + " lost") expected = got;
      REQUIRE(got == expected);
      if (m.read(p2) != expected) REQUIRE(m.append({"lost"}, p2).has_value());
      if (!expected.ends_with("lost") && m.read(p2).ends_with("lost")) {
        REQUIRE(m.append({"lost"}, p1).has_value());
        expected += " lost";
      }
      REQUIRE(m.read(p2) == expected);
    }
  }
}

TEST_CASE(
    "a large append goes to its segment, not through the journal, and survives a power loss") {
  Machine m;
  m.options.journal_bytes = 8 << 20;
  m.open();
  REQUIRE(m.append({big('x')}, p1).has_value());
  CHECK(m.metrics.counter("leat_log_journal_bytes_total", "").value() <= 4096);
  m.power_loss().open();
  CHECK(m.read(p1) == big('x'));
  CHECK(kinds(*m.store) == "");
}

TEST_CASE("the journal is used again and again, and each checkpoint lets go of what came before") {
  Machine m;
  m.options.journal_bytes = 64 << 10;
  m.open();
  std::string expected;
  for (int i = 0; i < 500; ++i) {
    REQUIRE(m.append({std::to_string(i)}, p1).has_value());
    expected += std::to_string(i) + (i < 499 ? " " : "");
  }
  m.executor.run_until_idle();
  Result<file::FilePtr> journal = m.files.open("/data/journal/0", file::OpenMode::read);
  CHECK((*journal)->size().value() <= 64 << 10);
  m.power_loss().open();
  CHECK(m.read(p1) == expected);
}

TEST_CASE("a log that lost its last, unacknowledged append raises the leader epoch") {
  for (std::uint64_t seed = 1; seed < 30; ++seed) {
    Machine m(seed);
    m.open();
    REQUIRE(m.append({"a"}, p1).has_value());
    m.start_append({big('x', 5000)}, p1);
    m.executor.run_one();  // written, not synced
    m.power_loss().open();
    bool kept = m.read(p1) != "a";
    bool was_cut = kinds(*m.store) == "cut";
    CAPTURE(seed);
    CHECK((kept || m.read(p1) == "a"));
    CHECK((m.log(p1).leader_epoch() > LeaderEpoch{0}) == was_cut);
    if (!was_cut) continue;
    bool in_quarantine = false;
    for (const std::string& path : m.files.file_paths()) {
      in_quarantine = in_quarantine || path.find("/quarantine/") != std::string::npos;
    }
    CHECK(in_quarantine);
  }
}

TEST_CASE("fault 10: recovery that crashes again and again comes to the same end") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Machine m(seed);
    m.options.journal_bytes = 64 << 10;
    m.log_options.segment_bytes = 1000;
    m.open();
    std::string expected;
    for (int i = 0; i < 40; ++i) {
      REQUIRE(m.append({std::to_string(i)}, p1).has_value());
      expected += std::to_string(i) + (i < 39 ? " " : "");
    }
    m.power_loss();
    for (std::uint64_t operations = 0; operations < 60; operations += 1 + seed % 3) {
      m.files.stop_after(operations);
      static_cast<void>(m.try_open());
      if (seed % 2 == 0) {
        m.kill();
      } else {
        m.power_loss();
      }
      // As whoever looks after it would, each time that it gives up.
      static_cast<void>(m.files.remove("/data/recovering"));
    }
    m.open();
    REQUIRE(m.read(p1) == expected);
    REQUIRE(kinds(*m.store).find("damage") == std::string::npos);
  }
}

TEST_CASE("fault 10: starts that die in recovery end with a refusal that says how to go on") {
  Machine m;
  m.open();
  REQUIRE(m.append({"a"}, p1).has_value());
  m.kill();
  constexpr std::uint64_t changes_before_recovery = 6;
  auto die = [&] {
    m.files.stop_after(changes_before_recovery);
    Result<void> opened = m.try_open();
    REQUIRE(!opened.has_value());
    REQUIRE_MESSAGE(m.files.stopped(), opened.error().what);
    m.kill();
  };
  for (int i = 0; i < recoveries_max - 1; ++i) die();
  // One that comes through, or says what is wrong, begins the count anew.
  m.files.fail_reads("/journal/");
  CHECK(m.try_open().error().code == Errc::io_error);
  m.files.heal();
  for (int i = 0; i < recoveries_max; ++i) die();
  std::vector<std::string> before = m.files.file_paths();
  m.files.reset_counts();
  for (int i = 0; i < 3; ++i) {
    auto refused = m.try_open();
    REQUIRE(!refused.has_value());
    CHECK(refused.error().what.find("the last 5 starts died") != std::string::npos);
    CHECK(refused.error().what.find("remove /data/recovering") != std::string::npos);
  }
  CHECK(m.files.file_paths() == before);
  CHECK(m.files.counts().writes <= 3);  // of the lock
  REQUIRE(m.files.remove("/data/recovering").has_value());
  m.open();
  CHECK(m.read(p1) == "a");
  CHECK(!m.files.exists("/data/recovering").value());
}

TEST_CASE("fault 10: a start that came through is not among the dead after a power cut") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Machine m(seed);
    m.open();
    REQUIRE(m.append({"a"}, p1).has_value());
    m.kill();
    constexpr std::uint64_t changes_before_recovery = 6;
    for (int i = 0; i < recoveries_max - 1; ++i) {
      m.files.stop_after(changes_before_recovery);
      REQUIRE(!m.try_open().has_value());
      m.kill();
    }
    m.open();
    m.power_loss();
    m.open();
    REQUIRE(m.read(p1) == "a");
  }
}

TEST_CASE("opening after a clean stop opens no segment and writes nothing") {
  Machine m;
  m.open();
  for (int i = 0; i < 100; ++i) m.start_append({"x"}, partition(1, i));
  m.executor.run_until_idle();
  m.close();
  m.files.reset_counts();
  m.open();
  CHECK(m.files.counts().opens <= 8);
  CHECK(m.files.counts().writes <= 2);  // the lock's text, and that a recovery begins
  CHECK(m.store->partitions().size() == 100);
}

TEST_CASE("a flipped bit in a durable frame costs only what no segment has") {
  Machine m;
  m.options.journal_bytes = 1 << 20;
  m.open();
  for (int i = 0; i < 10; ++i) REQUIRE(m.append({std::to_string(i)}, p1).has_value());
  m.kill();
  // Frames stand at multiples of 4096; the fifth of ten is hit.
  m.files.flip_bit("/data/journal/0", 5 * 4096 + 100, 3);
  m.open();
  CHECK(kinds(*m.store) == "journal");
  CHECK(m.read(p1) == "0 1 2 3 4 5 6 7 8 9");
}

TEST_CASE(
    "acknowledged records that neither journal nor segment has are damage, the rest is kept") {
  Machine m;
  m.open();
  for (int i = 0; i < 10; ++i) REQUIRE(m.append({std::to_string(i)}, p1).has_value());
  std::uint64_t batch = m.log(p1).view()->size_bytes() / 10;
  m.kill();
  m.files.flip_bit("/data/journal/0", 5 * 4096 + 100, 3);
  m.files.flip_bit(m.segment_path(0), 5 * batch + 65, 3);
  m.open();
  CHECK(kinds(*m.store) == "journal damage");
  CHECK(m.read(p1) == "0 1 2 3 4 !corrupt_message 6 7 8 9");
  CHECK(m.log(p1).leader_epoch() == LeaderEpoch{1});
  CHECK(m.log(p1).view()->damaged == std::vector<OffsetRange>{{Offset{5}, Offset{6}}});
  // It stays known.
  m.close().open();
  CHECK(m.read(p1) == "0 1 2 3 4 !corrupt_message 6 7 8 9");
}

TEST_CASE("a segment that is appended to stays, though missing commits made it look retired") {
  Machine m;
  m.open();
  REQUIRE(m.append({"a"}, p1).has_value());
  REQUIRE(m.append({"b"}, p1).has_value());
  m.log(p1).advance_start(Offset{2}, [](Result<void> moved) { CHECK(moved.has_value()); });
  m.executor.run_until_idle();
  REQUIRE(m.append({"c"}, p1).has_value());
  m.kill();
  m.files.flip_bit("/data/journal/0", 1 * 4096 + 100, 3);  // the commit of b
  m.open();
  CHECK(kinds(*m.store) == "journal");
  CHECK(m.read(p1) == "c");
  m.kill().open();
  CHECK(m.read(p1) == "c");
}

TEST_CASE("fault 8: what a recovery's failed sync left in the page cache is written again") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Machine m(seed);
    m.open();
    REQUIRE(m.append({big('a', 9000)}, p1).has_value());
    m.power_loss();
    m.files.fail_sync("/partitions/");
    CHECK(m.try_open().error().code == Errc::io_error);
    m.kill().open();
    m.power_loss().open();
    REQUIRE(m.read(p1) == big('a', 9000));
    REQUIRE(kinds(*m.store) == "");
  }
}

TEST_CASE("index entries behind the end are not taken for those of what is appended there next") {
  for (bool has_tail : {false, true}) {
    Machine m;
    m.log_options.index_interval_bytes = 1;
    m.open();
    for (int i = 0; i < 3; ++i) REQUIRE(m.append({std::to_string(i)}, p1).has_value());
    std::uint64_t end = m.log(p1).view()->size_bytes();
    m.close();
    // As a power cut may leave them that took what they were for: this one points into a batch.
    std::string path = m.segment_path(0);
    Index index(Offset{0}, path);
    index.add({Offset{0}, 0}, -1);
    index.add({Offset{5}, end + 33}, 1000);
    Bytes bytes = index.encode(0);
    if (has_tail) bytes.resize(bytes.size() + 100);
    path.replace(path.size() - 4, 4, ".index");
    Result<file::FilePtr> file = m.files.open(path, file::OpenMode::create);
    REQUIRE(file.has_value());
    BytesView view(bytes);
    REQUIRE((*file)->truncate(0).has_value());
    REQUIRE((*file)->write_at(0, std::span(&view, 1)).has_value());
    m.open();
    for (int i = 3; i < 9; ++i) REQUIRE(m.append({std::to_string(i)}, p1).has_value());
    m.kill().open();
    CHECK(m.read(p1, Offset{5}) == "5 6 7 8");
    CHECK(m.read(p1) == "0 1 2 3 4 5 6 7 8");
    CHECK(m.log(p1).view()->damaged.empty());
  }
}

TEST_CASE("a lost checkpoint is made again from the segments") {
  for (bool is_removed : {true, false}) {
    Machine m;
    m.log_options.segment_bytes = 200;
    m.open();
    for (int i = 0; i < 10; ++i) REQUIRE(m.append({std::to_string(i)}, p1).has_value());
    m.close();
    if (is_removed) {
      REQUIRE(m.files.remove("/data/checkpoint").has_value());
    } else {
      m.files.flip_bit("/data/checkpoint", 40, 1);
    }
    m.open();
    CHECK(kinds(*m.store) == "journal");
    CHECK(m.read(p1) == "0 1 2 3 4 5 6 7 8 9");
    CHECK(m.append({"10"}, p1) == Offset{10});
  }
}

TEST_CASE("a lost checkpoint never leads to a leader epoch that somebody may have been told of") {
  Machine m;
  m.options.durability = Durability::os;
  m.open();
  REQUIRE(m.append({"a"}, p1).has_value());
  m.close();
  // Each of these starts raises the epoch, and nothing is appended under it.
  for (int i = 0; i < 4; ++i) {
    m.open();
    m.power_loss();
  }
  m.open();
  LeaderEpoch told = m.log(p1).leader_epoch();
  CHECK(told == LeaderEpoch{4});
  m.close();
  REQUIRE(m.files.remove("/data/checkpoint").has_value());
  m.open();
  CHECK(m.log(p1).leader_epoch() > told);
  CHECK(m.log(p2).leader_epoch() > told);
  CHECK(m.read(p1) == "a");
}

TEST_CASE("what is known of lost records is not said of those that take their offsets") {
  for (bool is_accepted : {false, true}) {
    CAPTURE(is_accepted);
    Machine m;
    m.open();
    for (int i = 0; i < 6; ++i) REQUIRE(m.append({std::to_string(i)}, p1).has_value());
    std::uint64_t batch = m.log(p1).view()->size_bytes() / 6;
    m.close();
    m.files.flip_bit(m.segment_path(0), 2 * batch + 65, 2);
    // What its frames appended is known from the segment only.
    REQUIRE(m.files.remove("/data/journal/0").has_value());
    m.open();
    REQUIRE(m.read(p1) == "0 1 !corrupt_message 3 4 5");
    std::optional<Result<void>> done;
    if (is_accepted) {
      m.store->accept_loss(p1, {Offset{2}, Offset{3}},
                           [&](Result<void> result) { done = std::move(result); });
      m.executor.run_until_idle();
      REQUIRE(done->has_value());
    }
    m.kill();
    // Without it nothing tells what was behind the damaged batch, and the log ends there.
    REQUIRE(m.files.remove("/data/checkpoint").has_value());
    m.open();
    REQUIRE(m.read(p1) == "0 1");
    for (int i = 2; i < 5; ++i) {
      REQUIRE(m.append({"new" + std::to_string(i)}, p1) == Offset{i});
    }
    CHECK(m.read(p1) == "0 1 new2 new3 new4");
    CHECK(m.log(p1).view()->damaged.empty());
    m.kill().open();
    CHECK(m.read(p1) == "0 1 new2 new3 new4");
  }
}

TEST_CASE("records whose loss was accepted are not reported again when the checkpoint is lost") {
  Machine m;
  m.log_options.segment_bytes = 200;
  m.open();
  for (int i = 0; i < 10; ++i) REQUIRE(m.append({std::to_string(i)}, p1).has_value());
  m.close();
  m.files.flip_bit(m.segment_path(0), 65, 2);
  m.open();
  REQUIRE(m.read(p1) == "!corrupt_message 1 2 3 4 5 6 7 8 9");
  std::optional<Result<void>> done;
  m.store->accept_loss(p1, {Offset{0}, Offset{1}},
                       [&](Result<void> result) { done = std::move(result); });
  m.executor.run_until_idle();
  REQUIRE(done->has_value());
  m.kill();
  REQUIRE(m.files.remove("/data/checkpoint").has_value());
  m.open();
  CHECK(kinds(*m.store) == "journal");
  CHECK(m.read(p1) == "1 2 3 4 5 6 7 8 9");
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::log::testing
