// Rows that were among the first of their key when they were judged.
#pragma once

#include <memory>
#include <vector>

#include "operators/operator.h"
#include "operators/row_order.h"
#include "plan/bound_plan.h"

namespace leat::operators {

/// plan::Top that judges a row once, when it comes (`at_once`) or when event time has passed it
/// (`watermark`); top_changes.h has the other one. Rows behind their watermark are late.
///
/// Keeps the rows that event time has not passed, unless they are judged at once, and for each key
/// there ever was the orderings of its first `limit` rows.
class Top : public Operator {
 public:
  /// REQUIRES: `node` is a plan::Top that does not emit updates, `input` the schema of its input.
  Top(const plan::BoundNode& node, const column::Schema& input);

  std::unique_ptr<OperatorState> make_state() const override;
  Result<void> process(OperatorState& state, std::size_t input, const column::Chunk& chunk,
                       Context& context) const override;
  Result<void> advance(OperatorState& state, Watermark watermark, Context& context) const override;
  std::vector<std::size_t> gathers_by(std::size_t) const override { return keys_; }
  bool needs_all() const override { return keys_.empty(); }

 private:
  class State;

  std::vector<column::Type> input_types_;
  column::Schema schema_;
  std::vector<std::size_t> keys_;
  RowOrder order_;
  std::size_t limit_;
  bool ties_;
  bool ranked_;
  bool at_once_;
};

}  // namespace leat::operators
