// Records passed on with a note of where they came from and why: late ones and bad ones.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "column/chunk.h"
#include "record/record.h"
#include "stream/output_batches.h"

namespace leat::stream {

// Key, value, timestamp and headers are the record's own. Added headers, all text:
//   leat.topic leat.partition leat.offset leat.timestamp    where it was read; timestamp in ms
//   leat.reason                                             why it is here
//   leat.pipeline                                           which pipeline wrote it
// A record written again from such a topic gets them again: the last of each name counts.

/// Writes records to the partition of `to` that has the number of their own.
class Provenance {
 public:
  /// `source` is the topic's name.
  Provenance(std::string pipeline, std::string source, Topic to)
      : pipeline_(std::move(pipeline)), source_(std::move(source)), to_(std::move(to)) {}

  void write(PartitionId partition, const record::Record& record, const std::string& reason,
             OutputBatches& out) const;
  /// The records that these late rows, in rising order, were read from.
  Result<void> write_late(const column::Chunk& chunk, const std::vector<std::uint32_t>& rows,
                          OutputBatches& out) const;
  /// A result without a record of its own, to partition 0.
  void write_rejected(const std::string& value, std::int64_t timestamp_ms,
                      const std::string& reason, OutputBatches& out) const;

 private:
  struct LateRow;
  Result<void> write_from(const column::Buffer& buffer, const std::vector<LateRow>& late,
                          std::size_t& next, OutputBatches& out) const;

  std::string pipeline_;
  std::string source_;
  Topic to_;
};

}  // namespace leat::stream
