#include "operators/as_of_join.h"

#include "operators/hashed_keys.h"
#include "operators/latest_rows.h"
#include "operators/row_tools.h"
#include "operators/sorted_rows.h"

namespace leat::operators {

using plan::Join;

//   state := section "as_of_join" rows waiting rows waiting numbers       of the left, of the right
//   rows, numbers: see saved_rows.h; the last are each key's last row that event time has passed
class AsOfJoin::State : public OperatorState {
 public:
  explicit State(const AsOfJoin& join)
      : columns_(join.columns_),
        left_(columns_.left.types, columns_.left.chunk_row_bytes),
        right_(columns_.right.types),
        left_key_(columns_.left.keys),
        right_key_(columns_.right.keys),
        output_(columns_) {}

  void snapshot(StateWriter& writer) const override {
    writer.section("as_of_join", columns_.state_version());
    SavedRows left(writer, left_.store());
    left_.snapshot(left);
    SavedRows right(writer, right_.store());
    right_.snapshot(right);
    right.write(latest_.rows());
  }

  Result<void> restore(StateReader& reader) override {
    if (auto section = reader.section("as_of_join", columns_.state_version()); !section)
      return fail(section);
    RestoredRows left(reader, left_.store());
    left_.restore(left);
    left.finish();
    RestoredRows right(reader, right_.store());
    right_.restore(right);
    for (RowId id : right.take_some()) {
      right_key_.with(right_.store().row(id), [&](auto key) { return latest_.set(key, id); });
    }
    right.finish();
    return {};
  }

  std::size_t bytes() const override { return left_.bytes() + right_.bytes() + latest_.bytes(); }

  void add(std::size_t input, const column::Chunk& chunk, std::span<const std::uint32_t> rows) {
    if (input == 0)
      left_.keep(columns_.left.of(chunk), rows);
    else
      right_.add(columns_.right.of(chunk), rows);
  }

  Result<void> advance(Watermark watermark, Context& context) {
    std::vector<RowId> lefts = left_.take(watermark), rights = right_.take(watermark);
    auto right = rights.begin();
    auto cells_of = [&](std::size_t i) { return left_.store().row(lefts[i]); };
    Result<void> given;
    hashed_.for_each(latest_, lefts.size(), cells_of, [&](std::size_t i, const auto& key) {
      if (!given) return;
      StoredRow row = cells_of(i);
      for (; right != rights.end(); ++right) {
        if (right_.store().row(*right).time_ms() > row.time_ms()) break;
        learn(*right);
      }
      released_left_.push_back(lefts[i]);
      look_up(row, key);
      if (output_.is_full()) given = give(context);
    });
    if (!given) return fail(given);
    for (; right != rights.end(); ++right) learn(*right);
    return give(context);
  }

 private:
  void learn(RowId id) {
    StoredRow row = right_.store().row(id);
    bool taken_back = row.kind() == column::RowKind::erase;
    RowId before = right_key_.with(
        row, [&](auto key) { return taken_back ? latest_.forget(key) : latest_.set(key, id); });
    if (before != no_row) released_right_.push_back(before);
    if (taken_back) released_right_.push_back(id);
  }

  void look_up(const StoredRow& left, const HashedKey& key) {
    RowId found = left_key_.has_null(left) ? no_row : latest_.find(key);
    bool matched = found != no_row;
    if (columns_.how != Join::How::left && matched == (columns_.how == Join::How::anti)) return;
    // Also of semi joins the partner is part of the position.
    output_.add(left.time_ms(), left, matched ? right_.store().row(found) : StoredRow());
  }

  Result<void> give(Context& context) {
    if (auto chunk = output_.take()) {
      if (auto pushed = context.push(*chunk); !pushed) return fail(pushed);
    }
    for (RowId id : released_left_) left_.store().release(id);
    for (RowId id : released_right_) right_.store().release(id);
    released_left_.clear();
    released_right_.clear();
    return {};
  }

  const JoinColumns& columns_;
  SortedRows left_;
  SortedRows right_;
  KeyWriter left_key_;
  KeyWriter right_key_;
  LatestRows latest_;
  HashedKeys hashed_{columns_.left.keys};
  // Within one call of advance():
  JoinOutput output_;
  std::vector<RowId> released_left_;
  std::vector<RowId> released_right_;
};

AsOfJoin::AsOfJoin(const plan::BoundPlan& plan, std::size_t node) : columns_(plan, node) {}

std::unique_ptr<OperatorState> AsOfJoin::make_state() const {
  return std::make_unique<State>(*this);
}

Result<void> AsOfJoin::process(OperatorState& state, std::size_t input, const column::Chunk& chunk,
                               Context& context) const {
  auto rows = take_in_time(chunk, context);
  if (!rows) return fail(rows);
  static_cast<State&>(state).add(input, chunk, *rows);
  return {};
}

Result<void> AsOfJoin::advance(OperatorState& state, Watermark watermark, Context& context) const {
  return static_cast<State&>(state).advance(watermark, context);
}

std::vector<std::size_t> AsOfJoin::gathers_by(std::size_t input) const {
  return input == 0 ? columns_.left_keys : columns_.right_keys;
}

}  // namespace leat::operators
