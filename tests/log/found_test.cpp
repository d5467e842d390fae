// What a start finds that should not be so.
#include "machine.h"

namespace leat::log::testing {
namespace {

TEST_SUITE_BEGIN("log");

const TopicPartition p1 = partition(1);
const TopicPartition p2 = partition(2);

/// Puts `bytes` behind what the file has.
void extend(Machine& m, const std::string& path, BytesView bytes) {
  Result<file::FilePtr> file = m.files.open(path, file::OpenMode::read_write);
  REQUIRE(file.has_value());
  REQUIRE((*file)->write_at((*file)->size().value(), std::span(&bytes, 1)).has_value());
  REQUIRE((*file)->sync().has_value());
}

void swap_files(Machine& m, const std::string& a, const std::string& b) {
  REQUIRE(m.files.rename(a, a + ".tmp").has_value());
  REQUIRE(m.files.rename(b, a).has_value());
  REQUIRE(m.files.rename(a + ".tmp", b).has_value());
}

TEST_CASE("fault 1: what stands behind the end of a log is kept aside, and never served") {
  Batch whole = make_batch({"never", "acknowledged"});
  Bytes zeros(5000);
  std::vector<BytesView> tails{whole.bytes, BytesView(whole.bytes).first(70), as_bytes("rubbish"),
                               zeros};
  for (const BytesView& tail : tails) {
    CAPTURE(tail.size());
    Machine m;
    m.open();
    REQUIRE(m.append({"a", "b"}, p1).has_value());
    m.close();
    extend(m, m.segment_path(0), tail);
    m.open();
    CHECK(m.read(p1) == "a b");
    CHECK(m.append({"c"}, p1) == Offset{2});
    CHECK(m.read(p1) == "a b c");
    bool is_aside = m.files.list("/data/quarantine").has_value();
    CHECK(is_aside == (tail.data() != zeros.data()));
    m.kill().open();
    CHECK(m.read(p1) == "a b c");
  }
}

TEST_CASE(
    "fault 1: a torn batch at the end of a log that was killed costs nothing that came before") {
  for (std::size_t bytes : {std::size_t{1}, std::size_t{60}, std::size_t{61}, std::size_t{70}}) {
    Machine m;
    m.open();
    REQUIRE(m.append({"a", "b"}, p1).has_value());
    m.kill();
    Batch torn = make_batch({"torn"});
    record::set_base_offset(torn.bytes, Offset{2});
    extend(m, m.segment_path(0),
           BytesView(torn.bytes).first(std::min(bytes, torn.bytes.size() - 1)));
    m.open();
    CHECK(m.read(p1) == "a b");
    CHECK(m.append({"c"}, p1) == Offset{2});
  }
}

TEST_CASE("fault 5: a segment in the place of another one is not served") {
  Machine m;
  m.log_options.segment_bytes = 1;
  m.open();
  for (const char* text : {"a", "b", "c"}) REQUIRE(m.append({text}, p1).has_value());
  m.close();
  swap_files(m, m.segment_path(0), m.segment_path(1));
  m.open();
  CHECK(m.read(p1) == "!corrupt_message");
  CHECK(m.read(p1, Offset{1}) == "!corrupt_message c");
  CHECK(m.read(p1, Offset{2}) == "c");
}

/// Two partitions whose files have batches of the same sizes at the same offsets.
void open_twins(Machine& m) {
  m.open();
  for (const char* text : {"a", "b"}) REQUIRE(m.append({text}, p1).has_value());
  for (const char* text : {"x", "y"}) REQUIRE(m.append({text}, p2).has_value());
}

void swap_twins(Machine& m) {
  swap_files(m, m.segment_path(0, p1), m.segment_path(0, p2));
  REQUIRE(m.files.sync_directory("/data").has_value());
}

TEST_CASE("fault 5: the file of another partition is not served, nor appended to") {
  Machine m;
  open_twins(m);
  m.close();
  swap_twins(m);
  auto report = check_directory(m.files, "/data", {});
  REQUIRE(report.has_value());
  CHECK(report->damaged());
  CHECK(report->findings.size() == 2);
  m.open();
  CHECK(m.append({"c"}, p1) == Offset{2});
  CHECK(m.read(p1) == "!corrupt_message c");
  CHECK(m.read(p2) == "!corrupt_message");
  CHECK(m.log(p1).view()->damaged == std::vector<OffsetRange>{{Offset{0}, Offset{2}}});
  m.kill().open();
  CHECK(m.read(p1) == "!corrupt_message c");
}

TEST_CASE("fault 5: nor is anything written to it when a crash is mended") {
  for (bool is_power_loss : {false, true}) {
    Machine m;
    open_twins(m);
    m.close().open();
    REQUIRE(m.append({"c"}, p1).has_value());
    if (is_power_loss) {
      m.power_loss();
    } else {
      m.kill();
    }
    swap_twins(m);
    m.open();
    CHECK(m.read(p1) == "!corrupt_message c");
    CHECK(m.read(p2) == "!corrupt_message");
    // What stood in its place is kept aside.
    Result<std::vector<file::DirectoryEntry>> aside = m.files.list("/data/quarantine");
    REQUIRE(aside.has_value());
    CHECK(aside->size() == 1);
    m.close().open();
    CHECK(m.append({"d"}, p1) == Offset{3});
    CHECK(m.read(p1) == "!corrupt_message c d");
  }
}

TEST_CASE("fault 5: a flipped bit in the batch that a segment is known by costs only that batch") {
  for (int batch : {0, 2}) {
    Machine m;
    m.open();
    for (const char* text : {"a", "b", "c"}) REQUIRE(m.append({text}, p1).has_value());
    std::uint64_t bytes = m.log(p1).view()->size_bytes() / 3;
    m.close();
    m.files.flip_bit(m.segment_path(0), batch * bytes + record::batch_field::crc, 3);
    m.open();
    CHECK(m.read(p1) == (batch == 0 ? "!corrupt_message b c" : "a b !corrupt_message"));
  }
}

TEST_CASE("fault 7: an EIO on read is that partition's, and passes") {
  Machine m;
  m.open();
  REQUIRE(m.append({"a"}, p1).has_value());
  REQUIRE(m.append({"b"}, p2).has_value());
  m.close().open();
  m.files.fail_reads(p1.topic_id.to_hex());
  Result<Slice> failed = m.log(p1).view()->read(Offset{0}, 1 << 20);
  REQUIRE(!failed.has_value());
  CHECK(failed.error().code == Errc::io_error);
  CHECK(m.read(p2) == "b");
  m.files.heal();
  CHECK(m.read(p1) == "a");
  CHECK(m.log(p1).view()->damaged.empty());
}

TEST_CASE("fault 12: a checkpoint of a clean stop hides nothing that came after it") {
  for (bool is_power_loss : {false, true}) {
    Machine m;
    m.open();
    REQUIRE(m.append({"a"}, p1).has_value());
    m.close().open();
    REQUIRE(m.append({"b"}, p1).has_value());
    REQUIRE(m.append({"c"}, p2).has_value());
    if (is_power_loss) {
      m.power_loss().open();
    } else {
      m.kill().open();
    }
    CHECK(m.read(p1) == "a b");
    CHECK(m.read(p2) == "c");
    CHECK(m.store->findings().empty());
  }
}

TEST_CASE("after a kill a start waits for no segment's sync, and what it skips is made good") {
  Machine m;
  m.open();
  for (int i = 0; i < 100; ++i) REQUIRE(m.append({"x"}, partition(1, i)).has_value());
  m.kill();
  m.files.reset_counts();
  m.open();
  // Both files of the journal.
  CHECK(m.files.counts().syncs == 2);
  // Killed again before the checkpoint, and cut off from power behind it.
  m.kill().open();
  REQUIRE(m.append({"y"}, partition(1, 0)).has_value());
  m.executor.run_until_idle();
  m.power_loss();
  m.files.reset_counts();
  m.open();
  CHECK(m.read(partition(1, 0)) == "x y");
  for (int i = 1; i < 100; ++i) REQUIRE(m.read(partition(1, i)) == "x");
  CHECK(m.store->findings().empty());
}

TEST_CASE("fault 13: a directory in use, of a newer format, or that cannot be written is refused") {
  Machine m;
  m.open();
  REQUIRE(m.append({"a"}, p1).has_value());
  auto second = Store::open({m.files, m.executor, m.executor, m.metrics}, m.options);
  REQUIRE(!second.has_value());
  CHECK(second.error().code == Errc::locked);
  CHECK(second.error().what.find("test") != std::string::npos);
  m.close();

  m.files.fail_writes("/data");
  CHECK(m.try_open().error().code == Errc::io_error);
  m.files.heal();

  BytesView newer = as_bytes("leat data directory, format 2\n");
  REQUIRE(file::replace_file(m.files, "/data/format", newer).has_value());
  CHECK(m.try_open().error().code == Errc::unsupported_format);
  REQUIRE(file::replace_file(m.files, "/data/format", as_bytes("leat data directory, format 1\n"))
              .has_value());
  m.open();
  CHECK(m.read(p1) == "a");
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::log::testing
