// Rows out: records of topics as the judge has them, lines for people, late rows and dead letters.
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/random.h"
#include "column/csv_decoder.h"
#include "interpreter/records.h"
#include "plan/bound_plan.h"
#include "record/partitioner.h"
#include "stream/chunk_of_rows.h"
#include "stream/console_sink.h"
#include "stream/memory_topics.h"
#include "stream/record_sink.h"
#include "stream/side_output.h"
#include "stream/source_reader.h"
#include "stream/topic_feed.h"

TEST_SUITE_BEGIN("stream");

using namespace leat;
using namespace leat::stream;
using column::Type;
using column::Value;
using interpreter::Kind;

namespace {

constexpr std::int64_t noon_ms = 1'709'208'000'000;  // 2024-02-29

/// A sink over columns `n` bigint, `t` text, `at` timestamp, `by` bytes, `d` decimal(5,2).
struct SinkPlan {
  explicit SinkPlan(const std::string& sink, bool revises = false) {
    auto parsed = plan::parse(fmt::format(
        R"j({{"version": 1, "name": "p", "nodes": [
          {{"name": "in", "type": "source", "topic": "in", "columns": [
             {{"name": "n", "type": "bigint"}}, {{"name": "t", "type": "text"}},
             {{"name": "at", "type": "timestamp"}},
             {{"name": "by", "type": "bytes", "from": "key"}},
             {{"name": "d", "type": "decimal(5,2)"}}]}},
          {{"name": "out", "type": "sink", "input": "in", {}}}]}})j",
        sink));
    REQUIRE_MESSAGE(parsed.has_value(), parsed.error().what);
    plan = std::move(*parsed);
    auto checked = plan::bind(plan);
    REQUIRE_MESSAGE(checked.has_value(), checked.error().what);
    bound = std::move(*checked);
    bound.nodes[1].revises = revises;
  }
  const plan::BoundNode& sink() const { return bound.nodes[1]; }
  const column::Schema& schema() const { return bound.nodes[1].schema; }

  plan::Plan plan;
  plan::BoundPlan bound;
};

interpreter::Row row_of(std::vector<Value> values, Kind kind = Kind::insert,
                        std::int64_t partition = 0) {
  interpreter::Row row;
  row.values = std::move(values);
  row.time = noon_ms;
  row.position = {0, partition, 7};
  row.kind = kind;
  return row;
}

interpreter::Rows random_rows(Random& random, bool revises) {
  interpreter::Rows rows;
  for (auto n = 1 + random.below(12); n > 0; --n) {
    auto maybe = [&](Value value) { return random.one_in(5) ? Value() : value; };
    auto row = row_of(
        {maybe(static_cast<std::int64_t>(random.below(5))),
         maybe(std::string("a\"b\n").substr(0, random.below(5))),
         maybe(column::Timestamp{noon_ms + static_cast<std::int64_t>(random.below(3)) * 500}),
         maybe(std::string("\x01\xff")), maybe(column::Decimal{-1234, 2})});
    if (revises) row.kind = static_cast<Kind>(random.below(4));
    row.position[1] = static_cast<std::int64_t>(random.below(5));
    row.time += static_cast<std::int64_t>(random.below(1000));
    rows.push_back(row);
  }
  return rows;
}

std::string console(const SinkPlan& plan, const interpreter::Rows& rows) {
  std::string text;
  ConsoleSink sink(plan.sink(), [&](std::string_view lines) {
    text += lines;
    return Result<void>();
  });
  auto chunk = chunk_of_rows(plan.schema(), rows);
  REQUIRE(sink.write(chunk));
  chunk.selection = column::Selection::of({0});
  REQUIRE(sink.write(chunk));
  return text;
}

}  // namespace

TEST_CASE("a topic gets the records that the judge writes, each where its key or its row belongs") {
  Random random(31);
  const char* sinks[] = {R"("topic": "out", "keys": ["t"])",
                         R"("topic": "out", "keys": ["n", "at", "t"])",
                         R"("topic": "out", "keys": ["at"], "changes": "all")",
                         R"("topic": "out", "keys": ["by"])",
                         R"("topic": "out", "keys": ["d"])",
                         R"("topic": "out", "changes": "all")",
                         R"("topic": "out", "keys": ["n"], "format": "csv")",
                         R"("topic": "out", "changes": "all", "format": "csv")"};
  for (int round = 0; round < 600; ++round) {
    bool revises = random.one_in(2);
    SinkPlan plan(sinks[random.below(8)], revises);
    auto rows = random_rows(random, revises);
    MemoryTopics topics;
    Topic topic = *topics.create_topic("out", 3);
    OutputBatches out;
    RecordSink(plan.sink(), topic).write(chunk_of_rows(plan.schema(), rows), out);
    for (auto& batch : out.take())
      topics.append(batch.partition, std::move(batch.bytes), [](auto) {});
    std::vector<std::vector<PlainRecord>> expected(3);
    std::vector<std::int64_t> partitions;
    for (const auto& row : rows) {
      bool dropped =
          row.kind == Kind::update_before &&
          std::get<plan::Sink>(plan.sink().node->body).changes == plan::Sink::Changes::upsert;
      if (!dropped) partitions.push_back(row.position[1] % 3);
    }
    std::size_t next = 0;
    for (const auto& record : interpreter::records_of(plan.sink(), rows)) {
      std::int64_t to = partitions[next++];
      if (record.key) to = record::partition_of_key(as_bytes(*record.key), 3).value();
      PlainRecord plain{record.key, record.value, record.timestamp_ms, {}};
      if (!record.kind.empty()) plain.headers.emplace_back("leat.kind", record.kind);
      expected[static_cast<std::size_t>(to)].push_back(plain);
    }
    for (std::int32_t p = 0; p < 3; ++p) {
      CHECK(topics.records("out", p) == expected[static_cast<std::size_t>(p)]);
    }
  }
}

TEST_CASE("the console has lines of JSON or CSV, and what happens to rows where they change") {
  const interpreter::Rows rows{
      row_of({1, std::string("x,\"y\""), column::Timestamp{noon_ms}, {}, column::Decimal{5, 2}}),
      row_of({{}, std::string(), {}, std::string("\x01"), {}})};
  CHECK(console(SinkPlan(R"("console": true)"), rows) ==
        R"({"n":1,"t":"x,\"y\"","at":"2024-02-29T12:00:00Z","by":null,"d":0.05})"
        "\n"
        R"({"n":null,"t":"","at":null,"by":"\\x01","d":null})"
        "\n"
        R"({"n":1,"t":"x,\"y\"","at":"2024-02-29T12:00:00Z","by":null,"d":0.05})"
        "\n");
  CHECK(console(SinkPlan(R"("console": true, "format": "csv")"), rows) ==
        "n,t,at,by,d\n1,\"x,\"\"y\"\"\",2024-02-29T12:00:00Z,,0.05\n,\"\",,\\x01,\n"
        "1,\"x,\"\"y\"\"\",2024-02-29T12:00:00Z,,0.05\n");
  interpreter::Rows changes{
      row_of({1, {}, {}, {}, {}}, Kind::insert), row_of({1, {}, {}, {}, {}}, Kind::update_before),
      row_of({2, {}, {}, {}, {}}, Kind::update_after), row_of({2, {}, {}, {}, {}}, Kind::remove)};
  CHECK(console(SinkPlan(R"("console": true, "format": "csv")", true), changes) ==
        "leat.kind,n,t,at,by,d\ninsert,1,,,,\nupdate_after,2,,,,\ndelete,2,,,,\ninsert,1,,,,\n");
  CHECK(console(SinkPlan(R"("console": true, "changes": "all")", true), changes)
            .find(R"({"leat.kind":"update_before","n":1,"t":null)") != std::string::npos);
}

TEST_CASE("what is written as CSV is read again as it was") {
  Random random(8);
  const column::Schema schema{{"n", Type::bigint},
                              {"t", Type::text},
                              {"at", Type::timestamp},
                              {"d", column::decimal(9, 3)},
                              {"r", Type::double_precision},
                              {"b", Type::boolean},
                              {"day", Type::date}};
  std::vector<column::CsvField> fields;
  for (std::size_t i = 0; i < schema.size(); ++i) fields.push_back({schema[i].type, i, {}, i});
  column::CsvDecoder decoder(fields, fields.size());
  column::CsvRows writer(schema, {0, 1, 2, 3, 4, 5, 6});
  for (int round = 0; round < 3000; ++round) {
    auto maybe = [&](Value value) { return random.one_in(5) ? Value() : value; };
    std::string text;
    for (auto n = random.below(6); n > 0; --n) text += "a,\"\n\r é"[random.below(6)];
    auto number = static_cast<std::int64_t>(random.next());
    interpreter::Rows rows{row_of(
        {maybe(number), maybe(text), maybe(column::Timestamp{noon_ms + (number >> 30)}),
         maybe(column::Decimal{number >> 35, 3}), maybe(static_cast<double>(number) * 0.37e-5),
         maybe(number > 0), maybe(column::Date{number >> 45})})};
    std::string line;
    writer.append(line, chunk_of_rows(schema, rows), 0);
    std::vector<column::Vector> columns;
    for (const auto& field : schema) columns.emplace_back(field.type).resize(1);
    CAPTURE(line);
    REQUIRE_MESSAGE(decoder.decode(line, columns, 0), decoder.reason());
    for (std::size_t i = 0; i < schema.size(); ++i) {
      CHECK((columns[i].value(0) == rows[0].values[i]));
    }
  }
}

namespace {

/// Two topics `a` and `b` of two partitions, read by nodes 0 and 1 of a plan.
struct SideTopics {
  SideTopics() {
    auto parsed = plan::parse(R"({"version": 1, "name": "p", "nodes": [
      {"name": "a", "type": "source", "topic": "a", "columns": [{"name": "n", "type": "bigint"}]},
      {"name": "b", "type": "source", "topic": "b", "columns": [{"name": "n", "type": "bigint"}]},
      {"name": "both", "type": "union", "inputs": ["a", "b"]},
      {"name": "out", "type": "sink", "input": "both", "topic": "out"}]})");
    REQUIRE_MESSAGE(parsed.has_value(), parsed.error().what);
    plan = std::move(*parsed);
    bound = *plan::bind(plan);
    for (const char* name : {"a", "b"}) REQUIRE(topics.create_topic(name, 2));
    side = *topics.create_topic("side", 2);
  }
  /// Batches that one read gives together.
  void add(const std::string& topic, const std::vector<std::vector<std::string>>& batches,
           bool compressed = false) {
    record::BatchOptions options;
    if (compressed) options.compression = record::Compression::zstd;
    Bytes extent;
    for (const auto& values : batches) {
      record::BatchBuilder builder;
      for (const auto& value : values) {
        std::vector<record::Header> headers{{"own", as_bytes(value)}};
        builder.append(1000, as_bytes(topic), as_bytes(value), headers);
      }
      Bytes batch = builder.build(options);
      extent.insert(extent.end(), batch.begin(), batch.end());
    }
    topics.append_extent({topics.find_topic(topic)->id, PartitionId{1}}, extent);
  }
  std::unique_ptr<SourceReader> open(std::int32_t node, std::int32_t partition) {
    const std::string& name = plan.nodes[static_cast<std::size_t>(node)].name;
    auto& reader = readers.emplace_back(*topics.open(*topics.find_topic(name)));
    auto feed = std::make_unique<TopicFeed>(*reader, PartitionId{partition}, node);
    return std::make_unique<SourceReader>(bound.nodes[static_cast<std::size_t>(node)], node,
                                          PartitionId{partition}, std::move(feed),
                                          SourceReader::Options{});
  }
  std::vector<std::string> written(std::int32_t partition) {
    for (auto& batch : out.take())
      topics.append(batch.partition, std::move(batch.bytes), [](auto) {});
    std::vector<std::string> shown;
    for (const auto& record : topics.records("side", partition)) {
      std::string text = fmt::format("{}={}", record.key.value_or("-"), record.value.value_or("-"));
      for (const auto& [name, value] : record.headers) text += " " + name + "=" + value;
      shown.push_back(text);
    }
    return shown;
  }

  plan::Plan plan;
  plan::BoundPlan bound;
  MemoryTopics topics;
  std::vector<std::unique_ptr<TopicReader>> readers;
  Topic side;
  OutputBatches out;
};

}  // namespace

TEST_CASE("late rows of several sources are the records that they were read from") {
  for (bool compressed : {false, true}) {
    SideTopics world;
    world.add("a", {{R"({"n":1})", R"({"n":2})"}, {R"({"n":3})"}}, compressed);
    world.add("b", {{R"({"n":4})"}}, compressed);
    // One chunk of the rows of both.
    auto a = world.open(0, 1), b = world.open(1, 1);
    REQUIRE(*a->fill({}));
    REQUIRE(*b->fill({}));
    auto block = std::make_shared<RowBlock>();
    block->columns.emplace_back(Type::bigint).resize(4);
    for (std::size_t i = 0; i < 4; ++i) {
      const RowBlock& from = i < 3 ? *a->block() : *b->block();
      std::size_t row = i < 3 ? i : 0;
      block->columns[0].set_from(i, from.columns[0], row);
      block->context.places.push_back(from.context.places[row]);
      block->context.event_times_ms.push_back(from.context.event_times_ms[row]);
      block->context.runs.push_back({static_cast<std::uint32_t>(i + 1), 1, 5000, i < 3 ? 0 : 1});
    }
    for (const auto& from : {a->block(), b->block()}) {
      for (const auto& buffer : from->context.buffers) block->context.buffers.push_back(buffer);
    }
    block->rows = 4;
    SideOutput side(world.plan, world.side);
    const auto& schema = world.bound.nodes[0].schema;
    for (const auto& late : {std::vector<std::uint32_t>{1, 2}, {3}}) {
      REQUIRE(side.write_late(schema, chunk_of(block), late, world.out));
    }
    const std::string why =
        " leat.timestamp=1000 leat.reason=late: event time 1970-01-01T00:00:01Z came when the "
        "watermark was 1970-01-01T00:00:05Z leat.pipeline=p";
    CHECK(world.written(1) ==
          std::vector<std::string>{
              R"(a={"n":2} own={"n":2} leat.topic=a leat.partition=1 leat.offset=1)" + why,
              R"(a={"n":3} own={"n":3} leat.topic=a leat.partition=1 leat.offset=2)" + why,
              R"(b={"n":4} own={"n":4} leat.topic=b leat.partition=1 leat.offset=0)" + why});
    CHECK(world.written(0).empty());
  }
}

TEST_CASE("a late row whose record is not at hand is written as its columns") {
  SideTopics world;
  interpreter::Rows rows{row_of({5}, Kind::insert, 1)};
  rows[0].watermark = noon_ms + 1;
  SideOutput side(world.plan, world.side);
  const std::vector<std::uint32_t> late{0};
  const auto& schema = world.bound.nodes[0].schema;
  REQUIRE(side.write_late(schema, chunk_of_rows(schema, rows), late, world.out));
  auto written = world.written(1);
  REQUIRE(written.size() == 1);
  CHECK(written[0].starts_with(
      R"(-={"n":5} leat.topic=a leat.partition=1 leat.offset=7 leat.timestamp=-1)"));
}

TEST_CASE("bad records keep their bytes, rejected rows are objects of their columns") {
  SideTopics world;
  world.add("b", {{"what?"}});
  auto reader = world.open(1, 1);
  REQUIRE(*reader->fill({}));
  const BadRecord* bad = reader->next_bad();
  REQUIRE(bad != nullptr);
  SideOutput side(world.plan, world.side);
  side.write_bad(reader->node(), reader->partition(), bad->record, bad->reason, world.out);
  CHECK(world.written(1) ==
        std::vector<std::string>{"b=what? own=what? leat.topic=b leat.partition=1 leat.offset=0 "
                                 "leat.timestamp=1000 leat.reason=" +
                                 bad->reason + " leat.pipeline=p"});
  // One of a window, then one of a source.
  interpreter::Rows rows{row_of({5}), row_of({6})};
  rows[0].position[0] = 2;
  const auto& schema = world.bound.nodes[0].schema;
  auto chunk = chunk_of_rows(schema, rows);
  for (std::uint32_t row : {0, 1}) {
    side.keep_rejected(2, schema, chunk, row, "overflow");
  }
  side.write_rejected(world.out);
  CHECK(world.written(0) ==
        std::vector<std::string>{
            R"(-={"n":6} leat.topic=a leat.partition=0 leat.offset=7 leat.timestamp=-1 )"
            "leat.reason=overflow leat.pipeline=p leat.node=both",
            R"(-={"n":5} leat.reason=overflow leat.pipeline=p leat.node=both)"});
}

TEST_CASE("a rejected row has what its record has") {
  for (bool compressed : {false, true}) {
    SideTopics world;
    world.add("a", {{R"({"n":1})", R"({"n":2})"}, {R"({"n":3})"}}, compressed);
    auto reader = world.open(0, 1);
    REQUIRE(*reader->fill({}));
    SideOutput side(world.plan, world.side);
    const auto& schema = world.bound.nodes[0].schema;
    column::Chunk chunk = chunk_of(reader->block());
    for (std::uint32_t row : {1, 2, 0}) side.keep_rejected(2, schema, chunk, row, "overflow");
    side.write_rejected(world.out);
    std::vector<std::string> wanted;
    for (int row : {0, 1, 2}) {
      wanted.push_back(fmt::format(
          R"(a={{"n":{0}}} own={{"n":{0}}} leat.topic=a leat.partition=1 leat.offset={1} )"
          "leat.timestamp=1000 leat.reason=overflow leat.pipeline=p leat.node=both",
          row + 1, row));
    }
    CHECK(world.written(0) == wanted);
  }
}

// Nothing tells how often a batch is unpacked; were it for each row, this would not end within the
// time that a suite has.
TEST_CASE("a batch is unpacked for many rejected rows at once, whatever order they come in") {
  constexpr std::uint32_t rows = 100'000;
  SideTopics world;
  SideOutput side(world.plan, world.side);
  const auto& schema = world.bound.nodes[0].schema;
  std::vector<std::string> values;
  for (std::uint32_t i = 0; i < rows; ++i) values.push_back(fmt::format(R"({{"n":{}}})", i));
  std::vector<column::Chunk> chunks;
  for (std::int32_t node : {0, 1}) {
    world.add(node == 0 ? "a" : "b", {values}, true);
    auto reader = world.open(node, 1);
    REQUIRE(*reader->fill({}));
    auto block = std::make_shared<RowBlock>();
    block->columns.emplace_back(Type::bigint).resize(rows);
    for (std::uint32_t i = 0; i < rows; ++i) {
      block->columns[0].set_integer(i, i);
      block->context.places.push_back(i);
      block->context.event_times_ms.push_back(1'000);
    }
    block->context.runs = {{rows, 1, 0, node}};
    block->context.buffers = reader->block()->context.buffers;
    block->rows = rows;
    chunks.push_back(chunk_of(block));
  }
  for (std::uint32_t i = rows; i-- > 0;) {
    for (const auto& chunk : chunks) side.keep_rejected(2, schema, chunk, i, "overflow");
  }
  side.write_rejected(world.out);
  auto written = world.written(0);
  REQUIRE(written.size() == 2 * rows);
  std::size_t wrong = 0;
  for (std::uint32_t i = 0; i < 2 * rows; ++i) {
    auto begin = fmt::format(R"({0}={{"n":{1}}} own={{"n":{1}}} leat.topic={0} )",
                             i < rows ? "a" : "b", i % rows);
    wrong += written[i].starts_with(begin) ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_SUITE_END();
