#include "column/position.h"

#include <array>
#include <cstddef>

#include "base/bytes.h"

namespace leat::column {

namespace {

std::byte* put_word(std::byte* at, std::int64_t word) {
  constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;
  store_big_endian(at, static_cast<std::uint64_t>(word) ^ sign_bit);
  return at + sizeof word;
}

}  // namespace

void append_word(std::string& out, std::int64_t word) {
  std::array<std::byte, sizeof word> bytes;
  put_word(bytes.data(), word);
  out += as_text(BytesView(bytes));
}

void append_position(std::string& out, const Position& position) {
  std::array<std::byte, 3 * sizeof(std::int64_t)> words;
  std::byte* at = put_word(words.data(), static_cast<std::int64_t>(position.origin >> 32));
  at = put_word(at, static_cast<std::int64_t>(position.origin & 0xffff'ffff));
  put_word(at, position.place);
  out += as_text(BytesView(words));
  out += position.rest;
}

}  // namespace leat::column
