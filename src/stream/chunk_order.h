// Rows of several chunks in one order.
#pragma once

#include <vector>

#include "column/chunk.h"

namespace leat::stream {

/// The selected rows of all chunks, each chunk's share cut where rows of another one come between.
/// Rows that are equal in the order stay as they came. By event time, then position.
std::vector<column::Chunk> in_order_of_time(const std::vector<column::Chunk>& chunks);
/// The same by position alone: rows of a partition in its order.
std::vector<column::Chunk> in_order_of_position(const std::vector<column::Chunk>& chunks);

}  // namespace leat::stream
