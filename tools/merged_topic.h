// The records of a topic's partitions as one sequence, by time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "leat/blocking.h"
#include "tools/topic_parts.h"

namespace leat::tools {

/// Reads every partition in the order of its offsets, and takes next the record whose time is
/// least. The time of a record is the largest timestamp in its partition up to it: one that is out
/// of order goes with the one before it, and one without a timestamp too. Of equal times the lower
/// partition goes first. Holds some fetched batches of each partition, and a decompressed one.
/// Not thread-safe.
class MergedTopic {
 public:
  /// REQUIRES: every range has an end that the partition has reached.
  MergedTopic(ClientOptions connect, const std::string& topic, const std::vector<TopicPart>& parts);
  ~MergedTopic();

  struct Next {
    /// Never goes back; nothing while no record had any timestamp.
    std::optional<std::int64_t> time_ms;
    const InRecord* record = nullptr;
  };
  /// Valid until the next call; nothing at the end. Waits for brokers.
  std::optional<Next> next();

  /// Offsets that were gone through, and all that there are to go through.
  std::int64_t offsets_done() const;
  std::int64_t offsets_total() const { return offsets_total_; }

 private:
  class Stream;
  static bool is_later(const Stream* a, const Stream* b);
  /// Puts the stream into the heap, with its next record, if there is one.
  void advance(Stream& stream);
  /// Polls once, for a stream that has nothing.
  void fetch(Stream& stream);
  void rest_others(const Stream& stream);

  blocking::Consumer consumer_;
  std::map<std::int32_t, std::unique_ptr<Stream>> streams_;  // by partition
  std::vector<Stream*> heap_;  // those whose head is known, the next one first
  bool is_started_ = false;
  std::int64_t offsets_total_ = 0;
};

}  // namespace leat::tools
