#include "stream/arrival_needs.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <variant>

#include "stream/node_operators.h"

namespace leat::stream {

namespace {

// Sources and nodes that wait for event time, and by how many ways their rows come, if by one or
// more.
using Origins = std::map<std::size_t, int>;

void add(Origins& to, const Origins& origins) {
  for (auto [node, ways] : origins) to[node] = std::min(to[node] + ways, 2);
}

bool is_lookup(const plan::BoundNode& node) {
  const auto* join = std::get_if<plan::Join>(&node.node->body);
  return join != nullptr && join->kind == plan::Join::Kind::table;
}

// Whether it gives what it makes of a row before the next one comes, for good.
bool judges_at_once(const plan::BoundNode& node) {
  return traits_of(node).judges_arrival && !node.revises;
}

}  // namespace

ArrivalNeeds arrival_needs(const plan::BoundPlan& plan) {
  ArrivalNeeds needs;
  needs.gathers.resize(plan.nodes.size(), false);
  std::vector<Origins> origins(plan.nodes.size());
  auto waits = [&](const auto& origin) { return !traits_of(plan.nodes[origin.first]).is_source; };
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    const plan::BoundNode& node = plan.nodes[i];
    bool at_once = judges_at_once(node);
    NodeTraits traits = traits_of(node);
    if (traits.is_source || (traits.keeps_rows && !at_once)) {
      origins[i] = {{i, 1}};
      continue;
    }
    for (std::size_t input : node.inputs) add(origins[i], origins[input]);
    if (!at_once) continue;
    bool mixes = false;
    if (is_lookup(node)) {
      // All rows that a source has for the table come before any other. In which order rows are
      // looked up does not count.
      const Origins& table = origins[node.inputs[1]];
      mixes = std::any_of(table.begin(), table.end(), waits);
      origins[i] = origins[node.inputs[0]];
    } else {
      mixes = origins[i].size() > 1 && std::any_of(origins[i].begin(), origins[i].end(), waits);
      needs.gathers[i] = std::any_of(origins[i].begin(), origins[i].end(),
                                     [](const auto& origin) { return origin.second > 1; });
    }
    needs.row_by_row = needs.row_by_row || mixes;
  }
  return needs;
}

}  // namespace leat::stream
