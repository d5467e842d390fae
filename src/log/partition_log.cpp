#include "log/partition_log.h"

#include <algorithm>
#include <iterator>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/logging.h"
#include "log/background.h"
#include "log/checkpointer.h"
#include "log/committer.h"
#include "log/scrubber.h"
#include "log/seal.h"
#include "log/shard.h"
#include "log/space_watch.h"
#include "record/batch.h"

namespace leat::log {

struct PartitionLog::Listener {
  UniqueFunction<void()> call;
};

PartitionLog::PartitionLog(std::shared_ptr<StoreContext> context, Shard& shard,
                           const PartitionState& state, const LogOptions& options)
    : shared_context_(std::move(context)),
      context_(*shared_context_),
      shard_(shard),
      ledger_{state},
      id_(state.id),
      options_(options),
      leader_epoch_(state.leader_epoch),
      start_offset_(state.start_offset),
      committed_end_(state.end_offset),
      end_offset_(state.end_offset),
      compacted_to_(state.compacted_to),
      damage_(state.damage),
      gaps_(state.gaps),
      producers_(context_, shard, state.id, state.leader_epoch, state.producers_from) {
  DamageSink sink = [guard = std::weak_ptr<void>(context_.alive), executor = &context_.executor,
                     log_id = id_, layout = context_.layout, committer = context_.committer](
                        const Damage& damage, const std::string& cause) {
    log_error("{}: records {} to {} at byte {} of the segment at {} are damaged: {}",
              layout.partition(log_id), damage.offsets.base.value(),
              damage.offsets.next.value() - 1, damage.position, damage.segment_base.value(), cause);
    executor->post([guard, committer, log_id, damage] {
      if (auto alive = guard.lock()) committer->found_damage(log_id, damage);
    });
  };
  sink_ = std::make_shared<const DamageSink>(std::move(sink));
  for (const SegmentState& segment : state.segments) segments_.push_back(make_segment(segment));
  for (const Damage& damage : damage_) {
    for (const auto& segment : segments_) {
      if (segment->base_offset() == damage.segment_base) segment->add_damage(damage);
    }
  }
  directory_made_ = !segments_.empty();
  context_.metrics.damaged_ranges.add(static_cast<std::int64_t>(damage_.size()));
  publish();
}

PartitionLog::~PartitionLog() {
  // Whoever held it for longer than the store must not count where nobody may be listening.
  if (!context_.alive) return;
  context_.metrics.segments.add(-static_cast<std::int64_t>(segments_.size()));
  context_.metrics.damaged_ranges.add(-static_cast<std::int64_t>(damage_.size()));
}

Executor& PartitionLog::executor() const {
  return shard_.executor();
}

std::shared_ptr<Segment> PartitionLog::make_segment(const SegmentState& state) {
  context_.metrics.segments.add(1);
  auto interval =
      static_cast<std::uint64_t>(std::max<std::int64_t>(1, options_.index_interval_bytes));
  return std::make_shared<Segment>(
      context_.files, context_.layout.segment(id_, state.base_offset, state.version), state,
      Segment::Settings{interval, sink_, context_.open_segments});
}

Result<void> PartitionLog::check_appendable(const Batch& batch) const {
  std::uint64_t bytes = batch.bytes.size();
  if (removed_) return leat::fail(Errc::unknown_topic_or_partition, "the partition was removed");
  if (stopped_) return tl::unexpected(*stopped_);
  if (const Error* failure = context_.failure) return tl::unexpected(*failure);
  if (context_.is_closing) {
    return leat::fail(Errc::storage_error, "the data directory is being closed");
  }
  bool is_essential = options_.is_essential || batch.is_essential;
  if (!is_essential && context_.space->refuses(bytes)) {
    return leat::fail(Errc::no_space, "the disk has too little room left");
  }
  std::uint64_t pending = context_.pending_bytes;
  if (pending > 0 && pending + bytes > context_.options.pending_bytes_max) {
    return leat::fail(Errc::request_timed_out,
                      "more appends wait for the disk than this server holds");
  }
  return {};
}

Result<Offset> PartitionLog::append(Batch batch, AppendDone done) {
  Result<void> appendable = check_appendable(batch);
  if (!appendable) return leat::fail(appendable);
  std::optional<BatchHead> head = parse_head(batch.bytes, batch.bytes.size());
  if (!head || head->bytes != batch.bytes.size()) {
    return leat::fail(Errc::invalid_record, "not one record batch of version 2");
  }
  Offset base = end_offset_;
  record::set_base_offset(batch.bytes, base);
  record::set_leader_epoch(batch.bytes, leader_epoch_);
  head->next_offset = base + (head->next_offset - head->base_offset);
  head->base_offset = base;
  if (head->has_producer()) {
    Result<std::optional<Offset>> duplicate = check_producer(batch, *head, done);
    if (!duplicate) return leat::fail(duplicate);
    if (*duplicate) return **duplicate;
  }
  end_offset_ = head->next_offset;
  pending_bytes_ += head->bytes;
  context_.pending_bytes += head->bytes;
  bool can_wait = batch.can_wait;
  pending_.push_back({std::move(batch), *head, std::move(done)});
  enqueue(can_wait);
  return base;
}

Result<std::optional<Offset>> PartitionLog::check_producer(const Batch& batch,
                                                           const BatchHead& head,
                                                           AppendDone& done) {
  std::optional<record::EndMarker> marker;
  if (head.is_control()) {
    Result<record::BatchView> view = record::BatchView::parse(batch.bytes);
    if (view) marker = record::parse_end_marker(*view);
  }
  Result<std::optional<RememberedBatch>> duplicate = producers_.check(head, marker);
  if (!duplicate) return leat::fail(duplicate);
  if (!*duplicate) {
    producers_.append(head, marker);
    return std::nullopt;
  }
  Offset base = (*duplicate)->base_offset;
  if ((*duplicate)->next_offset > committed_end_) {
    producers_.wait_for(**duplicate, std::move(done));
  } else {
    executor().post([done = std::move(done), base]() mutable { done(base); });
  }
  return base;
}

void PartitionLog::load_producers(UniqueFunction<void(Result<void>)> done) {
  if (producers_.is_loaded()) {
    executor().post([done = std::move(done)]() mutable { done({}); });
    return;
  }
  loading_.push_back(std::move(done));
  if (loading_.size() > 1) return;
  auto read =
      std::make_shared<Result<PartitionProducers::Loaded>>(leat::fail(Errc::cancelled, "not read"));
  auto job = [&files = context_.files, source = producers_.source(view()), read] {
    *read = PartitionProducers::read(files, source);
  };
  context_.files.offload(std::move(job), executor(),
                         context_.guarded([self = weak_from_this(), read] {
                           if (auto log = self.lock()) log->producers_read(std::move(*read));
                         }));
}

void PartitionLog::producers_read(Result<PartitionProducers::Loaded> loaded) {
  Result<void> result;
  if (loaded) {
    producers_.install(std::move(*loaded));
    publish();
    notify();
  } else {
    log_error("what is known of the producers of partition {} of topic {} cannot be read: {}",
              id_.partition.value(), id_.topic_id.to_hex(), loaded.error().what);
    result = leat::fail(loaded);
  }
  for (auto& done : std::exchange(loading_, {})) done(result);
}

void PartitionLog::with_producers(UniqueFunction<void()> go) {
  if (producers_.is_loaded()) return go();
  load_producers([go = std::move(go)](const Result<void>&) mutable { go(); });
}

void PartitionLog::commit_before_marker(ProducerId producer) {
  producers_.commit_before_marker(producer);
  publish();
  notify();
}

void PartitionLog::enqueue(bool can_wait) {
  if (!is_queued_) shard_.enqueue(shared_from_this());
  is_queued_ = true;
  if (can_wait) {
    shard_.flush_later();
  } else {
    shard_.flush_soon();
  }
}

PartitionState PartitionLog::state() const {
  PartitionState state;
  state.id = id_;
  state.leader_epoch = leader_epoch_;
  state.start_offset = start_offset_;
  state.end_offset = committed_end_;
  state.compacted_to = compacted_to_;
  for (const auto& segment : segments_) state.segments.push_back(segment->state());
  state.damage = damage_;
  state.gaps = gaps_;
  return state;
}

void PartitionLog::publish() {
  auto view = std::make_shared<LogView>();
  view->damaged = unreadable(damage_, gaps_);
  view->gaps = gaps_;
  view->segments.assign(segments_.begin(), segments_.end());
  view->start_offset = start_offset_;
  view->high_watermark = committed_end_;
  view->high_watermark_position = segments_.empty() ? 0 : segments_.back()->bytes();
  std::optional<Offset> stable = producers_.stable_offset(committed_end_);
  if (stable) view->last_stable_offset = std::max(*stable, start_offset_);
  view->aborted = producers_.aborted();
  view_.store(std::move(view));
}

void PartitionLog::settle(CommitPart part, Completions& completions) {
  ASSERT(in_flight_ >= part.count);
  in_flight_ -= part.count;
  context_.pending_bytes -= part.bytes;
  if (removed_) {
    part.error = Error{Errc::unknown_topic_or_partition, "the partition was removed"};
    fail(part, completions);
  } else if (part.error) {
    if (part.stops_log) stop(*part.error);
    failed_.push_back(std::move(part));
  } else {
    ASSERT(failed_.empty());
    complete(part, completions);
  }
  if (in_flight_ > 0) return;
  tail_.reset();
  if (!failed_.empty()) undo_failed(completions);
  if (removed_) fail_pending({Errc::unknown_topic_or_partition, "it was removed"}, completions);
}

void PartitionLog::undo_failed(Completions& completions) {
  auto begins_before = [](const CommitPart& a, const CommitPart& b) {
    return a.appends.front().head.base_offset < b.appends.front().head.base_offset;
  };
  std::sort(failed_.begin(), failed_.end(), begins_before);
  // The last one first: each is cut off where it begins.
  for (auto part = failed_.rbegin(); part != failed_.rend(); ++part) roll_back(*part);
  std::vector<CommitPart> failed = std::exchange(failed_, {});
  Error error = *failed.front().error;
  for (CommitPart& part : failed) {
    part.error = error;
    fail(part, completions);
  }
  fail_pending(error, completions);
  shard_.at_home([log = shared_from_this()] { log->ledger().refuses = false; });
}

void PartitionLog::complete(CommitPart& part, Completions& completions) {
  for (Run& run : part.runs) {
    if (run.is_new) {
      if (!segments_.empty()) seal(segments_.back());
      segments_.push_back(run.segment);
    }
    Segment::Appended appended;
    appended.append_ms = part.append_ms;
    std::uint64_t position = run.position;
    for (std::size_t i = run.first; i < run.last; ++i) {
      appended.batches.push_back({position, part.appends[i].head});
      position += part.appends[i].head.bytes;
    }
    run.segment->appended(appended);
  }
  committed_end_ = part.runs.back().next_offset;
  std::uint64_t bytes = part.bytes;
  Completions repeated;
  producers_.commit(committed_end_, bytes, repeated);
  publish();
  context_.metrics.appends.add(part.appends.size());
  context_.metrics.append_bytes.add(part.bytes);
  for (PendingAppend& append : part.appends) {
    completions.appends.push_back({std::move(append.done), append.head.base_offset});
  }
  std::move(repeated.appends.begin(), repeated.appends.end(),
            std::back_inserter(completions.appends));
  completions.advanced.push_back(shared_from_this());
}

void PartitionLog::fail(CommitPart& part, Completions& completions) {
  context_.metrics.failures.add(part.appends.size());
  for (PendingAppend& append : part.appends) {
    completions.appends.push_back({std::move(append.done), tl::unexpected(*part.error)});
  }
  part.appends.clear();
}

void PartitionLog::fail_pending(const Error& error, Completions& completions) {
  is_queued_ = false;
  context_.pending_bytes -= pending_bytes_;
  context_.metrics.failures.add(pending_.size());
  for (PendingAppend& append : pending_) {
    completions.appends.push_back({std::move(append.done), tl::unexpected(error)});
  }
  pending_.clear();
  pending_bytes_ = 0;
  end_offset_ = tail_ ? tail_->next_offset : committed_end_;
  producers_.roll_back(end_offset_, error, completions);
}

void PartitionLog::stop(const Error& error) {
  if (stopped_) return;
  stopped_ = Error{Errc::storage_error, error.what};
  log_error("partition {} of topic {} takes no more appends until a restart: {}",
            id_.partition.value(), id_.topic_id.to_hex(), error.what);
}

void PartitionLog::remove(Completions& completions) {
  removed_ = true;
  for (const auto& segment : segments_) segment->set_retired();
  fail_pending({Errc::unknown_topic_or_partition, "the partition was removed"}, completions);
}

Log::Ticket PartitionLog::on_advance(UniqueFunction<void()> listener) {
  auto ticket = std::make_shared<Listener>();
  ticket->call = std::move(listener);
  std::erase_if(listeners_, [](const std::weak_ptr<Listener>& l) { return l.expired(); });
  listeners_.push_back(ticket);
  return ticket;
}

void PartitionLog::notify() {
  // A listener may add others, or let go of its ticket.
  std::vector<std::weak_ptr<Listener>> listeners = listeners_;
  for (const std::weak_ptr<Listener>& weak : listeners) {
    if (std::shared_ptr<Listener> listener = weak.lock()) listener->call();
  }
}

void PartitionLog::seal(const std::shared_ptr<Segment>& segment) {
  auto result = std::make_shared<Result<void>>();
  file::FileSystem& files = context_.files;
  auto job = [&files, segment, result] {
    Result<file::FilePtr> file = segment->file();
    if (!file) {
      *result = leat::fail(file);
      return;
    }
    *result = write_seal(files, *segment);
  };
  auto done = [self = weak_from_this(), segment, result, scrubber = context_.scrubber] {
    if (!*result) {
      log_warning("{}: cannot be sealed: {}", segment->path(), result->error().what);
      return;
    }
    segment->set_sealed();
    std::shared_ptr<PartitionLog> log = self.lock();
    if (log) set_sealed(log->ledger().state, segment->base_offset());
    scrubber->sealed();
  };
  shard_.at_home(
      [background = context_.background, job = std::move(job), done = std::move(done)]() mutable {
        background->run(std::move(job), std::move(done));
      });
}

void PartitionLog::seal_old_segments() {
  for (std::size_t i = 0; i + 1 < segments_.size(); ++i) {
    if (!segments_[i]->state().sealed) seal(segments_[i]);
  }
}

}  // namespace leat::log
