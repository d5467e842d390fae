// OVER that judges rows as they come.
#pragma once

#include <memory>
#include <vector>

#include "operators/operator.h"
#include "operators/over_parts.h"

namespace leat::operators {

/// plan::Over that gives each row when it comes, judged by the rows that came before it: with those
/// of them that are in its frame. Rows behind their watermark are late.
///
/// Keeps the rows that event time has not passed, and what Over keeps. A row that is not the last
/// of its key by event time costs as much as its frame has rows.
class OverAtOnce : public Operator {
 public:
  /// REQUIRES: `node` is a plan::Over that emits at once.
  explicit OverAtOnce(const plan::BoundNode& node) : parts_(node) {}

  std::unique_ptr<OperatorState> make_state() const override;
  Result<void> process(OperatorState& state, std::size_t input, const column::Chunk& chunk,
                       Context& context) const override;
  Result<void> advance(OperatorState& state, Watermark watermark, Context& context) const override;
  std::vector<std::size_t> gathers_by(std::size_t) const override { return parts_.keys; }
  bool needs_all() const override { return parts_.keys.empty(); }

 private:
  class State;

  OverParts parts_;
};

}  // namespace leat::operators
