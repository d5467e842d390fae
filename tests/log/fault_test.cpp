#include "machine.h"

namespace leat::log::testing {
namespace {

TEST_SUITE_BEGIN("log");

const TopicPartition p1 = partition(1);
const TopicPartition p2 = partition(2);

std::string big(char letter) {
  return std::string(300 << 10, letter);
}

Errc code_of(const Result<Offset>& result) {
  REQUIRE(!result.has_value());
  return result.error().code;
}

TEST_CASE(
    "fault 6: a full disk refuses appends, keeps reads, and takes appends again when there is "
    "room") {
  for (std::uint64_t room = 0; room < 12; ++room) {
    CAPTURE(room);
    Machine m;
    m.open();
    REQUIRE(m.append({"a"}, p1).has_value());
    m.files.set_free_bytes(room * 4096);
    Result<Offset> refused = m.append({big('x')}, p1);
    CHECK(code_of(refused) == Errc::no_space);
    CHECK(m.read(p1) == "a");
    CHECK(m.log(p1).end_offset() == Offset{1});
    m.files.set_free_bytes({});
    CHECK(m.append({"b"}, p1) == Offset{1});
    CHECK(m.append({"c"}, p2) == Offset{0});
    CHECK(m.read(p1) == "a b");
    m.power_loss().open();
    CHECK(m.read(p1) == "a b");
    CHECK(m.read(p2) == "c");
    CHECK(m.store->findings().empty());
  }
}

TEST_CASE("fault 6: a disk that runs low refuses appends before it is full, and deletes go on") {
  Machine m;
  m.options.free_bytes_min = 64 << 20;
  m.open();
  LogOptions essential = m.log_options;
  essential.is_essential = true;
  std::shared_ptr<Log> catalog = *m.store->log(p2, essential);
  REQUIRE(m.append({"a"}, p1).has_value());
  REQUIRE(m.append({"b"}, p1).has_value());
  m.files.set_free_bytes((64 << 20) - 4096);
  m.executor.run_for(std::chrono::seconds(2));
  CHECK(code_of(m.append({"c"}, p1)) == Errc::no_space);
  CHECK(m.metrics.gauge("leat_log_space_low", "").value() == 1);
  CHECK(m.read(p1) == "a b");
  std::optional<Result<Offset>> noted;
  Result<Offset> queued =
      catalog->append(make_batch({"x"}), [&](Result<Offset> result) { noted = std::move(result); });
  REQUIRE(queued.has_value());
  std::optional<Result<void>> deleted;
  m.log(p1).advance_start(Offset{1}, [&](Result<void> done) { deleted = std::move(done); });
  m.executor.run_until_idle();
  CHECK(*noted == Offset{0});
  CHECK(deleted->has_value());
  CHECK(m.read(p1) == "b");
  m.files.set_free_bytes({});
  m.executor.run_for(std::chrono::seconds(2));
  CHECK(m.append({"c"}, p1) == Offset{2});
  CHECK(m.metrics.gauge("leat_log_space_low", "").value() == 0);
}

TEST_CASE("what was appended behind an append that failed fails too") {
  Machine m;
  m.open();
  REQUIRE(m.append({"a"}, p1).has_value());
  m.files.set_free_bytes(8192);
  Machine::Answer first = m.start_append({big('x')}, p1);
  Machine::Answer second = m.start_append({"b"}, p1);
  m.executor.run_until_idle();
  CHECK(code_of(**first) == Errc::no_space);
  CHECK(code_of(**second) == Errc::no_space);
  m.files.set_free_bytes({});
  CHECK(m.append({"c"}, p1) == Offset{1});
  CHECK(m.read(p1) == "a c");
}

TEST_CASE("fault 8: a failed sync of the journal stops the store for good, and reads go on") {
  Machine m;
  m.open();
  REQUIRE(m.append({"a"}, p1).has_value());
  m.files.fail_sync("/journal/");
  CHECK(code_of(m.append({"b"}, p1)) == Errc::storage_error);
  CHECK(m.store->failure().has_value());
  CHECK(code_of(m.append({"c"}, p2)) == Errc::storage_error);
  CHECK(m.read(p1) == "a");
  m.power_loss().open();
  std::string text = m.read(p1);
  CHECK((text == "a" || text == "a b"));
  CHECK(m.append({"c"}, p2) == Offset{0});
}

TEST_CASE(
    "fault 8: a failed sync of a segment stops its partition only, and nothing acknowledged is "
    "lost") {
  for (std::uint64_t seed = 1; seed < 30; ++seed) {
    CAPTURE(seed);
    Machine m(seed);
    m.open();
    REQUIRE(m.append({"a"}, p1).has_value());
    m.files.fail_sync(".log");
    CHECK(code_of(m.append({big('x')}, p1)) == Errc::storage_error);
    CHECK(code_of(m.append({"b"}, p1)) == Errc::storage_error);
    CHECK(!m.store->failure().has_value());
    CHECK(m.append({"c"}, p2) == Offset{0});
    CHECK(m.read(p1) == "a");
    m.crash(seed % 2 == 0).open();
    CHECK(m.read(p1) == "a");
    CHECK(m.read(p2) == "c");
    CHECK(m.append({"d"}, p1) == Offset{1});
  }
}

TEST_CASE("a sync that fails behind the scenes loses nothing that was acknowledged") {
  for (std::uint64_t seed = 1; seed < 150; ++seed) {
    CAPTURE(seed);
    Machine m(seed);
    m.options.journal_bytes = 64 << 10;
    m.open();
    REQUIRE(m.append({"bad"}, p1).has_value());
    m.files.fail_sync(p1.topic_id.to_hex());
    std::string expected;
    int i = 0;
    for (; i < 200; ++i) {
      if (!m.append({std::to_string(i)}, p2).has_value()) break;
      expected += (i == 0 ? "" : " ") + std::to_string(i);
    }
    m.crash(seed % 2 == 0).open();
    CHECK(m.read(p1) == "bad");
    CHECK(m.read(p2) == expected);
    // Everything on disk for certain now, whatever the page cache had.
    m.close().open();
    m.power_loss().open();
    CHECK(m.read(p1) == "bad");
    CHECK(m.store->findings().empty());
  }
}

TEST_CASE(
    "fault 8: where a sync fails in the background its partition stops and the store lives on") {
  for (std::uint64_t seed = 1; seed < 12; ++seed) {
    CAPTURE(seed);
    Machine m(seed);
    m.options.journal_bytes = 64 << 10;
    m.open();
    REQUIRE(m.append({"bad"}, p1).has_value());
    m.files.fail_sync(m.segment_path(0, p1));
    std::string expected;
    // Far more than both files of the journal hold.
    for (int i = 0; i < 200; ++i) {
      REQUIRE(m.append({std::to_string(i)}, p2).has_value());
      expected += (i == 0 ? "" : " ") + std::to_string(i);
    }
    CHECK(code_of(m.append({"more"}, p1)) == Errc::storage_error);
    CHECK(!m.store->failure().has_value());
    CHECK(m.read(p1) == "bad");
    m.crash(seed % 2 == 0).open();
    CHECK(m.read(p1) == "bad");
    CHECK(m.read(p2) == expected);
    CHECK(m.store->findings().empty());
    CHECK(m.append({"more"}, p1) == Offset{1});
  }
}

TEST_CASE(
    "fault 8: what a commit's own failed sync may have lost is written again from the journal") {
  for (std::uint64_t seed = 1; seed < 12; ++seed) {
    CAPTURE(seed);
    Machine m(seed);
    m.options.journal_bytes = 64 << 10;
    m.options.direct_bytes = 8 << 10;
    m.open();
    // In the journal, and in a segment that is not synced yet.
    REQUIRE(m.append({"small"}, p1).has_value());
    m.files.fail_sync(m.segment_path(0, p1));
    CHECK(code_of(m.append({std::string(10 << 10, 'x')}, p1)) == Errc::storage_error);
    for (int i = 0; i < 100; ++i) REQUIRE(m.append({std::to_string(i)}, p2).has_value());
    CHECK(!m.store->failure().has_value());
    m.power_loss().open();
    CHECK(m.read(p1) == "small");
    CHECK(m.store->findings().empty());
  }
}

TEST_CASE("fault 8: no checkpoint is written beside a commit's sync that fails") {
  for (std::uint64_t seed = 1; seed < 150; ++seed) {
    CAPTURE(seed);
    Machine m(seed);
    m.options.journal_bytes = 64 << 10;
    m.options.direct_bytes = 8 << 10;
    m.files.set_delays(std::chrono::milliseconds(0), std::chrono::milliseconds(5));
    m.open();
    // In the journal, and in a segment that is not synced yet.
    REQUIRE(m.append({"small"}, p1).has_value());
    std::string expected;
    auto append = [&](std::uint64_t i) {
      std::string record = std::to_string(i) + std::string(6 << 10, '.');
      REQUIRE(m.append({record}, p2).has_value());
      expected += (i == 0 ? "" : " ") + record;
    };
    // For some seeds the next commit gets the journal's other file, and with it a checkpoint.
    std::uint64_t before = seed % 14;
    for (std::uint64_t i = 0; i < before; ++i) append(i);
    m.files.fail_sync(m.segment_path(0, p1));
    std::string large(10 << 10, 'x');
    Machine::Answer answer = m.start_append({large}, p1);
    append(before);
    m.executor.run_until_idle();
    // The checkpoint's own sync may have been the one that failed.
    bool is_there = answer->has_value() && (*answer)->has_value();
    m.power_loss().open();
    CHECK(m.read(p1) == (is_there ? "small " + large : "small"));
    CHECK(m.read(p2) == expected);
    for (const Finding& finding : m.store->findings()) CHECK(finding.kind == Finding::Kind::cut);
  }
}

TEST_CASE("fault 8: that an append failed is told when the full disk takes a commit again") {
  for (std::uint64_t seed = 1; seed < 12; ++seed) {
    CAPTURE(seed);
    Machine m(seed);
    m.open();
    REQUIRE(m.append({"a"}, p1).has_value());
    m.files.fail_sync(m.segment_path(0, p1));
    Machine::Answer failed = m.start_append({big('x')}, p1);
    while (!failed->has_value()) REQUIRE(m.executor.run_one());
    CHECK(code_of(**failed) == Errc::storage_error);
    m.files.set_free_bytes(0);
    m.executor.run_until_idle();
    m.files.set_free_bytes({});
    // These say that the failed append's frame is on disk.
    REQUIRE(m.append({"c"}, p2).has_value());
    REQUIRE(m.append({"d"}, p2).has_value());
    m.crash(seed % 2 == 0).open();
    // What a power cut left of the append may be moved away.
    for (const Finding& finding : m.store->findings()) {
      CHECK(finding.kind == Finding::Kind::cut);
    }
    CHECK(m.read(p1) == "a");
    CHECK(m.read(p2) == "c d");
  }
}

TEST_CASE("fault 7: an EIO on write stops its partition only") {
  Machine m;
  m.open();
  REQUIRE(m.append({"a"}, p1).has_value());
  m.files.fail_writes(p1.topic_id.to_hex());
  CHECK(code_of(m.append({"b"}, p1)) == Errc::storage_error);
  m.files.heal();
  CHECK(code_of(m.append({"b"}, p1)) == Errc::storage_error);
  CHECK(m.append({"c"}, p2) == Offset{0});
  CHECK(m.read(p1) == "a");
  m.kill().open();
  CHECK(m.append({"b"}, p1) == Offset{1});
}

TEST_CASE("fault 15: more than the bound of pending bytes is refused, and the rest goes on") {
  Machine m;
  m.options.pending_bytes_max = 1000;
  m.open();
  Machine::Answer first = m.start_append({std::string(600, 'x')}, p1);
  Machine::Answer second = m.start_append({std::string(600, 'y')}, p1);
  CHECK(code_of(**second) == Errc::request_timed_out);
  m.executor.run_until_idle();
  CHECK((**first).has_value());
  CHECK(m.append({"z"}, p1) == Offset{1});
}

TEST_CASE("faults 2 and 3: a reader finds a flipped bit once, fences it, and the rest is served") {
  Machine m;
  m.log_options.index_interval_bytes = 200;
  m.open();
  for (int i = 0; i < 10; ++i) REQUIRE(m.append({std::to_string(i)}, p1).has_value());
  std::uint64_t batch = m.log(p1).view()->size_bytes() / 10;
  // In the payload, in the base offset, in the length.
  for (std::uint64_t at : {std::uint64_t{65}, std::uint64_t{6}, std::uint64_t{10}}) {
    CAPTURE(at);
    m.close();
    m.files.flip_bit(m.segment_path(0), 4 * batch + at, 2);
    m.open();
    CHECK(m.read(p1) == "0 1 2 3 !corrupt_message 5 6 7 8 9");
    CHECK(m.log(p1).view()->damaged == std::vector<OffsetRange>{{Offset{4}, Offset{5}}});
    CHECK(m.append({"x"}, p1).has_value());
    m.kill().open();
    CHECK(m.read(p1) == "0 1 2 3 !corrupt_message 5 6 7 8 9 x");
    // Mend it, and begin anew.
    m.kill();
    m.files.flip_bit(m.segment_path(0), 4 * batch + at, 2);
    REQUIRE(m.files.remove_all("/data").has_value());
    m.open();
    for (int i = 0; i < 10; ++i) REQUIRE(m.append({std::to_string(i)}, p1).has_value());
  }
}

TEST_CASE("an accepted loss is skipped from then on, across restarts") {
  Machine m;
  m.open();
  for (int i = 0; i < 6; ++i) REQUIRE(m.append({std::to_string(i)}, p1).has_value());
  std::uint64_t batch = m.log(p1).view()->size_bytes() / 6;
  m.close();
  m.files.flip_bit(m.segment_path(0), 2 * batch + 65, 2);
  m.open();
  CHECK(m.read(p1) == "0 1 !corrupt_message 3 4 5");
  std::optional<Result<void>> done;
  auto accept = [&](std::int64_t base, std::int64_t next) {
    m.store->accept_loss(p1, {Offset{base}, Offset{next}},
                         [&](Result<void> result) { done = std::move(result); });
    m.executor.run_until_idle();
    return done->has_value();
  };
  CHECK(!accept(1, 3));
  CHECK(accept(2, 3));
  CHECK(m.read(p1) == "0 1 3 4 5");
  CHECK(m.read(p1, Offset{2}) == "3 4 5");
  m.kill().open();
  CHECK(m.read(p1) == "0 1 3 4 5");
  m.close().open();
  CHECK(m.read(p1) == "0 1 3 4 5");
  CHECK(m.log(p1).view()->damaged.empty());
}

TEST_CASE("fault 4: a missing or damaged index is made again from the segment") {
  for (int kind = 0; kind < 3; ++kind) {
    Machine m;
    m.log_options.index_interval_bytes = 100;
    m.open();
    for (int i = 0; i < 20; ++i) REQUIRE(m.append({std::to_string(i)}, p1).has_value());
    m.close();
    std::string index = m.segment_path(0);
    index.replace(index.size() - 4, 4, ".index");
    if (kind == 0) REQUIRE(m.files.remove(index).has_value());
    if (kind == 1) m.files.flip_bit(index, 50, 1);
    if (kind == 2) m.files.flip_bit(index, 2, 1);
    m.open();
    CHECK(m.read(p1, Offset{17}) == "17 18 19");
    CHECK(m.read(p1).starts_with("0 1 2 3"));
    CHECK(m.append({"20"}, p1) == Offset{20});
    m.close().open();
    CHECK(m.read(p1, Offset{18}) == "18 19 20");
    CHECK(m.store->findings().empty());
  }
}

TEST_CASE("in the modes without waiting for the disk a kill loses nothing") {
  for (Durability mode : {Durability::interval, Durability::os}) {
    Machine m;
    m.options.durability = mode;
    m.open();
    REQUIRE(m.append({"a"}, p1).has_value());
    CHECK(m.metrics.counter("leat_log_syncs_total", "").value() == 0);
    REQUIRE(m.append({big('x')}, p1).has_value());
    m.kill().open();
    CHECK(m.read(p1) == "a " + big('x'));
    m.close().open();
    CHECK(m.read(p1) == "a " + big('x'));
  }
}

TEST_CASE("with interval, what is older than the interval survives a power loss") {
  for (std::uint64_t seed = 1; seed < 150; ++seed) {
    CAPTURE(seed);
    Machine m(seed);
    m.options.durability = Durability::interval;
    m.options.sync_interval = std::chrono::milliseconds(100);
    m.open();
    for (int i = 0; i < 5; ++i) REQUIRE(m.append({std::to_string(i)}, p1).has_value());
    m.executor.run_for(std::chrono::milliseconds(300));
    for (int i = 5; i < 9; ++i) REQUIRE(m.append({std::to_string(i)}, p1).has_value());
    m.power_loss().open();
    std::string text = m.read(p1);
    CHECK(text.starts_with("0 1 2 3 4"));
    CHECK(text.find('!') == std::string::npos);
    CHECK(std::string("0 1 2 3 4 5 6 7 8").starts_with(text));
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::log::testing
