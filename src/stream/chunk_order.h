// Rows of several chunks in one order.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "column/chunk.h"
#include "column/type.h"

namespace leat::stream {

/// The selected rows of all chunks by event time, then position, each chunk's share cut where rows
/// of another one come between. Rows that are equal in the order stay as they came.
std::vector<column::Chunk> in_order_of_time(const std::vector<column::Chunk>& chunks);

/// The same for rows made of those of `from`, in the order of those, then by position. REQUIRES:
/// each keeps the position of the row that it is made of, but for words behind it.
std::vector<column::Chunk> in_order_of_arrival(const std::vector<column::Chunk>& chunks,
                                               const column::Chunk& from);

/// Some rows of one of several chunks.
struct ChunkPart {
  std::size_t of = 0;  // its number among them
  column::Chunk rows;
};
/// The same by position alone: rows of a partition in its order.
std::vector<ChunkPart> in_order_of_position(const std::vector<column::Chunk>& chunks);

/// Rows that a window gave, and by which of several ways they came.
struct ChangeChunk {
  column::Chunk rows;
  std::string way;
};
/// Changes of a window's rows, whose keys are of these types, in an order that does not depend on
/// which lanes they came from: those of a key by one way as they came, which is what counts, and
/// else by event time, as far as that allows, then by key and way. REQUIRES: all rows of a key by
/// one way came in the order that counts.
std::vector<column::Chunk> in_order_of_changes(const std::vector<ChangeChunk>& chunks,
                                               const std::vector<column::Type>& key_types);

}  // namespace leat::stream
