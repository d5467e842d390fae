// One row of those with the same keys.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "operators/operator.h"
#include "plan/bound_plan.h"

namespace leat::operators {

/// plan::Dedup that gives a row once, when it comes (`at_once`) or when event time has passed it
/// (`watermark`); dedup_changes.h has the other one. Rows behind their watermark are late.
///
/// Keeps the rows that event time has not passed, unless they are judged at once, and the keys:
/// those of the last horizon, or all there ever were; to keep the last one also its row for each.
class Dedup : public Operator {
 public:
  /// REQUIRES: `node` is a plan::Dedup that does not emit updates.
  Dedup(const plan::BoundNode& node);

  std::unique_ptr<OperatorState> make_state() const override;
  Result<void> process(OperatorState& state, std::size_t input, const column::Chunk& chunk,
                       Context& context) const override;
  Result<void> advance(OperatorState& state, Watermark watermark, Context& context) const override;
  /// The last row of a key is known a horizon behind its first one.
  Watermark passes_on(Watermark watermark) const override;
  std::vector<std::size_t> gathers_by(std::size_t) const override { return keys_; }

 private:
  class State;

  column::Schema schema_;
  std::vector<std::size_t> keys_;
  bool keeps_last_;
  bool at_once_;
  std::optional<std::int64_t> horizon_ms_;
};

}  // namespace leat::operators
