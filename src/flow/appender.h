// Records that a program appends to its own log, many at a time.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "leat/record.h"
#include "stream/output_batches.h"
#include "stream/topic_store.h"

namespace leat::flow {

/// Collects records into batches and appends these without waiting for one another. Memory is
/// bounded by what is under way. Thread-safe; store and clock outlive it.
class Appender {
 public:
  Appender(stream::TopicStore& store, const Clock& clock)
      : store_(store), clock_(clock), shared_(std::make_shared<Shared>()) {}

  /// Copies the record. Waits only while much is under way. Also tells what went wrong with those
  /// before.
  Result<void> send(const OutRecord& record);
  /// Until all are durable.
  Result<void> flush();
  /// This record alone; its offset, once it is durable.
  Result<Offset> append(const OutRecord& record);

 private:
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t in_flight_bytes = 0;   // guarded by mutex, as is all here
    std::optional<leat::Error> error;  // not flow::Error, which users see
  };
  Result<TopicPartition> place_of(const OutRecord& record);
  void add(stream::OutputBatches& batches, const TopicPartition& to, const OutRecord& record) const;
  void hand_over();
  Result<void> wait(std::size_t bytes_at_most);

  stream::TopicStore& store_;
  const Clock& clock_;
  std::mutex mutex_;
  // Guarded by mutex_:
  std::optional<stream::Topic> topic_;  // the last record's
  stream::OutputBatches batches_;
  std::size_t collected_bytes_ = 0;
  std::shared_ptr<Shared> shared_;  // callbacks may outlive this
};

}  // namespace leat::flow
