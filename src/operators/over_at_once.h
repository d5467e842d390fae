// OVER that judges rows as they come.
#pragma once

#include <memory>
#include <vector>

#include "operators/over_operator.h"

namespace leat::operators {

/// plan::Over that gives each row when it comes, judged by the rows that came before it: with those
/// of them that are in its frame.
///
/// Keeps the rows that event time has not passed, and what Over keeps. A row that is not the last
/// of its key by event time costs as much as its frame has rows.
class OverAtOnce : public OverOperator {
 public:
  /// REQUIRES: `node` is a plan::Over that emits at once.
  explicit OverAtOnce(const plan::BoundNode& node) : OverOperator(node) {}

  std::unique_ptr<OperatorState> make_state() const override;
  Result<void> advance(OperatorState& state, Watermark watermark, Context& context) const override;

 private:
  class State;

  Result<void> take(OperatorState& state, const column::Chunk& chunk,
                    std::vector<std::uint32_t> rows, Context& context) const override;
};

}  // namespace leat::operators
