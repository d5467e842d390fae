// Records and lines into rows, beside the judge's reading of the same.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <zlib.h>

#include "base/random.h"
#include "base/sim_executor.h"
#include "file/fake_file_system.h"
#include "interpreter/interpreter.h"
#include "stream/file_feed.h"
#include "stream/memory_topics.h"
#include "stream/source_reader.h"
#include "stream/topic_feed.h"

TEST_SUITE_BEGIN("stream");

using namespace leat;
using namespace leat::stream;
using column::RowKind;
using column::Type;
using column::Value;
using operators::Watermark;
using operators::watermark_min;

namespace {

/// A plan with one source, `source` without name and type, and a sink. A table too is read without
/// a join behind it.
struct Plans {
  explicit Plans(const std::string& source, bool is_table = false) {
    auto parsed = plan::parse(fmt::format(
        R"({{"version": 1, "name": "p", "nodes": [{{"name": "in", "type": "source",
           "bad_records": {{"policy": "skip"}}, {}}}, {{"name": "out", "type": "sink",
           "input": "in", "topic": "out", "changes": "all"}}]}})",
        source));
    REQUIRE_MESSAGE(parsed.has_value(), parsed.error().what);
    plan = std::move(*parsed);
    auto checked = plan::bind(plan);
    REQUIRE_MESSAGE(checked.has_value(), checked.error().what);
    bound = std::move(*checked);
    if (!is_table) return;
    auto& body = std::get<plan::Source>(plan.nodes[0].body);
    body.upsert = true;
    auto& table = bound.nodes[0].table.emplace();
    table.timed = !body.event_time.empty() || body.file.empty();
    for (std::size_t i = 0; i < body.columns.size(); ++i) {
      if (body.columns[i].from == plan::SourceColumn::From::key) table.keys.push_back(i);
    }
  }
  const plan::BoundNode& source() const { return bound.nodes[0]; }

  plan::Plan plan;
  plan::BoundPlan bound;
};

/// What came of records, in lines that can be compared.
struct Read {
  std::vector<std::string> rows;
  std::vector<std::string> bad;
};

std::string cells_of(const std::vector<Value>& values) {
  std::string text;
  for (const auto& value : values) {
    std::string shown = value.is_null() ? "NULL" : "?";
    if (const auto* of = std::get_if<std::int64_t>(&value)) shown = std::to_string(*of);
    if (const auto* of = std::get_if<std::string>(&value)) shown = "'" + *of + "'";
    if (const auto* of = std::get_if<column::Timestamp>(&value)) shown = std::to_string(of->ms);
    if (const auto* of = std::get_if<column::Decimal>(&value)) shown = column::decimal_text(*of);
    if (const auto* of = std::get_if<column::Array>(&value)) shown = cells_of(of->items);
    text += shown + " ";
  }
  return text;
}

std::string shown_row(std::int64_t partition, std::int64_t offset, std::int64_t time,
                      Watermark watermark, bool erased, const std::vector<Value>& values) {
  return fmt::format("{}/{} @{} W{} {} {}", partition, offset, time, watermark,
                     erased ? "erase" : "insert", cells_of(values));
}

/// Takes all that `reader` has now.
void read_all(SourceReader& reader, Read& read) {
  auto add_bad = [&] {
    while (const BadRecord* bad = reader.next_bad()) {
      read.bad.push_back(fmt::format("{}/{}: {}", reader.partition().value(),
                                     bad->record.offset.value(), bad->reason));
    }
  };
  while (true) {
    auto filled = reader.fill({});
    REQUIRE_MESSAGE(filled.has_value(), filled.error().what);
    add_bad();
    if (!*filled) return;
    const RowBlock& block = *reader.block();
    while (reader.has_rows()) {
      std::size_t row = reader.next_row();
      std::vector<Value> values;
      for (const auto& column : block.columns) values.push_back(column.value(row));
      const auto& kinds = block.context.kinds;
      column::RunCursor runs(block.context);
      const auto& run = runs.run_of(row);
      CHECK(run.watermark_ms == reader.next_stamp());
      CHECK(run.node == reader.node());
      CHECK(reader.position() == Offset{block.context.places[row]});
      read.rows.push_back(shown_row(run.partition, block.context.places[row],
                                    block.context.event_times_ms[row], run.watermark_ms,
                                    !kinds.empty() && kinds[row] == RowKind::erase, values));
      reader.consume(1);
      add_bad();
    }
  }
}

Read judged(const Plans& plans, const interpreter::Log& log) {
  interpreter::Run run;
  run.logs["in"] = log;
  auto outcome = interpreter::interpret(plans.bound, run);
  REQUIRE_MESSAGE(outcome.has_value(), outcome.error().what);
  Read read;
  for (const auto& row : outcome->sinks.at("out")) {
    read.rows.push_back(shown_row(row.position[1], row.position[2], row.time, row.watermark,
                                  row.kind == interpreter::Kind::remove, row.values));
  }
  for (const auto& bad : outcome->bad_records) {
    read.bad.push_back(fmt::format("{}/{}: {}", bad.partition, bad.offset, bad.reason));
  }
  return read;
}

std::optional<BytesView> bytes_of(const std::optional<std::string>& text) {
  return text ? std::optional(as_bytes(*text)) : std::nullopt;
}

/// Appends a partition's records in batches of any size, several to a read, some compressed, some
/// behind a transaction's marker.
void append_all(MemoryTopics& topics, const TopicPartition& partition,
                const std::vector<interpreter::Record>& records, Random& random) {
  Bytes extent;
  for (std::size_t i = 0; i < records.size();) {
    record::BatchBuilder builder;
    for (auto left = 1 + random.below(8); left > 0 && i < records.size(); --left, ++i) {
      std::vector<record::Header> headers;
      for (const auto& [key, value] : records[i].headers) headers.push_back({key, as_bytes(value)});
      builder.append(records[i].timestamp_ms, bytes_of(records[i].key), bytes_of(records[i].value),
                     headers);
    }
    record::BatchOptions options;
    if (random.one_in(2)) options.compression = record::Compression::lz4;
    Bytes batch = builder.build(options);
    extent.insert(extent.end(), batch.begin(), batch.end());
    if (random.one_in(2) || i == records.size()) {
      topics.append_extent(partition, std::exchange(extent, {}));
    }
  }
}

std::unique_ptr<SourceReader> open_topic(const Plans& plans, MemoryTopics& topics,
                                         std::int32_t partition, std::size_t block_rows = 7,
                                         std::vector<bool> used = {}) {
  static std::vector<std::unique_ptr<TopicReader>> readers;  // outlive all feeds
  auto& reader = readers.emplace_back(*topics.open(*topics.find_topic("in")));
  auto feed = std::make_unique<TopicFeed>(*reader, PartitionId{partition}, 0, 300);
  return std::make_unique<SourceReader>(plans.source(), 0, PartitionId{partition}, std::move(feed),
                                        SourceReader::Options{block_rows, std::move(used)});
}

std::string columns(const std::string& names_and_types) {
  return R"("columns": [)" + names_and_types + "]";
}

/// Sources with columns from everywhere.
std::string random_source(Random& random) {
  std::string meta = R"({"name": "k", "type": "KIND", "from": "key"},
    {"name": "o", "type": "bigint", "from": "offset"},
    {"name": "p", "type": "bigint", "from": "partition"},
    {"name": "tp", "type": "text", "from": "topic"},
    {"name": "at", "type": "timestamp", "from": "timestamp"},
    {"name": "h", "type": "KIND", "from": "header", "header": "trace"})";
  const char* kinds[] = {"text", "bigint", "bytes"};
  for (auto at = meta.find("KIND"); at != meta.npos; at = meta.find("KIND")) {
    meta.replace(at, 4, kinds[random.below(3)]);
  }
  const char* values[] = {
      R"j("topic": "in", "columns": [{"name": "t", "type": "timestamp"},
         {"name": "v", "type": "text"}, {"name": "d", "type": "decimal(5,1)", "path": "$.in.d"},
         {"name": "l", "type": "bigint[]"}, )j",
      R"("topic": "in", "format": "csv", "columns": [{"name": "t", "type": "timestamp"},
         {"name": "v", "type": "text"}, )",
      R"("topic": "in", "format": "raw", "columns": [{"name": "v", "type": "text"}, )"};
  std::uint64_t format = random.below(3);
  std::string source = values[format] + meta + "]";
  if (format != 2 && random.one_in(2)) source += R"(, "event_time": "t")";
  if (random.one_in(2)) source += R"(, "disorder_ms": 50)";
  if (random.one_in(2)) source += R"(, "ahead_max_ms": 100)";
  return source;
}

interpreter::Record random_record(Random& random, bool json) {
  interpreter::Record record;
  record.timestamp_ms =
      random.one_in(20) ? -1 : 1000 + static_cast<std::int64_t>(random.below(300));
  if (random.one_in(200)) record.timestamp_ms = std::int64_t{1} << 58;
  const char* keys[] = {"7", "42", " 5 ", "x", "\xff", ""};
  if (!random.one_in(10)) record.key = keys[random.below(random.one_in(8) ? 6 : 2)];
  auto time = 1000 + random.below(400);
  if (json) {
    record.value = fmt::format(R"({{"t":{},"v":"a\n{}","in":{{"d":{}.25}},"l":[1,null]}})", time,
                               random.below(5), random.below(11'000));
  } else {
    record.value = fmt::format("{},\"a\"\"{}\"", random.one_in(2) ? "" : "1970-01-01T00:00:01.5Z",
                               random.below(5));
  }
  if (random.one_in(12)) record.value = "{\"t\":";
  if (random.one_in(12)) record.value = "\xff";
  if (random.one_in(12)) record.value = {};
  for (auto n = random.below(3); n > 0; --n) {
    record.headers.emplace_back(random.one_in(3) ? "other" : "trace",
                                random.one_in(6) ? "q" : std::to_string(random.below(9)));
  }
  return record;
}

/// A file's feed over a file system in memory.
struct Files {
  std::unique_ptr<SourceReader> open(const Plans& plans, const std::string& content,
                                     std::size_t block_bytes = 16) {
    write(content);
    bool csv = plans.plan.nodes[0].body.index() == 0 &&
               std::get<plan::Source>(plans.plan.nodes[0].body).format == plan::Source::Format::csv;
    auto feed = std::make_unique<FileFeed>(files, "/f", FileFeed::Options{csv, block_bytes});
    return std::make_unique<SourceReader>(plans.source(), 0, PartitionId{0}, std::move(feed),
                                          SourceReader::Options{5, {}});
  }
  void write(const std::string& content) {
    REQUIRE(file::replace_file(files, "/f", as_bytes(content)));
  }
  std::vector<std::string> lines(const std::string& content, const FileFeed::Options& options) {
    write(content);
    FileFeed feed(files, "/f", options);
    std::vector<std::string> lines;
    while (true) {
      auto filled = feed.fill();
      if (!filled) lines.push_back("! " + filled.error().what);
      if (!filled || !*filled) return lines;
      while (const record::Record* record = feed.next()) {
        CHECK(record->offset == Offset{static_cast<std::int64_t>(lines.size())});
        lines.emplace_back(as_text(*record->value));
      }
    }
  }

  SimExecutor executor;
  file::FakeFileSystem files{executor, 1};
};

}  // namespace

TEST_CASE("random records become the rows that the judge reads, in any batches and blocks") {
  Random random(21);
  std::size_t rows = 0, bad = 0;
  for (int round = 0; round < 300; ++round) {
    Plans plans(random_source(random), random.one_in(3));
    bool json =
        std::get<plan::Source>(plans.plan.nodes[0].body).format == plan::Source::Format::json;
    interpreter::Log log{"in", {{}, {}}, {}};
    MemoryTopics topics;
    Topic topic = *topics.create_topic("in", 2);
    Read read;
    for (std::int32_t p = 0; p < 2; ++p) {
      auto& records = log.partitions[static_cast<std::size_t>(p)];
      for (auto n = random.below(40); n > 0; --n) records.push_back(random_record(random, json));
      append_all(topics, {topic.id, PartitionId{p}}, records, random);
      auto reader = open_topic(plans, topics, p, 1 + random.below(12));
      // Stops somewhere and goes on as another reader.
      Offset stop{static_cast<std::int64_t>(random.below(records.size() + 1))};
      reader->set_end(stop);
      read_all(*reader, read);
      CHECK(reader->finished());
      auto next = open_topic(plans, topics, p, 1 + random.below(12));
      next->seek(reader->position(), reader->watermark());
      read_all(*next, read);
      CHECK(next->position() == Offset{static_cast<std::int64_t>(records.size())});
    }
    auto expected = judged(plans, log);
    CHECK(read.rows == expected.rows);
    CHECK(read.bad == expected.bad);
    rows += read.rows.size();
    bad += read.bad.size();
  }
  CHECK(rows > 3000);
  CHECK(bad > 1000);
}

TEST_CASE("columns that nobody looks at are NULL, whatever they are in the record") {
  Plans plans(R"("topic": "in", )" + columns(R"({"name": "a", "type": "bigint"},
      {"name": "b", "type": "bigint"}, {"name": "k", "type": "bigint", "from": "key"})"));
  MemoryTopics topics;
  Topic topic = *topics.create_topic("in", 1);
  Random random(1);
  std::vector<interpreter::Record> records(20, {"x", R"({"a":"no number","b":5})", 1000, {}});
  append_all(topics, {topic.id, PartitionId{0}}, records, random);
  Read read, all;
  read_all(*open_topic(plans, topics, 0, 4, {false, true, false}), read);
  CHECK(read.bad.empty());
  REQUIRE(read.rows.size() == 20);
  CHECK(read.rows[7].ends_with("insert NULL 5 NULL "));
  CHECK(read.rows[19].ends_with("insert NULL 5 NULL "));
  read_all(*open_topic(plans, topics, 0), all);
  CHECK(all.bad.size() == 20);
}

TEST_CASE("a record without value takes a table's row back by its key") {
  Plans plans(R"("topic": "in", )" + columns(R"({"name": "k", "type": "text", "from": "key"},
                                                {"name": "v", "type": "bigint"})"),
              true);
  MemoryTopics topics;
  Topic topic = *topics.create_topic("in", 1);
  Random random(1);
  append_all(topics, {topic.id, PartitionId{0}},
             {{"a", R"({"v":1})", 1000, {}}, {"a", {}, 1001, {}}, {"b", R"({"v":2})", 1002, {}}},
             random);
  Read read;
  read_all(*open_topic(plans, topics, 0), read);
  CHECK(read.rows == std::vector<std::string>{
                         fmt::format("0/0 @1000 W{} insert 'a' 1 ", watermark_min),
                         "0/1 @1001 W1000 erase 'a' NULL ", "0/2 @1002 W1001 insert 'b' 2 "});
}

TEST_CASE("the first row after an idle time is stamped with the floor, a bad record is not") {
  Plans plans(R"("topic": "in", )" + columns(R"({"name": "v", "type": "bigint"})"));
  MemoryTopics topics;
  Topic topic = *topics.create_topic("in", 1);
  Random random(1);
  append_all(topics, {topic.id, PartitionId{0}},
             {{{}, "bad", 1000, {}}, {{}, R"({"v":1})", 1001, {}}, {{}, R"({"v":2})", 1002, {}}},
             random);
  auto reader = open_topic(plans, topics, 0);
  REQUIRE(*reader->fill(SourceReader::Floor{5000}));
  CHECK(reader->take_floored() == Offset{1});
  CHECK_FALSE(reader->take_floored().has_value());
  REQUIRE(reader->next_bad() != nullptr);
  CHECK(reader->next_stamp() == 5000);
  reader->consume(1);
  CHECK(reader->next_stamp() == 5000);
}

TEST_CASE("records that were deleted under a reader are an error, with where they would be") {
  Plans plans(R"("topic": "in", )" + columns(R"({"name": "v", "type": "bigint"})"));
  MemoryTopics topics;
  Topic topic = *topics.create_topic("in", 1);
  Random random(1);
  append_all(topics, {topic.id, PartitionId{0}},
             std::vector<interpreter::Record>(5, {{}, "{}", 1000, {}}), random);
  topics.trim({topic.id, PartitionId{0}}, Offset{3});
  auto filled = open_topic(plans, topics, 0)->fill({});
  REQUIRE_FALSE(filled.has_value());
  CHECK(filled.error().code == Errc::offset_out_of_range);
  CHECK(filled.error().what.find("offset 0 of partition 0 of in, is not there: its records are 3 "
                                 "to 5 now") != std::string::npos);
}

TEST_CASE("rows before a damaged batch are given before the error, wherever a block ends") {
  Plans plans(R"("topic": "in", )" + columns(R"({"name": "v", "type": "bigint"})"));
  record::BatchBuilder builder;
  for (int i = 0; i < 3; ++i) builder.append(1000, {}, as_bytes(R"({"v": 1})"), {});
  Bytes whole = builder.build({});
  Bytes damaged = whole;
  damaged.at(record::batch_header_bytes) = std::byte{0xff};  // the first record's length
  damaged.at(record::batch_header_bytes + 1) = std::byte{0x7f};
  MemoryTopics topics;
  Topic topic = *topics.create_topic("in", 1);
  Bytes extent = whole;
  extent.insert(extent.end(), damaged.begin(), damaged.end());
  topics.append_extent({topic.id, PartitionId{0}}, extent);
  for (std::size_t block_rows : {1, 2, 3, 4, 100}) {
    INFO("blocks of ", block_rows);
    auto reader = open_topic(plans, topics, 0, block_rows);
    std::size_t rows = 0;
    auto filled = reader->fill({});
    for (; filled && *filled; filled = reader->fill({})) {
      rows += reader->block()->rows;
      reader->consume(reader->block()->rows);
    }
    CHECK(rows == 3);
    REQUIRE_FALSE(filled.has_value());
    CHECK(reader->position() == Offset{3});
    CHECK_FALSE(reader->fill({}).has_value());
  }
}

TEST_CASE("a file's lines end in LF, CRLF or with the file") {
  Files files;
  using Lines = std::vector<std::string>;
  for (std::size_t block : {1, 2, 3, 7, 100}) {
    FileFeed::Options plain{false, block};
    FileFeed::Options csv{true, block};
    CHECK(files.lines("", plain).empty());
    CHECK(files.lines("a\nb\r\n\nlast", plain) == Lines{"a", "b", "", "last"});
    CHECK(files.lines("a\n", plain) == Lines{"a"});
    CHECK(files.lines("\xef\xbb\xbf{}\n", plain) == Lines{"{}"});
    CHECK(files.lines("a,\"b\nc\"\nd,e\n", plain) == Lines{"a,\"b", "c\"", "d,e"});
    CHECK(files.lines("a,\"b\r\nc\"\r\nd,e\n", csv) == Lines{"a,\"b\r\nc\"", "d,e"});
    CHECK(files.lines("\"a\"\"\n\"\nd\"x,\"e\n", csv) == Lines{"\"a\"\"\n\"", "d\"x,\"e\n"});
  }
  CHECK(files.lines("ab\n0123456789\nc\n", {false, 4, 8}).back() ==
        "! line 1 of /f is longer than 0 MiB");
}

namespace {

/// As gzip packs it.
std::string packed(const std::string& text) {
  std::string out(text.size() + 1024, '\0');
  z_stream z{};
  REQUIRE(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

}  // namespace

TEST_CASE("a file that is gzip is unpacked, also of several members, and told if it is broken") {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += fmt::format("line {}\n", i * i);
  Files files;
  for (std::size_t block : {7, 100, 4096}) {
    FileFeed::Options options{false, block};
    auto plain = files.lines(text + text, options);
    REQUIRE(plain.size() == 2000);
    CHECK(files.lines(packed(text) + packed(text), options) == plain);
    CHECK(files.lines(packed(""), options).empty());
    CHECK(files.lines(packed("\xef\xbb\xbf{}"), options) == std::vector<std::string>{"{}"});
    std::string cut = packed(text);
    cut.resize(cut.size() - 20);
    CHECK(files.lines(cut, options).back() == "! /f: the gzip file is cut short");
    cut[cut.size() / 2] ^= 0x40;
    CHECK(files.lines(cut, options).back().starts_with("! /f: "));
    // From anywhere on, as after a restart.
    files.write(packed(text) + packed(text));
    FileFeed feed(files.files, "/f", options);
    for (std::int64_t line : {1500, 3, 1999}) {
      feed.seek(Offset{line});
      const record::Record* record = nullptr;
      while (record == nullptr && *feed.fill()) record = feed.next();
      REQUIRE(record != nullptr);
      CHECK(record->offset == Offset{line});
      CHECK(as_text(*record->value) == plain[static_cast<std::size_t>(line)]);
    }
  }
}

TEST_CASE("zeros behind gzip are padding, whatever else is there is damage") {
  std::string text = "a\nb\n";
  using Lines = std::vector<std::string>;
  const Lines broken{"a", "b", "! /f: broken gzip data"};
  Files files;
  for (std::size_t block : {3, 4096}) {
    FileFeed::Options options{false, block};
    for (std::size_t zeros : {1, 511, 600'000}) {
      std::string padded = packed("a\n") + packed("b\n") + std::string(zeros, '\0');
      CHECK(files.lines(padded, options) == Lines{"a", "b"});
      CHECK(files.lines(padded + "x", options) == broken);
      CHECK(files.lines(padded + packed("c\n"), options) == broken);
    }
    CHECK(files.lines(packed(text) + "xy", options) == broken);
    // Before the first member there is none.
    CHECK(files.lines(std::string("\x1f\x8b\0\0", 4), options).back().starts_with("! /f: "));
  }
}

TEST_CASE("lines before damage in gzip are given before the error, in blocks of any size") {
  std::string text;
  Random random(3);
  for (int i = 0; i < 2000; ++i) text += fmt::format("line {}\n", random.next());
  Files files;
  auto whole = files.lines(text, {false, 4096});
  for (bool cut : {true, false}) {
    CAPTURE(cut);
    std::string damaged = packed(text);
    std::size_t at = damaged.size() * 3 / 4;
    if (cut) {
      damaged.resize(at);
    } else {
      // So that it is found there.
      for (std::size_t i = 0; i < 64; ++i) damaged[at + i] = '\xff';
    }
    auto few = files.lines(damaged, {false, 7});
    auto many = files.lines(damaged, {false, 1 << 20});
    CHECK(few.size() > whole.size() / 2);
    CHECK(few == many);
    CHECK(few.back().starts_with("! /f: "));
    if (cut) CHECK(std::equal(few.begin(), few.end() - 1, whole.begin()));
  }
}

TEST_CASE("random files have the same lines in blocks of any size, from any of them on") {
  Random random(5);
  Files files;
  for (int round = 0; round < 300; ++round) {
    std::string content;
    for (auto n = random.below(120); n > 0; --n) content += "ab,\"\n\n\r"[random.below(8)];
    bool csv = random.one_in(2);
    auto whole = files.lines(content, {csv, 1000});
    CHECK(files.lines(content, {csv, 1 + random.below(20)}) == whole);
    FileFeed feed(files.files, "/f", {csv, 1 + random.below(20)});
    for (int seeks = 0; seeks < 3; ++seeks) {
      std::size_t from = random.below(whole.size() + 1);
      feed.seek(Offset{static_cast<std::int64_t>(from)});
      std::size_t next = from;
      while (*feed.fill() && next < from + 3) {
        while (const record::Record* record = feed.next()) {
          REQUIRE(next < whole.size());
          CHECK(as_text(*record->value) == whole[next]);
          ++next;
        }
      }
      CHECK(next >= std::min(whole.size(), from + 3));
    }
  }
}

TEST_CASE("a file of CSV is read by the names in its first line, from anywhere on") {
  Plans plans(R"("file": "f", "format": "csv", "header_line": true, "event_time": "at", )" +
              columns(R"({"name": "n", "type": "bigint", "path": "the number"},
                         {"name": "at", "type": "timestamp"}, {"name": "none", "type": "text"})"));
  const std::vector<std::string> lines{"at,\"the number\",x", "2024-01-01T00:00:00Z,7,y",
                                       "2024-01-01T00:00:01Z,8", "2024-01-01T00:00:02Z,,\"a\nb\""};
  interpreter::Log log{"", {{}}, {}};
  std::string content;
  for (const auto& line : lines) {
    log.partitions[0].push_back({{}, line, -1, {}});
    content += line + "\n";
  }
  auto expected = judged(plans, log);
  REQUIRE(expected.rows.size() == 2);
  Files files;
  auto reader = files.open(plans, content);
  Read read;
  read_all(*reader, read);
  CHECK(read.rows == expected.rows);
  CHECK(read.bad == expected.bad);
  CHECK(reader->finished());
  Read rest;
  auto later = files.open(plans, content);
  later->seek(Offset{3}, 0);
  read_all(*later, rest);
  REQUIRE(rest.rows.size() == 1);
  CHECK(rest.rows[0].find("0/3 @1704067202000 W0 insert NULL ") == 0);
}

TEST_CASE("a file of JSON lines may be a table without times") {
  Plans plans(R"("topic": "in", )" + columns(R"({"name": "v", "type": "bigint"})"), true);
  plans.bound.nodes[0].table->timed = false;
  Files files;
  auto reader = files.open(plans, "{\"v\":1}\n{\"v\":2}");
  Read read;
  read_all(*reader, read);
  CHECK(read.rows == std::vector<std::string>{fmt::format("0/0 @0 W{} insert 1 ", watermark_min),
                                              "0/1 @0 W0 insert 2 "});
}

TEST_CASE("a file that is not there is an error with its name") {
  Plans plans(R"("file": "f", "event_time": "t", )" +
              columns(R"({"name": "t", "type": "timestamp"})"));
  Files files;
  auto feed = std::make_unique<FileFeed>(files.files, "/none", FileFeed::Options{});
  SourceReader reader(plans.source(), 0, PartitionId{0}, std::move(feed), {});
  auto filled = reader.fill({});
  REQUIRE_FALSE(filled.has_value());
  CHECK(filled.error().what.find("/none") != std::string::npos);
}

TEST_SUITE_END();
