// Rows as JSON records of a topic.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "column/chunk.h"
#include "stream/expression.h"
#include "stream/output_batches.h"

namespace leat::stream {

/// Writes a SinkPlan's records. The partition is that of the key as Kafka's default partitioner
/// gives it; without a key it is 0, or for a source's rows the number of their own partition,
/// modulo the topic's. Not thread-safe.
class TopicSink {
 public:
  /// `keys` are columns of `schema`.
  TopicSink(Schema schema, std::vector<std::size_t> keys, Topic topic);

  void write(const column::Chunk& chunk, OutputBatches& out);
  /// The value of one row's record.
  std::string value_of(const column::Chunk& chunk, std::uint32_t row);

 private:
  void append_value(std::string& out, const column::Chunk& chunk, std::uint32_t row);
  void append_time(std::string& out, std::size_t column, const column::Vector& times,
                   std::uint32_t row);
  /// False if the key is null.
  bool append_key(std::string& out, const column::Chunk& chunk, std::uint32_t row) const;

  Schema schema_;
  std::vector<std::string> names_;  // of the columns, as JSON and with a colon
  std::vector<std::size_t> keys_;
  Topic topic_;
  // The last time of each column: those of a window's rows are all the same.
  struct TimeText {
    std::int64_t ms = 0;
    std::string json;
  };
  std::vector<TimeText> times_;
  std::string key_;
  std::string value_;
};

}  // namespace leat::stream
