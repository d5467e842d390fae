// What a partition remembers of its producers: duplicates, gaps, epochs, transactions; across
// failed commits, starts, retention and lost files.
#include <fmt/core.h>

#include "base/random.h"
#include "log/backup.h"
#include "log/producer_snapshot.h"
#include "log/producer_table.h"
#include "log/segment.h"
#include "machine.h"
#include "record/end_marker.h"

namespace leat::log::testing {
namespace {

TEST_SUITE_BEGIN("log");

constexpr ProducerId alice{7};
constexpr ProducerId bob{8};

/// A batch of `count` records by a producer.
struct Sent {
  ProducerId id;
  std::int32_t sequence = 0;
  std::int32_t count = 1;
  std::int16_t epoch = 0;
  bool is_transactional = false;
  std::size_t padding = 0;
};

Batch batch_of(const Sent& sent) {
  record::BatchBuilder builder;
  std::string text(sent.padding, 'x');
  for (std::int32_t i = 0; i < sent.count; ++i) {
    std::int64_t number = std::int64_t{sent.sequence} + i;
    builder.append(1000, {}, as_bytes(fmt::format("{}-{}{}", sent.id.value(), number, text)));
  }
  record::BatchOptions options;
  options.producer_id = sent.id;
  options.producer_epoch = sent.epoch;
  options.base_sequence = sent.sequence;
  options.is_transactional = sent.is_transactional;
  auto owner = std::make_shared<Bytes>(builder.build(options));
  return {owner, MutableBytes(*owner), sent.count, 1000};
}

Batch marker_of(ProducerId id, std::int16_t epoch, bool is_commit, std::int32_t coordinator = -1) {
  auto owner =
      std::make_shared<Bytes>(record::build_end_marker(id, epoch, {is_commit, coordinator}, 1000));
  return {owner, MutableBytes(*owner), 1, 1000};
}

class Producers : public Machine {
 public:
  explicit Producers(std::uint64_t seed = 1) : Machine(seed) { open(); }

  void load() {
    std::optional<Result<void>> loaded;
    log().load_producers([&](Result<void> result) { loaded = std::move(result); });
    while (!loaded && executor.run_one()) {
    }
    REQUIRE(loaded.has_value());
    REQUIRE(loaded->has_value());
  }
  Answer start(Batch batch) {
    if (!log().has_producers()) load();
    auto answer = std::make_shared<std::optional<Result<Offset>>>();
    Result<Offset> queued = log().append(
        std::move(batch), [answer](Result<Offset> result) { *answer = std::move(result); });
    if (!queued) *answer = std::move(queued);
    return answer;
  }
  /// The offset that it got, or the error's name.
  std::string send(Batch batch) {
    Answer answer = start(std::move(batch));
    while (!answer->has_value() && executor.run_one()) {
    }
    return told(answer);
  }
  std::string send(const Sent& sent) { return send(batch_of(sent)); }
  static std::string told(const Answer& answer) {
    if (!answer->has_value()) return "nothing";
    if (!**answer) return std::string(name((**answer).error().code));
    return std::to_string((**answer)->value());
  }
  std::int64_t stable() {
    if (!log().has_producers()) load();
    return log().view()->last_stable_offset->value();
  }
  std::string aborted(std::int64_t from, std::int64_t to) {
    std::string text;
    for (const AbortedTransaction& a : log().view()->aborted->find(Offset{from}, Offset{to})) {
      text += fmt::format("{}:{}-{} ", a.producer.value(), a.first.value(), a.last.value());
    }
    return text;
  }
  /// What is known of them, in full.
  std::string known() {
    if (!log().has_producers()) load();
    return describe(log().producers());
  }
  static std::string describe(const ProducerTable& table) {
    std::map<ProducerId, Producer> sorted(table.producers().begin(), table.producers().end());
    std::string text;
    for (const auto& [id, p] : sorted) {
      text +=
          fmt::format("{} epoch {} last {} marker {} open {}", id.value(), p.epoch, p.last_sequence,
                      p.marker_offset.value(), p.transaction.value_or(Offset{-1}).value());
      for (std::size_t i = 0; i < p.batch_count; ++i) {
        text += fmt::format(" {}..{}@{}", p.batches[i].base_sequence, p.batches[i].last_sequence,
                            p.batches[i].base_offset.value());
      }
      text += "\n";
    }
    return text;
  }
};

TEST_CASE("fault 26: one of the last five batches sent again gets the offset of the first time") {
  Producers m;
  for (std::int32_t i = 0; i < 6; ++i) CHECK(m.send({alice, 2 * i, 2}) == std::to_string(2 * i));
  for (std::int32_t i = 1; i < 6; ++i) CHECK(m.send({alice, 2 * i, 2}) == std::to_string(2 * i));
  CHECK(m.send({alice, 0, 2}) == "out_of_order_sequence");
  CHECK(m.send({alice, 10, 1}) == "out_of_order_sequence");
  CHECK(m.log().end_offset() == Offset{12});
  CHECK(m.send({alice, 12}) == "12");
}

TEST_CASE("fault 26: what may follow which batch") {
  constexpr std::int32_t last = 0x7fff'ffff;
  struct Row {
    Sent before;
    Sent then;
    std::string answer;
  };
  const Row rows[] = {
      {{alice, 0}, {alice, 1}, "1"},
      {{alice, 0}, {alice, 2}, "out_of_order_sequence"},
      {{alice, 0, 3}, {alice, 3}, "3"},
      {{alice, 41}, {alice, 42}, "1"},  // an unknown producer begins anywhere
      {{alice, last}, {alice, 0}, "1"},
      {{alice, last - 1, 3}, {alice, 1}, "3"},  // its last sequence is 0
      {{alice, last - 1, 3}, {alice, last - 1, 3}, "0"},
      {{alice, last}, {alice, 1}, "out_of_order_sequence"},
      {{alice, 5, 1, 1}, {alice, 6, 1, 0}, "invalid_producer_epoch"},
      {{alice, 5, 1, 1}, {alice, 0, 1, 2}, "1"},
      {{alice, 5, 1, 1}, {alice, 6, 1, 2}, "out_of_order_sequence"},
      {{alice, 0, 1, 1}, {alice, 0, 1, 2}, "1"},  // no duplicate: another epoch
      {{alice, 5}, {bob, 9}, "1"},
      {{alice, 0, 1, 0, true}, {alice, 1, 1, 0, false}, "invalid_txn_state"},  // fault 27
  };
  for (const Row& row : rows) {
    Producers m;
    CAPTURE(row.before.sequence);
    CAPTURE(row.then.sequence);
    CAPTURE(row.then.epoch);
    CHECK(m.send(row.before) == "0");
    CHECK(m.send(row.then) == row.answer);
  }
}

TEST_CASE("a duplicate of what is not durable yet waits for it, and gets its offset") {
  Producers m;
  Machine::Answer first = m.start(batch_of({alice, 0}));
  Machine::Answer again = m.start(batch_of({alice, 0}));
  CHECK(m.told(again) == "nothing");
  m.executor.run_until_idle();
  CHECK(m.told(first) == "0");
  CHECK(m.told(again) == "0");
  CHECK(m.read() == "7-0");
}

TEST_CASE("when a batch fails its duplicate fails too, and the producer may send it anew") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Producers m(seed);
    CHECK(m.send({alice, 0}) == "0");
    std::string before = m.known();
    m.files.set_free_bytes(8192);
    Machine::Answer first = m.start(batch_of({alice, 1, 1, 0, seed % 2 == 0, 300 << 10}));
    Machine::Answer again = m.start(batch_of({alice, 1, 1, 0, seed % 2 == 0, 300 << 10}));
    Machine::Answer other = m.start(batch_of({bob, 0}));
    m.executor.run_until_idle();
    CHECK(m.told(first) == "no_space");
    CHECK(m.told(again) == "no_space");
    CHECK(m.told(other) == "no_space");
    CHECK(m.known() == before);
    CHECK(m.stable() == 1);
    m.files.set_free_bytes({});
    CHECK(m.send({bob, 4}) == "1");
    CHECK(m.send({alice, 1}) == "2");
  }
}

TEST_CASE("after a failed sync the duplicate fails with its original, and after a start both fit") {
  Producers m;
  CHECK(m.send({alice, 0}) == "0");
  m.files.fail_sync("/journal/");
  Machine::Answer first = m.start(batch_of({alice, 1}));
  Machine::Answer again = m.start(batch_of({alice, 1}));
  m.executor.run_until_idle();
  CHECK(m.told(first) == "storage_error");
  CHECK(m.told(again) == "storage_error");
  m.power_loss().open();
  // Whether it was kept or not, it is there once.
  m.send({alice, 1});
  CHECK(m.read() == "7-0 7-1");
}

TEST_CASE("the last stable offset stops where the first open transaction begins") {
  Producers m;
  CHECK(m.stable() == 0);
  CHECK(m.send({bob, 0}) == "0");
  CHECK(m.stable() == 1);
  CHECK(m.send({alice, 0, 2, 0, true}) == "1");
  CHECK(m.send({bob, 1}) == "3");
  CHECK(m.send({ProducerId{9}, 0, 1, 0, true}) == "4");
  CHECK(m.stable() == 1);
  CHECK(m.send(marker_of(alice, 0, false)) == "5");
  CHECK(m.stable() == 4);
  CHECK(m.aborted(0, 4) == "7:1-5 ");
  CHECK(m.aborted(0, 1) == "");
  CHECK(m.send(marker_of(ProducerId{9}, 0, true)) == "6");
  CHECK(m.stable() == 7);
  CHECK(m.aborted(0, 7) == "7:1-5 ");
  CHECK(m.aborted(6, 7) == "");
  auto view = m.log().view();
  CHECK(view->read_stable(Offset{0}, 1 << 20)->next_offset == Offset{7});
}

TEST_CASE("a read of what is stable ends where the transaction begins, wherever it starts") {
  Producers m;
  for (std::int32_t i = 0; i < 4; ++i) CHECK(m.send({bob, i}) == std::to_string(i));
  CHECK(m.send({alice, 0, 1, 0, true}) == "4");
  CHECK(m.send({bob, 4}) == "5");
  auto view = m.log().view();
  for (std::int64_t from = 0; from < 4; ++from) {
    for (std::uint64_t bytes : {1U, 100U, 100'000U}) {
      auto slice = view->read_stable(Offset{from}, bytes);
      REQUIRE(slice);
      CHECK(slice->base_offset == Offset{from});
      CHECK(slice->next_offset > Offset{from});
      CHECK(slice->next_offset <= Offset{4});
    }
  }
  CHECK(view->read_stable(Offset{4}, 1000)->bytes == 0);
  CHECK(view->read_stable(Offset{6}, 1000)->bytes == 0);
  CHECK_FALSE(view->read_stable(Offset{7}, 1000));
}

TEST_CASE("the last stable offset is not below the start of the log") {
  Producers m;
  CHECK(m.send({alice, 0, 1, 0, true}) == "0");
  CHECK(m.send({bob, 0}) == "1");
  m.log().advance_start(Offset{1}, [](const Result<void>&) {});
  m.executor.run_until_idle();
  CHECK(m.stable() == 1);
  CHECK(m.log().view()->read_stable(Offset{1}, 1000)->bytes == 0);
  CHECK(m.send(marker_of(alice, 0, true)) == "2");
  CHECK(m.stable() == 3);
}

TEST_CASE("a marker written again by its coordinator is there once; by nobody, twice") {
  Producers m;
  CHECK(m.send({alice, 0, 1, 0, true}) == "0");
  CHECK(m.send(marker_of(alice, 0, true, 55)) == "1");
  CHECK(m.send({alice, 1, 1, 0, true}) == "2");
  CHECK(m.send(marker_of(alice, 0, true, 55)) == "1");
  CHECK(m.stable() == 2);
  CHECK(m.send(marker_of(alice, 0, false)) == "3");
  CHECK(m.send(marker_of(alice, 0, false)) == "4");
  CHECK(m.send(marker_of(alice, 1, false, 55)) == "5");  // a new epoch fences the old one
  CHECK(m.send({alice, 2, 1, 0}) == "invalid_producer_epoch");
  CHECK(m.send({alice, 3, 1, 1}) == "out_of_order_sequence");
  CHECK(m.send({alice, 0, 1, 1}) == "6");
}

TEST_CASE("a marker is known again though somebody else wrote one behind it") {
  Producers m;
  CHECK(m.send({alice, 0, 1, 0, true}) == "0");
  CHECK(m.send(marker_of(alice, 0, true, 55)) == "1");
  CHECK(m.send({alice, 1, 1, 0, true}) == "2");
  CHECK(m.send(marker_of(alice, 0, false)) == "3");
  CHECK(m.send({alice, 2, 1, 0, true}) == "4");
  CHECK(m.send(marker_of(alice, 0, true, 55)) == "1");
  m.kill().open();
  m.known();
  CHECK(m.send(marker_of(alice, 0, true, 55)) == "1");
  CHECK(m.stable() == 4);
}

TEST_CASE("what was aborted because nobody knew of it may be sent again in another transaction") {
  Producers m;
  CHECK(m.send({alice, 0, 2, 0, true}) == "0");
  CHECK(m.send(marker_of(alice, 0, false)) == "2");
  CHECK(m.send({alice, 0, 2, 0, true}) == "3");
  CHECK(m.send({alice, 0, 2, 0, true}) == "3");
  // Of what a coordinator ended, its producer was told.
  CHECK(m.send(marker_of(alice, 0, false, 55)) == "5");
  CHECK(m.send({alice, 0, 2, 0, true}) == "3");
}

TEST_CASE("what was aborted because nobody knew of it comes again from its first batch on") {
  Producers m;
  CHECK(m.send({alice, 0, 1, 0, true}) == "0");
  CHECK(m.send(marker_of(alice, 0, true, 55)) == "1");
  CHECK(m.send({alice, 1, 2, 0, true}) == "2");
  CHECK(m.send({alice, 3, 1, 0, true}) == "4");
  CHECK(m.send(marker_of(alice, 0, false)) == "5");
  // The second one alone would change places with the first.
  CHECK(m.send({alice, 3, 1, 0, true}) == "out_of_order_sequence");
  // What stands before is not gone.
  CHECK(m.send({alice, 0, 1, 0, true}) == "0");
  CHECK(m.send({alice, 1, 2, 0, true}) == "6");
  CHECK(m.send({alice, 3, 1, 0, true}) == "8");
  CHECK(m.send({alice, 3, 1, 0, true}) == "8");
  // Or it has given up on them.
  CHECK(m.send(marker_of(alice, 0, true, 56)) == "9");
  CHECK(m.send({alice, 4, 1, 0, true}) == "10");
  CHECK(m.send(marker_of(alice, 0, false)) == "11");
  CHECK(m.send({alice, 5, 1, 0, true}) == "12");
}

TEST_CASE("what is known of producers is the same after every kind of start") {
  Producers m;
  m.send({alice, 0, 3});
  m.send({bob, 5, 1, 2, true});
  m.send({alice, 3, 1});
  m.send({ProducerId{9}, 0, 1, 0, true});
  m.send(marker_of(ProducerId{9}, 0, false, 3));
  std::string before = m.known();
  std::int64_t stable = m.stable();
  m.kill().open();
  CHECK(m.known() == before);
  CHECK(m.stable() == stable);
  CHECK(m.aborted(0, 100) == "9:5-6 ");
  m.power_loss().open();
  CHECK(m.known() == before);
  m.close().open();
  CHECK(m.known() == before);
  CHECK(m.send({alice, 3, 1}) == "4");
  CHECK(m.send({alice, 5, 1}) == "out_of_order_sequence");
  m.close();
  REQUIRE(m.files.remove(m.options.directory + "/checkpoint"));
  m.open();
  CHECK(m.known() == before);
}

/// Appends so much that a snapshot is written.
void force_snapshot(Producers& m, std::int32_t& sequence) {
  for (int i = 0; i < 36; ++i) REQUIRE(m.send({bob, sequence++, 1, 0, false, 1 << 20}) != "");
  m.executor.run_for(std::chrono::seconds(1));
}

TEST_CASE("a snapshot spares reading the log, and one that is lost or foreign is made up for") {
  Producers m;
  m.log_options.segment_bytes = 4 << 20;
  std::int32_t sequence = 0;
  m.send({alice, 0, 1, 0, true});
  m.send(marker_of(alice, 0, false));
  m.send({alice, 1, 1, 0, true});
  force_snapshot(m, sequence);
  std::string path = m.segment_path(0);
  path = path.substr(0, path.rfind('/')) + "/producers";
  REQUIRE(*m.files.exists(path));
  Result<Bytes> kept = file::read_file(m.files, path);
  m.send({bob, sequence++});
  std::string before = m.known();
  m.kill().open();
  CHECK(m.known() == before);
  CHECK(m.aborted(0, 100) == "7:0-1 ");
  CHECK(m.stable() == 2);
  m.kill();
  SUBCASE("gone") {
    REQUIRE(m.files.remove(path));
  }
  SUBCASE("with a flipped bit") {
    Bytes bytes = *kept;
    bytes[bytes.size() / 2] ^= std::byte{4};
    REQUIRE(file::replace_file(m.files, path, bytes));
  }
  SUBCASE("of a longer log") {
    ProducerSnapshot longer = *decode_producer_snapshot(*kept, 100);
    longer.offset = Offset{1'000'000};
    REQUIRE(file::replace_file(m.files, path, encode(longer)));
  }
  m.open();
  CHECK(m.known() == before);
  CHECK(m.aborted(0, 100) == "7:0-1 ");
}

TEST_CASE("a bad snapshot is found by a check, and harmless; a backup carries a good one") {
  Producers m;
  m.log_options.segment_bytes = 4 << 20;
  std::int32_t sequence = 0;
  m.send({alice, 0});
  force_snapshot(m, sequence);
  std::string before = m.known();
  m.close();
  auto no_progress = [](std::uint64_t, std::uint64_t) {};
  auto plan = plan_backup_of_stopped(m.files, "/data");
  REQUIRE(plan);
  auto go_on = [](std::uint64_t) { return true; };
  auto copied =
      write_backup(m.files, *plan, "/data", "/copy", go_on, [] { return Result<void>(); });
  REQUIRE(copied);
  std::string path = m.segment_path(0);
  path = path.substr(0, path.rfind('/')) + "/producers";
  CHECK(*m.files.exists("/copy" + path.substr(std::string("/data").size())));
  CHECK(check_directory(m.files, "/data", no_progress)->findings.empty());
  BytesView junk = as_bytes("junk");
  REQUIRE(file::replace_file(m.files, path, junk));
  auto report = check_directory(m.files, "/data", no_progress);
  REQUIRE(report->findings.size() == 1);
  CHECK(report->findings[0].path.ends_with("/producers"));
  CHECK_FALSE(report->damaged());
  m.options.directory = "/copy";
  m.open();
  CHECK(m.known() == before);
}

TEST_CASE("producers whose batches retention has removed are still known, after a kill too") {
  Producers m;
  m.log_options.segment_bytes = 1 << 20;
  CHECK(m.send({alice, 0}) == "0");
  std::int32_t sequence = 0;
  for (int i = 0; i < 3; ++i) m.send({bob, sequence++, 1, 0, false, 1 << 20});
  std::optional<Result<void>> moved;
  m.log().advance_start(Offset{3}, [&](Result<void> result) { moved = std::move(result); });
  m.executor.run_for(std::chrono::seconds(1));
  REQUIRE(moved->has_value());
  m.kill().open();
  CHECK(m.log().start_offset() == Offset{3});
  CHECK(m.send({alice, 0}) == "0");
  CHECK(m.send({alice, 2}) == "out_of_order_sequence");
  CHECK(m.send({alice, 1}) == "4");
}

TEST_CASE("a log without producers is not read for them") {
  Machine m;
  m.open();
  REQUIRE(m.append({"a", "b"}).has_value());
  m.kill().open();
  CHECK(m.log().has_producers());
  CHECK(m.log().view()->last_stable_offset == Offset{2});
}

TEST_CASE("producers not heard of for a day are forgotten, but for those in a transaction") {
  Producers m;
  m.send({alice, 0});
  m.send({bob, 0, 1, 0, true});
  m.executor.run_for(std::chrono::hours(25));
  m.log().apply_retention();
  CHECK(m.log().producers().find(alice) == nullptr);
  CHECK(m.log().producers().find(bob) != nullptr);
}

TEST_CASE("a partition remembers no more producers than it may, the latest ones") {
  Producers m;
  m.close();
  m.options.producers_max = 64;
  m.open();
  CHECK(m.send({alice, 0, 1, 0, true}) == "0");
  for (std::int64_t i = 0; i < 300; ++i) {
    m.executor.run_for(std::chrono::milliseconds(2));
    m.send({ProducerId{100 + i}, 0});
  }
  CHECK(m.log().producers().size() <= 64);
  CHECK(m.log().producers().size() >= 48);
  CHECK(m.log().producers().find(alice) != nullptr);
  CHECK(m.log().producers().find(ProducerId{399}) != nullptr);
  CHECK(m.log().producers().find(ProducerId{100}) == nullptr);
}

TEST_CASE("of producers that are read back, all of one time, the latest ones are remembered") {
  ProducerTable table(64);
  for (std::int64_t i = 0; i < 300; ++i) {
    BatchHead head;
    head.producer_id = ProducerId{i};
    head.producer_epoch = 0;
    head.base_offset = Offset{i};
    head.next_offset = Offset{i + 1};
    head.base_sequence = -1;
    head.attributes = 0x30;
    table.append(head, record::EndMarker{true, 7}, 5);
    table.commit(head.next_offset);
    for (std::int64_t last = std::max<std::int64_t>(0, i - 40); last <= i; ++last) {
      CHECK(table.find(ProducerId{last}) != nullptr);
    }
  }
}

/// A producer that sends, sends again, ends transactions, and is asked to undo what fails.
class TableStory {
 public:
  explicit TableStory(std::uint64_t seed) : random_(seed) {}

  void run() {
    for (int step = 0; step < 200; ++step) {
      switch (random_.below(5)) {
        case 0: fail_tail(); break;
        case 1: commit_some(); break;
        default: append();
      }
      check();
    }
  }

 private:
  struct Step {
    BatchHead head;
    std::optional<record::EndMarker> marker;
  };
  void append() {
    Step step;
    step.head.producer_id = ProducerId{static_cast<std::int64_t>(random_.below(4))};
    const Producer* known = table_.find(step.head.producer_id);
    step.head.producer_epoch = known ? known->epoch : std::int16_t{0};
    if (random_.below(10) == 0) ++step.head.producer_epoch;
    bool is_new_epoch = known == nullptr || step.head.producer_epoch != known->epoch;
    step.head.base_sequence = is_new_epoch ? 0 : std::max(-1, known->last_sequence) + 1;
    step.head.attributes = known && known->transaction ? 0x10 : random_.below(2) == 0 ? 0x10 : 0;
    if (random_.below(4) == 0) {
      step.head.attributes = 0x30;
      step.marker = record::EndMarker{random_.below(2) == 0, -1};
    }
    step.head.base_offset = end_;
    step.head.next_offset = end_ + static_cast<std::int64_t>(1 + random_.below(3));
    if (step.marker) step.head.next_offset = end_ + 1;
    auto checked = table_.check(step.head, step.marker);
    if (!checked || *checked) return;
    table_.append(step.head, step.marker, 5);
    end_ = step.head.next_offset;
    steps_.push_back(step);
  }
  void fail_tail() {
    if (steps_.size() == committed_) return;
    std::size_t keep = committed_ + random_.below(steps_.size() - committed_);
    end_ = steps_[keep].head.base_offset;
    steps_.resize(keep);
    table_.roll_back(end_);
  }
  void commit_some() {
    committed_ += random_.below(steps_.size() - committed_ + 1);
    Offset end = committed_ == 0 ? Offset{0} : steps_[committed_ - 1].head.next_offset;
    for (const AbortedTransaction& aborted : table_.commit(end)) aborted_.push_back(aborted);
  }
  /// Nothing that failed has left a trace.
  void check() {
    ProducerTable anew;
    std::vector<AbortedTransaction> aborted;
    std::optional<Offset> unstable;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (i == committed_) unstable = anew.first_unstable();
      anew.append(steps_[i].head, steps_[i].marker, 5);
      if (i >= committed_) continue;
      for (const auto& a : anew.commit(steps_[i].head.next_offset)) aborted.push_back(a);
    }
    if (committed_ == steps_.size()) unstable = anew.first_unstable();
    CHECK(Producers::describe(table_) == Producers::describe(anew));
    CHECK(aborted_ == aborted);
    CHECK(table_.first_unstable() == anew.first_unstable());
    // What was unstable when the last commit ended is so still.
    if (unstable) CHECK(table_.first_unstable() == unstable);
  }

  Random random_;
  ProducerTable table_;
  std::vector<Step> steps_;
  std::size_t committed_ = 0;
  Offset end_{0};
  std::vector<AbortedTransaction> aborted_;
};

TEST_CASE("a table after failed commits is like one that never heard of what failed") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    TableStory(seed).run();
  }
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::log::testing
