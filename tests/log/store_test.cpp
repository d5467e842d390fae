#include "log/store.h"

#include "log/layout.h"
#include "machine.h"

namespace leat::log::testing {
namespace {

TEST_SUITE_BEGIN("log");

TEST_CASE("what was appended is read back, and its offsets count on") {
  Machine m;
  m.open();
  CHECK(m.append({"a", "b"}) == Offset{0});
  CHECK(m.append({"c"}) == Offset{2});
  CHECK(m.read() == "a b c");
  CHECK(m.read(partition(1), Offset{2}) == "c");
  CHECK(m.log().high_watermark() == Offset{3});
}

TEST_CASE("appends of one turn share one commit, and nothing is read before it is durable") {
  Machine m;
  m.open();
  auto a = m.start_append({"a"});
  auto b = m.start_append({"b"});
  CHECK(m.log().end_offset() == Offset{2});
  CHECK(m.log().high_watermark() == Offset{0});
  CHECK(m.read() == "");
  m.executor.run_until_idle();
  CHECK(**a == Offset{0});
  CHECK(**b == Offset{1});
  CHECK(m.metrics.counter("leat_log_commits_total", "").value() == 1);
}

TEST_CASE("listeners know of a record before its append is answered") {
  Machine m;
  m.open();
  Offset heard{0};
  Log::Ticket ticket = m.log().on_advance([&] { heard = m.log().view()->high_watermark; });
  Offset heard_when_answered{0};
  REQUIRE(
      m.log()
          .append(make_batch({"a"}), [&](const Result<Offset>&) { heard_when_answered = heard; })
          .has_value());
  m.executor.run_until_idle();
  CHECK(heard_when_answered == Offset{1});
}

TEST_CASE("a closed directory opens with all that it had, and reads nothing but the checkpoint") {
  Machine m;
  m.open();
  REQUIRE(m.append({"a", "b"}).has_value());
  m.close().open();
  CHECK(m.log().high_watermark() == Offset{2});
  CHECK(m.read() == "a b");
  CHECK(m.append({"c"}) == Offset{2});
  CHECK(m.read() == "a b c");
}

TEST_CASE("a thousand small appends of a thousand partitions wait for one sync") {
  Machine m;
  m.open();
  for (int i = 0; i < 1000; ++i) m.log(partition(1, i));
  m.files.reset_counts();
  Machine::Answer last;
  for (int i = 0; i < 1000; ++i) last = m.start_append({"x"}, partition(1, i));
  while (!last->has_value()) REQUIRE(m.executor.run_one());
  CHECK(m.metrics.counter("leat_log_syncs_total", "").value() == 1);
  CHECK(m.files.counts().syncs == 1);
}

TEST_CASE("while one commit is on its way to the disk, the next one's appends are written") {
  Machine m;
  m.options.commit_bytes_max = 1000;
  m.open();
  Machine::Answer first = m.start_append({std::string(400, 'a')});
  for (int i = 0; i < 9; ++i) m.start_append({std::string(400, 'b')});
  std::uint64_t written = 0;
  while (!first->has_value()) {
    Result<file::FilePtr> segment =
        m.files.open(Layout("/data").segment(partition(1), Offset{0}, 0), file::OpenMode::read);
    if (segment) written = *(*segment)->size();
    REQUIRE(m.executor.run_one());
  }
  CHECK(m.log().high_watermark() < Offset{5});
  CHECK(written > 2 * m.options.commit_bytes_max);
}

TEST_CASE("a partition with much to write lets another one pass") {
  Machine m;
  m.options.commit_bytes_max = 1000;
  m.open();
  for (int i = 0; i < 100; ++i) m.start_append({std::string(400, 'a')});
  Machine::Answer other = m.start_append({"b"}, partition(2));
  while (!other->has_value()) REQUIRE(m.executor.run_one());
  CHECK(**other == Offset{0});
  CHECK(m.log().high_watermark() < Offset{20});
  m.executor.run_until_idle();
  CHECK(m.log().high_watermark() == Offset{100});
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::log::testing
