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
