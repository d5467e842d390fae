// What is wanted of JSON objects.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace leat::column {

/// Names of members and numbers of items, from the outside in.
using JsonPath = std::vector<std::variant<std::string, std::size_t>>;

/// Paths that begin alike lie together: nodes are the root, and what one step leads to from another
/// node.
class JsonTree {
 public:
  static constexpr std::uint32_t none = 0xffff'ffff;
  struct Node {
    std::vector<std::pair<std::string, std::uint32_t>> members;
    std::vector<std::pair<std::size_t, std::uint32_t>> items;
    std::vector<std::uint32_t> paths;   // those that end here
    std::vector<std::uint32_t> behind;  // those that go on from here

    bool descends() const { return !behind.empty(); }
    std::uint32_t member(std::string_view name) const {
      for (const auto& [wanted, node] : members) {
        if (wanted == name) return node;
      }
      return none;
    }
    std::uint32_t item(std::size_t index) const {
      for (const auto& [wanted, node] : items) {
        if (wanted == index) return node;
      }
      return none;
    }
  };

  explicit JsonTree(std::span<const JsonPath> paths);

  const Node& node(std::uint32_t number) const { return nodes_[number]; }
  std::size_t size() const { return nodes_.size(); }
  /// The node at the end of a path.
  std::uint32_t end_of(std::size_t path) const { return ends_[path]; }

 private:
  std::uint32_t step(std::uint32_t from, const JsonPath::value_type& step);
  std::vector<Node> nodes_;  // the root is the first
  std::vector<std::uint32_t> ends_;
};

}  // namespace leat::column
