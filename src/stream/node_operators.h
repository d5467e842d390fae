// From a plan's nodes to the operators that do their work.
#pragma once

#include <memory>

#include "operators/operator.h"
#include "plan/bound_plan.h"

namespace leat::stream {

/// What decides how a node is run.
struct NodeTraits {
  bool is_source = false;
  bool is_sink = false;
  /// It keeps rows, or what became of them, from one step to the next.
  bool keeps_rows = false;
  /// Of one that keeps rows: its rows come out in the order of time, each once, for good.
  bool gives_in_order_of_time = false;
  /// What it gives depends on which rows came before which.
  bool judges_arrival = false;
};

NodeTraits traits_of(const plan::BoundNode& node);

/// Null for sources and sinks.
std::unique_ptr<operators::Operator> make_operator(const plan::BoundPlan& plan, std::size_t node);

}  // namespace leat::stream
