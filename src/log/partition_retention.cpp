// How a log's start moves up: retention, DeleteRecords, accepted losses.
#include <algorithm>

#include <fmt/core.h>

#include "base/logging.h"
#include "log/background.h"
#include "log/committer.h"
#include "log/partition_log.h"
#include "log/quarantine.h"
#include "log/shard.h"

namespace leat::log {

void PartitionLog::advance_start(Offset offset, UniqueFunction<void(Result<void>)> done) {
  if (offset < start_offset_ || offset > committed_end_) {
    std::string what = fmt::format("offset {} is not within {} to {}", offset.value(),
                                   start_offset_.value(), committed_end_.value());
    executor().post([done = std::move(done), what = std::move(what)]() mutable {
      done(leat::fail(Errc::offset_out_of_range, std::move(what)));
    });
    return;
  }
  auto durable = [self = weak_from_this(), offset,
                  done = std::move(done)](const Result<void>& written) mutable {
    std::shared_ptr<PartitionLog> log = self.lock();
    if (written && log) log->start_advanced(offset, false);
    done(written);
  };
  // What the records that go say of their producers must be known before.
  with_producers([self = shared_from_this(), offset, durable = std::move(durable)]() mutable {
    self->shard_.add(StartEntry{self->id_, offset, false}, std::move(durable));
  });
}

void PartitionLog::apply_retention() {
  offer_compaction();
  if (removed_ || advancing_start_ || segments_.empty() || context_.failure) return;
  producers_.expire();
  std::int64_t now_ms = context_.clock.wall_ms();
  SegmentState active = segments_.back()->state();
  if (options_.segment_ms >= 0 && now_ms - active.first_append_ms >= options_.segment_ms) {
    roll_requested_ = true;
  }
  std::uint64_t total = view()->size_bytes();
  auto bytes_max = static_cast<std::uint64_t>(std::max<std::int64_t>(0, options_.retention_bytes));
  Offset start = start_offset_;
  bool all = false;
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    SegmentState segment = segments_[i]->state();
    bool is_active = i + 1 == segments_.size();
    bool aged =
        options_.retention_ms >= 0 && now_ms - segment.last_append_ms > options_.retention_ms;
    bool excess = options_.retention_bytes >= 0 && !is_active && total >= bytes_max &&
                  total - segment.bytes >= bytes_max;
    if (!aged && !excess) break;
    if (is_active && (in_flight_ > 0 || !pending_.empty())) break;
    total -= segment.bytes;
    start = std::max(start, segment.next_offset);
    all = is_active;
  }
  bool has_old = segments_.size() > 1 && segments_.front()->end().offset <= start_offset_;
  if (start == start_offset_ && !has_old && !all) return;
  if (!producers_.is_loaded()) {
    // What the records that go say of their producers must be known before: the next pass goes on.
    return with_producers([] {});
  }
  advancing_start_ = true;
  is_held_ = all;
  shard_.add(StartEntry{id_, start, all},
             [self = weak_from_this(), start, all](const Result<void>& written) {
               std::shared_ptr<PartitionLog> log = self.lock();
               if (!log) return;
               log->advancing_start_ = false;
               if (written) log->start_advanced(start, all);
               log->release_hold();
             });
}

void PartitionLog::release_hold() {
  is_held_ = false;
  if (!pending_.empty()) enqueue();
}

void PartitionLog::start_advanced(Offset offset, bool all) {
  if (removed_) return;
  start_offset_ = std::max(start_offset_, offset);
  producers_.start_advanced(start_offset_, committed_end_);
  drop_segments(all);
  publish();
  notify();
}

void PartitionLog::drop_segments(bool all) {
  std::vector<std::string> paths;
  while (!segments_.empty() && segments_.front()->end().offset <= start_offset_ &&
         (segments_.size() > 1 || all)) {
    paths.push_back(segments_.front()->path());
    segments_.front()->set_retired();
    segments_.erase(segments_.begin());
    context_.metrics.segments.add(-1);
  }
  if (paths.empty()) return;
  auto gone = [this](const OffsetRange& range) { return range.next <= start_offset_; };
  std::size_t before = damage_.size();
  std::erase_if(damage_, [&](const Damage& damage) { return gone(damage.offsets); });
  context_.metrics.damaged_ranges.add(static_cast<std::int64_t>(damage_.size()) -
                                      static_cast<std::int64_t>(before));
  std::erase_if(gaps_, gone);
  auto job = [&files = context_.files, paths, directory = context_.layout.partition(id_)] {
    for (const std::string& path : paths) remove_segment(files, path);
    Result<void> synced = files.sync_directory(directory);
    if (!synced) log_debug("{}: {}", directory, synced.error().what);
  };
  shard_.at_home([background = context_.background, job = std::move(job)]() mutable {
    background->remove(std::move(job), [] {});
  });
}

void PartitionLog::accept_loss(OffsetRange range, UniqueFunction<void(Result<void>)> done) {
  std::vector<OffsetRange> unread = unreadable(damage_, gaps_);
  bool within = std::any_of(unread.begin(), unread.end(), [&](const OffsetRange& r) {
    return r.base <= range.base && range.base < range.next && range.next <= r.next;
  });
  if (!within) {
    executor().post([done = std::move(done), range]() mutable {
      done(leat::fail(Errc::invalid_argument,
                      fmt::format("records {} to {} are not damaged, so they cannot be given up",
                                  range.base.value(), range.next.value())));
    });
    return;
  }
  auto durable = [self = weak_from_this(), range,
                  done = std::move(done)](const Result<void>& written) mutable {
    std::shared_ptr<PartitionLog> log = self.lock();
    if (written && log) {
      add_range(log->gaps_, range);
      log->publish();
      log->notify();
    }
    done(written);
  };
  shard_.add(GapEntry{id_, range}, std::move(durable));
}

void PartitionLog::record_damage(const Damage& damage) {
  auto before = static_cast<std::int64_t>(damage_.size());
  if (!add_damage(damage_, damage)) return;
  context_.metrics.damaged_ranges.add(static_cast<std::int64_t>(damage_.size()) - before);
  publish();
  shard_.add(DamageEntry{id_, damage}, [](const Result<void>&) {});
}

}  // namespace leat::log
