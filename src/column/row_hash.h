// Hashes of rows by some of their columns: what spreads them over workers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "column/chunk.h"

namespace leat::column {

/// One hash for each selected row, in their order: the same for rows whose cells are equal. The
/// same on every machine and in every run. REQUIRES: columns that are no arrays.
void hash_rows(const Chunk& chunk, std::span<const std::size_t> columns,
               std::vector<std::uint64_t>& hashes);

}  // namespace leat::column
