// The rows of joins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "operators/chunk_maker.h"
#include "operators/operator.h"
#include "operators/row_store.h"
#include "operators/window_slices.h"
#include "plan/bound_plan.h"

namespace leat::operators {

/// What a join needs of its inputs, and how its rows are put together: window_start and window_end
/// of window joins, the left row, columns of the right one unless left rows are given alone.
///
/// Only columns that are read are kept: by the join, or behind it. The others are NULL in what
/// comes out.
struct JoinColumns {
  /// What is kept of one side's rows.
  struct Kept {
    std::vector<std::size_t> columns;  // of the input
    std::vector<column::Type> types;
    std::vector<std::size_t> keys;    // among the kept ones
    std::size_t chunk_row_bytes = 0;  // of the input's chunks

    /// A chunk of the input with the kept columns alone.
    column::Chunk of(const column::Chunk& chunk) const;
  };
  /// A column of what comes out.
  struct Given {
    column::Type type;
    std::size_t kept = 0;                         // which of the kept ones it is
    std::shared_ptr<const column::Vector> nulls;  // what it is in place of that, if nobody reads it
  };

  /// REQUIRES: `node`, the number of its plan's node, is a plan::Join.
  JoinColumns(const plan::BoundPlan& plan, std::size_t node);

  std::int32_t node;
  column::Schema schema;  // of what comes out
  plan::Join::How how;
  bool windowed;
  std::vector<std::size_t> left_keys;   // of the input
  std::vector<std::size_t> right_keys;  // likewise
  Kept left;
  Kept right;
  std::vector<Given> left_given;
  std::vector<Given> right_given;
  bool drops_some = false;  // whether columns that could come out are not kept

  /// Of a state's section: 2 if its rows have all columns, as they had before there was a choice.
  std::uint8_t state_version() const { return drops_some ? 3 : 2; }

  /// Whether a left row is given alone when it has no partner, or at most once when it has one.
  bool gives_unmatched() const {
    return how == plan::Join::How::left || how == plan::Join::How::anti;
  }
  bool gives_pairs() const { return how == plan::Join::How::inner || how == plan::Join::How::left; }

 private:
  void add(const column::Schema& input, const std::vector<std::size_t>& columns,
           const std::vector<std::size_t>& keys, const std::vector<bool>& wanted, Kept& kept,
           std::vector<Given>& given);
  bool is_shared(std::size_t right_column, const plan::Join& join) const;
};

/// Collects a join's rows for chunks, in the order in which they are added. No rows are added to
/// the stores, or released, before take().
class JoinOutput {
 public:
  explicit JoinOutput(const JoinColumns& columns) : columns_(columns) {}

  /// `right` has no block if there is no partner. REQUIRES: not full.
  void add(std::int64_t time_ms, const StoredRow& left, const StoredRow& right,
           const Span& window = {});
  bool is_full() const { return maker_.is_full(); }
  /// A chunk of all that was added; none if nothing was.
  std::optional<column::Chunk> take();

 private:
  void add_windows();
  void add_columns(const std::vector<JoinColumns::Given>& columns,
                   const std::vector<StoredRow>& rows);

  const JoinColumns& columns_;
  ChunkMaker maker_;
  std::vector<StoredRow> left_;
  std::vector<StoredRow> right_;
  std::vector<Span> windows_;
  std::string rest_;
};

}  // namespace leat::operators
