#include "expression/optimize.h"

#include "expression/remainder.h"

#include <functional>

#include "expression/small_divisor.h"

namespace leat::expression {

using std::int64_t;

namespace {

/// What rewritten() makes of `number % divisor = value`, the last two being literals.
struct RemainderTest {
  SmallDivisor small;
  int64_t divisor;
  int64_t value;

  int64_t remainder(int64_t number) const {
    auto rest = small.remainder(number);
    return rest.bad == 0 ? rest.value : number % divisor;
  }
};

template <class Holds>
Kernel kernel_of(const RemainderTest& test, Holds holds) {
  return [=](const Call& call) {
    map<int64_t, int64_t>(call, [=](int64_t number) -> int64_t {
      return holds(test.remainder(number), test.value) ? 1 : 0;
    });
  };
}

template <class Holds>
Selector selector_of(const RemainderTest& test, Holds holds) {
  return [=](const Choice& choice) {
    const Operand& numbers = choice.arguments[0];
    const std::uint8_t* nulls = numbers.vector->nulls().data();
    return with_cells<int64_t>(numbers, [&](auto cells) {
      auto is_true = [=](std::uint32_t row) {
        return holds(test.remainder(cells(row)), test.value);
      };
      if (!numbers.vector->has_nulls()) return collect(choice.rows, choice.out, is_true);
      return collect(choice.rows, choice.out, [=, &numbers](std::uint32_t row) {
        // Both at once: a branch would be mispredicted every other row.
        return (int{nulls[numbers.at(row)] == 0} & int{is_true(row)}) != 0;
      });
    });
  };
}

/// `use(test, holds)` for a call that is such a comparison, or what stands for none.
template <class Made, class Use>
Made with_test(const plan::BoundExpression& call, Use use) {
  std::string_view name = call.function;
  if (!name.starts_with("% ")) return {};
  name.remove_prefix(2);
  auto literal = [&](std::size_t i) { return std::get<int64_t>(call.arguments[i].literal); };
  RemainderTest test{*SmallDivisor::of(literal(1)), literal(1), literal(2)};
  if (name == "=") return use(test, std::equal_to<>());
  if (name == "<>") return use(test, std::not_equal_to<>());
  if (name == "<") return use(test, std::less<>());
  if (name == "<=") return use(test, std::less_equal<>());
  if (name == ">") return use(test, std::greater<>());
  ASSERT(name == ">=");
  return use(test, std::greater_equal<>());
}

}  // namespace

Kernel remainder_kernel(const plan::BoundExpression& call) {
  return with_test<Kernel>(call,
                           [](const auto& test, auto holds) { return kernel_of(test, holds); });
}

Selector remainder_selector(const plan::BoundExpression& call) {
  return with_test<Selector>(call,
                             [](const auto& test, auto holds) { return selector_of(test, holds); });
}

}  // namespace leat::expression
