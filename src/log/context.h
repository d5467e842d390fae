// What the logs of one store share.
#pragma once

#include <cstdint>
#include <memory>

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
};

/// Owned by the store, which outlives its logs. Belongs to the store's executor.
struct StoreContext {
  file::FileSystem& files;
  Executor& executor;
  const Clock& clock;
  StoreOptions options;
  Layout layout;
  StoreMetrics metrics;
  Committer* committer = nullptr;
  Checkpointer* checkpointer = nullptr;
  Background* background = nullptr;
  SpaceWatch* space = nullptr;
  Scrubber* scrubber = nullptr;
  std::shared_ptr<OpenSegments> open_segments{};
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
