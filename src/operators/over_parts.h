// What the operators of plan::Over share.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "operators/over_inputs.h"
#include "operators/frames.h"
#include "operators/operator.h"
#include "operators/row_store.h"
#include "plan/bound_plan.h"

namespace leat::operators {

/// A plan::Over, for itself.
struct OverParts {
  /// REQUIRES: `node` is a plan::Over.
  explicit OverParts(const plan::BoundNode& node);
  OverParts(const OverParts&) = delete;

  /// Whether rows leave frames.
  bool slides() const { return frame.range_ms || frame.rows; }

  column::Schema input;
  column::Schema schema;
  std::vector<std::size_t> keys;
  plan::Frame frame;
  std::vector<plan::Aggregate> aggregates;
  std::vector<plan::BoundAggregate> bound;  // of these
  OverInputs inputs;
};

/// Rows and what aggregates gave for each of them.
struct OverRows {
  std::span<const RowId> rows;
  Frames::Results results;                 // in a cell for each
  std::span<const column::RowKind> kinds;  // or none, if all are inserts
};

/// Pushes them, and rejects those that a result failed for.
Result<void> push_over(const OverParts& parts, const RowStore& store, const OverRows& over,
                       Context& context);

}  // namespace leat::operators
