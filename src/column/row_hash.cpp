#include "column/row_hash.h"

#include <bit>

#include <xxhash.h>

#include "base/assert.h"

namespace leat::column {

namespace {

// The finaliser of MurmurHash3: every bit of the input changes every bit of the result.
constexpr std::uint64_t mix(std::uint64_t bits) {
  bits ^= bits >> 33;
  bits *= 0xff51'afd7'ed55'8ccd;
  bits ^= bits >> 33;
  bits *= 0xc4ce'b9fe'1a85'ec53;
  return bits ^ bits >> 33;
}

std::uint64_t mix_wide(Int128 value) {
  auto bits = static_cast<Uint128>(value);
  return mix(static_cast<std::uint64_t>(bits) ^ mix(static_cast<std::uint64_t>(bits >> 64)));
}

// Adds a column to the hashes; `bits_of` gives 64 mixed bits for a cell.
template <class BitsOf>
void add(const Vector& vector, const Selection& rows, std::vector<std::uint64_t>& hashes,
         BitsOf bits_of) {
  constexpr std::uint64_t null = 0x9e37'79b9'7f4a'7c15;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    std::uint32_t row = rows[i];
    std::uint64_t bits = vector.is_null(row) ? null : bits_of(row);
    hashes[i] = mix(std::rotl(hashes[i], 5) + bits);
  }
}

}  // namespace

void hash_rows(const Chunk& chunk, std::span<const std::size_t> columns,
               std::vector<std::uint64_t>& hashes) {
  hashes.assign(chunk.selection.size(), 0);
  for (std::size_t column : columns) {
    const Vector& vector = *chunk.columns[column];
    auto add_cells = [&](auto bits_of) { add(vector, chunk.selection, hashes, bits_of); };
    switch (physical(vector.type())) {
      case Physical::integer:
        add_cells([&](std::uint32_t row) {
          return mix(static_cast<std::uint64_t>(vector.integer(row)));
        });
        break;
      case Physical::real:
        add_cells(
            [&](std::uint32_t row) { return mix(std::bit_cast<std::uint64_t>(vector.real(row))); });
        break;
      case Physical::decimal:
        add_cells([&](std::uint32_t row) { return mix_wide(vector.decimal(row)); });
        break;
      case Physical::interval:
        add_cells([&](std::uint32_t row) { return mix_wide(length_ms(vector.interval(row))); });
        break;
      case Physical::text:
        add_cells([&](std::uint32_t row) {
          std::string_view text = vector.text(row);
          return XXH3_64bits(text.data(), text.size());
        });
        break;
      case Physical::list: ASSERT(false);
    }
  }
}

}  // namespace leat::column
