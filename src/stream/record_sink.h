// Rows as records of a topic.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "column/chunk.h"
#include "column/row_text.h"
#include "plan/bound_plan.h"
#include "stream/output_batches.h"

namespace leat::stream {

/// The value is a JSON object of all columns, or a line of CSV without its end, the timestamp the
/// event time. The key is the bare
/// text of a single key column, none where that is NULL, else an object. The partition is that of
/// the key as Kafka's default partitioner gives it; without a key it is the row's own, modulo the
/// topic's. Of rows that change later `upsert` writes each version, and a key without value where
/// one is gone; `all` writes each change, with its kind as the header `leat.kind`: insert,
/// update_before, update_after, delete. Not thread-safe.
class RecordSink {
 public:
  RecordSink(const plan::BoundNode& sink, Topic topic);

  void write(const column::Chunk& chunk, OutputBatches& out);

 private:
  void write_row(const column::Chunk& chunk, std::uint32_t row, std::int32_t partition,
                 OutputBatches& out);
  /// False if there is none.
  bool make_key(const column::Chunk& chunk, std::uint32_t row);
  void make_value(const column::Chunk& chunk, std::uint32_t row);

  Topic topic_;
  std::vector<std::size_t> keys_;
  bool all_changes_;
  bool csv_;
  column::JsonRows objects_;
  column::CsvRows lines_;
  column::JsonRows key_objects_;
  std::string key_;
  std::string value_;
};

/// "insert", "update_before", "update_after", "delete".
std::string_view kind_name(column::RowKind kind);

}  // namespace leat::stream
