#include "operators/saved_rows.h"

#include <algorithm>
#include <utility>

#include "operators/column_codec.h"

namespace leat::operators {

namespace {

using Rows = std::span<const std::uint32_t>;

void write_block(StateWriter& writer, const RowBlock& block, Rows rows) {
  auto numbers_of = [&]<class T>(const T* values) {
    writer.write_numbers<T>(rows.size(), [&](std::size_t i) { return values[rows[i]]; });
  };
  writer.write(static_cast<std::uint32_t>(rows.size()));
  numbers_of(block.times_ms);
  numbers_of(block.origins);
  numbers_of(block.places);
  writer.write_numbers<std::uint8_t>(rows.size(), [&](std::size_t i) {
    return static_cast<std::uint8_t>(StoredRow{&block, rows[i]}.kind());
  });
  bool rests = false;
  for (std::uint32_t row : rows) rests = rests || !StoredRow{&block, row}.rest().empty();
  writer.write(static_cast<std::uint8_t>(rests ? 1 : 0));
  if (rests) write_texts(writer, {block.rests, block.size()}, rows);
  for (const column::Vector* column : block.columns) write_column(writer, *column, rows);
}

void read_block(StateReader& reader, RowBlock& block, std::size_t begin, std::size_t count) {
  CopiedRows& copied = *block.copied;
  auto numbers_to = [&]<class T>(std::vector<T>& values) {
    reader.read_numbers<T>(count, [&](std::size_t i, T value) { values[begin + i] = value; });
  };
  numbers_to(copied.times_ms);
  numbers_to(copied.origins);
  numbers_to(copied.places);
  reader.read_numbers<std::uint8_t>(count, [&](std::size_t i, std::uint8_t kind) {
    constexpr std::uint8_t kinds = 3;
    copied.kinds[begin + i] = static_cast<column::RowKind>(kind & kinds);
  });
  if (reader.read<std::uint8_t>() != 0) {
    block.make_room_for_rests();
    auto rests = std::span(copied.rests).subspan(begin, count);
    block.text_bytes += read_texts(reader, rests, *copied.texts);
  }
  for (auto& column : copied.columns) {
    block.text_bytes += read_column(reader, column, begin, count, *copied.texts);
  }
}

}  // namespace

SavedRows::SavedRows(StateWriter& writer, const RowStore& store)
    : writer_(writer), numbers_(store.id_end()) {
  auto blocks = store.blocks();
  auto full = std::count_if(blocks.begin(), blocks.end(),
                            [](const auto& block) { return block->live > 0; });
  writer.write(static_cast<std::uint32_t>(full));
  std::vector<std::uint32_t> rows;
  std::uint32_t number = 0;
  for (const auto& block : blocks) {
    if (block->live == 0) continue;
    rows.clear();
    for (std::uint32_t row = 0; row < block->size(); ++row) {
      if (block->ids[row] == no_row) continue;
      numbers_[block->ids[row]] = number++;
      rows.push_back(row);
    }
    write_block(writer, *block, rows);
  }
}

void SavedRows::write(std::span<const RowId> ids) {
  writer_.write(static_cast<std::uint32_t>(ids.size()));
  writer_.write_numbers<std::uint32_t>(ids.size(), [&](std::size_t i) { return numbers_[ids[i]]; });
}

RestoredRows::RestoredRows(StateReader& reader, RowStore& store) : reader_(reader) {
  constexpr std::size_t row_bytes_min = 3 * sizeof(std::int64_t) + 1;
  for (std::uint32_t blocks = reader.read_count(1); blocks > 0 && reader.ok(); --blocks) {
    std::size_t count = reader.read_count(row_bytes_min);
    if (count == 0) {
      reader.fail();
      return;
    }
    RowBlock& block = store.extend(count);
    std::size_t begin = block.size() - count;
    ids_.insert(ids_.end(), block.ids.begin() + static_cast<std::ptrdiff_t>(begin),
                block.ids.end());
    read_block(reader, block, begin, count);
  }
  left_ = ids_.size();
}

RowId RestoredRows::take() {
  auto number = reader_.read<std::uint32_t>();
  if (number >= ids_.size() || ids_[number] == no_row) {
    reader_.fail();
    return no_row;
  }
  --left_;
  return std::exchange(ids_[number], no_row);
}

std::vector<RowId> RestoredRows::take_some() {
  std::vector<RowId> taken;
  for (auto left = reader_.read_count(sizeof(std::uint32_t)); left > 0 && reader_.ok(); --left) {
    RowId id = take();
    if (reader_.ok()) taken.push_back(id);
  }
  return taken;
}

void RestoredRows::finish() {
  if (left_ > 0) reader_.fail();
}

}  // namespace leat::operators
