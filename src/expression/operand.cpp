#include "expression/operand.h"

#include <algorithm>

namespace leat::expression {

using column::Physical;

Rows without_errors(const Rows& rows, const RowErrors& errors, std::vector<std::uint32_t>& kept) {
  if (errors.empty()) return rows;
  kept.resize(std::max(kept.size(), rows.count));
  std::size_t count = 0;
  rows.each([&](std::uint32_t row) {
    if (!errors.contains(row)) kept[count++] = row;
  });
  return count == rows.count ? rows : Rows{count, kept.data()};
}

void OwnedVector::keep(const Operand& operand) {
  auto held = physical(operand.vector->type());
  if (held == Physical::text || held == Physical::list) kept.push_back(operand.vector);
}

void OwnedVector::take(const Operand& from, const Rows& rows) {
  keep(from);
  auto copy = [&](auto to, auto cells) {
    if (from.constant) {
      rows.each([&](std::uint32_t row) { to[row] = cells[0]; });
    } else {
      rows.each([&](std::uint32_t row) { to[row] = cells[row]; });
    }
  };
  const column::Vector& source = *from.vector;
  auto held = physical(source.type());
  if (source.has_nulls() || held == Physical::interval || held == Physical::list) {
    rows.each([&](std::uint32_t row) { vector.set_from(row, source, from.at(row)); });
  } else if (held == Physical::integer) {
    copy(vector.integers(), source.integers());
  } else if (held == Physical::real) {
    copy(vector.reals(), source.reals());
  } else if (held == Physical::decimal) {
    copy(vector.decimals(), source.decimals());
  } else {
    copy(vector.texts(), source.texts());
  }
}

std::shared_ptr<const column::Vector> OwnedVector::release(std::shared_ptr<OwnedVector> owned) {
  const column::Vector* vector = &owned->vector;
  return {std::move(owned), vector};
}

}  // namespace leat::expression
