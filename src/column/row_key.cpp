#include "column/row_key.h"

#include <bit>
#include <cstring>

#include "base/assert.h"
#include "base/bytes.h"

namespace leat::column {

namespace {

constexpr char present = 0x01;
constexpr char null = 0x02;
constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;

void append_u64(std::string& out, std::uint64_t value) {
  std::byte bytes[8];
  store_big_endian(bytes, value);
  out.append(reinterpret_cast<const char*>(bytes), sizeof bytes);
}

std::uint64_t ordered_bits(double value) {
  auto bits = std::bit_cast<std::uint64_t>(value == 0 ? 0.0 : value);
  return (bits & sign_bit) != 0 ? ~bits : bits | sign_bit;
}

double unordered_bits(std::uint64_t bits) {
  return std::bit_cast<double>((bits & sign_bit) != 0 ? bits & ~sign_bit : ~bits);
}

// Texts are short and have no zeros: looking for one with memchr() costs more than all the rest.
bool has_zero(std::string_view text) {
  bool zero = false;
  for (char c : text) zero |= c == '\0';
  return zero;
}

void append_text(std::string& out, std::string_view text) {
  if (!has_zero(text)) {
    out.append(text);
    out.append("\0\0", 2);
    return;
  }
  while (true) {
    std::size_t zero = text.find('\0');
    out.append(text.substr(0, zero));
    if (zero == std::string_view::npos) break;
    out.append("\0\xff", 2);
    text.remove_prefix(zero + 1);
  }
  out.append("\0\0", 2);
}

bool take_text(std::string_view& key, std::string& text) {
  while (true) {
    std::size_t zero = key.find('\0');
    if (zero == std::string_view::npos || zero + 1 == key.size()) return false;
    text.append(key.substr(0, zero));
    char next = key[zero + 1];
    key.remove_prefix(zero + 2);
    if (next == '\0') return true;
    if (next != '\xff') return false;
    text.push_back('\0');
  }
}

}  // namespace

void append_key(std::string& out, const Vector& vector, std::size_t row) {
  if (vector.is_null(row)) {
    out.push_back(null);
    return;
  }
  out.push_back(present);
  switch (physical(vector.type())) {
    case Physical::integer:
      return append_u64(out, static_cast<std::uint64_t>(vector.integer(row)) ^ sign_bit);
    case Physical::real: return append_u64(out, ordered_bits(vector.real(row)));
    case Physical::text: return append_text(out, vector.text(row));
  }
}

bool take_key(std::string_view& key, Vector& out, std::size_t row, std::string& texts) {
  if (key.empty()) return false;
  char tag = key[0];
  key.remove_prefix(1);
  if (tag == null) {
    out.set_null(row);
    return true;
  }
  if (tag != present) return false;
  if (physical(out.type()) == Physical::text) {
    std::size_t from = texts.size();
    ASSERT(texts.capacity() - from >= key.size());
    if (!take_text(key, texts)) return false;
    out.set_text(row, std::string_view(texts).substr(from));
    return true;
  }
  if (key.size() < sizeof(std::uint64_t)) return false;
  auto bits = load_big_endian<std::uint64_t>(as_bytes(key).data());
  key.remove_prefix(sizeof bits);
  if (physical(out.type()) == Physical::real) {
    out.set_real(row, unordered_bits(bits));
  } else {
    out.set_integer(row, static_cast<std::int64_t>(bits ^ sign_bit));
  }
  return true;
}

}  // namespace leat::column
