// Rows that wait until event time has passed them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "column/chunk.h"
#include "operators/row_store.h"
#include "operators/saved_rows.h"
#include "operators/time_order.h"
#include "operators/watermark.h"

namespace leat::operators {

/// A store, and which of its rows wait: takes rows in any order and gives them back in the order of
/// time. They stay in the store for whoever took them. Not thread-safe.
class SortedRows {
 public:
  /// `chunk_row_bytes`: as RowStore has it, for keep().
  explicit SortedRows(std::vector<column::Type> types, std::size_t chunk_row_bytes = 0)
      : store_(std::move(types), chunk_row_bytes) {}

  /// Copies these rows of the chunk. Says where they are.
  std::vector<RowId> add(const column::Chunk& chunk, std::span<const std::uint32_t> rows);
  /// The same for rows that will mostly be gone soon: RowStore::keep().
  void keep(const column::Chunk& chunk, std::span<const std::uint32_t> rows);
  /// The rows with an event time before `watermark`, in order, behind those of earlier calls. Who
  /// takes them releases them, when they are needed no longer.
  std::vector<RowId> take(Watermark watermark) { return order_.take(store_, watermark); }
  /// How many wait.
  std::size_t waiting() const { return order_.size(); }
  /// Which, in no order.
  std::vector<RowId> waiting_rows() const { return order_.rows(); }

  RowStore& store() { return store_; }
  const RowStore& store() const { return store_; }
  std::size_t bytes() const { return store_.bytes() + order_.bytes(); }

  //   waiting := numbers                          as saved_rows.h has them, of rows of the store
  /// Only which wait: rows that were taken are their owner's business.
  void snapshot(SavedRows& saved) const;
  /// REQUIRES: nothing waits.
  void restore(RestoredRows& restored);
  //   sorted := rows waiting
  /// The same where no row is in the store but those that wait.
  void snapshot(StateWriter& writer) const;
  void restore(StateReader& reader);

 private:
  RowStore store_;
  TimeOrder order_;
};

}  // namespace leat::operators
