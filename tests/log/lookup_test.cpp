// What a view answers: lookups by time, and what has been checked before it is given out.
#include <algorithm>
#include <map>

#include "machine.h"

namespace leat::log::testing {
namespace {

TEST_SUITE_BEGIN("log");

const TopicPartition p1 = partition(1);

/// A log of batches of two records each, with first timestamps as given, in many small segments
/// that have an index entry for each batch; and its records, in the most naive form.
struct TimedLog {
  explicit TimedLog(const std::vector<std::int64_t>& first_ms) {
    m.log_options.segment_bytes = 250;
    m.log_options.segment_ms = -1;
    m.log_options.index_interval_bytes = 1;
    m.open();
    for (std::int64_t ms : first_ms) {
      REQUIRE(m.append({"a", "b"}, p1, ms).has_value());
      timestamps_ms.push_back(ms);
      timestamps_ms.push_back(ms + 1);
    }
    m.executor.run_until_idle();
  }

  /// The offset of the first record at or above `start` with that time or a later one; -1 for none.
  std::int64_t expected(std::int64_t ms) const {
    for (std::size_t i = start; i < timestamps_ms.size(); ++i) {
      if (timestamps_ms[i] >= ms) return static_cast<std::int64_t>(i);
    }
    return -1;
  }
  void check_all() {
    auto view = m.log(p1).view();
    for (std::int64_t ms = 0; ms < 130; ++ms) {
      CAPTURE(ms);
      Result<std::optional<TimestampOffset>> found = view->find_timestamp(ms);
      REQUIRE(found.has_value());
      CHECK((*found ? (*found)->offset.value() : -1) == expected(ms));
      if (*found) {
        CHECK((*found)->timestamp_ms ==
              timestamps_ms[static_cast<std::size_t>((*found)->offset.value())]);
      }
    }
    auto begin = timestamps_ms.begin() + static_cast<std::ptrdiff_t>(start);
    Result<std::optional<TimestampOffset>> largest = view->find_max_timestamp();
    REQUIRE(largest.has_value());
    REQUIRE(largest->has_value());
    CHECK((*largest)->timestamp_ms == *std::max_element(begin, timestamps_ms.end()));
    CHECK(timestamps_ms[static_cast<std::size_t>((*largest)->offset.value())] ==
          (*largest)->timestamp_ms);
  }

  Machine m;
  std::vector<std::int64_t> timestamps_ms;
  std::size_t start = 0;
};

TEST_CASE("a lookup by time gives the first record of that time or later, in order or not") {
  for (const std::vector<std::int64_t>& first_ms :
       {std::vector<std::int64_t>{10, 20, 30, 40, 50, 60, 70, 80},
        std::vector<std::int64_t>{80, 70, 60, 50, 40, 30, 20, 10},
        std::vector<std::int64_t>{50, 10, 90, 20, 120, 30, 100, 40, 60},
        std::vector<std::int64_t>{5, 5, 5, 5, 5}}) {
    TimedLog log(first_ms);
    log.check_all();
    // The same with indexes read from the disk, and made again from the segments.
    log.m.close().open();
    log.check_all();
    log.m.close();
    for (const std::string& path : log.m.files.file_paths()) {
      if (path.ends_with(".index")) REQUIRE(log.m.files.remove(path).has_value());
    }
    log.m.open();
    log.check_all();
  }
}

TEST_CASE("a lookup by time leaves out what is below the start, even within a batch") {
  TimedLog log({120, 10, 90, 20, 30, 40});
  for (std::int64_t start = 1; start < 12; ++start) {
    log.m.log(p1).advance_start(Offset{start}, [](const Result<void>&) {});
    log.m.executor.run_until_idle();
    log.start = static_cast<std::size_t>(start);
    log.check_all();
  }
  log.m.log(p1).advance_start(Offset{12}, [](const Result<void>&) {});
  log.m.executor.run_until_idle();
  CHECK(*log.m.log(p1).view()->find_timestamp(0) == std::nullopt);
  CHECK(*log.m.log(p1).view()->find_max_timestamp() == std::nullopt);
}

constexpr std::uint64_t plenty = 1 << 20;

TEST_CASE("a read ends at most an eighth short of the batches that there would be room for") {
  Machine m;
  m.log_options.index_interval_bytes = 1000;
  m.open();
  for (int i = 0; i < 60; ++i) REQUIRE(m.append({std::string(100, 'x')}).has_value());
  std::shared_ptr<const LogView> view = m.log().view();
  std::uint64_t batch_bytes = view->size_bytes() / 60;
  for (std::uint64_t max_bytes = batch_bytes; max_bytes < 5000; max_bytes += 37) {
    CAPTURE(max_bytes);
    Result<Slice> slice = view->read(Offset{3}, max_bytes);
    REQUIRE(slice.has_value());
    CHECK(slice->bytes <= max_bytes);
    CHECK(slice->bytes + batch_bytes > max_bytes - max_bytes / 8);
  }
}

TEST_CASE("bytes that this process appended count as checked, and are read but for their heads") {
  Machine m;
  m.open();
  REQUIRE(m.append({std::string(100'000, 'x')}).has_value());
  auto view = m.log().view();
  CHECK(view->is_checked(Offset{0}, plenty));
  m.files.reset_counts();
  REQUIRE(view->read(Offset{0}, plenty).has_value());
  CHECK(m.files.counts().bytes_read < 20'000);
}

TEST_CASE("bytes from before the start are checked once before they are given out") {
  Machine m;
  m.open();
  for (int i = 0; i < 3; ++i) REQUIRE(m.append({std::string(50'000, 'x')}).has_value());
  m.close().open();
  REQUIRE(m.append({"new"}).has_value());
  auto view = m.log().view();
  CHECK(!view->is_checked(Offset{0}, plenty));
  CHECK(!view->is_checked(Offset{2}, 1));
  m.files.reset_counts();
  REQUIRE(view->read(Offset{0}, plenty).has_value());
  CHECK(m.files.counts().bytes_read > 150'000);
  CHECK(view->is_checked(Offset{0}, plenty));
  CHECK(m.log().view()->is_checked(Offset{2}, 1));
  m.files.reset_counts();
  REQUIRE(view->read(Offset{0}, plenty).has_value());
  CHECK(m.files.counts().bytes_read < 50'000);
}

TEST_CASE("a flipped bit is found by the check before the first read, and named by the next view") {
  Machine m;
  m.log_options.index_interval_bytes = 1;
  m.open();
  for (int i = 0; i < 3; ++i) REQUIRE(m.append({std::to_string(i)}).has_value());
  std::uint64_t batch = m.log().view()->size_bytes() / 3;
  m.close();
  m.files.flip_bit(m.segment_path(0), batch + 65, 4);
  m.open();
  auto view = m.log().view();
  CHECK(view->damaged.empty());
  Result<Slice> first = view->read(Offset{0}, plenty);
  REQUIRE(first.has_value());
  CHECK(first->next_offset == Offset{1});
  CHECK(view->read(Offset{1}, plenty).error().code == Errc::corrupt_message);
  CHECK(view->read(Offset{2}, plenty).has_value());
  m.executor.run_until_idle();
  CHECK(m.log().view()->damaged == std::vector<OffsetRange>{{Offset{1}, Offset{2}}});
}

TEST_CASE("what is refused without a look at the disk counts as checked") {
  Machine m;
  m.open();
  REQUIRE(m.append({"a"}).has_value());
  m.close().open();
  auto view = m.log().view();
  CHECK(view->is_checked(Offset{1}, plenty));  // nothing to read
  CHECK(view->is_checked(Offset{2}, plenty));  // out of range
  CHECK(!view->is_checked(Offset{0}, plenty));
}

TEST_CASE("a read of records that are lost with their segment is refused, not empty") {
  Machine m;
  m.open();
  REQUIRE(m.append({"a", "b"}).has_value());
  LogView view = *m.log().view();
  view.high_watermark = Offset{5};
  view.damaged = {{Offset{2}, Offset{5}}};
  CHECK(view.read(Offset{0}, plenty)->next_offset == Offset{2});
  Result<Slice> lost = view.read(Offset{2}, plenty);
  REQUIRE(!lost.has_value());
  CHECK(lost.error().code == Errc::corrupt_message);
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::log::testing
