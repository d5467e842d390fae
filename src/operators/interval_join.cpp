#include "operators/interval_join.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "operators/row_chains.h"
#include "operators/row_tools.h"
#include "operators/sorted_rows.h"
#include "operators/stored_output.h"

namespace leat::operators {

//   state := section "interval_join" (rows waiting left) (rows waiting right) sorted
//   left  := numbers matched:u8*              that may get a partner, from the oldest on
//   right := numbers                          likewise
//   rows, waiting, sorted, numbers: see sorted_rows.h and saved_rows.h; the last come out later
class IntervalJoin::State : public OperatorState {
 public:
  explicit State(const IntervalJoin& join)
      : join_(join),
        columns_(join.columns_),
        left_(columns_.left),
        right_(columns_.right),
        held_(types_of(columns_.schema)),
        left_key_(columns_.left_keys),
        right_key_(columns_.right_keys),
        output_(columns_) {}

  void snapshot(StateWriter& writer) const override {
    writer.section("interval_join", 2);
    SavedRows left(writer, left_.store());
    left_.snapshot(left);
    std::vector<RowId> ids = lefts_.ids();
    left.write(ids);
    for (RowId id : ids) writer.write(static_cast<std::uint8_t>(is_matched(id) ? 1 : 0));
    SavedRows right(writer, right_.store());
    right_.snapshot(right);
    right.write(rights_.ids());
    held_.snapshot(writer);
  }

  Result<void> restore(StateReader& reader) override {
    if (auto section = reader.section("interval_join", 2); !section) return fail(section);
    RestoredRows left(reader, left_.store());
    left_.restore(left);
    std::vector<RowId> lefts = left.take_some();
    for (RowId id : lefts) {
      StoredRow row = left_.store().row(id);
      keep_left({id, left_key_.find_or_add_in(keys_, row).first, row.time_ms()},
                reader.read<std::uint8_t>() != 0);
    }
    left.finish();
    RestoredRows right(reader, right_.store());
    right_.restore(right);
    for (RowId id : right.take_some()) {
      StoredRow row = right_.store().row(id);
      rights_.add({id, right_key_.find_or_add_in(keys_, row).first, row.time_ms()});
    }
    right.finish();
    held_.restore(reader);
    return {};
  }

  std::size_t bytes() const override {
    return left_.bytes() + right_.bytes() + held_.bytes() + keys_.bytes() + lefts_.bytes() +
           rights_.bytes() + matched_.capacity() / 8;
  }

  void add(std::size_t input, const column::Chunk& chunk, std::span<const std::uint32_t> rows) {
    if (input == 0) {
      left_.add(chunk, rows);
    } else {
      right_.add(columns_.stored_of(chunk), rows);
    }
  }

  Result<void> advance(Watermark watermark, Context& context) {
    std::vector<RowId> lefts = left_.take(watermark), rights = right_.take(watermark);
    auto right = rights.begin();
    for (RowId left : lefts) {
      std::int64_t time_ms = left_.store().row(left).time_ms();
      for (; right != rights.end() && right_.store().row(*right).time_ms() <= time_ms; ++right) {
        if (auto taken = take_right(*right, context); !taken) return fail(taken);
      }
      if (auto taken = take_left(left, time_ms, context); !taken) return fail(taken);
    }
    for (; right != rights.end(); ++right) {
      if (auto taken = take_right(*right, context); !taken) return fail(taken);
    }
    if (auto given = give_pairs(context); !given) return fail(given);
    if (auto expired = expire(watermark, context); !expired) return fail(expired);
    if (auto given = give(context); !given) return fail(given);
    if (!holds()) return {};
    StoredOutput out(columns_.schema, held_.store());
    for (RowId id : held_.take(join_.passes_on(watermark))) {
      if (auto added = out.add(id, context); !added) return fail(added);
      out.release_later(id);
    }
    return out.finish(context);
  }

 private:
  struct Pair {
    RowId left;
    RowId right;
  };

  // Whether rows come out of the order in which they are found.
  bool holds() const { return columns_.how != plan::Join::How::inner; }
  bool is_matched(RowId left) const { return matched_[left]; }

  void keep_left(const RowChains::Row& row, bool matched) {
    lefts_.add(row);
    if (matched_.size() <= row.id) matched_.resize(row.id + 1);
    matched_[row.id] = matched;
  }

  Result<void> take_left(RowId id, std::int64_t time_ms, Context& context) {
    if (auto moved = move_to(time_ms, context); !moved) return fail(moved);
    StoredRow row = left_.store().row(id);
    if (left_key_.has_null(row)) {
      released_left_.push_back(id);
      return columns_.gives_unmatched() ? give_alone(id, context) : Result<void>();
    }
    RowChains::Row left{id, left_key_.find_or_add_in(keys_, row).first, time_ms};
    keep_left(left, false);
    for (RowId right = rights_.first(left.key); right != no_row; right = rights_.next(right)) {
      std::int64_t ahead = rights_.time_ms(right) - time_ms;
      if (ahead > join_.upper_ms_) break;
      if (ahead < join_.lower_ms_) continue;
      if (auto found = pair(id, right, context); !found) return fail(found);
    }
    return {};
  }

  Result<void> take_right(RowId id, Context& context) {
    StoredRow row = right_.store().row(id);
    std::int64_t time_ms = row.time_ms();
    if (auto moved = move_to(time_ms, context); !moved) return fail(moved);
    if (right_key_.has_null(row)) {
      released_right_.push_back(id);
      return {};
    }
    RowChains::Row right{id, right_key_.find_or_add_in(keys_, row).first, time_ms};
    rights_.add(right);
    for (RowId left = lefts_.first(right.key); left != no_row; left = lefts_.next(left)) {
      std::int64_t ahead = time_ms - lefts_.time_ms(left);
      if (ahead < join_.lower_ms_) break;
      if (ahead > join_.upper_ms_) continue;
      if (auto found = pair(left, id, context); !found) return fail(found);
    }
    return {};
  }

  Result<void> pair(RowId left, RowId right, Context& context) {
    bool again = matched_[left];
    matched_[left] = true;
    switch (columns_.how) {
      case plan::Join::How::inner: pairs_.push_back({left, right}); return {};
      case plan::Join::How::left:
        return hold(time_, left_.store().row(left), right_.store().row(right), context);
      case plan::Join::How::semi: return again ? Result<void>() : give_alone(left, context);
      case plan::Join::How::anti: break;
    }
    return {};
  }

  Result<void> give_alone(RowId left, Context& context) {
    StoredRow row = left_.store().row(left);
    return hold(row.time_ms(), row, {}, context);
  }

  Result<void> hold(std::int64_t time_ms, const StoredRow& left, const StoredRow& right,
                    Context& context) {
    output_.add(time_ms, left, right);
    return output_.is_full() ? give(context) : Result<void>();
  }

  // All pairs that were found have the time of the rows that are taken: of the newest one in each.
  Result<void> move_to(std::int64_t time_ms, Context& context) {
    if (time_ms == time_) return {};
    if (auto given = give_pairs(context); !given) return fail(given);
    if (auto expired = expire(time_ms, context); !expired) return fail(expired);
    time_ = time_ms;
    return {};
  }

  Result<void> give_pairs(Context& context) {
    auto before = [&](const Pair& a, const Pair& b) {
      auto left = left_.store().row(a.left).position() <=> left_.store().row(b.left).position();
      if (left != 0) return left < 0;
      return right_.store().row(a.right).position() < right_.store().row(b.right).position();
    };
    if (pairs_.size() > 1) std::sort(pairs_.begin(), pairs_.end(), before);
    for (const auto& [left, right] : pairs_) {
      auto held = hold(time_, left_.store().row(left), right_.store().row(right), context);
      if (!held) return fail(held);
    }
    pairs_.clear();
    return {};
  }

  // Rows that none of `time_ms` or later can be a partner of.
  Result<void> expire(std::int64_t time_ms, Context& context) {
    while (!lefts_.empty() && lefts_.oldest().time_ms + join_.upper_ms_ < time_ms) {
      RowChains::Row row = lefts_.oldest();
      if (columns_.gives_unmatched() && !is_matched(row.id)) {
        if (auto given = give_alone(row.id, context); !given) return fail(given);
      }
      lefts_.drop_oldest();
      released_left_.push_back(row.id);
      forget_key(row.key);
    }
    while (!rights_.empty() && rights_.oldest().time_ms - join_.lower_ms_ < time_ms) {
      RowChains::Row row = rights_.oldest();
      rights_.drop_oldest();
      released_right_.push_back(row.id);
      forget_key(row.key);
    }
    return {};
  }
  void forget_key(KeyTable::Number key) {
    if (lefts_.first(key) == no_row && rights_.first(key) == no_row) keys_.erase(key);
  }

  // What was put together goes out, or is held; then rows may go.
  Result<void> give(Context& context) {
    if (auto chunk = output_.take()) {
      if (!holds()) {
        if (auto pushed = context.push(*chunk); !pushed) return fail(pushed);
      } else {
        std::vector<std::uint32_t> all(chunk->rows);
        for (std::uint32_t i = 0; i < all.size(); ++i) all[i] = i;
        held_.add(*chunk, all);
      }
    }
    for (RowId id : released_left_) left_.store().release(id);
    for (RowId id : released_right_) right_.store().release(id);
    released_left_.clear();
    released_right_.clear();
    return {};
  }

  const IntervalJoin& join_;
  const JoinColumns& columns_;
  SortedRows left_;
  SortedRows right_;
  SortedRows held_;
  KeyWriter left_key_;
  KeyWriter right_key_;
  KeyTable keys_;
  RowChains lefts_;
  RowChains rights_;
  std::vector<bool> matched_;  // by the left rows' numbers
  // Within one call of advance():
  std::int64_t time_ = watermark_min;  // of the rows that are taken
  std::vector<Pair> pairs_;            // of this time, if pairs come out as they are found
  JoinOutput output_;
  std::vector<RowId> released_left_;
  std::vector<RowId> released_right_;
};

IntervalJoin::IntervalJoin(const plan::BoundPlan& plan, std::size_t node)
    : columns_(plan, node), right_keys_(plan.nodes[node].right_keys) {
  const auto& join = std::get<plan::Join>(plan.nodes[node].node->body);
  lower_ms_ = *join.lower_ms;
  upper_ms_ = *join.upper_ms;
}

std::unique_ptr<OperatorState> IntervalJoin::make_state() const {
  return std::make_unique<State>(*this);
}

Result<void> IntervalJoin::process(OperatorState& state, std::size_t input,
                                   const column::Chunk& chunk, Context& context) const {
  auto rows = take_in_time(chunk, context);
  if (!rows) return fail(rows);
  static_cast<State&>(state).add(input, chunk, *rows);
  return {};
}

Result<void> IntervalJoin::advance(OperatorState& state, Watermark watermark,
                                   Context& context) const {
  return static_cast<State&>(state).advance(watermark, context);
}

Watermark IntervalJoin::passes_on(Watermark watermark) const {
  if (columns_.how == plan::Join::How::inner) return watermark;
  return earlier_by(watermark, std::max<std::int64_t>(upper_ms_, 0));
}

std::vector<std::size_t> IntervalJoin::gathers_by(std::size_t input) const {
  return input == 0 ? columns_.left_keys : right_keys_;
}

}  // namespace leat::operators
