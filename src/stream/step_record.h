// What one step of a task did, for doing it again.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "operators/watermark.h"

namespace leat::stream {

/// What happened in a run that does not follow from the log: the input was idle until it gave the
/// record at `offset`, and its watermark was raised to the pipeline's.
struct Decision {
  std::uint32_t input = 0;  // the task's number of it: a partition of a source
  Offset offset;
  operators::Watermark watermark = operators::watermark_min;
  bool operator==(const Decision&) const = default;
};

/// One step: which records it consumed, and what of it does not follow from them. A task of the
/// same plan, in the state that the one before had, does the same step by Task::repeat().
struct StepRecord {
  /// An input that moved: it consumed what it had up to `next`.
  struct Consumed {
    std::uint32_t input = 0;
    Offset next;
    /// How many records that was. Where offsets alone would not tell, this does: some may be gone
    /// by compaction.
    std::uint64_t records = 0;
    bool operator==(const Consumed&) const = default;
  };

  /// What now() was.
  std::int64_t now_ms = 0;
  /// The pipeline's, after it.
  operators::Watermark watermark = operators::watermark_min;
  /// It was Task::flush().
  bool flushed = false;
  /// By rising numbers, each once.
  std::vector<Consumed> consumed;
  /// Inputs that are idle after it, by rising numbers.
  std::vector<std::uint32_t> idle;
  /// By rising numbers of inputs, each once. One behind what its input consumed counts from the
  /// next row on.
  std::vector<Decision> decisions;
  /// Something came out, or the task is not what it was. Without, the step need not be kept, and
  /// the next one can be repeated all the same; so it is not written.
  bool moved = true;

  bool operator==(const StepRecord&) const = default;

  /// The grammar is in step_record.cpp; whoever keeps it keeps its version.
  void encode(ByteWriter& writer) const;
  /// Takes one record from where `reader` is. Errc::corrupt_message for what encode() never writes;
  /// whether the numbers of inputs are those of a plan, Task::repeat() sees.
  static Result<StepRecord> decode(ByteReader& reader);
};

}  // namespace leat::stream
