// Rows of one store, given on as they are.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "column/chunk.h"
#include "operators/chunk_maker.h"
#include "operators/operator.h"
#include "operators/row_store.h"

namespace leat::operators {

/// Pushes stored rows in chunks, in the order in which they are added, if wished with a number
/// behind their columns. No row is added to the store meanwhile.
class StoredOutput {
 public:
  /// `schema` is of what comes out: the store's columns, and one of type bigint behind them if
  /// there is one more.
  StoredOutput(const column::Schema& schema, RowStore& store) : schema_(schema), store_(store) {}

  Result<void> add(RowId id, Context& context, std::int64_t number = 0,
                   column::RowKind kind = column::RowKind::insert);
  /// A row that is released when it has been pushed, or need not be.
  void release_later(RowId id) { done_.push_back(id); }
  /// Pushes what is left, and releases rows.
  Result<void> finish(Context& context);

 private:
  Result<void> push(Context& context);

  const column::Schema& schema_;
  RowStore& store_;
  ChunkMaker maker_;
  std::vector<StoredRow> rows_;
  std::vector<std::int64_t> numbers_;
  std::vector<RowId> done_;
};

}  // namespace leat::operators
