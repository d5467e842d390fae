// Makes views again as they were, by repeating recorded epochs.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/executor.h"
#include "file/file.h"
#include "pipeline/epoch_log.h"
#include "pipeline/past_views.h"
#include "stream/topic_store.h"

namespace leat::pipeline {

/// From the newest snapshot before the moment, or from where the version began, in a task of its
/// own that writes nothing anywhere. Disturbs no run. The last few views are kept.
class RepeatedViews final : public PastViews {
 public:
  struct Environment {
    stream::TopicStore& topics;
    file::FileSystem& files;
    const Clock& clock;
    EpochStore& epochs;
    std::string data_directory;
    /// May be held up for long; no topic lives there.
    Executor& executor;
  };
  /// All that is given outlives what is under way.
  explicit RepeatedViews(Environment environment) : environment_(std::move(environment)) {}

  void find(PastView wanted, Done done) override;
  /// What is under way ends soon, with an error.
  void stop() { stop_ = true; }

 private:
  struct Kept {
    std::string identity;
    std::size_t number = 0;
    std::uint64_t epoch = 0;
    std::shared_ptr<const stream::View> view;
  };
  struct Place;

  Result<std::shared_ptr<const stream::View>> make(const PastView& wanted);
  std::shared_ptr<const stream::View> find_kept(const PastView& wanted, std::uint64_t epoch);
  Result<Place> find_place(const PastView& wanted, EpochReader& log);
  Result<void> look(const PastView& wanted, EpochReader& log, Place& place) const;
  Result<std::shared_ptr<const stream::View>> repeat_to(const PastView& wanted, EpochReader& log,
                                                        Place place);

  const Environment environment_;
  std::atomic<bool> stop_{false};
  std::list<Kept> kept_;  // on the executor; the one that was used last comes first
};

}  // namespace leat::pipeline
