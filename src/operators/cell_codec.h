// Cells in snapshots.
#pragma once

#include <cstddef>

#include "base/state.h"
#include "column/vector.h"

namespace leat::operators {

//   cell     := 0x00 | 0x01 value                                  0x00 is NULL
//   value    := integer:i64 | double | decimal | text | interval | list
//   decimal  := high:u64 low:u64
//   interval := months:i64 days:i64 ms:i64
//   list     := count:u32 cell*

void write_cell(StateWriter& writer, const column::Vector& vector, std::size_t row);
/// Sets cell `row`, which is there. Texts point into the snapshot.
void read_cell(StateReader& reader, column::Vector& vector, std::size_t row);

}  // namespace leat::operators
