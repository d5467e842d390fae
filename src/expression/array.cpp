// Functions of arrays.
#include "expression/kernel.h"

namespace leat::expression {

using Range = column::Vector::Range;

namespace {

void cardinality(const Call& call) {
  map<std::int64_t, Range>(call, [](Range range) { return std::int64_t{range.count}; });
}

// Counted from 1; NULL if there is none.
void element(const Call& call) {
  const column::Vector& items = call.arguments[0].vector->items();
  Cells<Range> ranges(call.arguments[0]);
  Cells<std::int64_t> numbers(call.arguments[1]);
  for_known_rows(call, [&](std::uint32_t row) {
    auto [begin, count] = ranges[row];
    auto number = static_cast<std::uint64_t>(numbers[row]);
    if (number - 1 >= count) return call.out().set_null(row);
    call.out().set_from(row, items, begin + number - 1);
  });
}

}  // namespace

Kernel array_kernel(const plan::BoundExpression& call) {
  if (call.function == "cardinality") return cardinality;
  if (call.function == "element") return element;
  return {};
}

}  // namespace leat::expression
