// What of a log is to be compacted, and how what comes of it takes its place.
#include <algorithm>
#include <utility>

#include "base/logging.h"
#include "log/background.h"
#include "log/committer.h"
#include "log/compactor.h"
#include "log/partition_log.h"
#include "log/quarantine.h"
#include "log/shard.h"

namespace leat::log {

void PartitionLog::offer_compaction() {
  if (!options_.is_compacted || is_compacting_ || removed_ || stopped_ || context_.failure ||
      context_.is_closing || context_.options.compaction_bytes_per_second == 0) {
    return;
  }
  if (!has_producers()) {
    // Which transactions were aborted; the next call goes on.
    return load_producers([](const Result<void>&) {});
  }
  std::shared_ptr<const LogView> now = view();
  if (!now->last_stable_offset) return;
  CompactionPlan plan;
  std::int64_t now_ms = context_.clock.wall_ms();
  if (context_.clock.monotonic() < compaction_pause_) return;
  std::uint64_t clean_bytes = 0;
  std::uint64_t dirty_bytes = 0;
  bool is_overdue = false;
  for (std::size_t i = 0; i + 1 < segments_.size(); ++i) {
    SegmentState segment = segments_[i]->state();
    if (now_ms - segment.last_append_ms < options_.min_compaction_lag_ms ||
        segment.next_offset > *now->last_stable_offset) {
      break;
    }
    // Its seal is about to be written. One that is damaged may never get one.
    if (!segment.sealed && segments_[i]->damage().empty()) break;
    bool is_dirty = segment.next_offset > compacted_to_;
    (is_dirty ? dirty_bytes : clean_bytes) += segment.bytes;
    is_overdue = is_overdue ||
                 (is_dirty && now_ms - segment.first_append_ms >= options_.max_compaction_lag_ms);
    plan.segments.push_back(segments_[i]);
  }
  if (dirty_bytes == 0) return;
  double ratio = static_cast<double>(dirty_bytes) / static_cast<double>(dirty_bytes + clean_bytes);
  if (ratio < options_.min_cleanable_dirty_ratio && !is_overdue) return;
  plan.id = id_;
  if (now->aborted) plan.aborted = now->aborted->all();
  if (!std::exchange(strays_cleared_, true)) {
    plan.known.emplace();
    for (const auto& segment : segments_) plan.known->push_back(segment->state());
  }
  plan.dirty_from = compacted_to_;
  plan.segment_bytes = static_cast<std::uint64_t>(options_.segment_bytes);
  plan.tombstones = {now_ms, options_.delete_retention_ms};
  plan.settings.index_interval_bytes =
      static_cast<std::uint64_t>(std::max<std::int64_t>(1, options_.index_interval_bytes));
  plan.map_bytes_max = context_.options.compaction_map_bytes;
  plan.free_bytes_min = context_.options.free_bytes_min;
  is_compacting_ = true;
  shard_.at_home(
      [compactor = context_.compactor, log = shared_from_this(), plan = std::move(plan)]() mutable {
        compactor->offer(std::move(log), std::move(plan));
      });
}

void PartitionLog::compacted(std::optional<Offset> to) {
  constexpr std::chrono::minutes pause{1};
  is_compacting_ = false;
  if (to) {
    compacted_to_ = std::max(compacted_to_, *to);
  } else {
    compaction_pause_ = context_.clock.monotonic() + pause;
  }
}

void PartitionLog::replace(Replacement replacement) {
  auto first = std::find(segments_.begin(), segments_.end(), replacement.old.front());
  auto count = static_cast<std::ptrdiff_t>(replacement.old.size());
  // Retention may have removed some meanwhile.
  bool are_there = !removed_ && segments_.end() - first > count &&
                   std::equal(replacement.old.begin(), replacement.old.end(), first);
  // Whoever has an older view goes on reading the old files, whose names are about to go.
  for (const auto& old : replacement.old) are_there = are_there && old->keep_open();
  file::FileSystem& files = context_.files;
  if (!are_there) {
    auto job = [&files, path = replacement.path] { remove_segment(files, path); };
    shard_.at_home([background = context_.background, job = std::move(job)]() mutable {
      background->remove(std::move(job), [] {});
    });
    return;
  }
  for (const auto& old : replacement.old) old->set_retired();
  auto at = segments_.erase(first, first + count);
  segments_.insert(at, make_segment(replacement.state));
  context_.metrics.segments.add(-count);
  publish();
  std::vector<std::string> paths;
  for (const auto& old : replacement.old) paths.push_back(old->path());
  shard_.at_home([log = shared_from_this(), state = replacement.state, paths = std::move(paths)] {
    log->commit_replacement(state, paths);
  });
}

/// The old files go when a checkpoint names the new one; a crash before that has both.
void PartitionLog::commit_replacement(const SegmentState& state,
                                      const std::vector<std::string>& paths) {
  if (ledger_.is_removed) return;
  replace_segments(ledger_.state, state);
  auto job = [&files = context_.files, paths, directory = context_.layout.partition(id_)] {
    for (const std::string& path : paths) remove_segment(files, path);
    Result<void> synced = files.sync_directory(directory);
    if (!synced) log_debug("{}: {}", directory, synced.error().what);
  };
  context_.committer->request_checkpoint([background = context_.background, job = std::move(job)](
                                             const Result<void>& written) mutable {
    if (written) background->remove(std::move(job), [] {});
  });
}

}  // namespace leat::log
