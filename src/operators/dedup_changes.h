// One row of those with the same keys, as it is by now.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "operators/operator.h"
#include "plan/bound_plan.h"

namespace leat::operators {

/// plan::Dedup that emits updates: what has changed since the last update(). Rows behind their
/// watermark are late.
///
/// Keeps the rows that event time has not passed, and the keys: those of the last horizon, or all
/// there ever were; to keep the last one also its row for each.
class DedupChanges : public Operator {
 public:
  /// REQUIRES: `node` is a plan::Dedup that emits updates.
  explicit DedupChanges(const plan::BoundNode& node);

  std::unique_ptr<OperatorState> make_state() const override;
  Result<void> process(OperatorState& state, std::size_t input, const column::Chunk& chunk,
                       Context& context) const override;
  Result<void> advance(OperatorState& state, Watermark watermark, Context& context) const override;
  Result<void> update(OperatorState& state, Context& context) const override;
  std::vector<std::size_t> gathers_by(std::size_t) const override { return keys_; }

 private:
  class State;

  column::Schema schema_;
  std::vector<std::size_t> keys_;
  bool keeps_last_;
  std::optional<std::int64_t> horizon_ms_;
};

}  // namespace leat::operators
