// What a plan asks for so that rows come to the nodes that judge them at once in one order.
#pragma once

#include <vector>

#include "plan/bound_plan.h"

namespace leat::stream {

/// Rows come to a node as if each row of a source went all its ways through the graph, and event
/// time behind it, before the next one is read. Whole chunks go instead wherever nobody can tell.
/// It can be told at nodes that judge a row by those that came before it, and at lookups in what
/// comes out of nodes that wait for event time.
struct ArrivalNeeds {
  /// By node: the rows of one source, or of one node that waits, come to it by several ways. So
  /// those of a chunk have to be put in order when they have gone them all.
  std::vector<bool> gathers;
  /// Rows that waited for event time meet rows of other nodes. So event time has to go on behind
  /// each row that moves it.
  bool row_by_row = false;
};

ArrivalNeeds arrival_needs(const plan::BoundPlan& plan);

}  // namespace leat::stream
