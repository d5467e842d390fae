// What the aggregates of a node take of a chunk's rows.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "aggregate/accumulators.h"
#include "column/chunk.h"
#include "expression/evaluator.h"
#include "operators/operator.h"
#include "plan/bound_plan.h"

namespace leat::operators {

/// The columns that one chunk has for all aggregates.
struct AggregateColumns {
  std::vector<aggregate::Input> inputs;  // one for each aggregate
  std::vector<std::shared_ptr<const column::Vector>> kept;
};

/// The arguments, filters and orders of a node's aggregates as expressions over its input.
class AggregateInputs {
 public:
  AggregateInputs(const std::vector<plan::BoundAggregate>& aggregates, column::Schema input);

  /// Evaluates all for `rows`, and rejects those that have no valid value: an argument counts only
  /// where the filter is true. Gives the others.
  Result<column::Selection> evaluate(const column::Chunk& chunk, const column::Selection& rows,
                                     Context& context, AggregateColumns& columns) const;

 private:
  /// A column, or what is worked out of some; neither if there is none.
  struct Part {
    std::optional<std::size_t> column;
    std::optional<expression::Evaluator> evaluator;
  };
  struct Parts {
    Part argument, filter, order_by;
    std::optional<std::size_t> same_filter;  // the aggregate before that has it, too
  };
  static Part make_part(const std::optional<plan::BoundExpression>& expression);

  column::Schema schema_;
  std::vector<Parts> aggregates_;
};

/// Takes those rows out that are not among `good`. Both rise.
void keep_only(const column::Selection& good, std::vector<std::uint32_t>& rows);

/// One for each aggregate, by group.
using AccumulatorSet = std::vector<std::unique_ptr<aggregate::Accumulators>>;

/// Makes sets of accumulators for a node's aggregates, whose plan must outlive it.
class AccumulatorMaker {
 public:
  explicit AccumulatorMaker(const std::vector<plan::BoundAggregate>& aggregates)
      : aggregates_(aggregates) {}
  AccumulatorSet make() const {
    AccumulatorSet set;
    for (const auto& one : aggregates_) set.push_back(aggregate::make_accumulators(one));
    return set;
  }
  std::size_t size() const { return aggregates_.size(); }

 private:
  std::vector<plan::BoundAggregate> aggregates_;
};

}  // namespace leat::operators
