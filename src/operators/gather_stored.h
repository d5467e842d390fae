// Cells of stored rows as one column.
#pragma once

#include <cstddef>
#include <span>

#include "column/vector.h"
#include "operators/row_store.h"

namespace leat::operators {

/// Sets the cells of `to`, one for each of the rows, to what these have in the column; NULL where
/// there is no row. Texts still point where they did. REQUIRES: no cell of `to` is NULL so far.
void gather_stored(column::Vector& to, std::span<const StoredRow> rows, std::size_t column);

}  // namespace leat::operators
