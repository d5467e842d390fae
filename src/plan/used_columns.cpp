#include "plan/used_columns.h"

#include <algorithm>
#include <variant>

namespace leat::plan {

namespace {

using Used = std::vector<bool>;

void mark(const BoundExpression& expression, Used& used) {
  if (expression.kind == Expression::Kind::column) used[expression.column] = true;
  for (const auto& argument : expression.arguments) mark(argument, used);
}

void mark(const std::optional<BoundExpression>& expression, Used& used) {
  if (expression) mark(*expression, used);
}

void mark(const std::vector<std::size_t>& columns, Used& used) {
  for (std::size_t column : columns) used[column] = true;
}

void mark(const std::vector<BoundAggregate>& aggregates, Used& used) {
  for (const auto& aggregate : aggregates) {
    mark(aggregate.argument, used);
    mark(aggregate.filter, used);
    mark(aggregate.order_by, used);
  }
}

// Those of a node's first columns that are its input's.
void pass(const Used& from, std::size_t begin, Used& to) {
  for (std::size_t i = 0; i < to.size() && begin + i < from.size(); ++i) {
    if (from[begin + i]) to[i] = true;
  }
}

/// Marks what a node needs of its inputs, given what is needed of it.
class Marker {
 public:
  Marker(const BoundPlan& plan, std::vector<Used>& used) : plan_(plan), used_(used) {}

  void mark_inputs(std::size_t node) {
    node_ = &plan_.nodes[node];
    own_ = &used_[node];
    std::visit([this](const auto& body) { take(body); }, node_->node->body);
  }

 private:
  Used& input(std::size_t i = 0) { return used_[node_->inputs[i]]; }

  void take(const Source& source) {
    // The event time, a table's key; late rows of files, which are written as their columns.
    mark(node_->columns, *own_);
    if (node_->table) mark(node_->table->keys, *own_);
    if (!source.file.empty()) own_->assign(own_->size(), true);
  }
  void take(const Filter&) {
    pass(*own_, 0, input());
    mark(node_->expressions[0], input());
  }
  // All of them, since each may have no valid value.
  void take(const Project&) {
    for (const auto& expression : node_->expressions) mark(expression, input());
    if (node_->table) mark(node_->table->keys, *own_);
  }
  void take(const Unnest&) {
    pass(*own_, 0, input());
    mark(node_->columns, input());
  }
  void take(const Union&) {
    for (std::size_t i = 0; i < node_->inputs.size(); ++i) pass(*own_, 0, input(i));
  }
  void take(const Rekey&) { pass(*own_, 0, input()); }
  void take(const Window&) {
    mark(node_->keys, input());
    mark(node_->aggregates, input());
  }
  void take(const Over&) {
    pass(*own_, 0, input());
    mark(node_->keys, input());
    mark(node_->aggregates, input());
  }
  void take(const Top&) {
    pass(*own_, 0, input());
    mark(node_->keys, input());
    mark(node_->columns, input());
  }
  void take(const Dedup&) {
    pass(*own_, 0, input());
    mark(node_->keys, input());
  }
  void take(const Join& join) {
    constexpr std::size_t window_bounds = 2;
    std::size_t begin = join.window ? window_bounds : 0;
    pass(*own_, begin, input(0));
    mark(node_->keys, input(0));
    mark(node_->right_keys, input(1));
    if (join.how == Join::How::semi || join.how == Join::How::anti) return;
    std::size_t column = begin + input(0).size();
    for (std::size_t i = 0; i < input(1).size(); ++i) {
      bool shared = false;
      for (std::size_t key = 0; key < join.keys.size(); ++key) {
        shared =
            shared || (node_->right_keys[key] == i && join.keys[key].left == join.keys[key].right);
      }
      if (shared) continue;
      if ((*own_)[column]) input(1)[i] = true;
      ++column;
    }
  }
  void take(const Process&) {
    mark(node_->keys, input());
    mark(node_->columns, input());
  }
  void take(const Sink&) { input().assign(input().size(), true); }

  const BoundPlan& plan_;
  std::vector<Used>& used_;
  const BoundNode* node_ = nullptr;
  Used* own_ = nullptr;
};

}  // namespace

std::vector<Used> used_columns(const BoundPlan& plan) {
  // A dead letter has all columns of the row that it is.
  bool all = plan.plan->bad_rows.policy == BadRows::Policy::dead_letter;
  std::vector<Used> used;
  for (const auto& node : plan.nodes) used.emplace_back(node.schema.size(), all);
  Marker marker(plan, used);
  for (std::size_t i = plan.nodes.size(); i > 0; --i) marker.mark_inputs(i - 1);
  return used;
}

}  // namespace leat::plan
