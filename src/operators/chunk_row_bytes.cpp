#include "operators/chunk_row_bytes.h"

#include <algorithm>
#include <variant>
#include <vector>

#include "operators/gather.h"

namespace leat::operators {

namespace {

// Its time, its place, and a row number in a selection.
constexpr std::size_t context_bytes = 2 * sizeof(std::int64_t) + sizeof(std::uint32_t);

// Of the columns that the node makes itself.
std::size_t own_bytes(const plan::BoundNode& bound) {
  const auto& body = bound.node->body;
  bool passes_on = std::holds_alternative<plan::Filter>(body) ||
                   std::holds_alternative<plan::Rekey>(body) ||
                   std::holds_alternative<plan::Union>(body);
  if (passes_on) return 0;
  bool is_project = std::holds_alternative<plan::Project>(body);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < bound.schema.size(); ++i) {
    bool is_passed_on = is_project && bound.expressions[i].kind == plan::Expression::Kind::column;
    if (!is_passed_on) bytes += cell_bytes(bound.schema[i].type);
  }
  return bytes;
}

}  // namespace

std::size_t chunk_row_bytes(const plan::BoundPlan& plan, std::size_t node) {
  // Inputs come before those that read them.
  std::vector<std::size_t> bytes(node + 1);
  for (std::size_t i = 0; i <= node; ++i) {
    const plan::BoundNode& bound = plan.nodes[i];
    for (std::size_t input : bound.inputs) bytes[i] = std::max(bytes[i], bytes[input]);
    bytes[i] += own_bytes(bound);
  }
  return bytes[node] + context_bytes;
}

}  // namespace leat::operators
