// Columns as rows.h reads and writes them.
#pragma once

#include <memory>
#include <vector>

#include "column/text_arena.h"
#include "column/vector.h"
#include "leat/rows.h"

namespace leat::flow::detail {

class CellAppender {
 public:
  /// Both outlive it.
  CellAppender(column::Vector& column, column::TextArena& texts) : column_(column), texts_(texts) {}

  column::Vector& column() { return column_; }
  column::TextArena& texts() { return texts_; }
  /// Makes room for a cell; which.
  std::size_t next() {
    column_.resize(column_.size() + 1);
    return column_.size() - 1;
  }
  CellAppender& items();

 private:
  column::Vector& column_;
  column::TextArena& texts_;
  std::unique_ptr<CellAppender> items_;
};

/// Appenders to columns of one row after the other.
class RowCells {
 public:
  RowCells(std::vector<column::Vector>& columns, column::TextArena& texts);
  CellAppender* const* columns() const { return pointers_.data(); }

 private:
  std::vector<CellAppender> appenders_;
  std::vector<CellAppender*> pointers_;
};

/// What RowReader reads. The column stays where it is and as it is.
struct ReadCells {
  Cells cells;
  std::unique_ptr<ReadCells> items;
};
ReadCells cells_of(const column::Vector& column);

}  // namespace leat::flow::detail
