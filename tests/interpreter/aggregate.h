// Aggregates over all rows of a group, anew each time.
#pragma once

#include "interpreter/row.h"
#include "plan/bound_plan.h"

namespace leat::interpreter {

/// What one aggregate needs of a row, evaluated once.
struct AggregateInput {
  bool counts = true;  // passes the filter
  plan::Value argument;
  plan::Value order_by;
};

/// A row as the aggregates of a node see it.
struct GroupedRow {
  const Row* row = nullptr;
  std::vector<AggregateInput> inputs;  // one for each aggregate
};

/// Throws BadValue if one cannot be evaluated. Arguments of rows that a filter leaves out are not.
GroupedRow group_row(const plan::BoundNode& node, const Row& row, std::int64_t now_ms);

/// One value for each aggregate. REQUIRES: rows in the order of time. Throws BadValue if one is out
/// of its type's range.
Values aggregate(const plan::BoundNode& node, const std::vector<GroupedRow>& rows);

}  // namespace leat::interpreter
