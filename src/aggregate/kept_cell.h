// Cells that accumulators keep, by their type.
#pragma once

#include <string>

#include "base/assert.h"
#include "base/state.h"
#include "column/vector.h"

namespace leat::aggregate {

/// A kind of cell says:
///
///   Kept                      a cell's value with its own memory; what cells() give can be
///   assigned cells(vector)             by row compare(a, b)             below, at or above 0, of
///   cells and kept ones alike; none of arrays give(kept, vector, row)   sets a cell; texts point
///   into `kept` write(kept, writer), read(kept, reader) heap_bytes(kept)

/// One of three numbers: -1, 0, 1.
template <class T>
int compare_plainly(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

struct IntegerCell {
  using Kept = std::int64_t;
  static auto cells(const column::Vector& vector) { return vector.integers(); }
  static int compare(Kept a, Kept b) { return compare_plainly(a, b); }
  static void give(Kept kept, column::Vector& out, std::size_t row) { out.set_integer(row, kept); }
  static void write(Kept kept, StateWriter& writer) { writer.write(kept); }
  static void read(Kept& kept, StateReader& reader) { kept = reader.read<Kept>(); }
  static std::size_t heap_bytes(Kept) { return 0; }
};

struct RealCell {
  using Kept = double;
  static auto cells(const column::Vector& vector) { return vector.reals(); }
  static int compare(Kept a, Kept b) { return compare_plainly(a, b); }
  static void give(Kept kept, column::Vector& out, std::size_t row) { out.set_real(row, kept); }
  static void write(Kept kept, StateWriter& writer) { writer.write_double(kept); }
  static void read(Kept& kept, StateReader& reader) { kept = reader.read_double(); }
  static std::size_t heap_bytes(Kept) { return 0; }
};

struct DecimalCell {
  using Kept = column::Int128;
  static auto cells(const column::Vector& vector) { return vector.decimals(); }
  static int compare(Kept a, Kept b) { return compare_plainly(a, b); }
  static void give(Kept kept, column::Vector& out, std::size_t row) { out.set_decimal(row, kept); }
  static void write(Kept kept, StateWriter& writer) {
    writer.write(static_cast<std::uint64_t>(kept));
    writer.write(static_cast<std::int64_t>(kept >> 64));
  }
  static void read(Kept& kept, StateReader& reader) {
    auto low = reader.read<std::uint64_t>();
    auto high = static_cast<column::Uint128>(reader.read<std::int64_t>());
    kept = static_cast<Kept>(high << 64 | low);
  }
  static std::size_t heap_bytes(Kept) { return 0; }
};

struct TextCell {
  using Kept = std::string;
  static auto cells(const column::Vector& vector) { return vector.texts(); }
  static int compare(std::string_view a, std::string_view b) { return a.compare(b); }
  static void give(const Kept& kept, column::Vector& out, std::size_t row) {
    out.set_text(row, kept);
  }
  static void write(const Kept& kept, StateWriter& writer) { writer.write_text(kept); }
  static void read(Kept& kept, StateReader& reader) { kept = reader.read_text(); }
  static std::size_t heap_bytes(const Kept& kept) {
    static const std::size_t inside = Kept().capacity();
    return kept.capacity() > inside ? kept.capacity() : 0;
  }
};

struct IntervalCell {
  using Kept = column::Interval;
  static auto cells(const column::Vector& vector) { return vector.intervals(); }
  static int compare(const Kept& a, const Kept& b) {
    return compare_plainly(length_ms(a), length_ms(b));
  }
  /// Where months have 30 days and days 24 hours, as intervals are compared.
  static column::Int128 length_ms(const Kept& kept) {
    return (column::Int128{kept.months} * 30 + kept.days) * 86'400'000 + kept.ms;
  }
  static void give(const Kept& kept, column::Vector& out, std::size_t row) {
    out.set_interval(row, kept);
  }
  static void write(const Kept& kept, StateWriter& writer) {
    for (std::int64_t part : {kept.months, kept.days, kept.ms}) writer.write(part);
  }
  static void read(Kept& kept, StateReader& reader) {
    for (std::int64_t* part : {&kept.months, &kept.days, &kept.ms}) {
      *part = reader.read<std::int64_t>();
    }
  }
  static std::size_t heap_bytes(const Kept&) { return 0; }
};

/// Calls `use` with the kind of cell that a type without items has.
template <class Use>
auto with_cell(const column::Type& type, Use use) {
  switch (column::physical(type)) {
    case column::Physical::integer: return use(IntegerCell{});
    case column::Physical::real: return use(RealCell{});
    case column::Physical::decimal: return use(DecimalCell{});
    case column::Physical::text: return use(TextCell{});
    case column::Physical::interval: return use(IntervalCell{});
    case column::Physical::list: break;
  }
  ASSERT(false);
}

}  // namespace leat::aggregate
