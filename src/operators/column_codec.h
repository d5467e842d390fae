// Cells of a column in snapshots.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/state.h"
#include "column/text_arena.h"
#include "column/vector.h"

namespace leat::operators {

//   column    := has_nulls:u8 null:u8* values              nulls only if there are any
//   values    := integer:i64* | double* | decimals | texts | intervals | lists
//   decimals  := high:u64* low:u64*
//   texts     := size:u32* byte*                           all texts, one behind the other
//   intervals := months:i64* days:i64* ms:i64*
//   lists     := size:u32* items:u32 column                all items, likewise
// As many of each as there are cells; of NULL the value is 0, or has no bytes.

/// Writes the cells `rows`, in this order.
void write_column(StateWriter& writer, const column::Vector& vector,
                  std::span<const std::uint32_t> rows);
/// Sets cells `[begin, begin + count)`, which are there. Texts are copied to `arena`. Says how many
/// bytes these have.
std::size_t read_column(StateReader& reader, column::Vector& vector, std::size_t begin,
                        std::size_t count, column::TextArena& arena);

/// The same for texts that are in no column.
void write_texts(StateWriter& writer, std::span<const std::string_view> texts,
                 std::span<const std::uint32_t> rows);
std::size_t read_texts(StateReader& reader, std::span<std::string_view> texts,
                       column::TextArena& arena);

}  // namespace leat::operators
