// A snapshot of a task, as section "task" version 1, followed by that of its graph:
//
//   body      := watermark_ms:i64 partitions:u32 partition*
//   partition := position:i64 watermark_ms:i64
#include "stream/task.h"

#include <algorithm>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include "base/assert.h"

namespace leat::stream {

namespace {

// A topic with a partition for each one of the source, for records that keep their partition.
Result<std::optional<Topic>> side_topic(TopicStore& store, const std::string& name,
                                        const Topic& source) {
  if (name.empty()) return std::optional<Topic>();
  auto topic = store.create_topic(name, source.partitions);
  if (!topic) return fail(topic);
  if (topic->partitions < source.partitions) {
    return fail(Errc::plan_error, fmt::format("{} has {} partitions, fewer than the {} of {}", name,
                                              topic->partitions, source.partitions, source.name));
  }
  return std::optional<Topic>(std::move(*topic));
}

Result<GraphTopics> open_topics(const Plan& plan, TopicStore& store, const Topic& source) {
  std::int32_t partitions = plan.sink.partitions > 0 ? plan.sink.partitions : source.partitions;
  auto sink = store.create_topic(plan.sink.topic, partitions);
  if (!sink) return fail(sink);
  GraphTopics topics{std::move(*sink), {}, {}};
  for (const auto& step : plan.steps) {
    const auto* window = std::get_if<WindowPlan>(&step);
    if (window == nullptr) continue;
    auto late = side_topic(store, window->late_topic, source);
    if (!late) return fail(late);
    topics.late = std::move(*late);
  }
  auto dead_letters = side_topic(store, plan.source.dead_letter_topic, source);
  if (!dead_letters) return fail(dead_letters);
  topics.dead_letters = std::move(*dead_letters);
  return topics;
}

// No more than have something to do.
std::size_t workers_of(const Task::Options& options, const Topic& source) {
  auto partitions = static_cast<std::size_t>(source.partitions);
  return std::clamp<std::size_t>(options.workers, 1, std::max<std::size_t>(partitions, 1));
}

void add_run(column::RowContext& context, std::size_t row, std::int32_t partition,
             Watermark watermark) {
  auto& runs = context.runs;
  auto end = static_cast<std::uint32_t>(row + 1);
  if (!runs.empty() && runs.back().partition == partition &&
      runs.back().watermark_ms == watermark) {
    runs.back().end = end;
  } else {
    runs.push_back({end, partition, watermark});
  }
}

// Moves the next `count` rows of `source` to the end of `block`.
void move_rows(PartitionSource& source, std::size_t count, RowBlock& block) {
  const RowBlock& from = *source.block();
  std::size_t first = source.next_row();
  for (std::size_t i = 0; i < block.columns.size(); ++i) {
    block.columns[i].copy_from(block.rows, from.columns[i], first, count);
  }
  for (std::size_t row = first; row < first + count; ++row) {
    block.context.event_times_ms.push_back(from.context.event_times_ms[row]);
    block.context.places.push_back(from.context.places[row]);
    add_run(block.context, block.rows, source.partition().partition.value(), source.next_stamp());
    ++block.rows;
    source.consume(1);
  }
}

}  // namespace

Result<std::unique_ptr<Task>> Task::open(const Plan& plan, TopicStore& store, const Clock& clock,
                                         const Options& options) {
  if (auto ok = check(plan); !ok) return fail(ok);
  auto source = store.find_topic(plan.source.topic);
  if (!source) return fail(source);
  auto topics = open_topics(plan, store, *source);
  if (!topics) return fail(topics);
  std::unique_ptr<Task> task(new Task(plan, store, clock, options, std::move(*source), *topics));
  for (auto& input : task->inputs_) {
    auto readable = store.readable(input->source.partition());
    if (!readable) return fail(readable);
    input->source.seek(readable->start, watermark_min);
  }
  return task;
}

Task::Task(const Plan& plan, TopicStore& store, const Clock& clock, const Options& options,
           Topic source, const GraphTopics& topics)
    : plan_(plan),
      store_(store),
      clock_(clock),
      options_(options),
      source_topic_(std::move(source)),
      graph_(plan_, topics, workers_of(options_, source_topic_)),
      workers_(graph_.takes_any_order() ? workers_of(options_, source_topic_) : 1),
      merged_(plan.source.fields, options.source.chunk_rows) {
  if (topics.dead_letters) {
    dead_letters_.emplace(plan.name, plan.source.topic, *topics.dead_letters);
  }
  for (std::int32_t id = 0; id < source_topic_.partitions; ++id) {
    TopicPartition partition{source_topic_.id, PartitionId{id}};
    inputs_.push_back(std::make_unique<Input>(plan_.source, store, partition, options.source));
  }
}

Result<void> Task::seek(const std::vector<Offset>& positions) {
  if (positions.size() != inputs_.size()) {
    return fail(Errc::invalid_argument,
                fmt::format("{} positions for {} partitions", positions.size(), inputs_.size()));
  }
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    inputs_[i]->source.seek(positions[i], watermark_min);
  }
  return {};
}

void Task::set_ends(const std::vector<Offset>& ends) {
  ASSERT(ends.size() == inputs_.size());
  for (std::size_t i = 0; i < inputs_.size(); ++i) inputs_[i]->source.set_end(ends[i]);
}

bool Task::finished() const {
  return std::all_of(inputs_.begin(), inputs_.end(),
                     [](const auto& input) { return input->source.finished(); });
}

// Sees to it that the input's next rows are decoded; false if there are none.
Result<bool> Task::fill(Input& input) {
  if (input.source.has_rows()) return true;
  auto filled = input.source.fill(input.idle ? std::optional(watermark_) : std::nullopt);
  if (!filled) return filled;
  if (auto floored_at = input.source.take_floored()) {
    input.decisions.push_back({input.source.partition().partition, *floored_at, watermark_});
  }
  if (auto ok = handle_bad(input); !ok) return fail(ok);
  if (*filled) {
    input.caught_up = false;
    if (input.source.has_rows()) input.idle = false;
    return true;
  }
  auto now = clock_.monotonic();
  if (!std::exchange(input.caught_up, true)) input.caught_up_at = now;
  if (watches_idle() &&
      now - input.caught_up_at >= std::chrono::milliseconds(*plan_.source.idle_ms)) {
    input.idle = true;
  }
  return false;
}

Result<void> Task::handle_bad(Input& input) {
  while (const BadRecord* bad = input.source.next_bad()) {
    PartitionId partition = input.source.partition().partition;
    if (plan_.source.bad_records == BadRecords::fail) {
      return fail(Errc::bad_record,
                  fmt::format("pipeline {}: record {} of partition {} of {}: {}", plan_.name,
                              bad->record.offset.value(), partition.value(), plan_.source.topic,
                              bad->reason));
    }
    ++input.bad;
    if (dead_letters_) dead_letters_->write(partition, bad->record, bad->reason, input.out);
  }
  return {};
}

// Processes the block at hand, which is whole, and sees to it that the next one is there.
Result<void> Task::process_block(Input& input, std::size_t lane) {
  PartitionSource& source = input.source;
  {
    column::Chunk chunk = chunk_of(source.block());
    source.consume(chunk.rows);
    input.rows += chunk.rows;
    if (auto ok = graph_.process(lane, chunk, input.out); !ok) return ok;
  }
  if (auto ok = handle_bad(input); !ok) return ok;
  auto filled = fill(input);
  return filled ? Result<void>() : fail(filled);
}

void Task::process_blocks(BlockQueue& queue, std::size_t lane) {
  while (auto taken = queue.take()) {
    Input& input = *inputs_[*taken];
    input.result = process_block(input, lane);
    if (!input.result) return queue.end();
    if (input.source.has_rows()) queue.put(input.source.next_event_time_ms(), *taken);
  }
}

// Blocks of all inputs, the earlier ones first. Whether there was enough to share it.
Result<bool> Task::process_any_order() {
  std::optional<std::size_t> least;
  std::size_t whole_blocks = 0;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const PartitionSource& source = inputs_[i]->source;
    if (!source.has_rows()) continue;
    if (source.block()->rows == options_.source.chunk_rows) ++whole_blocks;
    if (!least || source.next_event_time_ms() < inputs_[*least]->source.next_event_time_ms()) {
      least = i;
    }
  }
  if (!least) return false;
  // What is ahead of the others fills windows that cannot be closed yet, so a block may begin no
  // later than some blocks of the slowest input from now.
  constexpr std::int64_t blocks_ahead = 32;
  const auto& times = inputs_[*least]->source.block()->context.event_times_ms;
  std::int64_t span_ms = std::max<std::int64_t>(times.back() - times.front(), 1'000);
  constexpr std::size_t blocks_max = 64;
  BlockQueue queue(times.front() + blocks_ahead * span_ms, blocks_max);
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const PartitionSource& source = inputs_[i]->source;
    if (source.has_rows()) queue.put(source.next_event_time_ms(), i);
  }
  // Waking the others costs more than the rows of a partition that is nearly read to its end.
  bool shared = whole_blocks > 1 && workers_.size() > 1;
  if (shared) {
    workers_.run([&](std::size_t worker) { process_blocks(queue, worker); });
  } else {
    process_blocks(queue, 0);
  }
  for (auto& input : inputs_) {
    if (!input->result) return fail(std::exchange(input->result, {}));
  }
  return shared;
}

// The next rows of all inputs in their common order, until the chunk is full or an input must be
// filled before it is known what comes next.
column::Chunk Task::merge_rows() {
  using Head = std::pair<std::int64_t, std::size_t>;  // event time, input
  std::vector<Head> heads;                            // a heap, the least in front
  auto block = merged_.take();
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const PartitionSource& source = inputs_[i]->source;
    if (!source.has_rows()) continue;
    heads.emplace_back(source.next_event_time_ms(), i);
    const auto& buffers = source.block()->context.buffers;
    block->context.buffers.insert(block->context.buffers.end(), buffers.begin(), buffers.end());
  }
  std::make_heap(heads.begin(), heads.end(), std::greater<>());
  while (!heads.empty() && block->rows < merged_.rows()) {
    std::pop_heap(heads.begin(), heads.end(), std::greater<>());
    std::size_t input = heads.back().second;
    heads.pop_back();
    PartitionSource& source = inputs_[input]->source;
    const auto& times = source.block()->context.event_times_ms;
    std::size_t row = source.next_row();
    std::size_t end = std::min(times.size(), row + merged_.rows() - block->rows);
    std::size_t next = row;
    while (next < end && (heads.empty() || Head(times[next], input) < heads.front())) ++next;
    move_rows(source, next - row, *block);
    inputs_[input]->rows += next - row;
    if (!source.has_rows()) break;
    heads.emplace_back(source.next_event_time_ms(), input);
    std::push_heap(heads.begin(), heads.end(), std::greater<>());
  }
  return chunk_of(block);
}

// Rows of all inputs in their common order, unless one has records to read that may come first.
Result<void> Task::process_in_order(OutputBatches& out) {
  bool rows = false;
  for (const auto& input : inputs_) {
    rows = rows || input->source.has_rows();
    if (!input->source.has_rows() && !input->caught_up) return {};
  }
  if (!rows) return {};
  column::Chunk chunk;
  if (inputs_.size() == 1) {
    PartitionSource& source = inputs_[0]->source;
    chunk = chunk_of(source.block());
    source.consume(chunk.rows);
    inputs_[0]->rows += chunk.rows;
  } else {
    chunk = merge_rows();
  }
  if (auto ok = graph_.process(0, chunk, out); !ok) return ok;
  for (auto& input : inputs_) {
    if (auto ok = handle_bad(*input); !ok) return ok;
  }
  return {};
}

// Takes what the inputs' own work gave.
void Task::settle(OutputBatches& out) {
  for (auto& input : inputs_) {
    out.add(input->out.take());
    decisions_.insert(decisions_.end(), input->decisions.begin(), input->decisions.end());
    input->decisions.clear();
  }
}

Result<bool> Task::step(OutputBatches& out) {
  bool any = false;
  Result<void> result;
  for (auto& input : inputs_) {
    auto filled = fill(*input);
    if (!filled) result = fail(filled);
    if (!filled) break;
    any = any || *filled;
  }
  bool shared = false;
  if (result && graph_.takes_any_order()) {
    auto processed = process_any_order();
    result = processed ? Result<void>() : fail(processed);
    shared = processed && *processed;
  } else if (result) {
    result = process_in_order(out);
  }
  // Also what came before an error is written.
  settle(out);
  if (!result) return fail(result);
  if (auto ok = advance(shared, out); !ok) return fail(ok);
  return any;
}

Result<void> Task::advance(bool shared, OutputBatches& out) {
  std::optional<Watermark> least;
  for (const auto& input : inputs_) {
    if (input->idle) continue;
    Watermark watermark = input->source.watermark();
    least = least ? std::min(*least, watermark) : watermark;
  }
  if (!least || *least <= watermark_) return {};
  Watermark before = std::exchange(watermark_, *least);
  if (!shared || before == watermark_min) return graph_.advance(watermark_, out);
  return graph_.advance_shared(before, watermark_, workers_, out);
}

Result<void> Task::flush(OutputBatches& out) {
  watermark_ = watermark_max;
  return graph_.advance(watermark_, out);
}

Bytes Task::snapshot() {
  StateWriter writer;
  writer.section("task", 1);
  writer.write(watermark_);
  writer.write(static_cast<std::uint32_t>(inputs_.size()));
  for (const auto& input : inputs_) {
    writer.write(input->source.position().value());
    writer.write(input->source.watermark());
  }
  graph_.snapshot(writer);
  return writer.finish();
}

Result<void> Task::restore(BytesView snapshot) {
  auto reader = StateReader::open(snapshot);
  if (!reader) return fail(reader);
  if (auto ok = reader->section("task", 1); !ok) return ok;
  watermark_ = reader->read<Watermark>();
  if (reader->read<std::uint32_t>() != inputs_.size()) {
    return fail(Errc::snapshot_mismatch, "the snapshot is of another number of partitions");
  }
  for (auto& input : inputs_) {
    Offset position{reader->read<std::int64_t>()};
    input->source.seek(position, reader->read<Watermark>());
  }
  if (auto ok = graph_.restore(*reader); !ok) return ok;
  return reader->finish();
}

Progress Task::progress() const {
  Progress progress;
  GraphCounts counts = graph_.counts();
  progress.rows_out = counts.rows_out;
  progress.late = counts.late;
  progress.bad = counts.rejected;
  progress.watermark = watermark_;
  std::optional<Watermark> least;
  for (const auto& input : inputs_) {
    const PartitionSource& source = input->source;
    PartitionId id = source.partition().partition;
    progress.rows_in += input->rows;
    progress.bad += input->bad;
    progress.partitions.push_back({id, source.position(), source.watermark(), input->idle});
    if (input->idle || (least && source.watermark() >= *least)) continue;
    least = source.watermark();
    progress.held_back_by = id;
  }
  return progress;
}

std::optional<std::chrono::nanoseconds> Task::idle_in() const {
  if (!watches_idle()) return {};
  std::optional<std::chrono::nanoseconds> soonest;
  auto now = clock_.monotonic();
  for (const auto& input : inputs_) {
    if (!input->caught_up || input->idle) continue;
    auto left = input->caught_up_at + std::chrono::milliseconds(*plan_.source.idle_ms) - now;
    left = std::max(left, std::chrono::nanoseconds(0));
    soonest = soonest ? std::min(*soonest, left) : left;
  }
  return soonest;
}

}  // namespace leat::stream
