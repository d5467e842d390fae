// Compaction: what stays of a log, what readers see meanwhile, and what a crash leaves.
#include <algorithm>
#include <map>

#include "log/key_map.h"
#include "log/layout.h"
#include "machine.h"
#include "record/end_marker.h"

namespace leat::log::testing {
namespace {

TEST_SUITE_BEGIN("log");

using std::chrono::hours;
using std::chrono::milliseconds;

const TopicPartition p1 = partition(1);

/// "a=1" is a record with a key and a value, "a" a tombstone, "=1" a record without a key.
Batch make_keyed(const std::vector<std::string>& texts,
                 const record::BatchOptions& options = record::BatchOptions()) {
  record::BatchBuilder builder;
  for (const std::string& text : texts) {
    std::size_t at = text.find('=');
    std::optional<BytesView> key;
    std::optional<BytesView> value;
    if (at != 0) key = as_bytes(std::string_view(text).substr(0, at));
    if (at != std::string::npos) value = as_bytes(std::string_view(text).substr(at + 1));
    builder.append(1000, key, value);
  }
  auto owner = std::make_shared<Bytes>(builder.build(options));
  Batch batch;
  batch.bytes = MutableBytes(*owner);
  batch.record_count = static_cast<std::int32_t>(texts.size());
  batch.max_timestamp_ms = 1000;
  batch.owner = std::move(owner);
  return batch;
}

struct Compacted : Machine {
  explicit Compacted(std::uint64_t seed = 1) : Machine(seed) {
    log_options.segment_bytes = 400;
    log_options.segment_ms = -1;
    log_options.is_compacted = true;
    log_options.min_cleanable_dirty_ratio = 0;
  }

  /// False where the batch was not acknowledged.
  bool put(const std::vector<std::string>& texts,
           const record::BatchOptions& batch = record::BatchOptions()) {
    bool is_done = false;
    Result<Offset> queued = log(p1).append(
        make_keyed(texts, batch), [&](const Result<Offset>& done) { is_done = done.has_value(); });
    executor.run_until_idle();
    return queued && is_done;
  }
  void compact() {
    log(p1).apply_retention();
    executor.run_until_idle();
  }
  /// Rolls, so that all before is closed.
  void roll() { REQUIRE(put({"roll=" + std::string(400, 'x')})); }

  /// "offset:key=value" of each record, but for those that roll() made.
  std::string records(const std::shared_ptr<const LogView>& view) {
    std::string texts;
    Offset at = view->start_offset;
    while (at < view->high_watermark) {
      Result<Slice> slice = view->read(at, 1000);
      REQUIRE_MESSAGE(slice.has_value(), (slice ? "" : slice.error().what));
      REQUIRE(slice->next_offset > at);
      add(*slice, texts);
      at = slice->next_offset;
    }
    if (!texts.empty()) texts.pop_back();
    return texts;
  }
  std::string records() { return records(log(p1).view()); }

  /// The first segment's file, compacted once.
  std::string compacted_path() { return Layout(options.directory).segment(p1, Offset{0}, 1); }
  std::vector<std::string> segment_files() {
    std::vector<std::string> names;
    for (const std::string& path : files.file_paths()) {
      if (path.ends_with(".log")) names.push_back(path.substr(path.rfind('/') + 1));
    }
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  static void add(const Slice& slice, std::string& texts) {
    Bytes bytes(slice.bytes);
    REQUIRE(*slice.file->read_at(slice.position, bytes) == slice.bytes);
    Offset expected = slice.base_offset;
    for (BytesView rest(bytes); !rest.empty();) {
      Result<record::BatchView> batch = record::BatchView::parse(rest);
      REQUIRE(batch.has_value());
      REQUIRE(batch->crc_matches());
      REQUIRE(batch->base_offset() == expected);
      record::RecordIterator records(*batch);
      while (const record::Record* record = records.next()) {
        std::string key = record->key ? std::string(as_text(*record->key)) : "";
        if (key == "roll") continue;
        if (batch->is_control()) key = "@";
        texts += std::to_string(record->offset.value()) + ":" + key;
        if (record->value && !batch->is_control())
          texts += "=" + std::string(as_text(*record->value));
        texts += " ";
      }
      REQUIRE(records.error() == nullptr);
      expected = batch->next_offset();
      rest = rest.subspan(batch->size_bytes());
    }
    REQUIRE(expected == slice.next_offset);
  }
};

TEST_CASE("compaction leaves the newest record of each key, at its offset") {
  for (record::Compression codec : {record::Compression::none, record::Compression::lz4}) {
    Compacted m;
    m.open();
    record::BatchOptions options;
    options.compression = codec;
    REQUIRE(m.put({"a=1", "b=1", "c=1"}, options));
    REQUIRE(m.put({"a=2"}, options));
    REQUIRE(m.put({"b=2", "b=3", "=keyless"}, options));
    m.roll();
    m.compact();
    CHECK(m.records() == "2:c=1 3:a=2 5:b=3");
    CHECK(m.log(p1).start_offset() == Offset{0});
    CHECK(m.log(p1).end_offset() == Offset{8});
    m.close().open();
    CHECK(m.records() == "2:c=1 3:a=2 5:b=3");
    CHECK(m.store->findings().empty());
    CHECK(m.put({"d=1"}));
    m.power_loss().open();
    CHECK(m.records() == "2:c=1 3:a=2 5:b=3 8:d=1");
  }
}

TEST_CASE("the segment that is appended to is never compacted, and says what is superseded later") {
  Compacted m;
  m.open();
  REQUIRE(m.put({"a=1"}));
  REQUIRE(m.put({"a=2"}));
  m.compact();
  CHECK(m.records() == "0:a=1 1:a=2");
  m.roll();
  REQUIRE(m.put({"a=3"}));
  m.compact();
  CHECK(m.records() == "1:a=2 3:a=3");
  m.roll();
  m.roll();
  m.compact();
  CHECK(m.records() == "3:a=3");
}

TEST_CASE("small segments become one, and only names that the log knows are left") {
  Compacted m;
  m.log_options.segment_bytes = 150;
  m.open();
  for (int i = 0; i < 9; ++i) REQUIRE(m.put({"a=" + std::to_string(i)}));
  m.roll();
  std::size_t before = m.segment_files().size();
  REQUIRE(before >= 5);
  m.log_options.segment_bytes = 100'000;
  m.compact();
  CHECK(m.records() == "8:a=8");
  CHECK(m.segment_files() ==
        std::vector<std::string>{"00000000000000000000.1.log", "00000000000000000009.log"});
  m.kill().open();
  CHECK(m.records() == "8:a=8");
}

TEST_CASE("a tombstone outlives the compaction that meets it by delete.retention.ms, then goes") {
  Compacted m;
  m.log_options.delete_retention_ms = 3'600'000;
  m.open();
  REQUIRE(m.put({"a=1", "b=1", "a"}));
  m.executor.run_for(hours(24));
  m.roll();
  m.compact();
  CHECK(m.records() == "1:b=1 2:a");
  m.executor.run_for(milliseconds(3'500'000));
  m.roll();
  m.compact();
  CHECK(m.records() == "1:b=1 2:a");
  m.executor.run_for(milliseconds(200'000));
  m.roll();
  m.compact();
  CHECK(m.records() == "1:b=1");
}

TEST_CASE("a tombstone behind what memory allowed to look at does not go before what it deletes") {
  Compacted m;
  m.log_options.segment_bytes = 1600;
  m.log_options.delete_retention_ms = 1000;
  m.options.compaction_map_bytes = 16 * 24;
  m.open();
  REQUIRE(m.put({"t=old"}));
  for (int i = 0; i < 40; i += 4) {
    std::vector<std::string> texts;
    for (int k = i; k < i + 4; ++k) texts.push_back("k" + std::to_string(k) + "=1");
    REQUIRE(m.put(texts));
  }
  REQUIRE(m.put({"t"}));
  REQUIRE(m.put({"roll=" + std::string(1600, 'x')}));
  for (int i = 0; i < 12; ++i) {
    m.compact();
    m.executor.run_for(milliseconds(2000));
    std::string left = m.records();
    CAPTURE(left);
    bool has_tombstone = left.find("41:t") != std::string::npos;
    bool has_old = left.starts_with("0:t=old");
    REQUIRE((has_tombstone || !has_old));
  }
  CHECK_FALSE(m.records().starts_with("0:t=old"));
}

TEST_CASE("a reader with an older view goes on reading what that says, from files without names") {
  Compacted m;
  m.open();
  REQUIRE(m.put({"a=1", "b=1"}));
  REQUIRE(m.put({"a=2"}));
  m.roll();
  std::shared_ptr<const LogView> old = m.log(p1).view();
  m.compact();
  CHECK(m.segment_files().front() == "00000000000000000000.1.log");
  CHECK(m.records(old) == "0:a=1 1:b=1 2:a=2");
  CHECK(m.records() == "1:b=1 2:a=2");
}

TEST_CASE("a read passes over what has lost its records, as long as there is something behind it") {
  Compacted m;
  m.log_options.segment_bytes = 150;
  m.open();
  for (int i = 0; i < 30; ++i) REQUIRE(m.put({"a=" + std::to_string(i)}));
  m.roll();
  REQUIRE(m.segment_files().size() > 10);
  m.compact();
  std::shared_ptr<const LogView> view = m.log(p1).view();
  REQUIRE(view->segments.size() > 10);
  Result<Slice> slice = view->read(Offset{0}, 1);
  REQUIRE(slice.has_value());
  CHECK(slice->base_offset > Offset{20});
  CHECK(slice->base_offset <= Offset{29});
  CHECK(slice->next_offset > Offset{29});
  CHECK(m.records() == "29:a=29");
}

TEST_CASE("a backup keeps the old files until it is made, whatever is compacted meanwhile") {
  Compacted m;
  m.open();
  REQUIRE(m.put({"a=1"}));
  m.roll();
  BackupPoint point = m.store->begin_backup();
  for (int i = 2; i < 5; ++i) {
    m.compact();
    REQUIRE(m.put({"a=" + std::to_string(i)}));
    m.roll();
  }
  std::vector<std::string> names = m.segment_files();
  CHECK(names.front() == "00000000000000000000.1.log");
  CHECK(std::count(names.begin(), names.end(), "00000000000000000000.log") == 1);
  point.hold.reset();
  m.executor.run_until_idle();
  names = m.segment_files();
  CHECK(std::count(names.begin(), names.end(), "00000000000000000000.log") == 0);
}

TEST_CASE("the first append after a start leaves what was compacted to those who still need it") {
  Compacted m;
  m.open();
  REQUIRE(m.put({"a=0", "a=1"}));
  m.roll();
  m.kill().open();
  BackupPoint point = m.store->begin_backup();
  // First what is known of producers is read, and the seal written.
  for (int i = 0; i < 4; ++i) m.compact();
  std::vector<std::string> names = m.segment_files();
  REQUIRE(std::count(names.begin(), names.end(), "00000000000000000000.1.log") == 1);
  REQUIRE(m.put({"a=2"}));
  names = m.segment_files();
  CHECK(std::count(names.begin(), names.end(), "00000000000000000000.log") == 1);
  point.hold.reset();
  m.executor.run_until_idle();
  names = m.segment_files();
  CHECK(std::count(names.begin(), names.end(), "00000000000000000000.log") == 0);
}

TEST_CASE("a closed segment whose seal is not written yet waits for the next compaction") {
  Compacted m;
  m.log_options.segment_bytes = 150;
  m.open();
  for (int i = 0; i < 8; ++i) {
    REQUIRE(m.log(p1)
                .append(make_keyed({"a=" + std::to_string(i)}), [](const Result<Offset>&) {})
                .has_value());
  }
  while (m.log(p1).high_watermark() < Offset{8}) REQUIRE(m.executor.run_one());
  m.compact();
  m.compact();
  m.roll();
  m.compact();
  CHECK(m.records() == "7:a=7");
}

TEST_CASE("a producer's newest batch stays, without records, for the sake of its last sequence") {
  Compacted m;
  m.open();
  record::BatchOptions options;
  options.producer_id = ProducerId{7};
  options.producer_epoch = 0;
  options.base_sequence = 0;
  REQUIRE(m.put({"a=1"}, options));
  options.base_sequence = 1;
  REQUIRE(m.put({"a=2", "b=2"}, options));
  REQUIRE(m.put({"a=3", "b=3"}));
  m.roll();
  m.compact();
  CHECK(m.records() == "3:a=3 4:b=3");
  Result<Bytes> bytes = file::read_file(m.files, m.compacted_path());
  REQUIRE(bytes.has_value());
  BytesView rest(*bytes);
  Result<record::BatchView> batch = record::BatchView::parse(rest);
  REQUIRE(batch.has_value());
  rest = rest.subspan(batch->size_bytes());
  batch = record::BatchView::parse(rest);
  REQUIRE(batch.has_value());
  CHECK(batch->base_offset() == Offset{1});
  CHECK(batch->record_count() == 0);
  CHECK(batch->producer_id() == ProducerId{7});
  CHECK(batch->last_sequence() == 2);
}

/// A producer's side of transactions.
struct Transaction {
  Compacted& m;
  record::BatchOptions options{};
  std::int32_t coordinator_epoch = 0;
  explicit Transaction(Compacted& machine, std::int64_t producer) : m(machine) {
    options.producer_id = ProducerId{producer};
    options.producer_epoch = 0;
    options.base_sequence = 0;
    options.is_transactional = true;
  }
  void put(const std::vector<std::string>& texts) {
    REQUIRE(m.put(texts, options));
    options.base_sequence += static_cast<std::int32_t>(texts.size());
  }
  void end(bool commits) {
    auto owner = std::make_shared<Bytes>(
        record::build_end_marker(options.producer_id, 0, {commits, ++coordinator_epoch}, 1000));
    Batch batch;
    batch.bytes = MutableBytes(*owner);
    batch.record_count = 1;
    batch.owner = std::move(owner);
    REQUIRE(m.log(p1).append(std::move(batch), [](const Result<Offset>&) {}).has_value());
    m.executor.run_until_idle();
  }
};

TEST_CASE(
    "aborted records go, open transactions wait, and a commit's marker goes with its last record") {
  Compacted m;
  m.open();
  REQUIRE(m.put({"a=0", "b=0", "c=0"}));
  Transaction one(m, 1);
  one.put({"a=aborted"});
  one.end(false);
  one.put({"b=1"});
  one.end(true);
  m.roll();
  m.compact();
  // The markers are at 4 and 6.
  CHECK(m.records() == "0:a=0 2:c=0 4:@ 5:b=1 6:@");
  REQUIRE(m.put({"b=2"}));
  Transaction other(m, 2);
  other.put({"c=open"});
  m.roll();
  m.compact();
  CHECK(m.records() == "0:a=0 2:c=0 4:@ 5:b=1 6:@ 8:b=2 9:c=open");
  other.end(true);
  one.put({"d=1"});
  one.end(true);
  m.roll();
  m.compact();
  CHECK(m.records() == "0:a=0 4:@ 8:b=2 9:c=open 11:@ 12:d=1 13:@");
  m.kill().open();
  m.compact();
  CHECK(m.records() == "0:a=0 4:@ 8:b=2 9:c=open 11:@ 12:d=1 13:@");
  m.compact();
  CHECK(m.log(p1).view()->last_stable_offset == m.log(p1).high_watermark());
}

TEST_CASE("a producer's newest marker stays, by which one that is written again is known") {
  Compacted m;
  m.open();
  Transaction one(m, 1);
  // In a partition to which its transaction wrote nothing.
  one.end(true);
  REQUIRE(m.put({"a=1"}));
  m.roll();
  m.compact();
  CHECK(m.records() == "0:@ 1:a=1");
  one.end(true);
  REQUIRE(m.put({"b=1"}));
  m.roll();
  m.compact();
  CHECK(m.records() == "1:a=1 3:@ 4:b=1");
}

TEST_CASE("with more keys than there is memory for, compaction takes several rounds") {
  Compacted m;
  m.options.compaction_map_bytes = 16 * 24;
  m.open();
  std::string expected;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 40; ++i) {
      REQUIRE(m.put({"k" + std::to_string(i) + "=" + std::to_string(round)}));
    }
  }
  for (int i = 0; i < 40; ++i) {
    expected += std::to_string(40 + i) + ":k" + std::to_string(i) + "=1 ";
  }
  expected.pop_back();
  m.roll();
  for (int i = 0; i < 10; ++i) m.compact();
  CHECK(m.records() == expected);
}

TEST_CASE("a damaged segment stays as it is, and the others are compacted around it") {
  Compacted m;
  m.open();
  REQUIRE(m.put({"a=1", "b=1"}));
  m.roll();
  REQUIRE(m.put({"a=2"}));
  m.roll();
  m.close();
  m.files.flip_bit(m.segment_path(0), 70, 1);
  m.open();
  m.compact();
  m.compact();
  std::shared_ptr<const LogView> view = m.log(p1).view();
  CHECK(view->read(Offset{0}, 100).error().code == Errc::corrupt_message);
  CHECK(m.segment_files().front() == "00000000000000000000.log");
}

TEST_CASE("compaction begins when enough is new, or when something has waited for long enough") {
  Compacted m;
  m.log_options.min_cleanable_dirty_ratio = 0.9;
  m.log_options.max_compaction_lag_ms = 10'000;
  m.log_options.min_compaction_lag_ms = 1'000;
  m.open();
  REQUIRE(m.put({"a=1", "a=2"}));
  m.roll();
  m.compact();
  CHECK(m.records() == "0:a=1 1:a=2");
  m.executor.run_for(milliseconds(1'500));
  m.compact();
  CHECK(m.records() == "1:a=2");
  REQUIRE(m.put({"a=3"}));
  m.roll();
  m.executor.run_for(milliseconds(1'500));
  m.compact();
  CHECK(m.records() == "1:a=2 3:a=3");
  m.executor.run_for(milliseconds(10'000));
  m.compact();
  CHECK(m.records() == "3:a=3");
}

TEST_CASE("what is being compacted when its topic is deleted or the store closes is given up") {
  for (bool closes : {true, false}) {
    Compacted m;
    m.options.compaction_bytes_per_second = 1;
    m.open();
    for (int i = 0; i < 20; ++i) REQUIRE(m.put({"a=" + std::to_string(i)}));
    m.roll();
    m.log(p1).apply_retention();
    for (int i = 0; i < 3; ++i) m.executor.run_for(milliseconds(10));
    if (closes) {
      m.close().open();
      CHECK(m.records().ends_with("19:a=19"));
    } else {
      m.store->remove_log(p1);
      m.executor.run_until_idle();
      CHECK(m.segment_files().empty());
    }
  }
}

/// Updates, deletes and compacts, and knows what it was told of each key.
class KeyedStory {
 public:
  explicit KeyedStory(Compacted& machine) : m_(machine) {
    m_.options.journal_bytes = 64 << 10;
    m_.log_options.delete_retention_ms = 0;
  }

  void run() {
    if (!m_.try_open() || m_.files.stopped()) return;
    for (int i = 0; i < 30 && !m_.files.stopped(); ++i) {
      put("k" + std::to_string(i % 4), i % 7 == 5 ? "" : std::to_string(i));
      if (i % 6 == 5 && !m_.files.stopped()) m_.compact();
    }
  }

  void check() {
    std::map<std::string, std::string> found;
    std::string text = m_.records() + " ";
    for (std::size_t at = 0; at < text.size() && text != " ";) {
      std::size_t end = text.find(' ', at);
      std::string record = text.substr(at, end - at);
      record.erase(0, record.find(':') + 1);
      std::size_t equals = record.find('=');
      found[record.substr(0, equals)] =
          equals == std::string::npos ? "" : record.substr(equals + 1);
      at = end + 1;
    }
    for (const auto& [key, told] : told_) {
      CAPTURE(key);
      auto at = found.find(key);
      std::string value = at == found.end() ? "" : at->second;
      bool is_known = value == told.acknowledged ||
                      std::find(told.unsure.begin(), told.unsure.end(), value) != told.unsure.end();
      REQUIRE_MESSAGE(is_known, value, " instead of ", told.acknowledged);
    }
  }

 private:
  struct Told {
    std::string acknowledged;
    std::vector<std::string> unsure;  // behind it
  };
  void put(const std::string& key, const std::string& value) {
    Told& told = told_[key];
    told.unsure.push_back(value);
    if (m_.put({value.empty() ? key : key + "=" + value})) told = {value, {}};
  }

  Compacted& m_;
  std::map<std::string, Told> told_;
};

TEST_CASE(
    "faults 9 and 11: a crash at any step of a compaction loses no key's newest record, and leaves "
    "nothing behind") {
  for (bool is_power_loss : {false, true}) {
    for (int changes = 0;; ++changes) {
      CAPTURE(is_power_loss);
      CAPTURE(changes);
      Compacted m(static_cast<std::uint64_t>(changes) + 1);
      KeyedStory story(m);
      m.files.stop_after(static_cast<std::uint64_t>(changes));
      story.run();
      bool was_all = !m.files.stopped();
      m.crash(is_power_loss).open();
      story.check();
      for (const Finding& finding : m.store->findings()) {
        REQUIRE_MESSAGE(finding.kind == Finding::Kind::cut, finding.cause);
      }
      m.roll();
      m.compact();
      story.check();
      std::size_t known = m.log(p1).view()->segments.size();
      REQUIRE(m.segment_files().size() == known);
      m.close().open();
      story.check();
      if (was_all) break;
      REQUIRE(changes < 3000);
    }
  }
}

TEST_CASE("without its checkpoint, a directory with compacted segments has each record once") {
  for (std::uint64_t seed = 1; seed < 6; ++seed) {
    Compacted m(seed);
    m.open();
    REQUIRE(m.put({"a=1", "b=1"}));
    REQUIRE(m.put({"a=2"}));
    m.roll();
    m.compact();
    REQUIRE(m.put({"c=1"}));
    m.close();
    REQUIRE(m.files.remove("/data/checkpoint").has_value());
    m.open();
    CHECK(m.records() == "1:b=1 2:a=2 4:c=1");
  }
}

TEST_CASE("the map of keys knows the newest offset of each, and says when it is full") {
  KeyMap keys(1 << 20);
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(keys.put(as_bytes(std::to_string(i % 500)), Offset{i}));
  }
  CHECK(keys.size() == 500);
  CHECK(keys.is_behind(as_bytes("3"), Offset{502}));
  CHECK(!keys.is_behind(as_bytes("3"), Offset{503}));
  CHECK(!keys.is_behind(as_bytes("absent"), Offset{0}));
  KeyMap small(0);
  int taken = 0;
  while (small.put(as_bytes(std::to_string(taken)), Offset{taken})) ++taken;
  CHECK(taken == 12);
  CHECK(small.is_full());
  CHECK(small.put(as_bytes("0"), Offset{99}));
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat::log::testing
