// Rows that their node changes later, at nodes that have some versions of them and others not.
#pragma once

#include <cstdint>

#include "column/chunk.h"
#include "expression/row_errors.h"
#include "operators/operator.h"

namespace leat::operators {

/// Whether this is a version that came before and no longer stands.
inline bool takes_back(column::RowKind kind) {
  return kind == column::RowKind::update_before || kind == column::RowKind::erase;
}

/// Rejects the rows that have no valid value. Those that take a version back are left out in
/// silence: it was rejected when it came.
Result<void> reject_versions(const column::Schema& schema, const column::Chunk& chunk,
                             const expression::RowErrors& errors, Context& context);

/// The chunk with each change as a row that goes and one that comes: for nodes that may have let
/// only one of the two pass.
column::Chunk without_updates(column::Chunk chunk);

/// The same for a change alone whose other half lies in another chunk, where it may not pass: that
/// of the first and the last row that is selected.
column::Chunk without_split_updates(column::Chunk chunk);

}  // namespace leat::operators
