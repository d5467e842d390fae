// What the logs of one store share.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/clock.h"
#include "base/executor.h"
#include "base/metrics.h"
#include "file/file.h"
#include "log/layout.h"
#include "log/options.h"

namespace leat::log {

class Background;
class Checkpointer;
class Committer;
class Compactor;
class OpenSegments;
class Scrubber;
class SpaceWatch;

struct StoreMetrics {
  explicit StoreMetrics(Metrics& metrics);
  Counter& appends;
  Counter& append_bytes;
  Counter& commits;
  Counter& journal_bytes;
  Counter& syncs;
  Counter& failures;
  Histogram& sync_time;
  Gauge& damaged_ranges;
  Gauge& segments;
  Gauge& free_bytes;
  Gauge& is_space_low;
  Counter& scrub_bytes;
  Counter& scrub_rounds;
  Counter& scrub_findings;
  Gauge& scrub_bytes_left;
  Counter& compactions;
  Counter& compaction_bytes_read;
  Counter& compaction_bytes_written;
  Counter& compaction_records_removed;
};

/// Logs share it with the store, which dies first, when no shard runs any more: what it points to
/// is there for as long as `alive`. What may be called through it says on which executor.
struct StoreContext {
  StoreContext(file::FileSystem& file_system, Executor& home, const Clock& the_clock,
               StoreOptions store_options, Metrics& registry)
      : files(file_system),
        executor(home),
        clock(the_clock),
        options(std::move(store_options)),
        layout(options.directory),
        metrics(registry) {}

  file::FileSystem& files;
  /// The store's own, where the committer lives: home.
  Executor& executor;
  const Clock& clock;
  StoreOptions options;
  Layout layout;
  StoreMetrics metrics;
  Committer* committer = nullptr;
  Compactor* compactor = nullptr;
  Checkpointer* checkpointer = nullptr;
  Background* background = nullptr;
  SpaceWatch* space = nullptr;
  Scrubber* scrubber = nullptr;
  std::shared_ptr<OpenSegments> open_segments{};
  /// Bytes of appends that are not answered yet, of all shards.
  std::atomic<std::uint64_t> pending_bytes{0};
  /// Appends are refused from now on.
  std::atomic<bool> is_closing{false};
  /// Why the store stopped for good; set once, and the committer's.
  std::atomic<const Error*> failure{nullptr};
  /// Dies with the store: work that comes back later asks first.
  std::shared_ptr<void> alive = std::make_shared<int>(0);

  /// `work`, but nothing once the store is gone.
  template <class F>
  auto guarded(F work) const {
    return [guard = std::weak_ptr<void>(alive), work = std::move(work)](auto&&... args) mutable {
      if (auto lock = guard.lock()) work(std::forward<decltype(args)>(args)...);
    };
  }
};

}  // namespace leat::log
