#include "plan/limits.h"

#include <fmt/format.h>

namespace leat::plan {

namespace {

// Counts parts, and goes no deeper than is allowed.
class Measure {
 public:
  void visit(const Expression& expression, std::size_t depth) {
    if (!excess.empty()) return;
    if (++parts_ > expression_parts_max) {
      excess = fmt::format("more than {} columns, literals and calls", expression_parts_max);
    } else if (depth > expression_depth_max) {
      excess = fmt::format("nested more than {} deep", expression_depth_max);
    } else if (literal_bytes(expression.literal) > literal_bytes_max) {
      excess = fmt::format("a literal of more than {} bytes", literal_bytes_max);
    }
    for (const auto& argument : expression.arguments) visit(argument, depth + 1);
  }
  std::string excess;

 private:
  static std::size_t literal_bytes(const Value& literal) {
    const auto* text = std::get_if<std::string>(&literal);
    return text == nullptr ? 0 : text->size();
  }
  std::size_t parts_ = 0;
};

}  // namespace

std::optional<std::string> excess_of(const Expression& expression) {
  Measure measure;
  measure.visit(expression, 1);
  if (measure.excess.empty()) return {};
  return measure.excess;
}

}  // namespace leat::plan
