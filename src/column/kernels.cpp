#include "column/kernels.h"

#include <functional>
#include <type_traits>

#include "base/assert.h"

namespace leat::column {

namespace {

// Calls `use` with the function object of a comparison, so that the loop inside is compiled for
// each.
template <class Use>
void with_comparison(Comparison comparison, Use use) {
  switch (comparison) {
    case Comparison::equal: return use(std::equal_to<>());
    case Comparison::not_equal: return use(std::not_equal_to<>());
    case Comparison::less: return use(std::less<>());
    case Comparison::less_or_equal: return use(std::less_equal<>());
    case Comparison::greater: return use(std::greater<>());
    case Comparison::greater_or_equal: return use(std::greater_equal<>());
  }
}

// Calls `use` with the cells of `vector` as a span of what they are kept as.
template <class Use>
void with_cells(const Vector& vector, Use use) {
  switch (physical(vector.type())) {
    case Physical::integer: return use(vector.integers());
    case Physical::real: return use(vector.reals());
    case Physical::text: return use(vector.texts());
    default: ASSERT(false);
  }
}

std::int64_t integer_of(const Value& value) {
  if (auto* truth = std::get_if<bool>(&value)) return *truth ? 1 : 0;
  if (auto* time = std::get_if<Timestamp>(&value)) return time->ms;
  return std::get<std::int64_t>(value);
}

// The constant as the type of a column's cells.
template <class Cell>
Cell cell_of(const Value& value) {
  if constexpr (std::is_same_v<Cell, std::int64_t>) return integer_of(value);
  if constexpr (std::is_same_v<Cell, double>) return std::get<double>(value);
  if constexpr (std::is_same_v<Cell, std::string_view>) return std::get<std::string>(value);
}

void fill_null(std::size_t rows, Vector& out) {
  for (std::size_t row = 0; row < rows; ++row) out.set_null(row);
}

void copy_nulls(const Vector& from, std::size_t rows, Vector& out) {
  if (!from.has_nulls()) return;
  for (std::size_t row = 0; row < rows; ++row) {
    if (from.is_null(row)) out.set_null(row);
  }
}

}  // namespace

std::string_view symbol(Comparison comparison) {
  switch (comparison) {
    case Comparison::equal: return "=";
    case Comparison::not_equal: return "<>";
    case Comparison::less: return "<";
    case Comparison::less_or_equal: return "<=";
    case Comparison::greater: return ">";
    case Comparison::greater_or_equal: return ">=";
  }
  return "?";
}

void compare(Comparison comparison, const Vector& left, const Vector& right, std::size_t rows,
             Vector& out) {
  ASSERT(left.type() == right.type() && out.type() == Type::boolean);
  with_comparison(comparison, [&](auto holds) {
    with_cells(left, [&]<class Cells>(Cells cells) {
      with_cells(right, [&]<class Others>(Others others) {
        if constexpr (std::is_same_v<Cells, Others>) {
          for (std::size_t row = 0; row < rows; ++row) {
            out.set_integer(row, holds(cells[row], others[row]) ? 1 : 0);
          }
        }
      });
    });
  });
  copy_nulls(left, rows, out);
  copy_nulls(right, rows, out);
}

void compare(Comparison comparison, const Vector& left, const Value& right, std::size_t rows,
             Vector& out) {
  ASSERT(out.type() == Type::boolean);
  if (std::holds_alternative<std::monostate>(right)) return fill_null(rows, out);
  with_comparison(comparison, [&](auto holds) {
    with_cells(left, [&](auto cells) {
      using Cell = typename decltype(cells)::value_type;
      auto constant = cell_of<Cell>(right);
      for (std::size_t row = 0; row < rows; ++row) {
        out.set_integer(row, holds(cells[row], constant) ? 1 : 0);
      }
    });
  });
  copy_nulls(left, rows, out);
}

void logical_and(const Vector& left, const Vector& right, std::size_t rows, Vector& out) {
  for (std::size_t row = 0; row < rows; ++row) {
    bool left_false = !left.is_null(row) && left.integer(row) == 0;
    bool right_false = !right.is_null(row) && right.integer(row) == 0;
    if (left_false || right_false) {
      out.set_integer(row, 0);
    } else if (left.is_null(row) || right.is_null(row)) {
      out.set_null(row);
    } else {
      out.set_integer(row, 1);
    }
  }
}

void logical_or(const Vector& left, const Vector& right, std::size_t rows, Vector& out) {
  for (std::size_t row = 0; row < rows; ++row) {
    bool left_true = !left.is_null(row) && left.integer(row) != 0;
    bool right_true = !right.is_null(row) && right.integer(row) != 0;
    if (left_true || right_true) {
      out.set_integer(row, 1);
    } else if (left.is_null(row) || right.is_null(row)) {
      out.set_null(row);
    } else {
      out.set_integer(row, 0);
    }
  }
}

void logical_not(const Vector& operand, std::size_t rows, Vector& out) {
  for (std::size_t row = 0; row < rows; ++row) {
    out.set_integer(row, operand.integer(row) == 0 ? 1 : 0);
  }
  copy_nulls(operand, rows, out);
}

void is_null(const Vector& operand, std::size_t rows, Vector& out) {
  for (std::size_t row = 0; row < rows; ++row) out.set_integer(row, operand.is_null(row) ? 1 : 0);
}

void fill(const Value& value, std::size_t rows, Vector& out) {
  if (std::holds_alternative<std::monostate>(value)) return fill_null(rows, out);
  for (std::size_t row = 0; row < rows; ++row) {
    switch (physical(out.type())) {
      case Physical::integer: out.set_integer(row, integer_of(value)); break;
      case Physical::real: out.set_real(row, std::get<double>(value)); break;
      case Physical::text: out.set_text(row, std::get<std::string>(value)); break;
      default: ASSERT(false);
    }
  }
}

Selection select_true(const Vector& condition, const Selection& selection) {
  std::vector<std::uint32_t> rows(selection.size());
  std::size_t kept = 0;
  for (std::size_t i = 0; i < selection.size(); ++i) {
    std::uint32_t row = selection[i];
    rows[kept] = row;
    kept += !condition.is_null(row) && condition.integer(row) != 0 ? 1 : 0;
  }
  if (kept == selection.size()) return selection;
  rows.resize(kept);
  return Selection::of(std::move(rows));
}

}  // namespace leat::column
