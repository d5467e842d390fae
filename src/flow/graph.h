// What is behind the public handles of a pipeline: the plan in the making.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include "leat/expression.h"
#include "leat/pipeline.h"
#include "plan/plan.h"

namespace leat::flow {

struct Expression::Inside {
  plan::Expression expression;
};

namespace detail {

/// Nodes name their inputs by numbers until it is finished, so that they can still get names.
struct Graph {
  struct Node {
    plan::Node node;
    std::vector<std::size_t> inputs;
  };
  std::atomic<int> references{1};
  std::string name;
  plan::BadRows bad_rows;
  std::vector<Node> nodes;
  /// What was done wrong while it was made; the first of it.
  std::string complaint;

  /// Its number.
  std::size_t add(plan::Node::Body body, std::vector<std::size_t> inputs = {});
  /// The plan, with a name for every node. Throws Error unless it binds.
  plan::Plan finish() const;
};

/// The way from public handles to what is in them.
struct GraphAccess {
  static const plan::Expression& expression_of(const Expression& expression) {
    return expression.inside_->expression;
  }
  static Expression make(plan::Expression expression) {
    return Expression(new Expression::Inside{std::move(expression)});
  }
  static Graph& graph_of(const Pipeline& pipeline) { return *pipeline.graph_; }
};

/// Throws Error for decimals with digits that there are not.
plan::Type plan_type(const Type& type);
Type public_type(const plan::Type& type);

}  // namespace detail
}  // namespace leat::flow
