// Several cells of a row as one string of bytes that sorts like them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "column/vector.h"

namespace leat::column {

// Equal cells, equal bytes; smaller cells, smaller bytes, as memcmp sees them; NULL is equal to
// NULL and the largest, as in PostgreSQL's order. Used for grouping, for the order of results and
// in snapshots:
//
//   key     := cell*
//   cell    := 0x01 value | 0x02                 0x02 is NULL
//   value   := integer | real | decimal | interval | text
//   integer := u64 big-endian of the number with its sign bit flipped
//   real    := u64 big-endian of the bits, all flipped if negative, else the sign bit; -0 is 0
//   decimal := u128 big-endian of the units with their sign bit flipped
//   interval := as a decimal, its length in ms where months have 30 days and days 24 hours
//   text    := (byte other than 0x00 | 0x00 0xff)* 0x00 0x00

/// What is written of a double: it grows as the number does.
std::uint64_t ordered_bits(double value);
/// Room that write_key() needs at most.
std::size_t key_bytes_max(const Vector& vector, std::size_t row);
/// Writes cell `row` to `out` and returns what is behind it.
char* write_key(char* out, const Vector& vector, std::size_t row);
/// Appends cell `row`.
void append_key(std::string& out, const Vector& vector, std::size_t row);

/// How many bytes of `key` its first cell takes. REQUIRES: append_key() wrote that, of a vector of
/// this type.
std::size_t first_cell_bytes(std::string_view key, const Type& type);

/// Sets cell `row` from the cell that `key` begins with, and takes that off `key`. The text is
/// appended to `texts`, which must have room: reserve key.size(). Of an interval there is its
/// length, in as many months as it has, then days. False if these are no bytes of append_key().
bool take_key(std::string_view& key, Vector& out, std::size_t row, std::string& texts);

}  // namespace leat::column
