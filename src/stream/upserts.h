// Rows that change, for whoever keeps the last row of each key.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "column/chunk.h"

namespace leat::stream {

/// What rows that changed together leave of the keys in these columns, of which each has one row
/// at most before and behind it: first the rows that are given, in their order, but for versions
/// that came and went, then, as erased ones, those of keys that have none any more. A key whose row
/// is taken back and that is given one has that one, whichever is told first.
std::vector<column::Chunk> as_upserts(std::span<const column::Chunk> changes,
                                      std::span<const std::size_t> keys);

}  // namespace leat::stream
