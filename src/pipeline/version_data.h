// What versions find and leave in a data directory, beside what their runs do.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_function.h"
#include "pipeline/log_position.h"
#include "pipeline/positions.h"
#include "pipeline/time_before.h"

namespace leat::pipeline {

/// Where a version stands still, and so where another one can take over.
struct Halt {
  Positions at;
  /// What lies before that and has not been read, because it is gone: a sentence each.
  std::vector<std::string> lost;
};

/// Thread-safe. `Done` is called later, on any thread; other calls may block for the disk.
class VersionData {
 public:
  using Done = UniqueFunction<void(Result<void>)>;
  virtual ~VersionData() = default;

  /// Where `position` is in each partition of the topics; those that are not there have none.
  /// Errc::offset_out_of_range, naming the partition, for an offset that it does not have.
  virtual Result<Positions> find(const std::vector<std::string>& topics,
                                 const LogPosition& position) = 0;
  /// Whether all is there that an owner has read since it began, so that its epochs may be
  /// repeated: else an error that says what is not.
  virtual Result<void> check_repeatable(const std::string& owner) = 0;
  /// Where an owner's last committed epoch ends, found without a run, which may not be possible any
  /// more: in what there is now. REQUIRES: no run of it. Errors if that cannot be known.
  virtual Result<Halt> find_halt(const std::string& owner) = 0;
  /// How far event time had come before these places in what the plan reads.
  virtual Result<TimeBefore> time_before(const plan::Plan& plan, const Positions& at) = 0;
  /// Removes what an owner has committed and its snapshots. Of one that has none nothing.
  virtual void remove_epochs(const std::string& owner, Done done) = 0;
  /// A topic that is not there has been deleted.
  virtual void delete_topic(const std::string& name, Done done) = 0;
};

}  // namespace leat::pipeline
