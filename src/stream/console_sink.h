// Rows for people: lines of JSON or CSV.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "column/chunk.h"
#include "column/row_text.h"
#include "plan/bound_plan.h"

namespace leat::stream {

/// Writes whole lines, those of a chunk together; of CSV the names first. Of rows that are changed
/// later `leat.kind` says in front of each what happens to it; `upsert` leaves out what a row was
/// before. Not thread-safe.
class ConsoleSink {
 public:
  using Write = std::function<Result<void>(std::string_view lines)>;
  ConsoleSink(const plan::BoundNode& sink, Write write);

  Result<void> write(const column::Chunk& chunk);

 private:
  void append_row(const column::Chunk& chunk, std::uint32_t row, column::RowKind kind);

  Write write_;
  bool csv_;
  bool revises_;
  bool all_changes_;
  bool begun_ = false;
  column::JsonRows objects_;
  column::CsvRows lines_;
  std::string text_;
};

}  // namespace leat::stream
