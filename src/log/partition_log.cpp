#include "log/partition_log.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/logging.h"
#include "log/background.h"
#include "log/checkpointer.h"
#include "log/committer.h"
#include "log/scrubber.h"
#include "log/seal.h"
#include "log/space_watch.h"
#include "record/batch.h"

namespace leat::log {

struct PartitionLog::Listener {
  UniqueFunction<void()> call;
};

PartitionLog::PartitionLog(StoreContext& context, const PartitionState& state,
                           const LogOptions& options)
    : context_(context),
      id_(state.id),
      options_(options),
      leader_epoch_(state.leader_epoch),
      start_offset_(state.start_offset),
      committed_end_(state.end_offset),
      end_offset_(state.end_offset),
      damage_(state.damage),
      gaps_(state.gaps) {
  DamageSink sink = [guard = std::weak_ptr<void>(context.alive), executor = &context.executor,
                     log_id = id_, layout = context.layout, committer = context.committer](
                        const Damage& damage, const std::string& cause) {
    log_error("{}: records {} to {} at byte {} are damaged: {}",
              layout.segment(log_id, damage.segment_base), damage.offsets.base.value(),
              damage.offsets.next.value() - 1, damage.position, cause);
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
  context_.metrics.segments.add(-static_cast<std::int64_t>(segments_.size()));
  context_.metrics.damaged_ranges.add(-static_cast<std::int64_t>(damage_.size()));
}

std::shared_ptr<Segment> PartitionLog::make_segment(const SegmentState& state) {
  context_.metrics.segments.add(1);
  auto interval =
      static_cast<std::uint64_t>(std::max<std::int64_t>(1, options_.index_interval_bytes));
  return std::make_shared<Segment>(context_.files, context_.layout.segment(id_, state.base_offset),
                                   state,
                                   Segment::Settings{interval, sink_, context_.open_segments});
}

Result<void> PartitionLog::check_appendable(std::uint64_t bytes) const {
  if (removed_) return leat::fail(Errc::unknown_topic_or_partition, "the partition was removed");
  if (stopped_) return tl::unexpected(*stopped_);
  if (context_.committer->failure()) return tl::unexpected(*context_.committer->failure());
  if (context_.committer->is_closing()) {
    return leat::fail(Errc::storage_error, "the data directory is being closed");
  }
  if (!options_.is_essential && context_.space->refuses(bytes)) {
    return leat::fail(Errc::no_space, "the disk has too little room left");
  }
  if (!context_.committer->has_room(bytes)) {
    return leat::fail(Errc::request_timed_out,
                      "more appends wait for the disk than this server holds");
  }
  return {};
}

Result<Offset> PartitionLog::append(Batch batch, AppendDone done) {
  Result<void> appendable = check_appendable(batch.bytes.size());
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
  end_offset_ = head->next_offset;
  pending_bytes_ += head->bytes;
  pending_.push_back({std::move(batch), *head, std::move(done)});
  context_.committer->enqueue(shared_from_this(), head->bytes);
  return base;
}

PartitionState PartitionLog::state() const {
  PartitionState state;
  state.id = id_;
  state.leader_epoch = leader_epoch_;
  state.start_offset = start_offset_;
  state.end_offset = committed_end_;
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
  view_.store(std::move(view));
}

void PartitionLog::complete(CommitPart& part, Completions& completions) {
  committing_ = false;
  if (removed_) {
    fail(part, {Errc::unknown_topic_or_partition, "the partition was removed"}, completions);
    return;
  }
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
  publish();
  context_.metrics.appends.add(part.appends.size());
  context_.metrics.append_bytes.add(part.bytes);
  for (PendingAppend& append : part.appends) {
    completions.appends.push_back({std::move(append.done), append.head.base_offset});
  }
  completions.advanced.push_back(shared_from_this());
}

void PartitionLog::fail(CommitPart& part, const Error& error, Completions& completions) {
  committing_ = false;
  context_.metrics.failures.add(part.appends.size());
  for (PendingAppend& append : part.appends) {
    completions.appends.push_back({std::move(append.done), tl::unexpected(error)});
  }
  part.appends.clear();
  fail_pending(error, completions);
}

void PartitionLog::fail_pending(const Error& error, Completions& completions) {
  context_.committer->forget(pending_bytes_);
  context_.metrics.failures.add(pending_.size());
  for (PendingAppend& append : pending_) {
    completions.appends.push_back({std::move(append.done), tl::unexpected(error)});
  }
  pending_.clear();
  pending_bytes_ = 0;
  end_offset_ = committed_end_;
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
  if (!committing_) {
    fail_pending({Errc::unknown_topic_or_partition, "the partition was removed"}, completions);
  }
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
  auto done = [segment, result, scrubber = context_.scrubber] {
    if (*result) {
      segment->set_sealed();
      scrubber->sealed();
    } else {
      log_warning("{}: cannot be sealed: {}", segment->path(), result->error().what);
    }
  };
  context_.background->run(std::move(job), std::move(done));
}

void PartitionLog::seal_old_segments() {
  for (std::size_t i = 0; i + 1 < segments_.size(); ++i) {
    if (!segments_[i]->state().sealed) seal(segments_[i]);
  }
}

}  // namespace leat::log
