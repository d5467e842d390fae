// OVER whose frames are the rows of one time.
#pragma once

#include <memory>
#include <vector>

#include "operators/over_operator.h"

namespace leat::operators {

/// plan::Over by watermark whose frame is a range of no time: a row counts for those of its key
/// that have its time, and for no others. So nothing slides, and nothing is kept of a key: rows
/// whose time has passed are added up by time and key, and each gets what its own come to.
///
/// Keeps the rows that event time has not passed. Those that windows and joins give come in the
/// order of time when event time has just passed them: they are handed on as they lie in their
/// chunks, and never copied.
class OverPeers : public OverOperator {
 public:
  /// REQUIRES: `node` is a plan::Over that emits by watermark, with such a frame.
  explicit OverPeers(const plan::BoundNode& node) : OverOperator(node) {}

  std::unique_ptr<OperatorState> make_state() const override;
  Result<void> advance(OperatorState& state, Watermark watermark, Context& context) const override;

 private:
  class State;

  Result<void> take(OperatorState& state, const column::Chunk& chunk,
                    std::vector<std::uint32_t> rows, Context& context) const override;
};

}  // namespace leat::operators
