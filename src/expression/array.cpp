// Functions of arrays.
#include <string>

#include "column/row_key.h"
#include "expression/kernel.h"

namespace leat::expression {

using Range = column::Vector::Range;

namespace {

// NULLs are items as others are.
void array(const Call& call) {
  column::Vector& items = call.out().items();
  std::size_t next = items.size();
  items.resize(next + call.arguments.size() * call.rows.count);
  call.rows.each([&](std::uint32_t row) {
    Range range{static_cast<std::uint32_t>(next),
                static_cast<std::uint32_t>(call.arguments.size())};
    for (const auto& argument : call.arguments) {
      items.set_from(next++, *argument.vector, argument.at(row));
    }
    call.out().set_list(row, range);
  });
}

// Without the items that are no different, NULL from NULL neither.
void array_remove(const Call& call) {
  const Operand& arrays = call.arguments[0];
  const Operand& removed = call.arguments[1];
  const column::Vector& from = arrays.vector->items();
  column::Vector& items = call.out().items();
  std::string key, other;
  call.rows.each([&](std::uint32_t row) {
    if (arrays.is_null(row)) return call.out().set_null(row);
    auto [begin, count] = arrays.vector->list(arrays.at(row));
    key.clear();
    column::append_key(key, *removed.vector, removed.at(row));
    std::size_t first = items.size(), next = first;
    items.resize(first + count);
    for (std::size_t item = begin; item < begin + count; ++item) {
      other.clear();
      column::append_key(other, from, item);
      if (other != key) items.set_from(next++, from, item);
    }
    items.resize(next);
    call.out().set_list(
        row, {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(next - first)});
  });
}

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
  if (call.function == "array") return array;
  if (call.function == "array_remove") return array_remove;
  if (call.function == "cardinality") return cardinality;
  if (call.function == "element") return element;
  return {};
}

}  // namespace leat::expression
