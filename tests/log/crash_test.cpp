// A process or a machine that ends at any moment: the store is told a story, and dies at each of
// the changes to the disk that make it up.
#include "machine.h"

namespace leat::log::testing {
namespace {

TEST_SUITE_BEGIN("log");

const TopicPartition p1 = partition(1);
const TopicPartition p2 = partition(2);
const TopicPartition p3 = partition(3);

/// Makes, fills and rolls segments, uses the journal twice over, seals, moves starts by request and
/// by retention, removes a partition, closes and opens again. Every record is its own offset.
class Story {
 public:
  explicit Story(Machine& machine) : m_(machine) {
    m_.options.journal_bytes = 64 << 10;
    m_.log_options.segment_bytes = 400;
  }

  /// Until it has come to its end or the process has died.
  void run() {
    if (!open()) return;
    for (int i = 0; i < 24 && !m_.files.stopped(); ++i) {
      append(p1);
      append(p2);
      if (i < 3) append(p3);
      if (i == 8) delete_records(p1, Offset{5});
      if (i == 10) retain(p2);
      if (i == 14) remove(p3);
      if (i == 18 && !reopen()) return;
    }
  }

  void check() {
    for (const TopicPartition& id : {p1, p2, p3}) {
      CAPTURE(id.topic_id.to_hex());
      const Told& told = told_[id];
      auto start = m_.log(id).start_offset().value();
      auto end = m_.log(id).end_offset().value();
      if (told.is_removed && end == 0) continue;
      REQUIRE(!told.is_removed_for_certain);
      REQUIRE(end >= told.acknowledged);
      REQUIRE(end <= told.asked);
      REQUIRE(start >= told.start);
      REQUIRE(start <= told.start_asked);
      std::string expected;
      for (std::int64_t i = start; i < end; ++i) {
        expected += (expected.empty() ? "" : " ") + std::to_string(i);
      }
      REQUIRE(m_.read(id) == expected);
    }
  }

 private:
  struct Told {
    std::int64_t asked = 0;
    std::int64_t acknowledged = 0;
    std::int64_t start_asked = 0;
    std::int64_t start = 0;
    bool is_removed = false;
    bool is_removed_for_certain = false;
  };

  bool open() { return m_.try_open().has_value() && !m_.files.stopped(); }

  bool reopen() {
    bool is_closed = false;
    m_.store->close([&](Result<void> closed) { is_closed = closed.has_value(); });
    m_.executor.run_until_idle();
    if (!is_closed) return false;
    m_.store.reset();
    return open();
  }

  void append(const TopicPartition& id) {
    if (m_.files.stopped()) return;
    Told& told = told_[id];
    Result<Offset> appended = m_.append({std::to_string(told.asked++)}, id);
    if (appended) told.acknowledged = appended->value() + 1;
  }

  void delete_records(const TopicPartition& id, Offset offset) {
    if (m_.files.stopped()) return;
    told_[id].start_asked = offset.value();
    m_.log(id).advance_start(offset, [this, id, offset](Result<void> moved) {
      if (moved) told_[id].start = offset.value();
    });
    m_.executor.run_until_idle();
  }

  void retain(const TopicPartition& id) {
    if (m_.files.stopped()) return;
    told_[id].start_asked = told_[id].asked;
    LogOptions options = m_.log_options;
    options.retention_bytes = 500;
    m_.log(id).set_options(options);
    m_.log(id).apply_retention();
    m_.executor.run_until_idle();
    if (!m_.files.stopped()) told_[id].start = m_.log(id).start_offset().value();
  }

  void remove(const TopicPartition& id) {
    if (m_.files.stopped()) return;
    told_[id].is_removed = true;
    m_.store->remove_log(id);
    m_.executor.run_until_idle();
    told_[id].is_removed_for_certain = !m_.files.stopped();
  }

  Machine& m_;
  std::map<TopicPartition, Told> told_;
};

/// How many changes the story is made of, each of which was the last one once.
int die_at_each_change(bool is_power_loss) {
  for (int changes = 0;; ++changes) {
    CAPTURE(changes);
    Machine m(static_cast<std::uint64_t>(changes) + 1);
    Story story(m);
    m.files.stop_after(static_cast<std::uint64_t>(changes));
    story.run();
    bool is_through = !m.files.stopped();
    if (is_power_loss) {
      m.power_loss();
    } else {
      m.kill();
    }
    m.open();
    story.check();
    // What it is then is as good as what it was.
    m.kill().open();
    story.check();
    if (is_through) return changes;
  }
}

TEST_CASE("fault 9: a process killed at any change to the disk costs nothing acknowledged") {
  CHECK(die_at_each_change(false) > 150);
}

TEST_CASE("fault 11: a power cut at any change to the disk costs nothing acknowledged") {
  CHECK(die_at_each_change(true) > 150);
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::log::testing
