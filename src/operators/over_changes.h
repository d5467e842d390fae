// OVER that judges rows again.
#pragma once

#include <memory>
#include <vector>

#include "operators/operator.h"
#include "operators/over_parts.h"

namespace leat::operators {

/// plan::Over that gives each row as soon as it is asked for updates, and again when rows have come
/// that count for it, until event time has passed it: as changes. Rows behind their watermark are
/// late. A row whose result is beyond its type is taken back, and rejected when it cannot change
/// any more.
///
/// Keeps the rows that event time has not passed, with what was given for each, and what Over
/// keeps. Each update costs as much as there are rows from the first one that came in between.
class OverChanges : public Operator {
 public:
  /// REQUIRES: `node` is a plan::Over that emits updates.
  explicit OverChanges(const plan::BoundNode& node) : parts_(node) {}

  std::unique_ptr<OperatorState> make_state() const override;
  Result<void> process(OperatorState& state, std::size_t input, const column::Chunk& chunk,
                       Context& context) const override;
  Result<void> advance(OperatorState& state, Watermark watermark, Context& context) const override;
  Result<void> update(OperatorState& state, Context& context) const override;
  std::vector<std::size_t> gathers_by(std::size_t) const override { return parts_.keys; }
  bool needs_all() const override { return parts_.keys.empty(); }

 private:
  class State;

  OverParts parts_;
};

}  // namespace leat::operators
