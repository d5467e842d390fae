#include "stream/runner.h"

#include <algorithm>
#include <condition_variable>
#include <utility>

#include "base/assert.h"

namespace leat::stream {

struct Runner::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex:
  bool woken = false;
  bool drain = false;
  bool stop = false;
  std::size_t in_flight_bytes = 0;
  std::optional<Error> append_error;
  RunState state = RunState::running;
  std::string error;
  Progress progress;
  std::optional<Result<void>> result;
};

Result<std::unique_ptr<Runner>> Runner::open(plan::Plan plan, TopicStore& store,
                                             file::FileSystem* files, const Clock& clock,
                                             const RunOptions& options) {
  if (plan.mode.type == plan::Mode::Type::micro_batch) {
    return fail(Errc::plan_error,
                "mode: a run in the foreground consumes what arrives at once: leave it out");
  }
  if (plan.mode.type == plan::Mode::Type::batch && options.at_end == AtEnd::wait) {
    RunOptions bounded = options;
    bounded.at_end = AtEnd::flush;
    return open(std::move(plan), store, files, clock, bounded);
  }
  Task::Options task_options;
  task_options.block_rows = options.block_rows;
  task_options.read_bytes = options.read_bytes;
  task_options.watch_idle = options.at_end == AtEnd::wait;
  task_options.workers = options.workers;
  task_options.state_bytes_max = options.state_bytes_max;
  task_options.console = options.console;
  auto task = Task::open(std::move(plan), store, files, clock, task_options);
  if (!task) return fail(task);
  if (auto views = (*task)->views(); !views.empty()) {
    return fail(Errc::plan_error, "a run in the foreground keeps no views: give view " +
                                      views[0]->name() + " a topic, files or the console instead");
  }
  if (!options.from.empty()) {
    if (auto ok = (*task)->seek(options.from); !ok) return fail(ok);
  }
  std::unique_ptr<Runner> runner(new Runner(std::move(*task), store, options));
  if (options.at_end != AtEnd::wait) {
    if (auto ok = runner->task_->pin_ends(); !ok) return fail(ok);
    runner->pinned_ = true;
  }
  runner->publish(RunState::running, "");
  return runner;
}

Runner::Runner(std::unique_ptr<Task> task, TopicStore& store, const RunOptions& options)
    : task_(std::move(task)),
      store_(store),
      options_(options),
      shared_(std::make_shared<Shared>()) {}

Runner::~Runner() {
  stop();
  if (thread_.joinable()) thread_.join();
}

Result<void> Runner::run() {
  Result<void> result = run_to_end();
  // Whoever waits for a failed run must not find its appends still on their way.
  if (auto ok = wait_for_appends(0); !ok && result) result = ok;
  bool stopped;
  {
    std::lock_guard lock(shared_->mutex);
    stopped = shared_->stop;
  }
  if (!result) {
    publish(RunState::failed, result.error().what);
  } else {
    publish(stopped ? RunState::stopped : RunState::finished, "");
  }
  return result;
}

Result<void> Runner::run_to_end() {
  while (true) {
    bool drain;
    {
      std::lock_guard lock(shared_->mutex);
      if (shared_->stop) return {};
      drain = shared_->drain;
      shared_->woken = false;
    }
    if (drain && !pinned_) {
      // From now on the run ends where its partitions end now.
      if (auto ok = task_->pin_ends(); !ok) return ok;
      pinned_ = true;
      options_.at_end = AtEnd::flush;
    }
    auto stepped = task_->step(out_);
    if (auto ok = append(out_.take()); !ok) return ok;
    if (!stepped) return fail(stepped);
    publish(RunState::running, "");
    if (*stepped) continue;
    if (pinned_ && task_->finished()) break;
    wait_for_more();
  }
  return end_run();
}

Result<void> Runner::end_run() {
  if (options_.at_end != AtEnd::flush) return {};
  auto flushed = task_->flush(out_);
  if (auto ok = append(out_.take()); !ok) return ok;
  if (!flushed) return flushed;
  // What files take the place of goes only when topics have their part.
  if (auto ok = wait_for_appends(0); !ok) return ok;
  return task_->commit_files();
}

Result<void> Runner::append(std::vector<OutputBatch> batches) {
  for (auto& [partition, bytes] : batches) {
    std::size_t size = bytes.size();
    std::size_t room = options_.in_flight_bytes_max - std::min(options_.in_flight_bytes_max, size);
    if (auto ok = wait_for_appends(room); !ok) return ok;
    {
      std::lock_guard lock(shared_->mutex);
      shared_->in_flight_bytes += size;
    }
    store_.append(partition, std::move(bytes), [shared = shared_, size](Result<Offset> appended) {
      std::lock_guard lock(shared->mutex);
      shared->in_flight_bytes -= size;
      if (!appended && !shared->append_error) shared->append_error = appended.error();
      shared->changed.notify_all();
    });
  }
  return {};
}

Result<void> Runner::wait_for_appends(std::size_t bytes_at_most) {
  std::unique_lock lock(shared_->mutex);
  shared_->changed.wait(lock, [&] { return shared_->in_flight_bytes <= bytes_at_most; });
  if (!shared_->append_error) return {};
  return fail(shared_->append_error->code,
              "cannot write the output: " + shared_->append_error->what);
}

// Sleeps until a partition has more, another thread wants something, a partition becomes idle, or
// it is time to tell changes.
void Runner::wait_for_more() {
  task_->when_readable([shared = shared_] {
    return Work([shared] {
      std::lock_guard lock(shared->mutex);
      shared->woken = true;
      shared->changed.notify_all();
    });
  });
  auto due_in = task_->idle_in();
  if (auto every = task_->tells_every()) due_in = std::min(due_in.value_or(*every), *every);
  std::unique_lock lock(shared_->mutex);
  auto ready = [&] {
    return shared_->woken || shared_->stop || (shared_->drain && !pinned_) ||
           shared_->append_error.has_value();
  };
  if (due_in) {
    shared_->changed.wait_for(lock, *due_in, ready);
  } else {
    shared_->changed.wait(lock, ready);
  }
}

void Runner::publish(RunState state, std::string error) {
  Progress progress = task_->progress();
  std::lock_guard lock(shared_->mutex);
  shared_->state = state;
  shared_->error = std::move(error);
  shared_->progress = std::move(progress);
}

void Runner::start() {
  ASSERT(!thread_.joinable());
  thread_ = std::thread([this] {
    Result<void> result = run();
    std::lock_guard lock(shared_->mutex);
    shared_->result = std::move(result);
  });
}

Result<void> Runner::wait() {
  if (thread_.joinable()) thread_.join();
  std::lock_guard lock(shared_->mutex);
  ASSERT(shared_->result.has_value());
  return *shared_->result;
}

void Runner::drain() {
  std::lock_guard lock(shared_->mutex);
  shared_->drain = true;
  shared_->changed.notify_all();
}

void Runner::stop() {
  std::lock_guard lock(shared_->mutex);
  shared_->stop = true;
  shared_->changed.notify_all();
}

RunStatus Runner::status() const {
  RunStatus status;
  {
    std::lock_guard lock(shared_->mutex);
    status.state = shared_->state;
    status.error = shared_->error;
    status.progress = shared_->progress;
  }
  status.ends = task_->ends();
  return status;
}

}  // namespace leat::stream
