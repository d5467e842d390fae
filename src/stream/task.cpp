// A snapshot of a task, as section "task" version 4, followed by that of its graph:
//
//   body      := plan:text watermark_ms:i64 partitions:u32 partition*
//   plan      := what of the plan the state hangs on: plan/difference.h
//   partition := source:u32 number:i32 position:i64 watermark_ms:i64 idle:u8
#include "stream/task.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

#include <fmt/format.h>

#include "plan/difference.h"
#include "plan/used_columns.h"
#include "stream/file_feed.h"
#include "stream/node_operators.h"

namespace leat::stream {

namespace {

// Whether rows of the node are looked up in a join of that kind, as they are or filtered.
bool is_looked_up(const plan::BoundPlan& plan, std::size_t node, plan::Join::Kind kind) {
  std::vector<bool> passes(plan.nodes.size(), false);  // the node's rows, as they are or filtered
  passes[node] = true;
  for (std::size_t i = node + 1; i < plan.nodes.size(); ++i) {
    const auto& inputs = plan.nodes[i].inputs;
    bool takes = std::any_of(inputs.begin(), inputs.end(), [&](auto from) { return passes[from]; });
    if (!takes) continue;
    const auto* join = std::get_if<plan::Join>(&plan.nodes[i].node->body);
    if (join != nullptr && join->kind == kind && passes[inputs[1]]) return true;
    passes[i] = join == nullptr && !traits_of(plan.nodes[i]).keeps_rows;
  }
  return false;
}

// No more than have something to do.
std::size_t workers_of(const Task::Options& options, std::size_t partitions) {
  return std::clamp<std::size_t>(options.workers, 1, std::max<std::size_t>(partitions, 1));
}

}  // namespace

struct Task::Input {
  Input(std::size_t node, const plan::Source& of, SourceReader of_rows, bool table, bool timed)
      : source(node), plan(&of), reader(std::move(of_rows)), is_table(table), is_timed(timed) {}

  std::size_t source;  // the node's number
  const plan::Source* plan;
  SourceReader reader;
  /// Rows of a table: read before others.
  bool is_table;
  /// The watermark waits for it.
  bool is_timed;
  bool caught_up = false;
  /// Its next records are on their way to this process.
  bool waits = false;
  std::chrono::nanoseconds caught_up_at{0};
  bool idle = false;
  TopicReader* topic = nullptr;   // null for a file
  std::optional<Offset> awaited;  // a wake-up has been asked for
  // Since the task was opened.
  std::uint64_t rows = 0;
  std::uint64_t bad = 0;
  // Since the last step.
  OutputBatches out;
  std::vector<Decision> decisions;
  Result<void> result;
};

Result<std::unique_ptr<Task>> Task::open(plan::Plan plan, TopicStore& store,
                                         file::FileSystem* files, const Clock& clock,
                                         const Options& options) {
  std::unique_ptr<Task> task(new Task(std::move(plan), store, clock, options));
  if (auto ok = task->bind(); !ok) return fail(ok);
  if (auto ok = task->open_inputs(files); !ok) return fail(ok);
  return task;
}

Task::Task(plan::Plan plan, TopicStore& store, const Clock& clock, const Options& options)
    : plan_(std::move(plan)), store_(store), clock_(clock), options_(options) {}

Task::~Task() = default;

Result<void> Task::bind() {
  auto bound = plan::bind(plan_);
  if (!bound) return fail(bound);
  bound_ = std::move(*bound);
  return {};
}

Result<void> Task::open_inputs(file::FileSystem* files) {
  auto used = plan::used_columns(bound_);
  merged_.resize(bound_.nodes.size());
  for (std::size_t i = 0; i < bound_.nodes.size(); ++i) {
    if (!traits_of(bound_.nodes[i]).is_source) continue;
    merged_[i].emplace(bound_.nodes[i], options_.block_rows,
                       decoded_columns(bound_.nodes[i], used[i]));
    if (auto ok = open_source(i, files, used[i]); !ok) return ok;
  }
  std::size_t most = 1;
  for (const auto& input : inputs_) {
    most = std::max(most, static_cast<std::size_t>(input->reader.partition().value()) + 1);
  }
  auto outputs =
      PlanOutputs::open(bound_, {store_, files, options_.console}, static_cast<std::int32_t>(most));
  if (!outputs) return fail(outputs);
  outputs_ = std::move(*outputs);
  dataflow_ = std::make_unique<Dataflow>(bound_, workers_of(options_, inputs_.size()));
  make_workers();
  return {};
}

// Not more than there are lanes.
void Task::make_workers() {
  std::size_t workers = std::min(workers_of(options_, inputs_.size()), dataflow_->lanes());
  workers_ = std::make_unique<Workers>(workers);
}

Result<void> Task::open_source(std::size_t node, file::FileSystem* files, std::vector<bool> used) {
  const auto& source = std::get<plan::Source>(bound_.nodes[node].node->body);
  if (source.topic.empty()) {
    if (files == nullptr) {
      return fail(Errc::plan_error,
                  fmt::format("{}: there are no files to read here", plan::place_of(plan_, node)));
    }
    FileFeed::Options options;
    options.csv = source.format == plan::Source::Format::csv;
    add_input(node, PartitionId{0}, std::make_unique<FileFeed>(*files, source.file, options), used);
    return {};
  }
  auto topic = store_.find_topic(source.topic);
  if (!topic) {
    return fail(topic.error().code,
                fmt::format("{}: {}", plan::place_of(plan_, node), topic.error().what));
  }
  auto opened = store_.open(*topic);
  if (!opened) return fail(opened);
  TopicReader& reader = *readers_.emplace_back(std::move(*opened));
  auto readable = reader.readable();
  if (!readable) return fail(readable);
  for (std::int32_t id = 0; id < topic->partitions; ++id) {
    PartitionId partition{id};
    add_input(node, partition,
              std::make_unique<TopicFeed>(reader, partition, static_cast<std::int32_t>(node),
                                          options_.read_bytes),
              used);
    inputs_.back()->topic = &reader;
    inputs_.back()->reader.seek(readable->at(static_cast<std::size_t>(id)).start, watermark_min);
  }
  return {};
}

void Task::add_input(std::size_t node, PartitionId partition, std::unique_ptr<RecordFeed> feed,
                     const std::vector<bool>& used) {
  const plan::BoundNode& bound = bound_.nodes[node];
  bool is_table = is_looked_up(bound_, node, plan::Join::Kind::table);
  bool is_timed = !bound.table || is_looked_up(bound_, node, plan::Join::Kind::as_of);
  SourceReader reader(bound, static_cast<std::int32_t>(node), partition, std::move(feed),
                      {options_.block_rows, used});
  inputs_.push_back(std::make_unique<Input>(node, std::get<plan::Source>(bound.node->body),
                                            std::move(reader), is_table, is_timed));
}

Result<void> Task::seek(const std::vector<Offset>& positions) {
  if (positions.size() != inputs_.size()) {
    return fail(Errc::invalid_argument,
                fmt::format("{} positions for {} partitions", positions.size(), inputs_.size()));
  }
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    inputs_[i]->reader.seek(positions[i], watermark_min);
  }
  return {};
}

Result<void> Task::pin_ends() {
  for (auto& reader : readers_) {  // a file ends by itself
    auto readable = reader->readable();
    if (!readable) return fail(readable);
    for (auto& input : inputs_) {
      if (input->topic != reader.get()) continue;
      auto id = static_cast<std::size_t>(input->reader.partition().value());
      input->reader.set_end(readable->at(id).high_watermark);
    }
  }
  return {};
}

bool Task::finished() const {
  return std::all_of(inputs_.begin(), inputs_.end(),
                     [](const auto& input) { return input->reader.finished(); });
}

// Sees to it that the input's next rows are decoded; false if there are none.
Result<bool> Task::fill(Input& input) {
  input.waits = false;
  if (input.reader.has_rows()) return true;
  auto filled = input.reader.fill(input.idle ? std::optional(watermark_) : std::nullopt);
  if (!filled) return filled;
  if (auto floored_at = input.reader.take_floored()) {
    input.decisions.push_back({input.source, input.reader.partition(), *floored_at, watermark_});
  }
  if (auto ok = handle_bad(input); !ok) return fail(ok);
  if (*filled) {
    input.caught_up = false;
    if (input.reader.has_rows()) input.idle = false;
    return true;
  }
  input.waits = input.reader.waits_for_records();
  if (input.waits) return false;
  auto now = clock_.monotonic();
  if (!std::exchange(input.caught_up, true)) input.caught_up_at = now;
  bool watched = options_.watch_idle && input.plan->idle_ms > 0;
  if (watched && now - input.caught_up_at >= std::chrono::milliseconds(input.plan->idle_ms)) {
    input.idle = true;
  }
  return false;
}

Result<void> Task::handle_bad(Input& input) {
  while (const BadRecord* bad = input.reader.next_bad()) {
    ++input.bad;
    auto ok = outputs_->bad_record(input.source, input.reader.partition(), *bad, input.out);
    // It is not passed by: who goes on here meets it again.
    if (!ok) input.reader.keep_bad();
    if (!ok) return ok;
  }
  return {};
}

Result<bool> Task::fill_all() {
  bool any = false;
  for (auto& input : inputs_) {
    auto filled = fill(*input);
    if (!filled) return filled;
    any = any || *filled;
  }
  return any;
}

void Task::take_rows(Input& input, std::size_t rows) {
  merged_[input.source]->add(input.reader.block(), input.reader.next_row(), rows);
  input.reader.consume(rows);
  input.rows += rows;
}

// Takes what tables have; false if they are read as far as they go.
Result<bool> Task::process_tables() {
  bool any = false;
  for (auto& input : inputs_) {
    if (!input->is_table) continue;
    any = any || !input->caught_up;
    if (!input->reader.has_rows()) continue;
    take_rows(*input, input->reader.block()->rows - input->reader.next_row());
    if (auto ok = process_merged(input->source); !ok) return fail(ok);
    if (auto ok = handle_bad(*input); !ok) return fail(ok);
  }
  return any;
}

// Processes the block at hand, which is whole, and sees to it that the next one is there.
Result<void> Task::process_block(Input& input, std::size_t lane) {
  {
    column::Chunk chunk = chunk_of(input.reader.block());
    input.reader.consume(chunk.rows);
    input.rows += chunk.rows;
    if (auto ok = dataflow_->process(lane, input.source, chunk); !ok) return ok;
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
    if (input.reader.has_rows()) queue.put(input.reader.next_event_time_ms(), *taken);
  }
}

// Blocks of all inputs, the earlier ones first.
Result<void> Task::process_any_order() {
  std::optional<std::size_t> least;
  std::size_t whole_blocks = 0;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const SourceReader& reader = inputs_[i]->reader;
    if (!reader.has_rows() || inputs_[i]->is_table) continue;
    if (reader.block()->rows == options_.block_rows) ++whole_blocks;
    if (!least || reader.next_event_time_ms() < inputs_[*least]->reader.next_event_time_ms()) {
      least = i;
    }
  }
  if (!least) return {};
  // What is ahead of the others waits for them, so a block may begin no later than some blocks of
  // the slowest input from now.
  constexpr std::int64_t blocks_ahead = 32;
  const auto& times = inputs_[*least]->reader.block()->context.event_times_ms;
  std::int64_t span_ms = std::max<std::int64_t>(times.back() - times.front(), 1'000);
  constexpr std::size_t blocks_max = 64;
  BlockQueue queue(times.front() + blocks_ahead * span_ms, blocks_max);
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const SourceReader& reader = inputs_[i]->reader;
    if (reader.has_rows() && !inputs_[i]->is_table) queue.put(reader.next_event_time_ms(), i);
  }
  // Waking the others costs more than the rows of a partition that is nearly read to its end.
  if (whole_blocks > 1 && workers_->size() > 1) {
    workers_->run([&](std::size_t worker) { process_blocks(queue, worker); });
  } else {
    process_blocks(queue, 0);
  }
  for (auto& input : inputs_) {
    if (!input->result) return std::exchange(input->result, {});
  }
  return {};
}

// The next rows of all inputs in their common order: a chunk of each source, or several where these
// take turns. Fewer when an input must be filled before it is known what comes next.
Result<void> Task::process_in_order() {
  using Head = std::pair<std::int64_t, std::size_t>;  // event time, input: as positions are ordered
  std::priority_queue<Head, std::vector<Head>, std::greater<>> heads;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const Input& input = *inputs_[i];
    if (input.is_table) continue;
    if (input.reader.has_rows()) {
      heads.emplace(input.reader.next_event_time_ms(), i);
    } else if (!input.caught_up) {
      return {};
    }
  }
  std::optional<std::size_t> source;  // whose rows are being collected
  std::size_t left = options_.block_rows;
  Result<void> result;
  while (!heads.empty() && left > 0) {
    std::size_t at = heads.top().second;
    heads.pop();
    Input& input = *inputs_[at];
    if (source && *source != input.source) {
      if (auto ok = process_merged(*source); !ok) return ok;
    }
    source = input.source;
    const auto& times = input.reader.block()->context.event_times_ms;
    std::size_t row = input.reader.next_row();
    std::size_t end = std::min(input.reader.rows_before_bad(), row + left);
    std::size_t next = row;
    while (next < end && (heads.empty() || Head(times[next], at) < heads.top())) ++next;
    take_rows(input, next - row);
    left -= next - row;
    result = handle_bad(input);
    if (!result) break;
    if (auto filled = fill(input); !filled) {
      result = fail(filled);
    } else if (input.reader.has_rows()) {
      heads.emplace(input.reader.next_event_time_ms(), at);
    } else if (!input.caught_up) {
      break;
    }
  }
  // Also what came before an error.
  auto processed = source ? process_merged(*source) : Result<void>();
  return result ? processed : result;
}

// Gives the rows of a source that have been collected to the graph.
Result<void> Task::process_merged(std::size_t source) {
  MergedRows& merged = *merged_[source];
  return merged.empty() ? Result<void>() : dataflow_->process(0, source, merged.take());
}

Result<bool> Task::step(OutputBatches& out) {
  dataflow_->set_now_ms(clock_.wall_ms());
  auto filled = fill_all();
  Result<void> result = filled ? Result<void>() : fail(filled);
  Watermark watermark = watermark_;
  bool waits =
      std::any_of(inputs_.begin(), inputs_.end(), [](const auto& input) { return input->waits; });
  // What is on its way comes before what follows it in order.
  if (result && !waits) {
    auto tables = process_tables();
    if (!tables) {
      result = fail(tables);
    } else if (!*tables) {
      result = dataflow_->takes_any_order() ? process_any_order() : process_in_order();
      watermark = std::max(watermark, least_watermark());
    }
  }
  // Also what came before an error is written.
  if (!result) watermark = watermark_;
  auto finished = finish_step(watermark, out);
  if (!result) return fail(result);
  if (!finished) return fail(finished);
  if (auto ok = check_memory(); !ok) return fail(ok);
  return *filled && !waits;
}

Result<void> Task::finish_step(Watermark watermark, OutputBatches& out) {
  watermark_ = watermark;
  auto finished = dataflow_->finish_step(watermark, *workers_, *outputs_);
  for (auto& input : inputs_) {
    out.add(input->out.take());
    decisions_.insert(decisions_.end(), input->decisions.begin(), input->decisions.end());
    input->decisions.clear();
  }
  out.add(outputs_->take());
  return finished;
}

Watermark Task::least_watermark() const {
  std::optional<Watermark> least;
  for (const auto& input : inputs_) {
    if (input->idle || !input->is_timed) continue;
    Watermark watermark = input->reader.watermark();
    least = least ? std::min(*least, watermark) : watermark;
  }
  return least.value_or(watermark_);
}

Result<void> Task::check_memory() {
  // Adding it up looks at every key; but what is kept of few rows may be large.
  constexpr std::uint64_t rows_between = 128 * 1024;
  std::uint64_t rows = 0, bytes_read = 0;
  for (const auto& input : inputs_) {
    rows += input->rows;
    bytes_read += input->reader.bytes_read();
  }
  bool due = rows >= memory_checked_at_.rows + rows_between ||
             bytes_read >= memory_checked_at_.bytes_read + options_.state_bytes_max / 8;
  if (!due) return {};
  memory_checked_at_ = {rows, bytes_read};
  std::vector<std::size_t> bytes = dataflow_->bytes();
  state_bytes_ = 0;
  for (std::size_t of_node : bytes) state_bytes_ += of_node;
  if (state_bytes_ <= options_.state_bytes_max) return {};
  auto most =
      static_cast<std::size_t>(std::max_element(bytes.begin(), bytes.end()) - bytes.begin());
  constexpr std::size_t mebibyte = 1 << 20;
  return fail(Errc::policy_violation,
              fmt::format("pipeline {} keeps {} MiB, more than the {} MiB it may; most of it, {} "
                          "MiB, in {}: narrow its windows or keys, or allow more",
                          plan_.name, state_bytes_ / mebibyte, options_.state_bytes_max / mebibyte,
                          bytes[most] / mebibyte, plan::place_of(plan_, most)));
}

Result<void> Task::flush(OutputBatches& out) {
  dataflow_->set_now_ms(clock_.wall_ms());
  return finish_step(watermark_max, out);
}

Result<void> Task::advance(Watermark watermark, OutputBatches& out) {
  dataflow_->set_now_ms(clock_.wall_ms());
  for (auto& input : inputs_) {
    if (input->reader.watermark() < watermark) input->idle = true;
  }
  return finish_step(std::max(watermark_, watermark), out);
}

Result<void> Task::commit_files() {
  return outputs_->commit_files();
}

Bytes Task::snapshot() {
  StateWriter writer;
  writer.section("task", 4);
  writer.write_text(plan::state_text(plan_));
  writer.write(watermark_);
  writer.write(static_cast<std::uint32_t>(inputs_.size()));
  for (const auto& input : inputs_) {
    writer.write(static_cast<std::uint32_t>(input->source));
    writer.write(input->reader.partition().value());
    writer.write(input->reader.position().value());
    writer.write(input->reader.watermark());
    writer.write(static_cast<std::uint8_t>(input->idle ? 1 : 0));
  }
  dataflow_->snapshot(writer);
  return writer.finish();
}

Result<void> Task::restore(BytesView snapshot) {
  auto reader = StateReader::open(snapshot);
  if (!reader) return fail(reader);
  if (auto ok = reader->section("task", 4); !ok) return ok;
  std::string changed = plan::difference(reader->read_text(), plan::state_text(plan_));
  if (!changed.empty()) {
    return fail(Errc::snapshot_mismatch,
                fmt::format("the snapshot is of another plan than {}: {}", plan_.name, changed));
  }
  watermark_ = reader->read<Watermark>();
  if (auto ok = restore_positions(*reader); !ok) return ok;
  if (auto ok = dataflow_->restore(*reader); !ok) return ok;
  make_workers();
  return reader->finish();
}

Result<void> Task::restore_positions(StateReader& reader) {
  auto partitions = reader.read<std::uint32_t>();
  for (std::uint32_t i = 0; i < partitions && reader.ok(); ++i) {
    std::size_t source = reader.read<std::uint32_t>();
    PartitionId partition{reader.read<std::int32_t>()};
    bool same = i < inputs_.size() && inputs_[i]->source == source &&
                inputs_[i]->reader.partition() == partition;
    if (!same) return other_partitions(i < inputs_.size() ? inputs_[i]->source : source);
    Offset position{reader.read<std::int64_t>()};
    inputs_[i]->reader.seek(position, reader.read<Watermark>());
    // Else its next row would be judged by a watermark that the operators have passed.
    inputs_[i]->idle = reader.read<std::uint8_t>() != 0;
  }
  return partitions == inputs_.size() ? Result<void>() : other_partitions(inputs_.back()->source);
}

Result<void> Task::other_partitions(std::size_t source) const {
  auto of_source = [&](const auto& input) { return input->source == source; };
  return fail(Errc::snapshot_mismatch,
              fmt::format("the snapshot is of another number of partitions than the {} that {} has",
                          std::count_if(inputs_.begin(), inputs_.end(), of_source),
                          plan::place_of(plan_, std::min(source, plan_.nodes.size() - 1))));
}

Progress Task::progress() const {
  Progress progress;
  OutputCounts counts = dataflow_->counts();
  progress.rows_out = counts.rows_out;
  progress.late = counts.late;
  progress.bad = counts.rejected;
  progress.watermark = watermark_;
  progress.state_bytes = state_bytes_;
  std::optional<Watermark> least;
  for (const auto& input : inputs_) {
    const SourceReader& reader = input->reader;
    progress.rows_in += input->rows;
    progress.bad += input->bad;
    std::string name = input->plan->topic.empty() ? input->plan->file : input->plan->topic;
    progress.partitions.push_back({input->source, std::move(name), reader.partition(),
                                   reader.position(), reader.watermark(), input->idle});
    bool holds = !input->idle && input->is_timed && (!least || reader.watermark() < *least);
    if (!holds) continue;
    least = reader.watermark();
    progress.held_back_by = progress.partitions.size() - 1;
  }
  return progress;
}

void Task::when_readable(const std::function<Work()>& make_wake) {
  for (auto& input : inputs_) {
    bool has_more = input->topic == nullptr || input->reader.has_rows();
    if (has_more || input->awaited == input->reader.position()) continue;
    input->awaited = input->reader.position();
    input->topic->when_readable(input->reader.partition(), *input->awaited, make_wake());
  }
}

std::vector<std::optional<Offset>> Task::ends() const {
  std::vector<std::optional<Offset>> ends;
  for (const auto& input : inputs_) {
    bool is_topic = input->topic != nullptr;
    ends.push_back(is_topic ? input->topic->known_end(input->reader.partition()) : std::nullopt);
  }
  return ends;
}

std::optional<std::chrono::nanoseconds> Task::idle_in() const {
  std::optional<std::chrono::nanoseconds> soonest;
  auto now = clock_.monotonic();
  for (const auto& input : inputs_) {
    bool watched = options_.watch_idle && input->plan->idle_ms > 0 && input->is_timed;
    if (!watched || !input->caught_up || input->idle) continue;
    auto left = input->caught_up_at + std::chrono::milliseconds(input->plan->idle_ms) - now;
    left = std::max(left, std::chrono::nanoseconds(0));
    soonest = soonest ? std::min(*soonest, left) : left;
  }
  return soonest;
}

std::optional<std::chrono::nanoseconds> Task::tells_every() const {
  std::optional<std::chrono::nanoseconds> least;
  for (const auto& node : bound_.nodes) {
    const auto* window = std::get_if<plan::Window>(&node.node->body);
    if (window == nullptr || window->emit != plan::Window::Emit::every) continue;
    constexpr std::int64_t day_ms = 86'400'000;
    std::chrono::nanoseconds every = std::chrono::milliseconds(std::min(window->every_ms, day_ms));
    least = least ? std::min(*least, every) : every;
  }
  return least;
}

}  // namespace leat::stream
