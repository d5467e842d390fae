#include "column/row_key.h"

#include <bit>
#include <cstring>

#include "base/assert.h"
#include "base/bytes.h"
#include "column/value.h"

namespace leat::column {

namespace {

constexpr char present = 0x01;
constexpr char null = 0x02;
constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;

char* write_u64(char* out, std::uint64_t value) {
  store_big_endian(reinterpret_cast<std::byte*>(out), value);
  return out + sizeof value;
}

constexpr Int128 day_ms = 86'400'000;
constexpr Int128 month_ms = 30 * day_ms;

char* write_i128(char* out, Int128 value) {
  auto bits = static_cast<Uint128>(value);
  out = write_u64(out, static_cast<std::uint64_t>(bits >> 64) ^ sign_bit);
  return write_u64(out, static_cast<std::uint64_t>(bits));
}

Interval interval_of(Int128 length) {
  return {static_cast<std::int64_t>(length / month_ms),
          static_cast<std::int64_t>(length % month_ms / day_ms),
          static_cast<std::int64_t>(length % day_ms)};
}

double unordered_bits(std::uint64_t bits) {
  return std::bit_cast<double>((bits & sign_bit) != 0 ? bits & ~sign_bit : ~bits);
}

// Copies `text` and says whether it has a zero. Texts are short: eight bytes at a time, the last of
// them twice, cost less than any call.
bool copy_finding_zero(char* out, std::string_view text) {
  constexpr std::uint64_t ones = 0x0101'0101'0101'0101;
  std::uint64_t zeros = 0;
  auto copy_word = [&](std::size_t at) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, sizeof word);
    std::memcpy(out + at, &word, sizeof word);
    zeros |= (word - ones) & ~word & (ones << 7);
  };
  if (text.size() < sizeof ones) {
    bool zero = false;
    for (std::size_t at = 0; at < text.size(); ++at) {
      out[at] = text[at];
      zero |= text[at] == '\0';
    }
    return zero;
  }
  for (std::size_t at = 0; at + sizeof ones < text.size(); at += sizeof ones) copy_word(at);
  copy_word(text.size() - sizeof ones);
  return zeros != 0;
}

char* write_text(char* out, std::string_view text) {
  if (copy_finding_zero(out, text)) {
    for (char c : text) {
      *out++ = c;
      if (c == '\0') *out++ = '\xff';
    }
  } else {
    out += text.size();
  }
  *out++ = '\0';
  *out++ = '\0';
  return out;
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

std::uint64_t ordered_bits(double value) {
  auto bits = std::bit_cast<std::uint64_t>(value == 0 ? 0.0 : value);
  return (bits & sign_bit) != 0 ? ~bits : bits | sign_bit;
}

std::size_t key_bytes_max(const Vector& vector, std::size_t row) {
  constexpr std::size_t tag_and_number = 1 + sizeof(Int128);
  if (physical(vector.type()) != Physical::text || vector.is_null(row)) return tag_and_number;
  return 2 * vector.text(row).size() + tag_and_number;
}

char* write_key(char* out, const Vector& vector, std::size_t row) {
  if (vector.is_null(row)) {
    *out++ = null;
    return out;
  }
  *out++ = present;
  switch (physical(vector.type())) {
    case Physical::integer:
      return write_u64(out, static_cast<std::uint64_t>(vector.integer(row)) ^ sign_bit);
    case Physical::real: return write_u64(out, ordered_bits(vector.real(row)));
    case Physical::decimal: return write_i128(out, vector.decimal(row));
    case Physical::interval: return write_i128(out, length_ms(vector.interval(row)));
    case Physical::text: return write_text(out, vector.text(row));
    case Physical::list: break;
  }
  ASSERT(false);  // arrays have no order
}

void append_key(std::string& out, const Vector& vector, std::size_t row) {
  std::size_t size = out.size();
  out.resize(size + key_bytes_max(vector, row));
  char* end = write_key(out.data() + size, vector, row);
  out.resize(static_cast<std::size_t>(end - out.data()));
}

std::size_t first_cell_bytes(std::string_view key, const Type& type) {
  ASSERT(!key.empty());
  if (key[0] == null) return 1;
  switch (physical(type)) {
    case Physical::integer:
    case Physical::real: return 1 + sizeof(std::uint64_t);
    case Physical::decimal:
    case Physical::interval: return 1 + sizeof(Int128);
    case Physical::text: {
      std::size_t at = 1;
      while (true) {
        at = key.find('\0', at);
        ASSERT(at != std::string_view::npos && at + 1 < key.size());
        at += 2;
        if (key[at - 1] == '\0') return at;
      }
    }
    case Physical::list: break;
  }
  ASSERT(false);  // arrays have no order
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
  switch (physical(out.type())) {
    case Physical::real: out.set_real(row, unordered_bits(bits)); return true;
    case Physical::integer:
      out.set_integer(row, static_cast<std::int64_t>(bits ^ sign_bit));
      return true;
    default: break;
  }
  if (key.size() < sizeof bits) return false;
  auto low = load_big_endian<std::uint64_t>(as_bytes(key).data());
  key.remove_prefix(sizeof low);
  auto wide = static_cast<Int128>((static_cast<Uint128>(bits ^ sign_bit) << 64) | low);
  if (physical(out.type()) == Physical::decimal) {
    out.set_decimal(row, wide);
  } else {
    out.set_interval(row, interval_of(wide));
  }
  return true;
}

}  // namespace leat::column
