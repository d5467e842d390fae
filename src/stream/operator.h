// The contract of a pipeline's steps.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "column/chunk.h"
#include "base/state.h"
#include "operators/watermark.h"

namespace leat::stream {

using operators::Watermark;
using operators::watermark_max;
using operators::watermark_min;

/// What comes out of an operator. Errors end the run.
class Output {
 public:
  virtual ~Output() = default;
  virtual Result<void> push(const column::Chunk& chunk) = 0;
  /// Rows of an input chunk that came too late to count anywhere.
  virtual Result<void> push_late(const column::Chunk& chunk,
                                 const std::vector<std::uint32_t>& rows) = 0;
  /// A row that should have been pushed and has no valid result: the pipeline's policy decides.
  virtual Result<void> reject(const column::Chunk& chunk, std::uint32_t row,
                              const std::string& reason) = 0;
};

/// What changes while an operator runs. This one is that of operators that keep nothing.
class OperatorState {
 public:
  virtual ~OperatorState() = default;
  /// Writes all of it, so that restore() followed by the same input gives the same output.
  virtual void snapshot(StateWriter&) const {}
  /// REQUIRES: a new state of the same operator.
  virtual Result<void> restore(StateReader&) { return {}; }
};

/// One step. Immutable, so that several runs may share it; a state, which its own make_state()
/// made, is used from one thread at a time.
class Operator {
 public:
  virtual ~Operator() = default;
  virtual std::unique_ptr<OperatorState> make_state() const {
    return std::make_unique<OperatorState>();
  }
  /// Takes one chunk of the operator's input columns and pushes zero or more.
  virtual Result<void> process(OperatorState& state, const column::Chunk& chunk,
                               Output& output) const = 0;
  /// Event time has come to `watermark`, which never goes back. Pushes what is complete now.
  virtual Result<void> advance(OperatorState&, Watermark, Output&) const { return {}; }

  /// Whether the rows of one run may be spread over several states in any way and order, of which
  /// merge() then makes what one state would be that saw all. process() pushes only late rows then.
  virtual bool can_merge() const { return false; }
  /// Moves from `part` to `whole` what no row can change any more once event time has come to
  /// `watermark`; all of it for watermark_max. REQUIRES: can_merge().
  virtual void merge(OperatorState& /*whole*/, OperatorState& /*part*/, Watermark) const {}
};

}  // namespace leat::stream
