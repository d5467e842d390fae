// The rows of a store in snapshots.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/state.h"
#include "operators/row_store.h"

namespace leat::operators {

//   rows    := blocks:u32 block*
//   block   := count:u32 time:i64* origin:u64* place:i64* kind:u8* has_rests:u8 rests? column*
//   rests   := texts                             these and columns as column_codec.h has them
//   numbers := count:u32 number:u32*             each one's place among all rows

/// Writes all rows of a store, block by block, as they lie in memory: whoever keeps rows then
/// writes only which. So what a snapshot costs is about what copying the rows costs, however they
/// are spread over keys.
class SavedRows {
 public:
  /// Writes them now. Both outlive it, and the store stays as it is.
  SavedRows(StateWriter& writer, const RowStore& store);

  /// The number of a row.
  void write(RowId id) { writer_.write(numbers_[id]); }
  /// The numbers of some.
  void write(std::span<const RowId> ids);

 private:
  StateWriter& writer_;
  std::vector<std::uint32_t> numbers_;  // by id
};

/// Reads what SavedRows has written, into a store without rows. A number that no row has, or that
/// was taken before, makes the reader fail and gives no_row.
class RestoredRows {
 public:
  RestoredRows(StateReader& reader, RowStore& store);

  RowId take();
  std::vector<RowId> take_some();
  /// All rows were taken; else the reader fails.
  void finish();

 private:
  StateReader& reader_;
  std::vector<RowId> ids_;  // by number; no_row for one that was taken
  std::size_t left_ = 0;
};

}  // namespace leat::operators
