// A pipeline over topics in memory, one step after the other on the caller's thread.
#include "leat/pipeline_test.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "column/json_decoder.h"
#include "column/json_encoder.h"
#include "flow/cells.h"
#include "flow/graph.h"
#include "record/builder.h"
#include "stream/memory_topics.h"
#include "stream/task.h"

namespace leat::flow {

namespace detail {

namespace {

std::vector<column::Vector> vectors_of(const std::vector<Column>& columns) {
  std::vector<column::Vector> vectors;
  for (const Column& column : columns) vectors.emplace_back(plan_type(column.type));
  return vectors;
}

}  // namespace

std::string json_of(const std::vector<Column>& columns,
                    void (*append)(const void* row, CellAppender* const* cells), const void* row) {
  std::vector<column::Vector> vectors = vectors_of(columns);
  column::TextArena texts;
  RowCells cells(vectors, texts);
  append(row, cells.columns());
  std::string json = "{";
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].from != Column::From::value) continue;
    if (json.size() > 1) json += ',';
    column::append_json_string(json, columns[i].name);
    json += ':';
    column::append_json(json, vectors[i], 0);
  }
  return json + "}";
}

void read_json(std::string_view json, const std::vector<Column>& columns,
               void (*read)(const Cells* cells, void* row), void* row) {
  std::vector<column::Field> fields;
  for (const Column& column : columns) fields.push_back({column.name, plan_type(column.type)});
  std::vector<column::Vector> vectors = vectors_of(columns);
  for (auto& vector : vectors) vector.resize(1);
  std::string padded(json);
  padded.resize(json.size() + column::json_padding_bytes, '"');
  column::JsonDecoder decoder(std::move(fields));
  if (!decoder.decode(std::string_view(padded).substr(0, json.size()), vectors, 0)) {
    throw Error(decoder.reason() + ": " + std::string(json));
  }
  std::vector<ReadCells> cells;
  std::vector<Cells> plain;
  for (const auto& vector : vectors) cells.push_back(cells_of(vector));
  for (const auto& of : cells) plain.push_back(of.cells);
  read(plain.data(), row);
}

}  // namespace detail

namespace {

/// Time that stands still until it is moved.
class TestClock final : public Clock {
 public:
  std::int64_t wall_ms() const override { return now_ms; }
  std::chrono::nanoseconds monotonic() const override { return std::chrono::milliseconds(now_ms); }
  std::int64_t now_ms = 0;
};

template <class T>
T value_of(Result<T> result) {
  if (!result) throw Error(result.error().what);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

std::optional<BytesView> bytes_of(const std::optional<std::string>& text) {
  return text ? std::optional(as_bytes(*text)) : std::nullopt;
}

}  // namespace

struct PipelineTest::Inside {
  plan::Plan plan;
  stream::MemoryTopics topics;
  TestClock clock;
  std::string console;
  std::unique_ptr<stream::Task> task;
  bool finished = false;
  // Of the runs before this one.
  std::uint64_t late_before = 0;
  std::uint64_t bad_before = 0;
  /// How many of a partition's records were taken.
  std::map<std::pair<std::string, std::int32_t>, std::size_t> taken;

  std::unique_ptr<stream::Task> open() {
    stream::Task::Options options;
    options.console = [this](std::string_view lines) {
      console += lines;
      return Result<void>();
    };
    return value_of(stream::Task::open(plan, topics, nullptr, clock, options));
  }
  void append(stream::OutputBatches& out) {
    for (auto& batch : out.take()) {
      topics.append(batch.partition, std::move(batch.bytes), [](Result<Offset>) {});
    }
  }
  void run() {
    stream::OutputBatches out;
    bool any = true;
    while (any) {
      any = value_of(task->step(out));
      append(out);
    }
  }
};

PipelineTest::PipelineTest(const Pipeline& pipeline) : PipelineTest(pipeline, {}) {}

PipelineTest::PipelineTest(const Pipeline& pipeline, Options options)
    : inside_(std::make_unique<Inside>()) {
  inside_->plan = detail::GraphAccess::graph_of(pipeline).finish();
  inside_->clock.now_ms = options.now.time_since_epoch().count();
  for (const auto& node : inside_->plan.nodes) {
    const auto* source = std::get_if<plan::Source>(&node.body);
    if (source == nullptr || source->topic.empty()) continue;
    value_of(inside_->topics.create_topic(source->topic, options.partitions));
  }
  inside_->task = inside_->open();
}

PipelineTest::~PipelineTest() = default;

void PipelineTest::push(std::string_view topic, const TestRecord& record) {
  if (inside_->finished) throw Error("the pipeline has finished: nothing can be pushed any more");
  stream::Topic found = value_of(inside_->topics.find_topic(std::string(topic)));
  if (record.partition < 0 || record.partition >= found.partitions) {
    throw Error("the topic '" + found.name + "' has no partition " +
                std::to_string(record.partition));
  }
  std::vector<record::Header> headers;
  for (const auto& [name, value] : record.headers) headers.push_back({name, as_bytes(value)});
  record::BatchBuilder batch;
  batch.append(record.timestamp.time_since_epoch().count(), bytes_of(record.key),
               bytes_of(record.value), headers);
  inside_->topics.append({found.id, PartitionId{record.partition}}, batch.build(),
                         [](Result<Offset>) {});
  inside_->run();
}

void PipelineTest::advance_to(Timestamp event_time) {
  stream::OutputBatches out;
  value_of(inside_->task->advance(event_time.time_since_epoch().count(), out));
  inside_->append(out);
}

void PipelineTest::set_now(Timestamp now) {
  inside_->clock.now_ms = now.time_since_epoch().count();
  inside_->run();
}

void PipelineTest::finish() {
  if (std::exchange(inside_->finished, true)) return;
  stream::OutputBatches out;
  value_of(inside_->task->flush(out));
  inside_->append(out);
}

std::vector<TestRecord> PipelineTest::take_records(std::string_view topic) {
  std::string name(topic);
  stream::Topic found = value_of(inside_->topics.find_topic(name));
  std::vector<TestRecord> records;
  for (std::int32_t p = 0; p < found.partitions; ++p) {
    auto all = inside_->topics.records(name, p);
    std::size_t& taken = inside_->taken[{name, p}];
    for (; taken < all.size(); ++taken) {
      auto& record = all[taken];
      records.push_back({std::move(record.key), std::move(record.value),
                         Timestamp(std::chrono::milliseconds(record.timestamp_ms)), p,
                         std::move(record.headers)});
    }
  }
  return records;
}

std::vector<std::string> PipelineTest::take_json(std::string_view topic) {
  std::vector<std::string> all;
  for (TestRecord& record : take_records(topic)) {
    if (record.value) all.push_back(std::move(*record.value));
  }
  return all;
}

std::string PipelineTest::take_console() {
  return std::exchange(inside_->console, {});
}

std::uint64_t PipelineTest::late() const {
  return inside_->late_before + inside_->task->progress().late;
}
std::uint64_t PipelineTest::bad() const {
  return inside_->bad_before + inside_->task->progress().bad;
}

std::optional<Timestamp> PipelineTest::event_time() const {
  stream::Watermark watermark = inside_->task->progress().watermark;
  if (watermark == stream::watermark_min) return {};
  return Timestamp(std::chrono::milliseconds(watermark));
}

void PipelineTest::restart() {
  auto snapshot = inside_->task->snapshot();
  inside_->late_before = late();
  inside_->bad_before = bad();
  inside_->task = inside_->open();
  value_of(inside_->task->restore(snapshot));
}

}  // namespace leat::flow
