// What a function gives, until it is a chunk.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "column/chunk.h"
#include "operators/process.h"

namespace leat::operators {

/// Collects the rows of one call after the other. Not thread-safe.
class ProcessOutput {
 public:
  ProcessOutput(const column::Schema& schema, std::int32_t node);

  /// The rows to come belong to this row; `rest` is copied.
  void begin_call(std::int64_t time_ms, const column::Position& position,
                  std::int64_t watermark_ms);
  /// To a timer of that key.
  void begin_timer(std::int64_t time_ms, std::string_view key);
  ProcessRows& begin_row();
  /// A row that has not all its cells is dropped.
  void end_call() { drop_broken(); }

  /// Pushes what there is, or only full chunks.
  Result<void> push(Context& context);
  Result<void> push_full(Context& context);

 private:
  void start();
  void drop_broken();
  std::size_t rows() const { return context_->event_times_ms.size(); }
  void finish_chunk();

  const column::Schema& schema_;
  std::int32_t node_;
  // Of the call.
  std::int64_t time_ms_ = 0;
  std::uint64_t origin_ = 0;
  std::int64_t place_ = 0;
  std::int64_t watermark_ms_ = 0;
  std::string rest_;
  std::int64_t number_ = 0;
  // Of the chunk.
  std::unique_ptr<ProcessRows> rows_;
  std::shared_ptr<column::RowContext> context_;
  std::uint64_t serial_ = 0;
  std::vector<column::Chunk> full_;
};

}  // namespace leat::operators
