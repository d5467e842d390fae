#include "log/shard.h"

#include <chrono>
#include <limits>
#include <utility>

#include "log/committer.h"

namespace leat::log {
namespace {

/// What can wait is written after so long. Whoever appends it does so again and again, and has it
/// written with what comes next.
constexpr std::chrono::milliseconds longest_wait{100};

}  // namespace

Shard::Shard(StoreContext& context, Executor& executor)
    : context_(context), executor_(executor), is_home_(&executor == &context.executor) {}

void Shard::flush_soon() {
  is_due_ = true;
  if (is_home_) return context_.committer->schedule();
  if (is_flush_posted_) return;
  is_flush_posted_ = true;
  executor_.post(context_.guarded([this] {
    is_flush_posted_ = false;
    flush(std::numeric_limits<std::uint64_t>::max());
  }));
}

void Shard::flush_later() {
  if (is_timer_set_) return;
  is_timer_set_ = true;
  executor_.after(longest_wait, context_.guarded([this] {
    is_timer_set_ = false;
    flush_rest();
  }));
}

void Shard::flush_rest() {
  if (!queue_.empty()) flush_soon();
}

void Shard::flush(std::uint64_t bytes_max) {
  std::vector<CommitPart> parts;
  Completions completions;
  std::uint64_t bytes = 0;
  // Whatever a log has left goes behind the others.
  while (!queue_.empty() && bytes < bytes_max) {
    std::shared_ptr<PartitionLog> log = std::move(queue_.front());
    queue_.pop_front();
    if (log->write_pending(parts, completions)) queue_.push_back(log);
    if (!parts.empty() && parts.back().log == log) bytes += parts.back().bytes;
  }
  is_due_ = is_due_ && !queue_.empty();
  if (!parts.empty()) {
    at_home([committer = context_.committer, parts = std::move(parts)]() mutable {
      committer->submit(std::move(parts));
    });
  }
  if (completions.empty()) return;
  // Posted: the committer may be in the middle of something.
  executor_.post(context_.guarded(
      [this, completions = std::move(completions)]() mutable { call(std::move(completions)); }));
}

void Shard::settle(std::vector<CommitPart> parts) {
  Completions completions;
  for (CommitPart& part : parts) {
    std::shared_ptr<PartitionLog> log = part.log;
    log->settle(std::move(part), completions);
  }
  parts.clear();
  call(std::move(completions));
}

void Shard::fail_pending(const Error& error) {
  Completions completions;
  for (const std::shared_ptr<PartitionLog>& log : queue_) log->fail_pending(error, completions);
  queue_.clear();
  call(std::move(completions));
}

void Shard::remove(PartitionLog& log) {
  Completions completions;
  log.remove(completions);
  if (completions.empty()) return;
  executor_.post(context_.guarded(
      [this, completions = std::move(completions)]() mutable { call(std::move(completions)); }));
}

void Shard::add(JournalEntry entry, UniqueFunction<void(Result<void>)> done) const {
  if (is_home_) return context_.committer->add(std::move(entry), std::move(done));
  auto back = [this, done = std::move(done)](Result<void> written) mutable {
    here([done = std::move(done), written = std::move(written)]() mutable {
      done(std::move(written));
    });
  };
  at_home(
      [committer = context_.committer, entry = std::move(entry), back = std::move(back)]() mutable {
        committer->add(std::move(entry), std::move(back));
      });
}

void Shard::call(Completions completions) {
  std::weak_ptr<void> alive = context_.alive;
  // Listeners first: who hears that a record is acknowledged must find it wherever they look.
  for (const std::shared_ptr<PartitionLog>& log : completions.advanced) {
    log->notify();
    if (alive.expired()) return;
  }
  for (Completions::Append& append : completions.appends) {
    append.done(std::move(append.result));
    if (alive.expired()) return;
  }
  tell_if_closing();
}

void Shard::tell_if_closing() const {
  if (!context_.is_closing) return;
  at_home([committer = context_.committer] { committer->schedule(); });
}

}  // namespace leat::log
