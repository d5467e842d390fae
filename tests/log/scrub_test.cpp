#include "machine.h"

namespace leat::log::testing {
namespace {

TEST_SUITE_BEGIN("log");

const TopicPartition p1 = partition(1);

/// Ten sealed segments of one record each, and one that is written to.
Machine& with_segments(Machine& m) {
  m.options.scrub_bytes_per_second = 100;
  m.log_options.segment_bytes = 1;
  m.open();
  for (int i = 0; i < 11; ++i) REQUIRE(m.append({std::to_string(i)}, p1).has_value());
  m.executor.run_for(std::chrono::seconds(1));
  return m;
}

std::uint64_t count(Machine& m, const char* name) {
  return m.metrics.counter(name, "").value();
}

TEST_CASE("sealed segments are read again at the rate that is set, all of them in a day") {
  Machine m;
  with_segments(m);
  std::uint64_t segment = m.log(p1).view()->size_bytes() / 11;
  m.executor.run_for(std::chrono::seconds(60));
  std::uint64_t before = count(m, "leat_log_scrub_bytes_total");
  m.executor.run_for(std::chrono::seconds(4));
  std::uint64_t read = count(m, "leat_log_scrub_bytes_total") - before;
  CHECK(read >= 400 - 2 * segment);
  CHECK(read <= 400 + 2 * segment);
  m.executor.run_for(std::chrono::seconds(20));
  CHECK(count(m, "leat_log_scrub_bytes_total") == 10 * segment);
  CHECK(count(m, "leat_log_scrub_rounds_total") == 1);
  CHECK(count(m, "leat_log_scrub_findings_total") == 0);
  CHECK(m.metrics.gauge("leat_log_scrub_bytes_left", "").value() == 0);
  m.executor.run_for(std::chrono::hours(25));
  CHECK(count(m, "leat_log_scrub_rounds_total") == 2);
}

TEST_CASE("fault 2: checking again fences a flipped bit that no reader has come by") {
  // In a record, and in the offset that no CRC covers.
  for (std::uint64_t at : {std::uint64_t{65}, std::uint64_t{6}}) {
    CAPTURE(at);
    Machine m;
    with_segments(m);
    m.files.flip_bit(m.segment_path(4), at, 2);
    m.executor.run_for(std::chrono::minutes(3));
    CHECK(count(m, "leat_log_scrub_findings_total") == 1);
    CHECK(m.log(p1).view()->damaged == std::vector<OffsetRange>{{Offset{4}, Offset{5}}});
    // It is told once, not every day.
    m.executor.run_for(std::chrono::hours(30));
    CHECK(count(m, "leat_log_scrub_findings_total") == 1);
    m.options.scrub_bytes_per_second = 0;
    m.kill().open();
    CHECK(m.read(p1) == "0 1 2 3 !corrupt_message 5 6 7 8 9 10");
  }
}

TEST_CASE(
    "fault 5: a segment that is not what its seal describes is found, whatever its CRCs say") {
  Machine m;
  with_segments(m);
  // The leader epoch: neither CRC nor offsets tell.
  m.files.flip_bit(m.segment_path(4), 15, 0);
  m.executor.run_for(std::chrono::minutes(3));
  CHECK(count(m, "leat_log_scrub_findings_total") == 1);
}

TEST_CASE("checking again is off where its rate is 0, and stops with the store") {
  Machine m;
  with_segments(m);
  m.kill();
  m.options.scrub_bytes_per_second = 0;
  m.open();
  m.executor.run_until_idle();
  CHECK(count(m, "leat_log_scrub_bytes_total") == 0);
}

TEST_CASE("fault 14: segments that nobody uses let go of their descriptors") {
  Machine m;
  m.options.open_segments_max = 16;
  m.log_options.segment_bytes = 1;
  m.open();
  std::string expected;
  for (int i = 0; i < 50; ++i) {
    REQUIRE(m.append({std::to_string(i)}, p1).has_value());
    expected += (i == 0 ? "" : " ") + std::to_string(i);
  }
  m.executor.run_until_idle();
  // The active one stays open; those of long ago are opened once more.
  m.files.reset_counts();
  CHECK(m.read(p1, Offset{49}) == "49");
  CHECK(m.files.counts().opens == 0);
  CHECK(m.read(p1) == expected);
  CHECK(m.files.counts().opens >= 34);
  CHECK(m.append({"50"}, p1) == Offset{50});
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::log::testing
