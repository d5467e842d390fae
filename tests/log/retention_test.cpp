#include "machine.h"

namespace leat::log::testing {
namespace {

TEST_SUITE_BEGIN("log");

using std::chrono::hours;
using std::chrono::milliseconds;

const TopicPartition p1 = partition(1);

/// Ten batches of one record each, three to a segment.
void fill(Machine& m, std::int64_t timestamp_ms = 1000) {
  m.log_options.segment_bytes = 220;
  m.log_options.segment_ms = -1;
  m.open();
  for (int i = 0; i < 10; ++i) {
    REQUIRE(m.append({std::to_string(i)}, p1, timestamp_ms).has_value());
  }
  m.executor.run_until_idle();
}

void retain(Machine& m) {
  m.log(p1).apply_retention();
  m.executor.run_until_idle();
}

std::size_t segment_files(Machine& m) {
  std::size_t count = 0;
  for (const std::string& path : m.files.file_paths()) {
    if (path.ends_with(".log")) ++count;
  }
  return count;
}

TEST_CASE("retention by size removes whole old segments, never the active one") {
  Machine m;
  fill(m);
  std::uint64_t bytes = m.log(p1).view()->size_bytes();
  struct Row {
    std::int64_t retention_bytes;
    std::int64_t start;
  };
  for (Row row : {Row{-1, 0}, Row{static_cast<std::int64_t>(bytes), 0},
                  Row{static_cast<std::int64_t>(bytes * 7 / 10), 3},
                  Row{static_cast<std::int64_t>(bytes * 2 / 10), 6}, Row{0, 9}}) {
    CAPTURE(row.retention_bytes);
    m.log_options.retention_bytes = row.retention_bytes;
    retain(m);
    CHECK(m.log(p1).start_offset() == Offset{row.start});
  }
  CHECK(m.read(p1) == "9");
  CHECK(segment_files(m) == 1);
  CHECK(m.log(p1).view()->read(Offset{8}, 100).error().code == Errc::offset_out_of_range);
}

TEST_CASE("age counts from the last append by the broker's clock, not from record timestamps") {
  for (std::int64_t timestamp_ms : {std::int64_t{0}, std::int64_t{4'070'908'800'000}}) {
    CAPTURE(timestamp_ms);
    Machine m;
    fill(m, timestamp_ms);
    m.log_options.retention_ms = 3'600'000;
    m.executor.run_for(milliseconds(3'500'000));
    retain(m);
    CHECK(m.read(p1) == "0 1 2 3 4 5 6 7 8 9");
    m.executor.run_for(milliseconds(200'000));
    retain(m);
    CHECK(m.read(p1) == "");
    CHECK(m.log(p1).start_offset() == Offset{10});
    CHECK(segment_files(m) == 0);
    CHECK(m.append({"10"}, p1) == Offset{10});
    CHECK(m.read(p1) == "10");
    m.power_loss().open();
    CHECK(m.read(p1) == "10");
  }
}

TEST_CASE("a log that retention emptied keeps its end across crashes and clean stops") {
  for (bool clean : {true, false}) {
    Machine m;
    fill(m);
    m.log_options.retention_ms = 1000;
    m.executor.run_for(hours(1));
    retain(m);
    if (clean) {
      m.close().open();
    } else {
      m.power_loss().open();
    }
    CHECK(m.log(p1).end_offset() == Offset{10});
    CHECK(m.log(p1).start_offset() == Offset{10});
    CHECK(m.store->findings().empty());
  }
}

TEST_CASE("a start offset that was moved up stays there, and what is below cannot be read") {
  Machine m;
  fill(m);
  std::optional<Result<void>> done;
  m.log(p1).advance_start(Offset{5}, [&](Result<void> result) { done = std::move(result); });
  m.executor.run_until_idle();
  REQUIRE(done->has_value());
  CHECK(m.read(p1) == "5 6 7 8 9");
  m.power_loss().open();
  CHECK(m.log(p1).start_offset() == Offset{5});
  CHECK(m.read(p1) == "5 6 7 8 9");
  CHECK(m.log(p1).view()->read(Offset{4}, 100).error().code == Errc::offset_out_of_range);
  m.log(p1).advance_start(Offset{11}, [&](Result<void> result) { done = std::move(result); });
  m.executor.run_until_idle();
  CHECK(done->error().code == Errc::offset_out_of_range);
}

TEST_CASE("a reader that holds a slice reads on after retention took the file's name") {
  Machine m;
  fill(m);
  Result<Slice> slice = m.log(p1).view()->read(Offset{0}, 1000);
  REQUIRE(slice.has_value());
  m.log_options.retention_bytes = 0;
  retain(m);
  CHECK(segment_files(m) == 1);
  Bytes bytes(slice->bytes);
  CHECK(slice->file->read_at(slice->position, bytes) == bytes.size());
}

TEST_CASE("a segment is rolled by age at the first append after it") {
  Machine m;
  m.log_options.segment_ms = 1000;
  m.open();
  REQUIRE(m.append({"a"}, p1).has_value());
  m.executor.run_for(milliseconds(500));
  REQUIRE(m.append({"b"}, p1).has_value());
  CHECK(segment_files(m) == 1);
  m.executor.run_for(milliseconds(600));
  REQUIRE(m.append({"c"}, p1).has_value());
  CHECK(segment_files(m) == 2);
  CHECK(m.read(p1) == "a b c");
}

TEST_CASE("retention in the middle of a crash leaves a log that begins where it says") {
  for (std::uint64_t operations = 0; operations < 30; ++operations) {
    CAPTURE(operations);
    Machine m(operations);
    fill(m);
    m.log_options.retention_bytes = 0;
    m.files.stop_after(operations);
    retain(m);
    m.power_loss();
    m.open();
    std::int64_t start = m.log(p1).start_offset().value();
    CHECK((start == 0 || start == 9));
    CHECK(m.read(p1) == (start == 0 ? "0 1 2 3 4 5 6 7 8 9" : "9"));
    CHECK(m.store->findings().empty());
  }
}

TEST_CASE("a removed log is gone for good, with all its files") {
  Machine m;
  fill(m);
  Machine::Answer late = m.start_append({"late"}, p1);
  m.store->remove_log(p1);
  CHECK(!m.store->log(p1, m.log_options).has_value());
  m.executor.run_until_idle();
  CHECK((*late)->error().code == Errc::unknown_topic_or_partition);
  CHECK(segment_files(m) == 0);
  CHECK(m.store->partitions().empty());
  m.power_loss().open();
  CHECK(m.store->partitions().empty());
  CHECK(m.append({"new"}, p1) == Offset{0});
  CHECK(m.read(p1) == "new");
}

TEST_CASE("a start that is asked for late and is lower brings back nothing after a crash") {
  std::string large(10 << 10, 'x');
  for (int events = 0; events < 12; ++events) {
    CAPTURE(events);
    Machine m;
    m.options.direct_bytes = 8 << 10;
    m.log_options.segment_bytes = 8 << 10;
    m.open();
    REQUIRE(m.append({large}, p1).has_value());
    m.files.set_delays(milliseconds(10), milliseconds(10));
    m.log(p1).advance_start(Offset{1}, [](const Result<void>&) {});
    for (int i = 0; i < events; ++i) m.executor.run_one();
    m.log(p1).advance_start(Offset{0}, [](const Result<void>&) {});
    Machine::Answer answer = m.start_append({"next" + large}, p1);
    m.executor.run_until_idle();
    REQUIRE((*answer)->has_value());
    m.crash(events % 2 == 0).open();
    CHECK(m.store->findings().empty());
    CHECK(m.read(p1) == "next" + large);
    CHECK(m.log(p1).start_offset() == Offset{1});
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::log::testing
