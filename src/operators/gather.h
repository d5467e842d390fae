// Cells from many places as one column.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "column/text_arena.h"
#include "column/vector.h"

namespace leat::operators {

struct Cell {
  const column::Vector* vector = nullptr;  // none for NULL
  std::uint32_t row = 0;
};

/// Sets `count` cells of `to`, which has them, from `begin` on: the i-th is what `cell_of(i)`
/// names. Texts still point where they did.
template <class CellOf>
void gather(column::Vector& to, std::size_t begin, std::size_t count, const CellOf& cell_of) {
  auto each = [&](auto set) {
    for (std::size_t i = 0; i < count; ++i) {
      Cell cell = cell_of(i);
      if (cell.vector == nullptr || cell.vector->is_null(cell.row))
        to.set_null(begin + i);
      else
        set(begin + i, *cell.vector, cell.row);
    }
  };
  using column::Vector;
  switch (column::physical(to.type())) {
    case column::Physical::integer:
      return each([&](std::size_t i, const Vector& v, std::uint32_t row) {
        to.set_integer(i, v.integer(row));
      });
    case column::Physical::real:
      return each(
          [&](std::size_t i, const Vector& v, std::uint32_t row) { to.set_real(i, v.real(row)); });
    case column::Physical::decimal:
      return each([&](std::size_t i, const Vector& v, std::uint32_t row) {
        to.set_decimal(i, v.decimal(row));
      });
    case column::Physical::text:
      return each(
          [&](std::size_t i, const Vector& v, std::uint32_t row) { to.set_text(i, v.text(row)); });
    case column::Physical::interval:
      return each([&](std::size_t i, const Vector& v, std::uint32_t row) {
        to.set_interval(i, v.interval(row));
      });
    case column::Physical::list: {
      // The same array several times has its items once.
      Cell last;
      std::size_t last_at = 0;
      return each([&](std::size_t i, const Vector& v, std::uint32_t row) {
        bool again = last.vector == &v && last.row == row;
        if (again) return to.set_list(i, to.list(last_at));
        to.set_from(i, v, row);
        last = {&v, row};
        last_at = i;
      });
    }
  }
}

/// A copy of a text that lives as long as `arena`.
inline std::string_view copy_text(std::string_view text, column::TextArena& arena) {
  if (text.empty()) return {};
  char* room = arena.reserve(text.size());
  std::memcpy(room, text.data(), text.size());
  arena.keep(text.size());
  return {room, text.size()};
}

/// Copies the texts of cells `[begin, end)`, and of their arrays, into `arena`. Says how many bytes
/// these are.
std::size_t own_texts(column::Vector& vector, std::size_t begin, std::size_t end,
                      column::TextArena& arena);

/// Bytes of a cell, without texts and items.
std::size_t cell_bytes(const column::Type& type);

}  // namespace leat::operators
