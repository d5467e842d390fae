// The first rows of each key as they are by now.
#pragma once

#include <memory>
#include <vector>

#include "operators/operator.h"
#include "operators/row_order.h"
#include "plan/bound_plan.h"

namespace leat::operators {

/// plan::Top that emits updates: what has changed since the last update(). Rows behind their
/// watermark are late.
///
/// Keeps the first `limit` rows of each key there ever was, and with ties the last one's equals.
class TopChanges : public Operator {
 public:
  /// REQUIRES: `node` is a plan::Top that emits updates, `input` the schema of its input.
  TopChanges(const plan::BoundNode& node, const column::Schema& input);

  std::unique_ptr<OperatorState> make_state() const override;
  Result<void> process(OperatorState& state, std::size_t input, const column::Chunk& chunk,
                       Context& context) const override;
  Result<void> update(OperatorState& state, Context& context) const override;
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
};

}  // namespace leat::operators
