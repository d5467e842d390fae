// Work on files that nobody waits for: seals, removals. One job after the other.
#pragma once

#include <deque>
#include <memory>

#include "log/context.h"

namespace leat::log {

/// Belongs to the store's executor. What is still queued when it dies is dropped.
class Background {
 public:
  explicit Background(StoreContext& context) : context_(context) {}

  /// Runs `job` where it may block, later, then `done` on the executor. `job` must own all that it
  /// touches: it may outlive the store.
  void run(Work job, Work done);
  /// As run(), for a job that removes files: it waits while somebody holds them.
  void remove(Work job, Work done);
  /// No files are removed while it lives. May be let go on any thread, also after the store's end.
  std::shared_ptr<void> hold_files();
  /// From now on nobody holds files any more, whatever they think.
  void end_holds();
  bool idle() const { return !running_ && queue_.empty(); }
  /// Called whenever it has become idle.
  void on_idle(Work work) { on_idle_ = std::move(work); }

 private:
  struct Job {
    Work job;
    Work done;
  };
  void next();
  void finished();
  void run_held();

  StoreContext& context_;
  std::deque<Job> queue_;
  std::deque<Job> held_;  // until nobody holds files
  std::weak_ptr<void> hold_;
  Work done_;
  Work on_idle_;
  bool running_ = false;
};

}  // namespace leat::log
