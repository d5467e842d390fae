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

void SortedRows::snapshot(StateWriter& writer) const {
  write_rows(writer, store_, order_.rows());
}

void SortedRows::restore(StateReader& reader) {
  order_.add(store_, read_rows(reader, store_));
}

}  // namespace leat::operators
