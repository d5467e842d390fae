#include "operators/column_codec.h"

#include <bit>
#include <cstring>
#include <string_view>
#include <vector>

namespace leat::operators {

using column::Int128;
using column::Interval;
using column::Physical;
using column::Uint128;
using column::Vector;

namespace {

using Rows = std::span<const std::uint32_t>;

// Of each row `value_of(row)`, or 0 where it is NULL.
template <std::integral T, class ValueOf>
void write_values(StateWriter& writer, const Vector& vector, Rows rows, const ValueOf& value_of) {
  if (!vector.has_nulls()) {
    return writer.write_numbers<T>(rows.size(), [&](std::size_t i) { return value_of(rows[i]); });
  }
  writer.write_numbers<T>(rows.size(), [&](std::size_t i) {
    return vector.is_null(rows[i]) ? T{0} : value_of(rows[i]);
  });
}

void write_decimals(StateWriter& writer, const Vector& vector, Rows rows) {
  for (int shift : {64, 0}) {
    write_values<std::uint64_t>(writer, vector, rows, [&](std::uint32_t row) {
      return static_cast<std::uint64_t>(static_cast<Uint128>(vector.decimal(row)) >> shift);
    });
  }
}

void write_intervals(StateWriter& writer, const Vector& vector, Rows rows) {
  for (auto part : {&Interval::months, &Interval::days, &Interval::ms}) {
    write_values<std::int64_t>(writer, vector, rows,
                               [&](std::uint32_t row) { return vector.interval(row).*part; });
  }
}

void write_lists(StateWriter& writer, const Vector& vector, Rows rows) {
  write_values<std::uint32_t>(writer, vector, rows,
                              [&](std::uint32_t row) { return vector.list(row).count; });
  std::vector<std::uint32_t> items;
  for (std::uint32_t row : rows) {
    if (vector.is_null(row)) continue;
    auto [begin, count] = vector.list(row);
    for (std::uint32_t i = 0; i < count; ++i) items.push_back(begin + i);
  }
  writer.write(static_cast<std::uint32_t>(items.size()));
  write_column(writer, vector.items(), items);
}

template <class TextOf>
void write_texts_of(StateWriter& writer, Rows rows, const TextOf& text_of) {
  std::size_t bytes = 0;
  writer.write_numbers<std::uint32_t>(rows.size(), [&](std::size_t i) {
    std::size_t size = text_of(rows[i]).size();
    bytes += size;
    return static_cast<std::uint32_t>(size);
  });
  std::byte* to = writer.write_bytes(bytes);
  for (std::uint32_t row : rows) {
    std::string_view text = text_of(row);
    if (text.empty()) continue;
    std::memcpy(to, text.data(), text.size());
    to += text.size();
  }
}

/// Cells that are read.
struct Range {
  std::size_t begin = 0;
  std::size_t count = 0;
};

void read_integers(StateReader& reader, Vector& vector, Range cells) {
  auto to = vector.integers().subspan(cells.begin);
  reader.read_numbers<std::int64_t>(cells.count,
                                    [&](std::size_t i, std::int64_t value) { to[i] = value; });
}

void read_reals(StateReader& reader, Vector& vector, Range cells) {
  auto to = vector.reals().subspan(cells.begin);
  reader.read_numbers<std::uint64_t>(
      cells.count, [&](std::size_t i, std::uint64_t bits) { to[i] = std::bit_cast<double>(bits); });
}

void read_decimals(StateReader& reader, Vector& vector, Range cells) {
  auto to = vector.decimals().subspan(cells.begin);
  reader.read_numbers<std::uint64_t>(cells.count, [&](std::size_t i, std::uint64_t high) {
    to[i] = static_cast<Int128>(Uint128{high} << 64);
  });
  reader.read_numbers<std::uint64_t>(cells.count, [&](std::size_t i, std::uint64_t low) {
    to[i] = static_cast<Int128>(static_cast<Uint128>(to[i]) | low);
  });
}

void read_intervals(StateReader& reader, Vector& vector, Range cells) {
  std::vector<Interval> read(cells.count);
  for (auto part : {&Interval::months, &Interval::days, &Interval::ms}) {
    reader.read_numbers<std::int64_t>(
        cells.count, [&](std::size_t i, std::int64_t value) { read[i].*part = value; });
  }
  for (std::size_t i = 0; i < cells.count; ++i) vector.set_interval(cells.begin + i, read[i]);
}

std::size_t read_lists(StateReader& reader, Vector& vector, Range cells, column::TextArena& arena) {
  std::vector<std::uint32_t> counts(cells.count);
  reader.read_numbers<std::uint32_t>(
      cells.count, [&](std::size_t i, std::uint32_t count) { counts[i] = count; });
  std::uint32_t items = reader.read_count(1);
  std::size_t at = vector.items().size(), end = at + items;
  for (std::size_t i = 0; i < cells.count; ++i) {
    if (counts[i] > end - at) return reader.fail(), 0;
    vector.set_list(cells.begin + i, {static_cast<std::uint32_t>(at), counts[i]});
    at += counts[i];
  }
  if (at != end) return reader.fail(), 0;
  vector.items().resize(end);
  return read_column(reader, vector.items(), end - items, items, arena);
}

}  // namespace

void write_texts(StateWriter& writer, std::span<const std::string_view> texts, Rows rows) {
  write_texts_of(writer, rows, [&](std::uint32_t row) { return texts[row]; });
}

std::size_t read_texts(StateReader& reader, std::span<std::string_view> texts,
                       column::TextArena& arena) {
  std::vector<std::uint32_t> sizes(texts.size());
  std::size_t total = 0;
  reader.read_numbers<std::uint32_t>(texts.size(), [&](std::size_t i, std::uint32_t size) {
    sizes[i] = size;
    total += size;
  });
  BytesView bytes = reader.read_bytes(total);
  if (!reader.ok() || bytes.empty()) return 0;
  char* to = arena.reserve(total);
  std::memcpy(to, bytes.data(), total);
  arena.keep(total);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    texts[i] = {to, sizes[i]};
    to += sizes[i];
  }
  return total;
}

void write_column(StateWriter& writer, const Vector& vector, Rows rows) {
  bool nulls = vector.has_nulls();
  writer.write(static_cast<std::uint8_t>(nulls ? 1 : 0));
  if (nulls) {
    writer.write_numbers<std::uint8_t>(rows.size(),
                                       [&](std::size_t i) { return vector.nulls()[rows[i]]; });
  }
  switch (physical(vector.type())) {
    case Physical::integer:
      return write_values<std::int64_t>(writer, vector, rows,
                                        [&](std::uint32_t row) { return vector.integer(row); });
    case Physical::real:
      return write_values<std::uint64_t>(writer, vector, rows, [&](std::uint32_t row) {
        return std::bit_cast<std::uint64_t>(vector.real(row));
      });
    case Physical::text:
      return write_texts_of(writer, rows, [&](std::uint32_t row) {
        return nulls && vector.is_null(row) ? std::string_view() : vector.text(row);
      });
    case Physical::decimal: return write_decimals(writer, vector, rows);
    case Physical::interval: return write_intervals(writer, vector, rows);
    case Physical::list: return write_lists(writer, vector, rows);
  }
}

std::size_t read_column(StateReader& reader, Vector& vector, std::size_t begin, std::size_t count,
                        column::TextArena& arena) {
  BytesView nulls;
  if (reader.read<std::uint8_t>() != 0) nulls = reader.read_bytes(count);
  Range cells{begin, count};
  std::size_t text_bytes = 0;
  switch (physical(vector.type())) {
    case Physical::integer: read_integers(reader, vector, cells); break;
    case Physical::real: read_reals(reader, vector, cells); break;
    case Physical::text:
      text_bytes = read_texts(reader, vector.texts().subspan(begin, count), arena);
      break;
    case Physical::decimal: read_decimals(reader, vector, cells); break;
    case Physical::interval: read_intervals(reader, vector, cells); break;
    case Physical::list: text_bytes = read_lists(reader, vector, cells, arena); break;
  }
  for (std::size_t i = 0; i < nulls.size(); ++i) {
    if (nulls[i] != std::byte{0}) vector.set_null(begin + i);
  }
  return text_bytes;
}

}  // namespace leat::operators
