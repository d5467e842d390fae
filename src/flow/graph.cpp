#include "flow/graph.h"

#include <set>
#include <string_view>
#include <utility>

#include "plan/bound_plan.h"

namespace leat::flow::detail {

namespace {

// What a node is called that was given no name.
std::string name_for(const plan::Node& node) {
  if (const auto* source = std::get_if<plan::Source>(&node.body)) {
    return source->topic.empty() ? source->file : source->topic;
  }
  return std::string(plan::type_of(node));
}

void set_inputs(plan::Node& node, std::vector<std::string> names) {
  std::visit(
      [&](auto& body) {
        if constexpr (requires { body.input; })
          body.input = names.at(0);
        else if constexpr (requires { body.inputs; })
          body.inputs = std::move(names);
        else if constexpr (requires { body.right; })
          body.left = names.at(0), body.right = names.at(1);
      },
      node.body);
}

}  // namespace

std::size_t Graph::add(plan::Node::Body body, std::vector<std::size_t> inputs) {
  nodes.push_back({{"", std::move(body)}, std::move(inputs)});
  return nodes.size() - 1;
}

plan::Plan Graph::finish() const {
  if (!complaint.empty()) throw Error(complaint);
  plan::Plan plan;
  plan.name = name;
  plan.bad_rows = bad_rows;
  std::set<std::string> taken;
  for (const Node& node : nodes) taken.insert(node.node.name);
  for (const Node& node : nodes) {
    plan::Node& added = plan.nodes.emplace_back(node.node);
    std::string wanted = name_for(added);
    for (int i = 2; added.name.empty(); ++i) {
      if (taken.insert(wanted).second) added.name = wanted;
      wanted = name_for(added) + "-" + std::to_string(i);
    }
    std::vector<std::string> inputs;
    for (std::size_t input : node.inputs) inputs.push_back(plan.nodes.at(input).name);
    set_inputs(added, std::move(inputs));
  }
  auto bound = plan::bind(plan);
  if (!bound) throw Error(bound.error().what);
  return plan;
}

GraphRef::GraphRef(std::string name) : graph_(new Graph) {
  graph_->name = std::move(name);
}
GraphRef::GraphRef(const GraphRef& other) noexcept : graph_(other.graph_) {
  ++graph_->references;
}
GraphRef& GraphRef::operator=(const GraphRef& other) noexcept {
  GraphRef copy(other);
  std::swap(graph_, copy.graph_);
  return *this;
}
GraphRef::~GraphRef() {
  if (--graph_->references == 0) delete graph_;
}

}  // namespace leat::flow::detail
