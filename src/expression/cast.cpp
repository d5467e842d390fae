// Casts, by PostgreSQL's rules: decimals round halves away from zero, doubles to whole numbers
// halves to the even one.
#include "expression/optimize.h"

#include <charconv>
#include <cmath>

#include "column/calendar.h"
#include "expression/decimal_math.h"
#include "expression/kernel.h"
#include "expression/read_text.h"
#include "expression/write_text.h"

namespace leat::expression {

using column::day_ms;
using column::Int128;
using column::Type;

namespace {

const auto bigint_error = [](auto) { return std::string("bigint out of range"); };

// ---- From text ---------------------------------------------------------------------------------

std::string reading_error(Reading reading, const Type& to, std::string_view text) {
  if (reading == Reading::malformed) {
    return "invalid input syntax for " + column::name(to) + ": \"" + std::string(text) + "\"";
  }
  return to.kind == Type::decimal ? out_of_range_of(to) : column::name(to) + " out of range";
}

// `read` sets what it is given from a text.
template <class T, class Read>
void read_all(const Call& call, const Type& to, Read read) {
  Cells<std::string_view> texts(call.arguments[0]);
  T* out = nullptr;
  if constexpr (!std::is_same_v<T, column::Interval>) out = cells_of<T>(call.out());
  for_known_rows(call, [&](std::uint32_t row) {
    T value{};
    Reading reading = read(texts[row], value);
    if (reading != Reading::good) {
      call.errors.add(row, reading_error(reading, to, texts[row]));
    } else if constexpr (std::is_same_v<T, column::Interval>) {
      call.out().set_interval(row, value);
    } else {
      out[row] = value;
    }
  });
}

void read_all_bytes(const Call& call, const Type& to) {
  Cells<std::string_view> texts(call.arguments[0]);
  for_known_rows(call, [&](std::uint32_t row) {
    std::string_view text = texts[row];
    char* room = call.result.texts.reserve(text.size() / 2 + 1);
    bool is_hex = false;
    if (Reading reading = read_bytes(text, is_hex, room); reading != Reading::good) {
      call.errors.add(row, reading_error(reading, to, text));
    } else if (is_hex) {
      std::size_t size = text.size() / 2 - 1;
      call.result.texts.keep(size);
      call.out().set_text(row, {room, size});
    } else {
      call.out().set_text(row, text);
    }
  });
}

Kernel from_text(const Type& to) {
  using std::int64_t;
  switch (to.kind) {
    case Type::boolean:
      return [to](const Call& call) { read_all<int64_t>(call, to, read_boolean); };
    case Type::bigint: return [to](const Call& call) { read_all<int64_t>(call, to, read_integer); };
    case Type::double_precision:
      return [to](const Call& call) { read_all<double>(call, to, read_real); };
    case Type::decimal:
      return [to](const Call& call) {
        read_all<Int128>(call, to, [to](std::string_view text, Int128& out) {
          return read_decimal(text, to, out);
        });
      };
    case Type::bytes: return [to](const Call& call) { read_all_bytes(call, to); };
    case Type::timestamp:
      return [to](const Call& call) {
        column::TimestampReader reader;
        read_all<int64_t>(call, to, [&reader](std::string_view text, int64_t& out) {
          return read_timestamp(text, reader, out);
        });
      };
    case Type::date: return [to](const Call& call) { read_all<int64_t>(call, to, read_date); };
    case Type::interval:
      return [to](const Call& call) { read_all<column::Interval>(call, to, read_interval); };
    case Type::text: return {};
  }
  return {};
}

// ---- To text -----------------------------------------------------------------------------------

template <class T, class Write>
Kernel write_all(Write write) {
  return [write](const Call& call) {
    Cells<T> cells(call.arguments[0]);
    auto& texts = call.result.texts;
    for_known_rows(call, [&](std::uint32_t row) {
      char* begin = texts.reserve(written_max);
      auto size = static_cast<std::size_t>(write(begin, cells[row]) - begin);
      texts.keep(size);
      call.out().set_text(row, {begin, size});
    });
  };
}

void write_all_bytes(const Call& call) {
  Cells<std::string_view> cells(call.arguments[0]);
  for_known_rows(call, [&](std::uint32_t row) {
    std::size_t size = 2 + 2 * cells[row].size();
    char* begin = call.result.texts.reserve(size);
    write_bytes(begin, cells[row]);
    call.result.texts.keep(size);
    call.out().set_text(row, {begin, size});
  });
}

void write_all_booleans(const Call& call) {
  Cells<std::int64_t> cells(call.arguments[0]);
  for_known_rows(call, [&](std::uint32_t row) {
    call.out().set_text(row, cells[row] != 0 ? "true" : "false");
  });
}

Kernel to_text(const Type& from) {
  switch (from.kind) {
    case Type::boolean: return write_all_booleans;
    case Type::bigint: return write_all<std::int64_t>(write_integer);
    case Type::double_precision: return write_all<double>(write_real);
    case Type::decimal:
      return write_all<Int128>([scale = from.scale](char* out, Int128 units) {
        return write_decimal(out, units, scale);
      });
    case Type::bytes: return write_all_bytes;
    case Type::timestamp: return write_all<std::int64_t>(write_timestamp);
    case Type::date: return write_all<std::int64_t>(write_date);
    case Type::interval: return write_all<column::Interval>(write_interval);
    case Type::text: return {};
  }
  return {};
}

// ---- Between others ----------------------------------------------------------------------------

template <class R, class T, class F>
Kernel mapped(F f) {
  return [=](const Call& call) { map<R, T>(call, f); };
}

template <class R, class T, class F, class Why>
Kernel checked(F f, Why why) {
  return [=](const Call& call) { map_checked<R, T>(call, f, why); };
}

Kernel from_bigint(const Type& to) {
  using std::int64_t;
  if (to.kind == Type::boolean)
    return mapped<int64_t, int64_t>([](int64_t a) -> int64_t { return a != 0 ? 1 : 0; });
  if (to.kind == Type::double_precision)
    return mapped<double, int64_t>([](int64_t a) { return static_cast<double>(a); });
  return checked<Int128, int64_t>([rescale = Rescale(0, to)](int64_t a) { return rescale(a); },
                                  [to](auto) { return out_of_range_of(to); });
}

// Good for 15 digits, as PostgreSQL has it.
Checked<Int128> decimal_of(double value, const Type& to) {
  char digits[64];
  auto end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::general, 15);
  Int128 units = 0;
  bool good = read_decimal({digits, end.ptr}, to, units) == Reading::good;
  return {units, good ? 0u : 1u};
}

Checked<std::int64_t> bigint_of(double value) {
  double whole = std::rint(value);
  bool good = whole >= -0x1p63 && whole < 0x1p63;
  return {good ? static_cast<std::int64_t>(whole) : 0, good ? 0u : 1u};
}

Kernel from_double(const Type& to) {
  if (to.kind == Type::bigint) return checked<std::int64_t, double>(bigint_of, bigint_error);
  return checked<Int128, double>([to](double value) { return decimal_of(value, to); },
                                 [to](auto) { return out_of_range_of(to); });
}

// The nearest double: that of a division if both numbers are exact, else as it is read.
double double_of(Int128 units, int scale) {
  constexpr int exact_powers = 22;
  constexpr std::int64_t exact_max = std::int64_t{1} << 53;
  if (-exact_max <= units && units <= exact_max && scale <= exact_powers) {
    static const auto powers = [] {
      std::array<double, exact_powers + 1> all{1};
      for (std::size_t i = 1; i < all.size(); ++i) all[i] = all[i - 1] * 10;
      return all;
    }();
    return static_cast<double>(static_cast<std::int64_t>(units)) /
           powers[static_cast<std::size_t>(scale)];
  }
  char digits[written_max];
  double value = 0;
  std::from_chars(digits, write_decimal(digits, units, scale), value);
  return value;
}

Kernel from_decimal(const Type& from, const Type& to) {
  int scale = from.scale;
  if (to.kind == Type::double_precision)
    return mapped<double, Int128>([scale](Int128 units) { return double_of(units, scale); });
  if (to.kind == Type::decimal) {
    return checked<Int128, Int128>(
        [rescale = Rescale(scale, to)](Int128 units) { return rescale(units); },
        [to](auto) { return out_of_range_of(to); });
  }
  auto whole = [one = column::power_of_ten(scale)](Int128 units) {
    Int128 value = divide_rounded(units, one);
    return Checked<std::int64_t>{static_cast<std::int64_t>(value), is_small(value) ? 0u : 1u};
  };
  return checked<std::int64_t, Int128>(whole, bigint_error);
}

// What nobody looks at may be no date.
std::int64_t begin_of_day(std::int64_t date) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(date) * day_ms);
}

}  // namespace

Kernel cast_kernel(const plan::BoundExpression& cast) {
  using std::int64_t;
  const Type &from = cast.arguments[0].type, &to = cast.type;
  if (to.kind == Type::text) return to_text(from);
  switch (from.kind) {
    case Type::text: return from_text(to);
    case Type::bigint: return from_bigint(to);
    case Type::double_precision: return from_double(to);
    case Type::decimal: return from_decimal(from, to);
    case Type::boolean: return mapped<int64_t, int64_t>([](int64_t truth) { return truth; });
    case Type::date: return mapped<int64_t, int64_t>(begin_of_day);
    case Type::timestamp: return mapped<int64_t, int64_t>(column::day_of);
    case Type::bytes:
    case Type::interval: break;
  }
  return {};
}

}  // namespace leat::expression
