#include "operators/gather_stored.h"

#include <cstdint>
#include <utility>

#include "operators/gather.h"

namespace leat::operators {

namespace {

// Neighbours are mostly of one block, so what a block has is looked for once.
template <class Values>
void gather_values(column::Vector& to, std::span<const StoredRow> rows, std::size_t column,
                   const Values& values_of) {
  auto out = values_of(to);
  const RowBlock* block = nullptr;
  std::span<const std::uint8_t> nulls;  // none if no cell is NULL
  decltype(values_of(std::as_const(to))) values;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const StoredRow& row = rows[i];
    if (row.block == nullptr) {
      to.set_null(i);
      continue;
    }
    if (row.block != block) {
      block = row.block;
      const column::Vector& from = *block->columns[column];
      values = values_of(from);
      nulls = from.has_nulls() ? from.nulls() : std::span<const std::uint8_t>();
    }
    if (!nulls.empty() && nulls[row.row] != 0)
      to.set_null(i);
    else
      out[i] = values[row.row];
  }
}

}  // namespace

void gather_stored(column::Vector& to, std::span<const StoredRow> rows, std::size_t column) {
  using column::Physical;
  switch (physical(to.type())) {
    case Physical::integer:
      return gather_values(to, rows, column, [](auto& v) { return v.integers(); });
    case Physical::real: return gather_values(to, rows, column, [](auto& v) { return v.reals(); });
    case Physical::decimal:
      return gather_values(to, rows, column, [](auto& v) { return v.decimals(); });
    case Physical::text: return gather_values(to, rows, column, [](auto& v) { return v.texts(); });
    case Physical::interval:
    case Physical::list: break;
  }
  gather(to, 0, rows.size(), [&](std::size_t i) {
    const StoredRow& row = rows[i];
    return row.block == nullptr ? Cell{} : Cell{row.block->columns[column], row.row};
  });
}

}  // namespace leat::operators
