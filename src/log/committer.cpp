#include "log/committer.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>

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

/// Puts a part behind one of the same partition.
void join(CommitPart& into, CommitPart& part) {
  std::size_t shift = into.appends.size();
  std::move(part.appends.begin(), part.appends.end(), std::back_inserter(into.appends));
  for (Run& run : part.runs) {
    Run& last = into.runs.back();
    if (run.segment == last.segment) {
      last.bytes += run.bytes;
      last.next_offset = run.next_offset;
      last.max_timestamp_ms = std::max(last.max_timestamp_ms, run.max_timestamp_ms);
      last.has_producers = last.has_producers || run.has_producers;
      last.last = run.last + shift;
      continue;
    }
    run.first += shift;
    run.last += shift;
    into.runs.push_back(std::move(run));
  }
  std::move(part.directories.begin(), part.directories.end(), std::back_inserter(into.directories));
  into.count += part.count;
  into.bytes += part.bytes;
  into.append_ms = std::max(into.append_ms, part.append_ms);
}

/// What the journal says of a part, to the ledger.
void extend(PartitionState& state, const CommitPart& part) {
  for (const Run& run : part.runs) {
    if (run.is_new) {
      state.segments.emplace_back().base_offset = run.segment->base_offset();
    }
    SegmentState& segment = state.segments.back();
    if (run.position == 0) segment.first_append_ms = part.append_ms;
    segment.next_offset = run.next_offset;
    segment.bytes = run.position + run.bytes;
    segment.max_timestamp_ms = std::max(segment.max_timestamp_ms, run.max_timestamp_ms);
    segment.last_append_ms = part.append_ms;
    const BatchHead& last = part.appends[run.last - 1].head;
    add_mark(segment.marks, {run.position, part.appends[run.first].head});
    add_mark(segment.marks, {run.position + run.bytes - last.bytes, last});
    state.end_offset = run.next_offset;
    if (run.has_producers) note_producers(state, run.base_offset);
  }
}

}  // namespace

/// What a frame has left.
struct Committer::Room {
  std::uint64_t bytes;
  std::uint64_t inline_bytes;
  std::size_t entries;
  std::uint64_t direct_bytes;  // from so many bytes on, a part is direct
};

Committer::Committer(StoreContext& context, Journal& journal,
                     const std::vector<std::unique_ptr<Shard>>& shards)
    : context_(context), journal_(journal), shards_(shards) {}

void Committer::submit(std::vector<CommitPart> parts) {
  for (const CommitPart& part : parts) waiting_bytes_ += part.bytes;
  std::move(parts.begin(), parts.end(), std::back_inserter(waiting_));
  if (failure_ && !commit_) return refuse_waiting();
  schedule();
}

void Committer::refuse_waiting() {
  std::vector<CommitPart> parts(std::make_move_iterator(waiting_.begin()),
                                std::make_move_iterator(waiting_.end()));
  waiting_.clear();
  waiting_bytes_ = 0;
  for (CommitPart& part : parts) {
    part.error = *failure_;
    part.log->ledger().refuses = true;
  }
  give_back(std::move(parts));
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

void Committer::add_end(const TopicPartition& id) {
  Control end = end_of(id);
  add(std::move(end.entry), std::move(end.done));
}

Committer::Control Committer::end_of(const TopicPartition& id) {
  return {EndEntry{id, {}}, context_.guarded([this, id](const Result<void>& written) {
            if (!written && !failure_) ends_.push_back(end_of(id));
          })};
}

void Committer::schedule() {
  if (commit_) return write_ahead();
  if (scheduled_ || failure_) return;
  if (waiting_.empty() && controls_.empty() && !shards_.front()->is_due()) {
    // Posted: what the last commit has to tell, such as a new start offset, comes first.
    if (idle_ && shards_closing_ == 0 && context_.pending_bytes == 0) {
      context_.executor.post(std::exchange(idle_, nullptr));
    }
    return;
  }
  scheduled_ = true;
  context_.executor.post(context_.guarded([this] { start(); }));
}

std::shared_ptr<void> Committer::hold() {
  ++holds_;
  // The ticket may outlive the store.
  auto release = context_.guarded([this] {
    if (--holds_ == 0) schedule();
  });
  return {nullptr, [release = std::move(release)](void*) mutable { release(); }};
}

void Committer::start() {
  scheduled_ = false;
  if (commit_ || failure_ || holds_ > 0) return;
  commit_ = std::make_unique<Commit>();
  commit_->started = context_.clock.monotonic();
  ++commits_;
  // At home, appends wait until here, so that one write takes all of a partition.
  flush_home();
  take_parts();
  build_frame();
  if (commit_->frame->empty()) {
    finish();
  } else {
    place_frame();
  }
  if (commit_) write_ahead();
}

void Committer::flush_home() {
  std::uint64_t room = std::numeric_limits<std::uint64_t>::max();
  if (context_.options.durability == Durability::fsync) {
    room = context_.options.commit_bytes_max -
           std::min(context_.options.commit_bytes_max, waiting_bytes_);
  }
  shards_.front()->flush(room);
}

void Committer::write_ahead() {
  if (is_writing_ahead_ || failure_ || !shards_.front()->is_due()) return;
  std::uint64_t taken = waiting_bytes_ + (commit_ ? commit_->bytes : 0);
  std::uint64_t pending =
      context_.pending_bytes - std::min<std::uint64_t>(context_.pending_bytes, taken);
  if (!commit_ || waiting_bytes_ >= context_.options.commit_bytes_max ||
      pending < context_.options.commit_bytes_max / 4)
    return;
  is_writing_ahead_ = true;
  context_.executor.post(context_.guarded([this] {
    is_writing_ahead_ = false;
    if (commit_ && !failure_) flush_home();
  }));
}

void Committer::take_parts() {
  // A frame must fit into a journal file: a quarter of it for each of what may be many.
  std::uint64_t share = journal_.bytes() / 4;
  bool is_fsync = context_.options.durability == Durability::fsync;
  Room room{
      is_fsync ? context_.options.commit_bytes_max : std::numeric_limits<std::uint64_t>::max(),
      share, share / data_entry_bytes, std::min(context_.options.direct_bytes, share / 2)};
  while (!waiting_.empty()) {
    std::uint64_t bytes = waiting_.front().bytes;
    if (!take(waiting_.front(), room)) break;
    waiting_.pop_front();
    waiting_bytes_ -= bytes;
  }
  take_controls();
}

void Committer::take_controls() {
  // Once any frame behind theirs is durable, the appends that failed count as acknowledged.
  controls_.insert(controls_.begin(), std::make_move_iterator(ends_.begin()),
                   std::make_move_iterator(ends_.end()));
  ends_.clear();
  constexpr std::uint64_t control_bytes = 64;
  std::size_t controls =
      std::min<std::size_t>(controls_.size(), journal_.bytes() / 4 / control_bytes);
  auto end = controls_.begin() + static_cast<std::ptrdiff_t>(controls);
  std::move(controls_.begin(), end, std::back_inserter(commit_->controls));
  controls_.erase(controls_.begin(), end);
}

bool Committer::take(CommitPart& part, Room& room) {
  Ledger& ledger = part.log->ledger();
  if (ledger.is_removed) {
    refuse(std::move(part), {Errc::unknown_topic_or_partition, "the partition was removed"});
    return true;
  }
  if (ledger.refuses) {
    refuse(std::move(part), {Errc::storage_error, "an append before this one failed"});
    return true;
  }
  if (part.runs.size() > room.entries || room.bytes == 0) return false;
  bool is_begun = ledger.commit == commits_;
  CommitPart* begun = is_begun ? &commit_->parts[ledger.part] : nullptr;
  bool was_direct = is_begun && begun->is_direct;
  std::uint64_t inline_before = is_begun && !was_direct ? begun->bytes : 0;
  bool is_direct = was_direct || inline_before + part.bytes >= room.direct_bytes;
  if (!is_direct && part.bytes > room.inline_bytes) {
    // Where nothing is put into the journal, nothing has to fit.
    if (context_.options.durability == Durability::fsync) return false;
    is_direct = true;
  }
  room.entries -= part.runs.size();
  room.bytes -= std::min(room.bytes, part.bytes);
  commit_->bytes += part.bytes;
  room.inline_bytes += is_direct ? inline_before : 0;
  room.inline_bytes -= is_direct ? 0 : part.bytes;
  if (is_begun) {
    join(*begun, part);
    begun->is_direct = is_direct;
    return true;
  }
  ledger.commit = commits_;
  ledger.part = commit_->parts.size();
  part.is_direct = is_direct;
  commit_->parts.push_back(std::move(part));
  return true;
}

void Committer::refuse(CommitPart part, const Error& error) {
  part.error = error;
  part.log->ledger().refuses = true;
  commit_->parts.push_back(std::move(part));
}

void Committer::build_frame() {
  commit_->frame = std::make_unique<FrameBuilder>();
  // They speak of earlier frames, so they come before what this one appends.
  for (const Control& control : commit_->controls) {
    const auto* end = std::get_if<EndEntry>(&control.entry);
    std::shared_ptr<PartitionLog> log = end ? find_log(end->id) : nullptr;
    if (log) commit_->frame->add(EndEntry{end->id, log->ledger().state.end_offset});
  }
  for (const CommitPart& part : commit_->parts) {
    if (part.error) continue;
    for (const Run& run : part.runs) add_run(part, run, *commit_->frame);
  }
  for (const Control& control : commit_->controls) {
    if (!std::holds_alternative<EndEntry>(control.entry)) commit_->frame->add(control.entry);
  }
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
  entry.has_producers = run.has_producers;
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

void Committer::request_checkpoint(Done done) {
  checkpoint_requests_.push_back(std::move(done));
  start_requested_checkpoint();
}

void Committer::start_requested_checkpoint() {
  if (checkpoint_requests_.empty() || commit_ || failure_ || context_.is_closing ||
      context_.checkpointer->running()) {
    return;
  }
  checkpoint_waiters_ = std::exchange(checkpoint_requests_, {});
  context_.checkpointer->start_checkpoint();
}

void Committer::checkpoint_done(const Result<void>& written) {
  for (Done& waiter : std::exchange(checkpoint_waiters_, {})) waiter(written);
  // Whatever waits for the journal has a commit in flight, behind which this has its turn.
  start_requested_checkpoint();
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
  for (CommitPart& part : commit->parts) {
    if (commit->error && !part.error) part.error = commit->error;
    finish_part(part);
  }
  if (!commit->error) {
    for (const Control& control : commit->controls) apply(control.entry);
  }
  // Before anybody is told, who may have much to do then.
  schedule();
  std::weak_ptr<void> alive = context_.alive;
  give_back(std::move(commit->parts));
  if (!alive.expired() && failure_) refuse_waiting();
  if (alive.expired()) return;
  // Behind all that this commit has done: the next checkpoint says that it has it.
  context_.checkpointer->commit_finished();
  start_requested_checkpoint();
  call(std::move(commit->controls), commit->error);
}

void Committer::finish_part(CommitPart& part) {
  if (part.error) return fail_part(part);
  Ledger& ledger = part.log->ledger();
  extend(ledger.state, part);
  bool is_unsynced = !part.is_direct || context_.options.durability != Durability::fsync;
  if (!is_unsynced || ledger.is_removed) return;
  for (const std::string& directory : part.directories) {
    context_.checkpointer->add_directory(directory);
  }
  for (const Run& run : part.runs) context_.checkpointer->add_dirty(part.log, run.segment);
}

void Committer::fail_part(CommitPart& part) {
  Ledger& ledger = part.log->ledger();
  bool was_synced = part.is_direct && !failure_ && part.error->code == Errc::storage_error;
  // Whatever it has written behind this one must not count either.
  ledger.refuses = true;
  if (!was_synced) return;
  part.stops_log = true;
  for (const Run& run : part.runs) {
    context_.checkpointer->sync_failed(part.log, run.segment);
  }
  // The frame that names these appends is on disk, or may come to be.
  add_end(part.log->id());
}

void Committer::apply(const JournalEntry& entry) {
  TopicPartition id = std::visit([](const auto& e) { return e.id; }, entry);
  std::shared_ptr<PartitionLog> log = find_log(id);
  if (!log) return;
  PartitionState& state = log->ledger().state;
  if (const auto* start = std::get_if<StartEntry>(&entry)) {
    advance_start(state, start->start, start->all);
  } else if (const auto* damage = std::get_if<DamageEntry>(&entry)) {
    add_damage(state.damage, damage->damage);
  } else if (const auto* gap = std::get_if<GapEntry>(&entry)) {
    add_range(state.gaps, gap->range);
  }
}

void Committer::give_back(std::vector<CommitPart> parts) {
  std::vector<CommitPart> here;
  std::map<Shard*, std::vector<CommitPart>> elsewhere;
  for (CommitPart& part : parts) {
    Shard& shard = part.log->shard();
    (shard.is_home() ? here : elsewhere[&shard]).push_back(std::move(part));
  }
  for (auto& [shard, theirs] : elsewhere) {
    shard->here([shard = shard, theirs = std::move(theirs)]() mutable {
      shard->settle(std::move(theirs));
    });
  }
  if (!here.empty()) shards_.front()->settle(std::move(here));
}

void Committer::call(std::vector<Control> controls, const std::optional<Error>& error) {
  std::weak_ptr<void> alive = context_.alive;
  for (Control& control : controls) {
    control.done(error ? Result<void>(tl::unexpected(*error)) : Result<void>());
    if (alive.expired()) return;
  }
}

void Committer::stop(const Error& error) {
  if (failure_) return;
  failure_ = error;
  context_.failure = &*failure_;
  log_error("{}: no more appends until a restart: {}", context_.layout.root(), error.what);
  std::vector<Control> controls = std::exchange(controls_, {});
  if (idle_) context_.executor.post(std::exchange(idle_, nullptr));
  std::weak_ptr<void> alive = context_.alive;
  for (const auto& shard : shards_) {
    shard->here([shard = shard.get(), error] { shard->fail_pending(error); });
    if (alive.expired()) return;
  }
  // A shard takes back its parts in order: those of a commit that is in flight come first.
  if (!commit_) refuse_waiting();
  if (alive.expired()) return;
  call(std::move(controls), error);
}

void Committer::close(Work idle) {
  context_.is_closing = true;
  idle_ = std::move(idle);
  if (failure_) return std::exchange(idle_, nullptr)();
  // A shard may be about to submit what it took before it heard of this.
  shards_closing_ = shards_.size();
  for (const auto& shard : shards_) {
    shard->here([this, shard = shard.get()] {
      shard->flush_rest();
      shard->at_home([this] {
        --shards_closing_;
        schedule();
      });
    });
  }
}

}  // namespace leat::log
