// The rows of joins.
#pragma once

#include <cstdint>
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
struct JoinColumns {
  /// REQUIRES: `node`, the number of its plan's node, is a plan::Join.
  JoinColumns(const plan::BoundPlan& plan, std::size_t node);

  std::int32_t node;
  column::Schema schema;  // of what comes out
  plan::Join::How how;
  bool windowed;
  std::vector<column::Type> left;
  std::vector<std::size_t> left_keys;
  /// Which columns of the right side are kept at all, and their types.
  std::vector<std::size_t> right_stored;
  std::vector<column::Type> right;
  /// Among the kept ones: the keys, and those that come out.
  std::vector<std::size_t> right_keys;
  std::vector<std::size_t> right_given;

  /// Whether a left row is given alone when it has no partner, or at most once when it has one.
  bool gives_unmatched() const {
    return how == plan::Join::How::left || how == plan::Join::How::anti;
  }
  bool gives_pairs() const { return how == plan::Join::How::inner || how == plan::Join::How::left; }
  /// The kept columns of a chunk of the right side.
  column::Chunk stored_of(const column::Chunk& right_chunk) const;
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

  const JoinColumns& columns_;
  ChunkMaker maker_;
  std::vector<StoredRow> left_;
  std::vector<StoredRow> right_;
  std::vector<Span> windows_;
  std::string rest_;
};

}  // namespace leat::operators
