// The order in which the rows of a sink are written.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "column/chunk.h"
#include "plan/bound_plan.h"
#include "stream/step_output.h"

namespace leat::stream {

/// Puts what the lanes of a graph have for one sink in one order. Rows that stay as they are come
/// in the order of time where several lanes have some: else they are in it, or came in the order in
/// which they are to be written. Rows that change later come by turns, and within one those of a
/// key as they came, and only that counts; unless the order is to be exact, that is to follow from
/// the step alone. Then they come by time as far as a key's own order allows.
class SinkOrder {
 public:
  struct Traits {
    /// In the graph rows come in any order.
    bool any_order = false;
    bool exact = false;
    /// Some node's rows come by more than one way.
    bool several_ways = false;
  };
  /// `sink` is the number of the node.
  SinkOrder(const plan::BoundPlan& plan, std::size_t sink, const Traits& traits);

  /// Whether rows are in this order only when all of a step are there.
  bool needs_all() const { return traits_.any_order && revises_; }
  /// Whether Given::way counts.
  bool looks_at_ways() const { return traits_.exact && traits_.several_ways && revises_; }
  bool revises() const { return revises_; }
  /// Of rows that stay as they are. `lanes` is how many have some.
  std::vector<column::Chunk> order(std::vector<StepOutput::Given> given, std::size_t lanes) const;
  /// Of rows that change later, those of each turn, which changed together.
  std::vector<std::vector<column::Chunk>> turns(std::vector<StepOutput::Given> given) const;

 private:
  std::vector<column::Chunk> order_turn(std::vector<StepOutput::Given> given) const;

  const plan::BoundPlan& plan_;
  const Traits traits_;
  const bool revises_;
};

}  // namespace leat::stream
