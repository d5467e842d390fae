#include "operators/given_results.h"

#include <utility>

#include "operators/cell_codec.h"
#include "operators/gather.h"

namespace leat::operators {

using column::Physical;
using column::Vector;

namespace {

bool is_same_cell(const Vector& a, std::uint32_t a_row, const Vector& b, std::uint32_t b_row) {
  if (a.is_null(a_row) || b.is_null(b_row)) return a.is_null(a_row) && b.is_null(b_row);
  switch (physical(a.type())) {
    case Physical::integer: return a.integer(a_row) == b.integer(b_row);
    case Physical::real: return a.real(a_row) == b.real(b_row);
    case Physical::decimal: return a.decimal(a_row) == b.decimal(b_row);
    case Physical::text: return a.text(a_row) == b.text(b_row);
    case Physical::interval:
    case Physical::list: break;
  }
  return a.value(a_row) == b.value(b_row);
}

}  // namespace

GivenResults::GivenResults(std::span<const column::Type> types) {
  for (const auto& type : types) columns_.emplace_back(type);
}

void GivenResults::resize(std::size_t keys) {
  if (keys == there_.size()) return;
  for (auto& column : columns_) column.resize(keys);
  there_.resize(keys, 0);
}

void GivenResults::set(std::uint32_t key, const column::Chunk& chunk, std::size_t first,
                       std::uint32_t row) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    columns_[i].set_from(key, *chunk.columns[first + i], row);
    text_bytes_ += own_texts(columns_[i], key, key + 1, *texts_);
  }
  there_[key] = 1;
  constexpr std::size_t least = 64 * 1024;
  if (text_bytes_ > 2 * live_bytes_ + least) free_texts();
}

// Copies what is there.
void GivenResults::free_texts() {
  std::vector<Vector> old = std::exchange(columns_, {});
  auto texts = std::make_shared<column::TextArena>();
  text_bytes_ = 0;
  for (const auto& from : old) {
    Vector& to = columns_.emplace_back(from.type());
    to.resize(there_.size());
    for (std::uint32_t key = 0; key < there_.size(); ++key) {
      if (there_[key] == 0)
        to.set_null(key);
      else
        to.set_from(key, from, key);
    }
    text_bytes_ += own_texts(to, 0, there_.size(), *texts);
  }
  texts_ = std::move(texts);
  live_bytes_ = text_bytes_;
}

bool GivenResults::is_same(std::uint32_t key, const column::Chunk& chunk, std::size_t first,
                           std::uint32_t row) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!is_same_cell(columns_[i], key, *chunk.columns[first + i], row)) return false;
  }
  return true;
}

std::size_t GivenResults::bytes() const {
  std::size_t bytes = there_.capacity() + text_bytes_;
  for (const auto& column : columns_) bytes += column.size() * cell_bytes(column.type());
  return bytes;
}

void GivenResults::write(StateWriter& writer, std::uint32_t key) const {
  writer.write(there_[key]);
  if (there_[key] == 0) return;
  for (const auto& column : columns_) write_cell(writer, column, key);
}

void GivenResults::read(StateReader& reader, std::uint32_t key) {
  if (reader.read<std::uint8_t>() == 0) return;
  for (auto& column : columns_) {
    read_cell(reader, column, key);
    text_bytes_ += own_texts(column, key, key + 1, *texts_);
  }
  there_[key] = 1;
}

}  // namespace leat::operators
