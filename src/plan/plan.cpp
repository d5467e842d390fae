#include "plan/plan.h"

#include <fmt/format.h>

namespace leat::plan {

std::string_view type_of(const Node& node) {
  return std::visit([](const auto& body) { return std::remove_cvref_t<decltype(body)>::type; },
                    node.body);
}

std::vector<std::string> inputs_of(const Node& node) {
  return std::visit(
      [](const auto& body) -> std::vector<std::string> {
        if constexpr (requires { body.input; })
          return {body.input};
        else if constexpr (requires { body.inputs; })
          return body.inputs;
        else if constexpr (requires { body.right; })
          return {body.left, body.right};
        else
          return {};
      },
      node.body);
}

std::optional<std::size_t> find_process(const Plan& plan) {
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    if (std::holds_alternative<Process>(plan.nodes[i].body)) return i;
  }
  return {};
}

std::string place_of(const Plan& plan, std::size_t node) {
  return fmt::format("nodes[{}] '{}'", node, plan.nodes[node].name);
}

}  // namespace leat::plan
