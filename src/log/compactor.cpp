#include "log/compactor.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/logging.h"
#include "log/background.h"
#include "log/quarantine.h"
#include "log/shard.h"

namespace leat::log {
namespace {

constexpr std::uint64_t step_bytes = std::uint64_t{1} << 20;

}  // namespace

Compactor::~Compactor() {
  if (timer_ != 0) context_.executor.cancel(timer_);
}

void Compactor::offer(std::shared_ptr<PartitionLog> log, CompactionPlan plan) {
  queue_.push_back({log, std::move(plan)});
  if (!compaction_) next();
}

void Compactor::next() {
  while (!compaction_ && !queue_.empty()) {
    Job job = std::move(queue_.front());
    queue_.pop_front();
    std::shared_ptr<PartitionLog> log = job.log.lock();
    if (!log || log->ledger().is_removed) continue;
    log_ = log;
    compaction_ =
        std::make_shared<Compaction>(context_.files, context_.layout, std::move(job.plan));
  }
  if (compaction_) step();
}

void Compactor::step() {
  auto job = [compaction = compaction_] { compaction->step(step_bytes); };
  context_.files.offload(std::move(job), context_.executor,
                         context_.guarded([this, compaction = compaction_] { stepped(); }));
}

void Compactor::stepped() {
  std::shared_ptr<PartitionLog> log = log_.lock();
  context_.metrics.compaction_bytes_read.add(compaction_->bytes_read());
  std::optional<Replacement> made = compaction_->take_replacement();
  bool is_wanted = log && !log->ledger().is_removed && !context_.failure && !context_.is_closing;
  if (made && is_wanted) install(log, std::move(*made));
  if (!is_wanted && !compaction_->is_done()) {
    auto job = [compaction = compaction_] {
      compaction->abandon({Errc::cancelled, "nobody waits for it"});
    };
    context_.files.offload(std::move(job), context_.executor,
                           context_.guarded([this, compaction = compaction_] { end(); }));
    return;
  }
  if (compaction_->is_done()) return end();
  double seconds = static_cast<double>(compaction_->bytes_read()) /
                   static_cast<double>(context_.options.compaction_bytes_per_second);
  timer_ = context_.executor.after(
      std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9)), context_.guarded([this] {
        timer_ = 0;
        step();
      }));
}

void Compactor::install(const std::shared_ptr<PartitionLog>& log, Replacement replacement) {
  context_.metrics.compaction_bytes_written.add(replacement.state.bytes);
  log->shard().here([log, replacement = std::move(replacement)]() mutable {
    log->replace(std::move(replacement));
  });
}

void Compactor::end() {
  std::shared_ptr<PartitionLog> log = log_.lock();
  std::shared_ptr<Compaction> compaction = std::exchange(compaction_, nullptr);
  context_.metrics.compaction_records_removed.add(compaction->records_removed());
  if (const Result<void>& result = compaction->result(); result) {
    context_.metrics.compactions.add();
  } else if (result.error().code != Errc::cancelled) {
    log_warning("{}: not compacted: {}", context_.layout.partition(compaction->id()),
                result.error().what);
  }
  if (log && !log->ledger().is_removed) {
    std::optional<Offset> to;
    if (compaction->result()) to = compaction->compacted_to();
    PartitionState& state = log->ledger().state;
    state.compacted_to = std::max(state.compacted_to, to.value_or(Offset{0}));
    log->shard().here([log, to] { log->compacted(to); });
  }
  next();
}

}  // namespace leat::log
