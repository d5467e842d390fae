#include "column/position.h"

#include <array>
#include <cstddef>

#include "base/bytes.h"

namespace leat::column {

void append_word(std::string& out, std::int64_t word) {
  constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;
  std::array<std::byte, sizeof word> bytes;
  store_big_endian(bytes.data(), static_cast<std::uint64_t>(word) ^ sign_bit);
  out += as_text(BytesView(bytes));
}

void append_position(std::string& out, const Position& position) {
  append_word(out, static_cast<std::int64_t>(position.origin >> 32));
  append_word(out, static_cast<std::int64_t>(position.origin & 0xffff'ffff));
  append_word(out, position.place);
  out += position.rest;
}

}  // namespace leat::column
