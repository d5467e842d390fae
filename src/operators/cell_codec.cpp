#include "operators/cell_codec.h"

namespace leat::operators {

using column::Int128;
using column::Interval;
using column::Physical;
using column::Uint128;
using column::Vector;

void write_cell(StateWriter& writer, const Vector& vector, std::size_t row) {
  writer.write(static_cast<std::uint8_t>(vector.is_null(row) ? 0 : 1));
  if (vector.is_null(row)) return;
  switch (physical(vector.type())) {
    case Physical::integer: return writer.write(vector.integer(row));
    case Physical::real: return writer.write_double(vector.real(row));
    case Physical::text: return writer.write_text(vector.text(row));
    case Physical::decimal: {
      auto bits = static_cast<Uint128>(vector.decimal(row));
      writer.write(static_cast<std::uint64_t>(bits >> 64));
      return writer.write(static_cast<std::uint64_t>(bits));
    }
    case Physical::interval: {
      const Interval& interval = vector.interval(row);
      writer.write(interval.months);
      writer.write(interval.days);
      return writer.write(interval.ms);
    }
    case Physical::list: break;
  }
  auto [begin, count] = vector.list(row);
  writer.write(count);
  for (std::size_t i = 0; i < count; ++i) write_cell(writer, vector.items(), begin + i);
}

void read_cell(StateReader& reader, Vector& vector, std::size_t row) {
  if (reader.read<std::uint8_t>() == 0) return vector.set_null(row);
  switch (physical(vector.type())) {
    case Physical::integer: return vector.set_integer(row, reader.read<std::int64_t>());
    case Physical::real: return vector.set_real(row, reader.read_double());
    case Physical::text: return vector.set_text(row, reader.read_text());
    case Physical::decimal: {
      auto high = reader.read<std::uint64_t>(), low = reader.read<std::uint64_t>();
      return vector.set_decimal(row, static_cast<Int128>(Uint128{high} << 64 | low));
    }
    case Physical::interval: {
      Interval interval;
      interval.months = reader.read<std::int64_t>();
      interval.days = reader.read<std::int64_t>();
      interval.ms = reader.read<std::int64_t>();
      return vector.set_interval(row, interval);
    }
    case Physical::list: break;
  }
  std::uint32_t count = reader.read_count(1);
  std::size_t begin = vector.items().size();
  vector.items().resize(begin + count);
  for (std::size_t i = 0; i < count; ++i) read_cell(reader, vector.items(), begin + i);
  vector.set_list(row, {static_cast<std::uint32_t>(begin), count});
}

}  // namespace leat::operators
