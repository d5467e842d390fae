// Loops over whole columns: what filters and projections are made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "column/chunk.h"
#include "column/vector.h"

namespace leat::column {

enum class Comparison : std::uint8_t {
  equal,
  not_equal,
  less,
  less_or_equal,
  greater,
  greater_or_equal,
};

/// As SQL writes it, such as "<=".
std::string_view symbol(Comparison comparison);

// All set cells `[0, rows)` of `out`, a boolean vector of that size, whether or not a selection
// lists them: nothing here can fail on a row. Truth has three values, as in SQL: a comparison with
// NULL is NULL, `false and NULL` is false, `true or NULL` is true. Texts compare by their bytes.

/// REQUIRES: `left` and `right` of one type.
void compare(Comparison comparison, const Vector& left, const Vector& right, std::size_t rows,
             Vector& out);
/// REQUIRES: `right` holds the type of `left`, or nothing.
void compare(Comparison comparison, const Vector& left, const Value& right, std::size_t rows,
             Vector& out);
void logical_and(const Vector& left, const Vector& right, std::size_t rows, Vector& out);
void logical_or(const Vector& left, const Vector& right, std::size_t rows, Vector& out);
void logical_not(const Vector& operand, std::size_t rows, Vector& out);
void is_null(const Vector& operand, std::size_t rows, Vector& out);

/// Fills `out` with one value. Texts point into `value`.
void fill(const Value& value, std::size_t rows, Vector& out);

/// Those rows of `selection` for which `condition` is true, neither false nor NULL.
Selection select_true(const Vector& condition, const Selection& selection);

}  // namespace leat::column
