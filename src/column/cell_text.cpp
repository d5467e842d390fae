#include "column/cell_text.h"

#include <charconv>

#include "column/json_encoder.h"
#include "column/timestamp.h"

namespace leat::column {

namespace {

constexpr std::int64_t day_ms = 86'400'000;

void append_two_digits(std::string& out, std::uint64_t value) {
  if (value < 10) out += '0';
  append_integer(out, static_cast<std::int64_t>(value));
}

// A sign is written before a positive part that follows a negative one.
void append_part(std::string& out, bool& first, bool& negative, std::int64_t value,
                 std::string_view unit) {
  if (value == 0) return;
  if (!first) out += ' ';
  first = false;
  if (negative && value > 0) out += '+';
  append_integer(out, value);
  out += ' ';
  out += unit;
  if (value != 1) out += 's';
  negative = value < 0;
}

}  // namespace

void append_integer(std::string& out, std::int64_t value) {
  char digits[20];
  auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, end);
}

void append_decimal(std::string& out, Int128 units, int scale) {
  constexpr std::size_t room = 48;
  char digits[room];
  char* const end = digits + room;
  char* at = end;
  auto rest = static_cast<Uint128>(units < 0 ? -units : units);
  int written = 0;
  auto write = [&](auto left, int least) {
    for (; left != 0 || written < least; left /= 10) {
      if (written == scale && scale > 0) *--at = '.';
      *--at = static_cast<char>('0' + static_cast<int>(left % 10));
      ++written;
    }
  };
  // Most are small, and divisions of 128 bits are slow.
  constexpr Uint128 part = 1'000'000'000'000'000'000;
  constexpr int part_digits = 18;
  while (rest >= part) {
    write(static_cast<std::uint64_t>(rest % part), written + part_digits);
    rest /= part;
  }
  write(static_cast<std::uint64_t>(rest), scale + 1);
  if (units < 0) *--at = '-';
  out.append(at, end);
}

void append_date(std::string& out, Date date) {
  constexpr std::size_t date_bytes = 10;
  std::size_t size = out.size();
  append_timestamp(out, Timestamp{date.days * day_ms});
  out.resize(size + date_bytes);
}

void append_interval(std::string& out, const Interval& interval) {
  bool first = true, negative = false;
  append_part(out, first, negative, interval.months / 12, "year");
  append_part(out, first, negative, interval.months % 12, "mon");
  append_part(out, first, negative, interval.days, "day");
  if (interval.ms == 0 && !first) return;
  if (!first) out += ' ';
  if (interval.ms < 0)
    out += '-';
  else if (negative)
    out += '+';
  auto ms = static_cast<std::uint64_t>(interval.ms);
  if (interval.ms < 0) ms = 0 - ms;
  append_two_digits(out, ms / 3'600'000);
  out += ':';
  append_two_digits(out, ms / 60'000 % 60);
  out += ':';
  append_two_digits(out, ms / 1000 % 60);
  std::uint64_t rest = ms % 1000;
  if (rest == 0) return;
  out += '.';
  for (std::uint64_t unit = 100; rest != 0; unit /= 10) {
    out += static_cast<char>('0' + rest / unit);
    rest %= unit;
  }
}

void append_hex(std::string& out, std::string_view bytes) {
  constexpr std::string_view hex = "0123456789abcdef";
  out += "\\x";
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    out += hex[byte >> 4];
    out += hex[byte & 15];
  }
}

void append_cell_text(std::string& out, const Vector& vector, std::size_t row) {
  const Type& type = vector.type();
  if (type.array) return append_json(out, vector, row);
  switch (type.kind) {
    case Type::boolean: out += vector.integer(row) != 0 ? "true" : "false"; return;
    case Type::bigint: return append_integer(out, vector.integer(row));
    case Type::double_precision: return append_json_number(out, vector.real(row));
    case Type::decimal: return append_decimal(out, vector.decimal(row), type.scale);
    case Type::text: out += vector.text(row); return;
    case Type::bytes: return append_hex(out, vector.text(row));
    case Type::timestamp: return append_timestamp(out, Timestamp{vector.integer(row)});
    case Type::date: return append_date(out, Date{vector.integer(row)});
    case Type::interval: return append_interval(out, vector.interval(row));
  }
}

}  // namespace leat::column
