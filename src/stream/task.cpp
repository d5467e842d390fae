// A snapshot of a task, as section "task" version 5, followed by those of its graph and its views:
//
//   body      := plan:text watermark_ms:i64 partitions:u32 partition*
//   plan      := what of the plan the state hangs on: plan/difference.h
//   partition := source:u32 number:i32 position:i64 watermark_ms:i64 idle:u8
#include "stream/task.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "plan/difference.h"
#include "plan/used_columns.h"

namespace leat::stream {

namespace {

// No more than have something to do.
std::size_t workers_of(const Task::Options& options, std::size_t partitions) {
  return std::clamp<std::size_t>(options.workers, 1, std::max<std::size_t>(partitions, 1));
}

// Whether the graph has found a row without a valid result that ends the run.
bool is_bad_row(const Result<void>& finished) {
  return !finished && finished.error().code == Errc::bad_record;
}

}  // namespace

Result<std::unique_ptr<Task>> Task::open(plan::Plan plan, TopicStore& store,
                                         file::FileSystem* files, const Clock& clock,
                                         const Options& options) {
  std::unique_ptr<Task> task(new Task(std::move(plan), clock, options));
  if (auto ok = task->bind(); !ok) return fail(ok);
  if (auto ok = task->open_all(store, files); !ok) return fail(ok);
  return task;
}

Task::Task(plan::Plan plan, const Clock& clock, const Options& options)
    : plan_(std::move(plan)),
      clock_(clock),
      options_(options),
      memory_watch_(options.state_bytes_max) {}

Task::~Task() = default;

Result<void> Task::bind() {
  auto bound = plan::bind(plan_);
  if (!bound) return fail(bound);
  bound_ = std::move(*bound);
  return {};
}

Result<void> Task::open_all(TopicStore& store, file::FileSystem* files) {
  auto used = plan::used_columns(bound_);
  TaskInputs::Options reading{options_.block_rows, options_.read_bytes, options_.watch_idle};
  inputs_ = std::make_unique<TaskInputs>(bound_, clock_, reading);
  if (auto ok = inputs_->open(store, files, used); !ok) return ok;
  std::int32_t most = 1;
  for (const auto& input : inputs_->all()) {
    most = std::max(most, input->reader().partition().value() + 1);
  }
  auto outputs =
      PlanOutputs::open(bound_, {store, files, options_.console, options_.file_epochs}, most);
  if (!outputs) return fail(outputs);
  outputs_ = std::move(*outputs);
  inputs_->set_outputs(*outputs_);
  std::size_t lanes = workers_of(options_, inputs_->size());
  dataflow_ = std::make_unique<Dataflow>(bound_, lanes, options_.exact);
  rows_ = std::make_unique<RowFlow>(bound_, used, *inputs_, *dataflow_,
                                    RowFlow::Options{options_.block_rows, options_.exact});
  make_workers();
  return {};
}

// Not more than there are lanes.
void Task::make_workers() {
  std::size_t workers = std::min(workers_of(options_, inputs_->size()), dataflow_->lanes());
  workers_ = std::make_unique<Workers>(workers);
}

// What now() is in it.
std::int64_t Task::begin_step() {
  std::int64_t now_ms = clock_.wall_ms();
  dataflow_->set_now_ms(now_ms);
  inputs_->begin_step();
  counted_ = dataflow_->counts();
  return now_ms;
}

void Task::end_step(std::int64_t now_ms, Watermark before, StepRecord* did) {
  bool moved = dataflow_->take_told() || watermark_ != before || !(dataflow_->counts() == counted_);
  if (did != nullptr) {
    *did = {};
    did->now_ms = now_ms;
    did->watermark = watermark_;
    did->moved = moved;
    inputs_->end_step(*did);
  }
  for (auto& input : inputs_->all()) input->decision.reset();
}

Result<bool> Task::step(OutputBatches& out, StepRecord* did) {
  std::int64_t now_ms = begin_step();
  auto filled = inputs_->fill_all(watermark_);
  Result<void> result = filled ? Result<void>() : fail(filled);
  Watermark before = watermark_, watermark = watermark_;
  bool waits = inputs_->waits();
  // What is on its way comes before what follows it in order.
  if (result && !waits) {
    auto taken = rows_->take_some(*workers_, watermark_, [this] {
      Watermark least = inputs_->least_watermark().value_or(watermark_);
      return dataflow_->advance(std::max(watermark_, least), *workers_, *outputs_);
    });
    if (!taken) result = fail(taken);
    if (taken && *taken) {
      watermark = std::max(watermark, inputs_->least_watermark().value_or(watermark));
    }
  }
  // Also what came before an error is written.
  if (!result) watermark = watermark_;
  auto finished = finish_step(watermark, out);
  end_step(now_ms, before, did);
  // A row that was given to the graph came before whatever could not be given.
  if (!result && !is_bad_row(finished)) return fail(result);
  if (!finished) return fail(finished);
  if (auto ok = check_memory(); !ok) return fail(ok);
  return *filled && !waits;
}

Result<bool> Task::step_to_ends(OutputBatches& out, StepRecord* did) {
  std::int64_t now_ms = begin_step();
  Watermark before = watermark_, watermark = watermark_;
  std::vector<Offset> begins = inputs_->positions();
  if (auto ok = inputs_->begin_ranges(); !ok) return fail(ok);
  auto result = take_ranges();
  inputs_->end_ranges();
  if (result) watermark = std::max(watermark, inputs_->least_watermark().value_or(watermark));
  auto finished = finish_step(watermark, out);
  end_step(now_ms, before, did);
  // A row that was given to the graph came before whatever could not be given.
  if (!result && !is_bad_row(finished)) return fail(result);
  if (!finished) return fail(finished);
  if (auto ok = check_memory(); !ok) return fail(ok);
  return inputs_->positions() != begins;
}

Result<void> Task::repeat(const StepRecord& step, OutputBatches& out) {
  if (step.watermark < watermark_) {
    return fail(Errc::step_mismatch,
                "the watermark behind the step is one that the task has "
                "passed: it is not where the one was that recorded it");
  }
  dataflow_->set_now_ms(step.now_ms);
  inputs_->begin_step();
  if (auto ok = inputs_->repeat_ranges(step); !ok) return ok;
  if (auto ok = take_ranges(); !ok) return ok;
  if (auto ok = inputs_->check_repeated(step); !ok) return ok;
  inputs_->end_ranges();
  if (step.flushed) outputs_->end_views(inputs_->watermark_at_end());
  auto finished = finish_step(step.watermark, out);
  end_step(step.now_ms, watermark_, nullptr);
  if (!finished) return finished;
  return check_memory();
}

// Of a step that may be a large one: what can be known of it in between is written.
Result<void> Task::take_ranges() {
  return rows_->take_ranges(*workers_, watermark_, [this]() -> Result<void> {
    Watermark least = inputs_->least_watermark().value_or(watermark_);
    auto ok = dataflow_->advance(std::max(watermark_, least), *workers_, *outputs_);
    return ok ? check_memory() : ok;
  });
}

Result<void> Task::finish_step(Watermark watermark, OutputBatches& out) {
  watermark_ = watermark;
  auto finished = dataflow_->finish_step(watermark, *workers_, *outputs_);
  for (auto& input : inputs_->all()) {
    // Some of these records may be behind the row that ends the run.
    auto dead_letters = input->out.take();
    if (!is_bad_row(finished)) out.add(std::move(dead_letters));
  }
  out.add(outputs_->take());
  return finished;
}

Result<void> Task::check_memory() {
  MemoryWatch::Input read;
  for (const auto& input : inputs_->all()) {
    read.rows += input->rows();
    read.bytes += input->reader().bytes_read();
  }
  if (!memory_watch_.is_due(read)) return {};
  std::vector<std::size_t> bytes = dataflow_->bytes();
  outputs_->add_bytes(bytes);
  state_bytes_ = 0;
  for (std::size_t of_node : bytes) state_bytes_ += of_node;
  memory_watch_.counted(read, state_bytes_);
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

Result<void> Task::flush(OutputBatches& out, StepRecord* did) {
  std::int64_t now_ms = begin_step();
  Watermark before = watermark_;
  outputs_->end_views(inputs_->watermark_at_end());
  auto finished = finish_step(watermark_max, out);
  end_step(now_ms, before, did);
  if (did != nullptr) did->flushed = true;
  return finished;
}

Result<void> Task::advance(Watermark watermark, OutputBatches& out) {
  std::int64_t now_ms = begin_step();
  for (auto& input : inputs_->all()) {
    if (input->reader().watermark() < watermark) input->set_idle(true);
  }
  Watermark before = watermark_;
  auto finished = finish_step(std::max(watermark_, watermark), out);
  end_step(now_ms, before, nullptr);
  return finished;
}

Result<void> Task::commit_files() {
  return outputs_->commit_files();
}

Bytes Task::snapshot() {
  // Where it grows, what was written is copied, and the run stands still meanwhile.
  StateWriter writer(snapshot_bytes_ + snapshot_bytes_ / 8);
  writer.section("task", 5);
  writer.write_text(plan::state_text(plan_));
  writer.write(watermark_);
  inputs_->snapshot(writer);
  dataflow_->snapshot(writer);
  outputs_->snapshot(writer);
  Bytes bytes = writer.finish();
  snapshot_bytes_ = bytes.size();
  return bytes;
}

Result<void> Task::restore(BytesView snapshot) {
  auto reader = StateReader::open(snapshot);
  if (!reader) return fail(reader);
  if (auto ok = reader->section("task", 5); !ok) return ok;
  std::string changed = plan::difference(reader->read_text(), plan::state_text(plan_));
  if (!changed.empty()) {
    return fail(Errc::snapshot_mismatch,
                fmt::format("the snapshot is of another plan than {}: {}", plan_.name, changed));
  }
  watermark_ = reader->read<Watermark>();
  if (auto ok = inputs_->restore(*reader); !ok) return ok;
  if (auto ok = dataflow_->restore(*reader); !ok) return ok;
  if (auto ok = outputs_->restore(*reader); !ok) return ok;
  make_workers();
  snapshot_bytes_ = snapshot.size();
  return reader->finish();
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
  for (const auto& input : inputs_->all()) {
    const SourceReader& reader = input->reader();
    progress.rows_in += input->rows();
    progress.bytes_in += reader.bytes_read();
    progress.bad += input->bad();
    // What event time does not wait for has none to compare with others.
    Watermark watermark = input->place().is_timed ? reader.watermark() : watermark_min;
    progress.partitions.push_back({input->place().source, input->name(), reader.partition(),
                                   reader.position(), watermark, input->is_idle()});
    bool holds = !input->is_idle() && input->place().is_timed && (!least || watermark < *least);
    if (!holds) continue;
    least = watermark;
    progress.held_back_by = progress.partitions.size() - 1;
  }
  return progress;
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
