// What versions find and leave in a data directory, beside what their runs do.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_function.h"
#include "pipeline/log_position.h"
#include "pipeline/positions.h"

namespace leat::pipeline {

/// Thread-safe. `Done` is called later, on any thread; other calls may block for the disk.
class VersionData {
 public:
  using Done = UniqueFunction<void(Result<void>)>;
  virtual ~VersionData() = default;

  /// Where `position` is in each partition of the topics; those that are not there have none.
  /// Errc::offset_out_of_range, naming the partition, for an offset that it does not have.
  virtual Result<Positions> find(const std::vector<std::string>& topics,
                                 const LogPosition& position) = 0;
  /// Removes what an owner has committed and its snapshots. Of one that has none nothing.
  virtual void remove_epochs(const std::string& owner, Done done) = 0;
  /// A topic that is not there has been deleted.
  virtual void delete_topic(const std::string& name, Done done) = 0;
};

}  // namespace leat::pipeline
