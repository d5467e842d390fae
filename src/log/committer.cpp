#include "log/committer.h"

#include <algorithm>

#include <fmt/core.h>
#include "base/assert.h"
#include "base/logging.h"
#include "log/batch_hash.h"
#include "log/checkpointer.h"

namespace leat::log {
namespace {

std::uint64_t hash_of(const CommitPart& part, const Run& run) {
  BatchHash hash;
  for (std::size_t i = run.first; i < run.last; ++i) hash.add(part.appends[i].head);
  return hash.digest();
}

}  // namespace

Committer::Committer(StoreContext& context, Journal& journal)
    : context_(context), journal_(journal) {}

void Committer::enqueue(std::shared_ptr<PartitionLog> log, std::uint64_t bytes) {
  pending_bytes_ += bytes;
  if (log->pending_appends() == 1) queue_.push_back(std::move(log));
  schedule();
}

void Committer::add(JournalEntry entry, Done done) {
  if (failure_) {
    context_.executor.post(
        [done = std::move(done), error = *failure_]() mutable { done(tl::unexpected(error)); });
    return;
  }
  controls_.push_back({std::move(entry), std::move(done)});
  schedule();
}

void Committer::schedule() {
  if (scheduled_ || commit_ || failure_) return;
  if (queue_.empty() && controls_.empty()) {
    // Posted: what the last commit has to tell, such as a new start offset, comes first.
    if (closing_ && idle_) {
      context_.executor.post(std::exchange(idle_, nullptr));
    }
    return;
  }
  scheduled_ = true;
  context_.executor.post(context_.guarded([this] { start(); }));
}

void Committer::start() {
  scheduled_ = false;
  if (commit_ || failure_) return;
  commit_ = std::make_unique<Commit>();
  commit_->started = context_.clock.monotonic();
  take_parts();
  build_frame();
  if (commit_->frame->empty()) {
    finish();
  } else {
    place_frame();
  }
}

void Committer::take_parts() {
  // A frame must fit into a journal file: a quarter of it for each of what may be many.
  std::uint64_t share = journal_.bytes() / 4;
  std::uint64_t inline_left = share;
  std::size_t appends_left = share / data_entry_bytes;
  std::uint64_t direct = std::min(context_.options.direct_bytes, share / 2);
  bool is_fsync = context_.options.durability == Durability::fsync;
  while (!queue_.empty() && appends_left > 0) {
    std::shared_ptr<PartitionLog> log = queue_.front();
    std::uint64_t bytes = log->pending_bytes();
    if (is_fsync && bytes < direct && bytes > inline_left) break;
    queue_.pop_front();
    if (log->pending_appends() == 0) continue;  // they failed
    CommitPart part = log->write_pending(appends_left);
    appends_left -= part.appends.size();
    part.is_direct = part.bytes >= direct || part.bytes > inline_left;
    if (!part.is_direct) inline_left -= part.bytes;
    if (log->pending_appends() > 0) queue_.push_front(log);
    commit_->parts.push_back(std::move(part));
  }
  constexpr std::uint64_t control_bytes = 64;
  std::size_t controls = std::min<std::size_t>(controls_.size(), share / control_bytes);
  auto end = controls_.begin() + static_cast<std::ptrdiff_t>(controls);
  std::move(controls_.begin(), end, std::back_inserter(commit_->controls));
  controls_.erase(controls_.begin(), end);
}

void Committer::build_frame() {
  commit_->frame = std::make_unique<FrameBuilder>();
  for (const CommitPart& part : commit_->parts) {
    for (const Run& run : part.runs) add_run(part, run, *commit_->frame);
  }
  for (const Control& control : commit_->controls) commit_->frame->add(control.entry);
}

void Committer::add_run(const CommitPart& part, const Run& run, FrameBuilder& frame) const {
  DataEntry entry;
  entry.id = part.log->id();
  entry.leader_epoch = part.log->leader_epoch();
  entry.segment_base = run.segment->base_offset();
  entry.base_offset = run.base_offset;
  entry.next_offset = run.next_offset;
  entry.position = run.position;
  entry.bytes = run.bytes;
  entry.max_timestamp_ms = run.max_timestamp_ms;
  entry.append_ms = part.append_ms;
  entry.is_inline = context_.options.durability == Durability::fsync && !part.is_direct;
  if (!entry.is_inline) entry.hash = hash_of(part, run);
  frame.add(entry);
  if (!entry.is_inline) return;
  for (std::size_t i = run.first; i < run.last; ++i) {
    frame.add_inline(part.appends[i].batch.bytes);
  }
}

void Committer::place_frame() {
  if (journal_.fits(commit_->frame->padded_bytes())) {
    write_frame();
    return;
  }
  if (journal_.can_switch()) {
    if (!context_.checkpointer->running()) {
      // What the checkpoint covers is everything in the file that is left now.
      journal_.switch_file();
      context_.checkpointer->start_checkpoint();
      write_frame();
      return;
    }
  } else if (context_.checkpointer->stuck()) {
    abort(*context_.checkpointer->stuck());
    stop({Errc::storage_error, "the journal is full and cannot be used again"});
    return;
  } else if (!context_.checkpointer->running()) {
    context_.checkpointer->start_checkpoint();  // the last one failed
  }
  waiting_for_journal_ = true;
}

void Committer::checkpoint_done(const Result<void>& written) {
  if (!waiting_for_journal_) return;
  waiting_for_journal_ = false;
  if (written) {
    place_frame();
  } else if (context_.checkpointer->stuck()) {
    abort(*context_.checkpointer->stuck());
    stop({Errc::storage_error, "the journal is full and cannot be used again"});
  } else {
    abort(written.error());
  }
}

void Committer::write_frame() {
  std::uint64_t bytes = commit_->frame->padded_bytes();
  Result<void> written = journal_.write(*commit_->frame);
  if (!written && written.error().code == Errc::no_space) {
    abort(written.error());
    return;
  }
  if (!written) {
    Error error{Errc::storage_error, "the journal cannot be written: " + written.error().what};
    abort(error);
    stop(error);
    return;
  }
  context_.metrics.commits.add();
  context_.metrics.journal_bytes.add(bytes);
  commit_->sequence = journal_.sequence();
  if (context_.options.durability == Durability::fsync) {
    sync();
  } else if (!commit_->controls.empty()) {
    // Files are removed on the strength of it, whatever may happen to the appends.
    sync_controls();
  } else {
    finish();
  }
}

void Committer::sync_controls() {
  // The frame counts only with those before it, of which some may be in the other file.
  std::vector<file::FilePtr> files = journal_.unsynced_files();
  commit_->syncs_left = files.size();
  for (const file::FilePtr& file : files) {
    context_.metrics.syncs.add();
    file->async_sync(context_.executor,
                     context_.guarded([this](Result<void> result) { synced(nullptr, result); }));
  }
}

void Committer::sync() {
  commit_->syncs_left = 1;  // so that none of them finishes the commit before all have begun
  for (CommitPart& part : commit_->parts) {
    if (part.is_direct) sync_part(part);
  }
  context_.metrics.syncs.add();
  journal_.file()->async_sync(context_.executor, context_.guarded([this](Result<void> result) {
    synced(nullptr, result);
  }));
}

void Committer::sync_part(CommitPart& part) {
  for (Run& run : part.runs) {
    ++commit_->syncs_left;
    context_.metrics.syncs.add();
    run.file->async_sync(context_.executor,
                         context_.guarded([this, &part](Result<void> r) { synced(&part, r); }));
  }
  // An earlier commit that the journal replays may have made the segment, or its directory.
  const TopicPartition& id = part.log->id();
  const Layout& layout = context_.layout;
  for (const std::string& path :
       {layout.partitions(), layout.topic(id.topic_id), layout.partition(id)}) {
    if (context_.checkpointer->is_unsynced(path)) part.directories.push_back(path);
  }
  if (part.directories.empty()) return;
  ++commit_->syncs_left;
  auto result = std::make_shared<Result<void>>();
  auto job = [&files = context_.files, directories = part.directories, result] {
    for (const std::string& directory : directories) {
      if (!*result) return;
      *result = files.sync_directory(directory);
    }
  };
  context_.files.offload(std::move(job), context_.executor,
                         context_.guarded([this, &part, result] { synced(&part, *result); }));
}

void Committer::synced(CommitPart* part, const Result<void>& result) {
  ASSERT(commit_ && commit_->syncs_left > 0);
  if (!result) {
    Error error{Errc::storage_error, "a sync failed: " + result.error().what};
    if (part == nullptr) {
      commit_->error = error;
    } else if (!part->error) {
      part->error = error;
    }
  }
  if (--commit_->syncs_left > 0) return;
  auto took = context_.clock.monotonic() - commit_->started;
  context_.metrics.sync_time.record_us(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
  if (commit_->error) {
    stop(*commit_->error);
  } else if (context_.options.durability == Durability::fsync) {
    journal_.set_synced(commit_->sequence);
  }
  finish();
}

void Committer::abort(const Error& error) {
  commit_->error = error;
  finish();
}

void Committer::finish() {
  std::unique_ptr<Commit> commit = std::move(commit_);
  finished_sequence_ = std::max(finished_sequence_, commit->sequence);
  Completions completions;
  for (CommitPart& part : commit->parts) {
    pending_bytes_ -= part.bytes;
    if (commit->error && !part.error) part.error = commit->error;
    finish_part(part, completions);
  }
  schedule();
  call(std::move(completions), std::move(commit->controls), commit->error);
}

void Committer::finish_part(CommitPart& part, Completions& completions) {
  PartitionLog& log = *part.log;
  if (!part.error) {
    bool is_unsynced = !part.is_direct || context_.options.durability != Durability::fsync;
    log.complete(part, completions);
    if (!is_unsynced || log.is_removed()) return;
    for (const std::string& directory : part.directories) {
      context_.checkpointer->add_directory(directory);
    }
    for (const Run& run : part.runs) context_.checkpointer->add_dirty(part.log, run.segment);
    return;
  }
  bool was_synced =
      !part.runs.empty() && part.is_direct && !failure_ && part.error->code == Errc::storage_error;
  if (was_synced) {
    log.stop(*part.error);
    for (const Run& run : part.runs) {
      context_.checkpointer->sync_failed(part.log, run.segment);
    }
    // The frame that names these appends is on disk, or may come to be.
    add(EndEntry{log.id(), log.high_watermark()}, [](const Result<void>&) {});
  }
  log.roll_back(part);
  log.fail(part, *part.error, completions);
}

void Committer::call(Completions completions, std::vector<Control> controls,
                     const std::optional<Error>& error) {
  std::weak_ptr<void> alive = context_.alive;
  for (Control& control : controls) {
    control.done(error ? Result<void>(tl::unexpected(*error)) : Result<void>());
    if (alive.expired()) return;
  }
  // Listeners first: who hears that a record is acknowledged must find it wherever they look.
  for (const std::shared_ptr<PartitionLog>& log : completions.advanced) {
    log->notify();
    if (alive.expired()) return;
  }
  for (Completions::Append& append : completions.appends) {
    append.done(std::move(append.result));
    if (alive.expired()) return;
  }
}

void Committer::stop(const Error& error) {
  if (failure_) return;
  failure_ = error;
  log_error("{}: no more appends until a restart: {}", context_.layout.root(), error.what);
  Completions completions;
  for (const std::shared_ptr<PartitionLog>& log : queue_) log->fail_pending(error, completions);
  queue_.clear();
  std::vector<Control> controls = std::move(controls_);
  controls_.clear();
  if (closing_ && idle_) context_.executor.post(std::exchange(idle_, nullptr));
  call(std::move(completions), std::move(controls), error);
}

void Committer::close(Work idle) {
  closing_ = true;
  idle_ = std::move(idle);
  if (failure_) {
    std::exchange(idle_, nullptr)();
  } else {
    schedule();
  }
}

}  // namespace leat::log
