// Views as they were, and those of versions that are not at work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/unique_function.h"
#include "plan/plan.h"
#include "stream/view.h"

namespace leat::pipeline {

/// One of a version's views at one moment: behind its newest epoch if nothing else is said.
struct PastView {
  std::string name;  // for messages
  std::string pipeline;
  std::uint32_t version = 1;
  plan::Plan plan;
  /// Behind the names of what it writes to now.
  std::string suffix;
  /// The number of its sink among those that are views.
  std::size_t number = 0;
  /// What tells its epochs from those that another one had under its owner's name.
  std::string identity;
  /// Only ends of runs are moments: of a batch nothing else is seen.
  bool is_batch = false;

  /// Behind this epoch.
  std::optional<std::uint64_t> epoch = {};
  /// Behind the last one that was made by then.
  std::optional<std::int64_t> time_ms = {};
};

/// Thread-safe.
class PastViews {
 public:
  /// A view that stands still, there. Errc::offset_out_of_range for a moment that is not there,
  /// Errc::not_found if there is none yet.
  using Done = UniqueFunction<void(Result<std::shared_ptr<const stream::View>>)>;
  virtual ~PastViews() = default;
  /// `done` later, on any thread.
  virtual void find(PastView wanted, Done done) = 0;
};

}  // namespace leat::pipeline
