#include "log/checkpointer.h"

#include <algorithm>
#include <span>

#include <fmt/core.h>

#include "base/logging.h"
#include "log/committer.h"
#include "log/rewrite.h"
#include "log/shard.h"

namespace leat::log {
namespace {

/// A pass writes an index's new entries when there are so many: those of about a MiB of records.
constexpr std::size_t index_entries_min = 64;

}  // namespace

struct Checkpointer::Target {
  std::weak_ptr<PartitionLog> log;
  std::shared_ptr<Segment> segment;
  TopicPartition id;
  std::uint64_t end = 0;
  bool is_suspect = false;
  Result<void> synced;
  Result<void> written_again;  // after a sync that failed
};

/// What one pass has to do; owns all that it touches on the way, since it may outlive the store.
struct Checkpointer::Pass {
  file::FileSystem& files;
  Layout layout;
  JournalSpan span;
  std::vector<Target> targets;
  std::set<std::string> directories;
  std::vector<file::FilePtr> journals;
  std::vector<std::shared_ptr<Segment>> indexes;
  std::optional<Bytes> checkpoint;
  std::uint64_t sequence = 0;
  bool is_last = false;
  Result<void> journals_synced;
  Result<void> result;

  void sync() {
    // Not all at once: each holds a descriptor meanwhile.
    constexpr std::size_t step = 512;
    for (std::size_t i = 0; i < targets.size(); i += step) {
      sync_targets(std::span(targets).subspan(i, std::min(step, targets.size() - i)));
    }
    for (const auto& segment : indexes) save_index(*segment, 1);
    for (const file::FilePtr& journal : journals) {
      if (journals_synced) journals_synced = journal->sync();
    }
    if (result) result = journals_synced;
    for (const std::string& directory : directories) {
      if (!result) return;
      Result<void> synced = files.sync_directory(directory);
      // That of a partition which has been removed meanwhile.
      if (!synced && synced.error().code == Errc::not_found) continue;
      result = synced;
    }
  }
  void write_checkpoint() { result = file::replace_file(files, layout.checkpoint(), *checkpoint); }

  void sync_targets(std::span<Target> some) {
    std::vector<file::FilePtr> opened;
    std::vector<Target*> owners;
    for (Target& target : some) {
      if (target.is_suspect) {
        target.synced = fail(Errc::io_error, "an earlier sync failed");
        continue;
      }
      Result<file::FilePtr> file = target.segment->file();
      if (!file) {
        target.synced = fail(file);
        continue;
      }
      opened.push_back(std::move(*file));
      owners.push_back(&target);
    }
    std::vector<Result<void>> results = files.sync_all(opened);
    for (std::size_t i = 0; i < owners.size(); ++i) owners[i]->synced = std::move(results[i]);
    for (Target& target : some) {
      if (!target.synced) {
        target.written_again =
            write_again(files, layout, span, target.id, *target.segment, target.end);
        if (!target.written_again) result = target.synced;
      }
      save_index(*target.segment, index_entries_min);
    }
  }

  static void save_index(const Segment& segment, std::size_t entries_min) {
    Result<void> saved = segment.save_index_if(entries_min);
    if (!saved) log_debug("{}: index not saved: {}", segment.path(), saved.error().what);
  }
};

Checkpointer::Checkpointer(StoreContext& context, Journal& journal, EncodeState encode_state)
    : context_(context), journal_(journal), encode_state_(std::move(encode_state)) {}

Checkpointer::~Checkpointer() {
  if (timer_ != 0) context_.executor.cancel(timer_);
}

void Checkpointer::add_dirty(const std::shared_ptr<PartitionLog>& log,
                             const std::shared_ptr<Segment>& segment) {
  if (dirty_set_.insert(segment.get()).second) dirty_.push_back({log, segment});
  arm();
}

void Checkpointer::sync_failed(const std::shared_ptr<PartitionLog>& log,
                               const std::shared_ptr<Segment>& segment) {
  if (passing_.contains(segment.get())) distrusted_.push_back({log, segment, true});
  for (Dirty& dirty : dirty_) {
    if (dirty.segment == segment) dirty.is_suspect = true;
  }
}

void Checkpointer::arm() {
  if (context_.options.durability != Durability::interval || timer_ != 0 || running_) return;
  timer_ = context_.executor.after(context_.options.sync_interval, context_.guarded([this] {
    timer_ = 0;
    if (running_ || dirty_.empty()) return;
    std::shared_ptr<Pass> pass = make_pass();
    pass->journals = journal_.unsynced_files();
    start(std::move(pass));
  }));
}

std::shared_ptr<Checkpointer::Pass> Checkpointer::make_pass() {
  auto pass = std::make_shared<Pass>(
      Pass{context_.files, context_.layout, journal_.span(), {}, {}, {}, {}, {}, 0, false, {}, {}});
  for (Dirty& dirty : dirty_) {
    std::shared_ptr<PartitionLog> log = dirty.log.lock();
    if (!log || log->ledger().is_removed) continue;
    // Its shard may not have heard of the last commits yet.
    const SegmentState* state = find_segment(log->ledger().state, dirty.segment->name());
    if (state == nullptr) continue;  // retention or compaction has removed it
    Target target{log, dirty.segment, log->id(), state->bytes, false, {}, {}};
    target.is_suspect = dirty.is_suspect;
    pass->targets.push_back(std::move(target));
  }
  dirty_.clear();
  passing_ = std::exchange(dirty_set_, {});
  pass->directories = passing_directories_ = std::exchange(directories_, {});
  pass->sequence = context_.committer->finished_sequence();
  return pass;
}

void Checkpointer::start_checkpoint() {
  std::shared_ptr<Pass> pass = make_pass();
  pass->checkpoint = encode_state_(pass->sequence);
  start(std::move(pass));
}

void Checkpointer::start(std::shared_ptr<Pass> pass) {
  running_ = true;
  if (stuck_) pass->checkpoint.reset();
  auto job = [pass] { pass->sync(); };
  context_.files.offload(std::move(job), context_.executor, context_.guarded([this, pass] {
    synced_ = pass;
    // Of what fails, a commit's sync may be told, and not ours.
    if (!context_.committer->is_syncing()) judge();
  }));
}

void Checkpointer::commit_finished() {
  if (synced_) judge();
}

/// A start believes a checkpoint that is there, so it is written when it is certain to be true.
void Checkpointer::judge() {
  std::shared_ptr<Pass> pass = std::exchange(synced_, nullptr);
  passing_.clear();
  for (Target& target : pass->targets) {
    if (!target.synced) stop_partition(target);
  }
  Result<void>& result = pass->result;
  if (stuck_ && result) result = tl::unexpected(*stuck_);
  for (Dirty& dirty : distrusted_) {
    // Its sync here may have been told nothing of what the other one was.
    if (result) result = fail(Errc::io_error, dirty.segment->path() + ": another sync failed");
    if (dirty_set_.insert(dirty.segment.get()).second) dirty_.push_back(std::move(dirty));
  }
  distrusted_.clear();
  if (!result || !pass->checkpoint) return finished(*pass);
  auto job = [pass] { pass->write_checkpoint(); };
  context_.files.offload(std::move(job), context_.executor,
                         context_.guarded([this, pass] { finished(*pass); }));
}

void Checkpointer::stop_partition(Target& target) {
  std::shared_ptr<PartitionLog> log = target.log.lock();
  if (!log || log->ledger().is_removed) return;
  Error error{Errc::storage_error, "a sync failed: " + target.synced.error().what};
  log->ledger().refuses = true;
  log->shard().here([log, error] { log->stop(error); });
  if (target.written_again) return;
  stuck_ = error;
  log_error("{}: what the failed sync may have lost cannot be written again: {}",
            target.segment->path(), target.written_again.error().what);
  // Recovery writes these bytes again: what the page cache has of them may not be on disk.
  context_.committer->add_end(log->id());
}

void Checkpointer::finished(Pass& pass) {
  running_ = false;
  const Result<void>& result = pass.result;
  if (!result) directories_.merge(pass.directories);
  passing_directories_.clear();
  if (!pass.journals_synced) {
    context_.committer->stop({Errc::storage_error, "a sync of the journal failed: " +
                                                       pass.journals_synced.error().what});
  }
  if (result && pass.checkpoint) {
    journal_.release(pass.sequence);
  } else if (result) {
    journal_.set_synced(pass.sequence);
  } else {
    log_error("{}: no checkpoint: {}", context_.layout.root(), result.error().what);
  }
  if (!dirty_.empty()) arm();
  if (close_) {
    auto done = std::exchange(close_, nullptr);
    if (pass.is_last || !result) {
      done(result);
    } else {
      close(std::move(close_segments_), std::move(done));
    }
    return;
  }
  context_.committer->checkpoint_done(result);
}

void Checkpointer::close(std::vector<std::shared_ptr<Segment>> segments,
                         UniqueFunction<void(Result<void>)> done) {
  close_ = std::move(done);
  close_segments_ = std::move(segments);
  if (running_) return;
  std::shared_ptr<Pass> pass = make_pass();
  pass->is_last = true;
  pass->indexes = close_segments_;
  pass->checkpoint = encode_state_(pass->sequence);
  start(std::move(pass));
}

}  // namespace leat::log
