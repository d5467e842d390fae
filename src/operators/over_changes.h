// OVER that judges rows again.
#pragma once

#include <memory>
#include <vector>

#include "operators/over_operator.h"

namespace leat::operators {

/// plan::Over that gives each row as soon as it is asked for updates, and again when rows have come
/// that count for it, until event time has passed it: as changes. A row whose result is beyond
/// its type is taken back, and rejected when it cannot change any more.
///
/// Keeps the rows that event time has not passed, with what was given for each, and what Over
/// keeps. Each update costs as much as there are rows from the first one that came in between.
class OverChanges : public OverOperator {
 public:
  /// REQUIRES: `node` is a plan::Over that emits updates.
  explicit OverChanges(const plan::BoundNode& node) : OverOperator(node) {}

  std::unique_ptr<OperatorState> make_state() const override;
  Result<void> advance(OperatorState& state, Watermark watermark, Context& context) const override;
  Result<void> update(OperatorState& state, Context& context) const override;

 private:
  class State;

  Result<void> take(OperatorState& state, const column::Chunk& chunk,
                    std::vector<std::uint32_t> rows, Context& context) const override;
};

}  // namespace leat::operators
