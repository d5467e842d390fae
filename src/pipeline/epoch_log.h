// The epochs of one version, as records of a topic, committed together with what they gave.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/unique_function.h"
#include "stream/output_batches.h"

namespace leat::pipeline {

/// Committed epochs of an owner, in their order. For one thread at a time.
class EpochReader {
 public:
  struct Entry {
    Offset offset;
    Bytes record;
  };

  virtual ~EpochReader() = default;
  /// The topic that has them, for messages.
  virtual const std::string& topic() const = 0;
  /// Records from `from` on, some `max_bytes` of them but at least one; none at the end.
  virtual Result<std::vector<Entry>> read(Offset from, std::size_t max_bytes) = 0;
  /// What is committed now lies before it, what is committed later does not.
  virtual Result<Offset> end() = 0;
};

/// The same for who commits them.
class EpochLog : public EpochReader {
 public:
  using Done = UniqueFunction<void(Result<void>)>;
  /// Appends the record and the batches, all of it or nothing, and calls `done` once, on any
  /// thread, when that is durable and readers of committed records see it. One at a time: REQUIRES
  /// that the one before is done. After an error nothing more can be committed: open it again.
  virtual void commit(Bytes record, std::vector<stream::OutputBatch> output, Done done) = 0;
};

/// The epochs of all owners. Thread-safe; calls may block for the disk, so they must not be made on
/// an executor of the topics.
class EpochStore {
 public:
  virtual ~EpochStore() = default;
  /// To go on with those of `owner`: made if there are none, and what a crash has left is decided.
  /// Whoever had it open before can commit no more.
  virtual Result<std::unique_ptr<EpochLog>> open(const std::string& owner) = 0;
  /// Disturbs nobody. Errc::unknown_topic_or_partition if there are none.
  virtual Result<std::unique_ptr<EpochReader>> read(const std::string& owner) = 0;
};

}  // namespace leat::pipeline
