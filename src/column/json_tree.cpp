#include "column/json_tree.h"

namespace leat::column {

JsonTree::JsonTree(std::span<const JsonPath> paths) : nodes_(1) {
  for (const auto& path : paths) {
    auto number = static_cast<std::uint32_t>(ends_.size());
    std::uint32_t at = 0;
    for (const auto& next : path) {
      nodes_[at].behind.push_back(number);
      at = step(at, next);
    }
    nodes_[at].paths.push_back(number);
    ends_.push_back(at);
  }
}

std::uint32_t JsonTree::step(std::uint32_t from, const JsonPath::value_type& step) {
  const auto* name = std::get_if<std::string>(&step);
  std::uint32_t known =
      name != nullptr ? nodes_[from].member(*name) : nodes_[from].item(std::get<std::size_t>(step));
  if (known != none) return known;
  auto added = static_cast<std::uint32_t>(nodes_.size());
  nodes_.emplace_back();
  if (name != nullptr) {
    nodes_[from].members.emplace_back(*name, added);
  } else {
    nodes_[from].items.emplace_back(std::get<std::size_t>(step), added);
  }
  return added;
}

}  // namespace leat::column
