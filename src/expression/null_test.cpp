#include "expression/null_test.h"

namespace leat::expression {

namespace {

template <bool wanted>
void test(const Call& call) {
  const Operand& operand = call.arguments[0];
  call.rows.each([&](std::uint32_t row) {
    call.out().set_integer(row, operand.is_null(row) == wanted ? 1 : 0);
  });
}

template <bool wanted>
std::size_t choose(const Choice& choice) {
  const Operand& operand = choice.arguments[0];
  return collect(choice.rows, choice.out,
                 [&](std::uint32_t row) { return operand.is_null(row) == wanted; });
}

}  // namespace

Kernel null_test_kernel(const plan::BoundExpression& call) {
  if (call.function == "is_null") return test<true>;
  if (call.function == "not is_null") return test<false>;
  return {};
}

Selector null_test_selector(const plan::BoundExpression& call) {
  if (call.function == "is_null") return choose<true>;
  if (call.function == "not is_null") return choose<false>;
  return {};
}

}  // namespace leat::expression
