#include "operators/window_join.h"

#include <algorithm>
#include <map>
#include <utility>
#include <variant>

#include "operators/key_table.h"
#include "operators/row_tools.h"
#include "operators/saved_rows.h"

namespace leat::operators {

using plan::Join;

namespace {

// The rows of one side, with what is known of each: by their numbers.
struct Side {
  struct Known {
    Watermark watermark = watermark_min;
    KeyTable::Number key = KeyTable::none;  // none if nobody has looked for it, or with a NULL
    RowId next = no_row;                    // of the same key, while a window is joined
  };

  explicit Side(const JoinColumns::Kept& columns)
      : kept(columns), store(columns.types), key(columns.keys) {}

  const JoinColumns::Kept& kept;
  RowStore store;
  KeyWriter key;
  std::vector<Known> known;
};

}  // namespace

//   state := section "window_join" joined:i64 left right
//   left, right := rows numbers watermark:i64*                     see saved_rows.h
class WindowJoin::State : public OperatorState {
 public:
  explicit State(const WindowJoin& join)
      : columns_(join.columns_),
        windows_(join.windows_),
        left_(columns_.left),
        right_(columns_.right),
        output_(columns_) {}

  void snapshot(StateWriter& writer) const override {
    writer.section("window_join", columns_.state_version());
    writer.write(joined_);
    for (bool is_left : {true, false}) {
      const Side& side = is_left ? left_ : right_;
      std::vector<RowId> ids;
      for (const auto& [start, slice] : slices_) {
        const auto& rows = is_left ? slice.left : slice.right;
        ids.insert(ids.end(), rows.begin(), rows.end());
      }
      SavedRows(writer, side.store).write(ids);
      for (RowId id : ids) writer.write(side.known[id].watermark);
    }
  }

  Result<void> restore(StateReader& reader) override {
    auto section = reader.section("window_join", columns_.state_version());
    if (!section) return fail(section);
    joined_ = reader.read<Watermark>();
    for (Side* side : {&left_, &right_}) {
      RestoredRows restored(reader, side->store);
      std::vector<RowId> ids = restored.take_some();
      restored.finish();
      for (RowId id : ids) keep(*side, id, reader.read<Watermark>());
    }
    return {};
  }

  std::size_t bytes() const override {
    return left_.store.bytes() + right_.store.bytes() + keys_.bytes() +
           (left_.known.capacity() + right_.known.capacity()) *
               (sizeof(Side::Known) + sizeof(RowId));
  }

  Result<void> add(std::size_t input, const column::Chunk& chunk, Context& context) {
    std::vector<std::uint32_t> counting, late;
    std::vector<Watermark> watermarks;
    column::RunCursor runs(*chunk.context);
    Side& side = input == 0 ? left_ : right_;
    const column::Chunk kept = side.kept.of(chunk);
    SliceSpan slice;
    for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
      std::uint32_t row = chunk.selection[i];
      Watermark watermark = runs.run_of(row).watermark_ms;
      std::int64_t time_ms = chunk.context->event_times_ms[row];
      if (!slice.contains(time_ms)) slice = windows_.slice_of(time_ms);
      if (slice.last_end_ms <= watermark) {
        late.push_back(row);
        continue;
      }
      bool alone = side.key.has_null(ChunkRow{&kept, row});
      if (alone && (input == 1 || !columns_.gives_unmatched())) continue;
      counting.push_back(row);
      watermarks.push_back(watermark);
    }
    if (!late.empty()) {
      if (auto pushed = context.push_late(chunk, late); !pushed) return fail(pushed);
    }
    std::vector<RowId> ids;
    side.store.add(kept, counting, ids);
    for (std::size_t i = 0; i < ids.size(); ++i) keep(side, ids[i], watermarks[i]);
    return {};
  }

  // Windows that have no rows are passed over.
  Result<void> advance(Watermark watermark, Context& context) {
    while (!slices_.empty()) {
      std::int64_t end_ms = windows_.end_after(std::max(joined_, slices_.begin()->first));
      if (end_ms > watermark) break;
      if (auto joined = join(windows_.window(end_ms), context); !joined) return fail(joined);
      joined_ = end_ms;
      forget_before(windows_.window(end_ms + windows_.stride_ms()).start_ms);
    }
    joined_ = std::max(joined_, watermark);
    return give(context);
  }

 private:
  struct Slice {
    std::vector<RowId> left;
    std::vector<RowId> right;
  };

  void keep(Side& side, RowId id, Watermark watermark) {
    if (side.known.size() <= id) side.known.resize(id + 1);
    side.known[id] = {watermark, KeyTable::none, no_row};
    std::int64_t time_ms = side.store.row(id).time_ms();
    if (last_ == nullptr || !last_span_.contains(time_ms)) {
      last_span_ = windows_.slice_of(time_ms);
      last_ = &slices_[last_span_.start_ms];
    }
    (&side == &left_ ? last_->left : last_->right).push_back(id);
  }

  void use_key(Side& side, RowId id, KeyTable::Number key) {
    if (uses_.size() <= key) {
      uses_.resize(key + 1);
      firsts_.resize(key + 1, no_row);
    }
    ++uses_[key];
    side.known[id].key = key;
  }

  // The rows of one side that count in the window, by their positions.
  std::vector<RowId> rows_in(const Side& side, std::vector<RowId> Slice::*rows,
                             const Span& window) const {
    std::vector<RowId> some;
    auto slice = slices_.lower_bound(window.start_ms);
    for (; slice != slices_.end() && slice->first < window.end_ms; ++slice) {
      for (RowId id : slice->second.*rows) {
        if (side.known[id].watermark < window.end_ms) some.push_back(id);
      }
    }
    auto before = [&](RowId a, RowId b) {
      return side.store.row(a).position() < side.store.row(b).position();
    };
    // Mostly they came in that order.
    if (!std::is_sorted(some.begin(), some.end(), before)) {
      std::sort(some.begin(), some.end(), before);
    }
    return some;
  }

  Result<void> join(const Span& window, Context& context) {
    std::vector<RowId> lefts = rows_in(left_, &Slice::left, window);
    if (lefts.empty()) return {};
    std::vector<RowId> rights = rows_in(right_, &Slice::right, window);
    if (rights.empty() && !columns_.gives_unmatched()) return {};
    chain(rights);
    Result<void> given;
    auto cells_of = [&](std::size_t i) { return left_.store.row(lefts[i]); };
    for (std::size_t i = 0; i < lefts.size() && given; ++i) {
      left_.key.prefetch_in(keys_, i, lefts.size(), cells_of);
      given = join_row(lefts[i], first_of(lefts[i]), window, context);
    }
    for (RowId id : rights) firsts_[right_.known[id].key] = no_row;
    return given;
  }

  // Links those of each key, from the first on. Keys are known from here on.
  void chain(const std::vector<RowId>& rights) {
    std::size_t count = rights.size();
    auto cells_of = [&](std::size_t i) { return right_.store.row(rights[count - 1 - i]); };
    for (std::size_t i = 0; i < count; ++i) {
      right_.key.prefetch_in(keys_, i, count, cells_of);
      RowId id = rights[count - 1 - i];
      Side::Known& known = right_.known[id];
      if (known.key == KeyTable::none) {
        use_key(right_, id, right_.key.find_or_add_in(keys_, cells_of(i)).first);
      }
      known.next = std::exchange(firsts_[known.key], id);
    }
  }

  // Of the right rows of a left row's key.
  RowId first_of(RowId left) {
    Side::Known& known = left_.known[left];
    if (known.key == KeyTable::none) {
      StoredRow row = left_.store.row(left);
      if (left_.key.has_null(row)) return no_row;
      KeyTable::Number key = left_.key.find_in(keys_, row);
      if (key == KeyTable::none) return no_row;
      use_key(left_, left, key);
    }
    return firsts_[known.key];
  }

  Result<void> join_row(RowId left, RowId right, const Span& window, Context& context) {
    StoredRow row = left_.store.row(left);
    if (right == no_row || !columns_.gives_pairs()) {
      bool matched = right != no_row;
      bool alone = matched ? columns_.how == Join::How::semi : columns_.gives_unmatched();
      return alone ? add(row, {}, window, context) : Result<void>();
    }
    for (; right != no_row; right = right_.known[right].next) {
      auto added = add(row, right_.store.row(right), window, context);
      if (!added) return fail(added);
    }
    return {};
  }

  Result<void> add(const StoredRow& left, const StoredRow& right, const Span& window,
                   Context& context) {
    output_.add(window.end_ms - 1, left, right, window);
    return output_.is_full() ? give(context) : Result<void>();
  }

  // What no later window has. Rows stay until what they gave is pushed.
  void forget_before(std::int64_t time_ms) {
    while (!slices_.empty() && slices_.begin()->first < time_ms) {
      last_ = nullptr;
      Slice& slice = slices_.begin()->second;
      for (RowId id : slice.left) forget_key(left_.known[id].key);
      for (RowId id : slice.right) forget_key(right_.known[id].key);
      released_left_.insert(released_left_.end(), slice.left.begin(), slice.left.end());
      released_right_.insert(released_right_.end(), slice.right.begin(), slice.right.end());
      slices_.erase(slices_.begin());
    }
  }
  void forget_key(KeyTable::Number key) {
    if (key != KeyTable::none && --uses_[key] == 0) keys_.erase(key);
  }

  Result<void> give(Context& context) {
    if (auto chunk = output_.take()) {
      if (auto pushed = context.push(*chunk); !pushed) return fail(pushed);
    }
    for (RowId id : released_left_) left_.store.release(id);
    for (RowId id : released_right_) right_.store.release(id);
    released_left_.clear();
    released_right_.clear();
    return {};
  }

  const JoinColumns& columns_;
  const WindowSlices& windows_;
  Side left_;
  Side right_;
  KeyTable keys_;
  std::vector<std::uint32_t> uses_;       // by key: of how many rows that know it
  std::vector<RowId> firsts_;             // by key: of right rows, while a window is joined
  std::map<std::int64_t, Slice> slices_;  // by their starts
  Slice* last_ = nullptr;                 // that a row was added to; null if it may be gone
  SliceSpan last_span_;
  Watermark joined_ = watermark_min;  // windows that end there or before
  // Within one call of advance():
  JoinOutput output_;
  std::vector<RowId> released_left_;
  std::vector<RowId> released_right_;
};

WindowJoin::WindowJoin(const plan::BoundPlan& plan, std::size_t node)
    : columns_(plan, node), windows_(*std::get<Join>(plan.nodes[node].node->body).window) {}

std::unique_ptr<OperatorState> WindowJoin::make_state() const {
  return std::make_unique<State>(*this);
}

Result<void> WindowJoin::process(OperatorState& state, std::size_t input,
                                 const column::Chunk& chunk, Context& context) const {
  return static_cast<State&>(state).add(input, chunk, context);
}

Result<void> WindowJoin::advance(OperatorState& state, Watermark watermark,
                                 Context& context) const {
  return static_cast<State&>(state).advance(watermark, context);
}

std::vector<std::size_t> WindowJoin::gathers_by(std::size_t input) const {
  return input == 0 ? columns_.left_keys : columns_.right_keys;
}

}  // namespace leat::operators
