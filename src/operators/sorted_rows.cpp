#include "operators/sorted_rows.h"

namespace leat::operators {

std::vector<RowId> SortedRows::add(const column::Chunk& chunk,
                                   std::span<const std::uint32_t> rows) {
  std::vector<RowId> ids;
  ids.reserve(rows.size());
  store_.add(chunk, rows, ids);
  order_.add(store_, ids);
  return ids;
}

void SortedRows::keep(const column::Chunk& chunk, std::span<const std::uint32_t> rows) {
  std::vector<RowId> ids;
  store_.keep(chunk, rows, ids);
  order_.add(store_, ids);
}

void SortedRows::snapshot(SavedRows& saved) const {
  saved.write(order_.rows());
}

void SortedRows::restore(RestoredRows& restored) {
  order_.add(store_, restored.take_some());
}

void SortedRows::snapshot(StateWriter& writer) const {
  SavedRows saved(writer, store_);
  snapshot(saved);
}

void SortedRows::restore(StateReader& reader) {
  RestoredRows restored(reader, store_);
  restore(restored);
  restored.finish();
}

}  // namespace leat::operators
