// Rows of two inputs that are in the same window.
#pragma once

#include <memory>
#include <vector>

#include "operators/join_output.h"
#include "operators/operator.h"
#include "operators/window_slices.h"

namespace leat::operators {

/// plan::Join of kind window. A row counts in those of its windows that end behind its watermark;
/// one with none is late. A window is joined when event time has come to its end.
///
/// Keeps the rows of windows that are not joined yet.
class WindowJoin : public Operator {
 public:
  /// REQUIRES: the plan's node of this number is such a join.
  WindowJoin(const plan::BoundPlan& plan, std::size_t node);

  std::unique_ptr<OperatorState> make_state() const override;
  Result<void> process(OperatorState& state, std::size_t input, const column::Chunk& chunk,
                       Context& context) const override;
  Result<void> advance(OperatorState& state, Watermark watermark, Context& context) const override;
  std::vector<std::size_t> gathers_by(std::size_t input) const override;

 private:
  class State;

  JoinColumns columns_;
  WindowSlices windows_;
};

}  // namespace leat::operators
