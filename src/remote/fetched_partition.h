// What was fetched of a partition and is not read yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "base/ids.h"
#include "base/result.h"
#include "client/aborted_batches.h"
#include "client/fetch_plan.h"
#include "stream/topic_store.h"

namespace leat::remote {

/// Between one thread that reads and one that fetches. What is read is checked and, where it is of
/// aborted transactions, hidden by the reader's thread, since there may be many of those.
class FetchedPartition {
 public:
  FetchedPartition(std::string topic, std::int32_t number)
      : topic_(std::move(topic)), number_(number) {}

  // For the thread that reads:

  /// For the thread that fetches.
  struct Told {
    /// To begin anew there, since something else is read than was before.
    std::optional<Offset> seek;
    /// Something that waited was taken.
    bool has_taken = false;
  };
  /// As TopicReader::read().
  Result<stream::Batches> read(Offset from, std::size_t max_bytes, Told& told);
  /// As TopicReader::when_readable().
  void when_readable(Offset offset, Work wake, Told& told);

  // For the thread that fetches:

  /// Takes what comes next; anything else is of before the last seek, and is not wanted.
  void add(client::Fetched fetched);
  /// Reading fails with that, behind what was fetched, until it seeks.
  void fail_with(Error error);

  // For any thread:

  /// It is known to go as far as that: it ends nowhere before, whatever a new leader may say, which
  /// lags behind for a moment.
  void reaches(Offset end);
  Offset end() const;
  /// Fetched, and not given to the reader.
  std::size_t bytes() const;

 private:
  /// One answer's part.
  struct Part {
    client::AbortedBatches aborted;
    BytesView left;
    std::shared_ptr<const void> owner;
  };
  using Wakes = std::vector<Work>;

  bool seeks(Offset from) const { return !next_ || *next_ != from; }
  void begin_at(Offset from);
  Result<BytesView> give(Part& part, std::size_t max_bytes);
  Error corrupt(Offset offset, const std::string& what) const;

  const std::string topic_;
  const std::int32_t number_;
  // The reader's:
  Part part_;
  std::optional<Offset> next_;

  mutable std::mutex mutex_;
  // Guarded by mutex_:
  std::deque<client::Fetched> waiting_;
  std::size_t bytes_ = 0;
  /// Where what comes next must begin.
  Offset fetched_to_;
  Offset end_;
  std::optional<Error> error_;
  std::vector<std::pair<Offset, Work>> wakes_;
};

}  // namespace leat::remote
