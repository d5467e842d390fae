#include "operators/interval_join.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "operators/hashed_keys.h"
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
        output_(columns_) {}

  void snapshot(StateWriter& writer) const override {
    writer.section("interval_join", columns_.state_version());
    SavedRows left(writer, left_.rows.store());
    left_.rows.snapshot(left);
    std::vector<RowId> ids = left_.passed.ids();
    left.write(ids);
    for (RowId id : ids) writer.write(static_cast<std::uint8_t>(is_matched(id) ? 1 : 0));
    SavedRows right(writer, right_.rows.store());
    right_.rows.snapshot(right);
    right.write(right_.passed.ids());
    held_.snapshot(writer);
  }

  Result<void> restore(StateReader& reader) override {
    if (auto section = reader.section("interval_join", columns_.state_version()); !section)
      return fail(section);
    RestoredRows left(reader, left_.rows.store());
    left_.rows.restore(left);
    for (RowId id : left.take_some()) {
      left_.passed.add({id, KeyTable::none, left_.row(id).time_ms()});
      set_matched(id, reader.read<std::uint8_t>() != 0);
    }
    left.finish();
    RestoredRows right(reader, right_.rows.store());
    right_.rows.restore(right);
    for (RowId id : right.take_some()) {
      right_.passed.add({id, KeyTable::none, right_.row(id).time_ms()});
    }
    right.finish();
    held_.restore(reader);
    return {};
  }

  std::size_t bytes() const override {
    return left_.bytes() + right_.bytes() + held_.bytes() + keys_.bytes() +
           awaited_.capacity() * sizeof(std::uint32_t) + matched_.capacity() / 8;
  }

  void add(std::size_t input, const column::Chunk& chunk, std::span<const std::uint32_t> rows) {
    Side& side = input == 0 ? left_ : right_;
    side.rows.keep(side.kept.of(chunk), rows);
  }

  Result<void> advance(Watermark watermark, Context& context) {
    if (auto taken = take_before(watermark, context); !taken) return fail(taken);
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

  struct Side {
    explicit Side(const JoinColumns::Kept& columns)
        : kept(columns),
          rows(columns.types, columns.chunk_row_bytes),
          key(columns.keys),
          hashed(columns.keys) {}

    StoredRow row(RowId id) const { return rows.store().row(id); }
    std::size_t bytes() const { return rows.bytes() + passed.bytes(); }

    const JoinColumns::Kept& kept;
    SortedRows rows;  // all, of which some wait for event time to pass them
    KeyWriter key;
    RowChains passed;  // those that it has passed, and that may still get a partner
    // Within one call of advance():
    std::vector<RowId> taken;  // in their order
    std::vector<RowId> released;
    HashedKeys hashed;
  };
  // A row of the side that has fewer, as it waits for its turn among those of the other.
  struct Awaited {
    RowId id;
    KeyTable::Number key;  // none with a NULL in it
    std::int64_t time_ms;
  };

  // Whether rows come out of the order in which they are found.
  bool holds() const { return columns_.how != plan::Join::How::inner; }
  bool is_left(const Side& side) const { return &side == &left_; }
  bool is_matched(RowId left) const { return matched_[left]; }
  void set_matched(RowId left, bool matched) {
    if (matched_.size() <= left) matched_.resize(left + 1);
    matched_[left] = matched;
  }

  // A row that is passed is looked for by those of the other side that come behind it. Mostly there
  // are much fewer of one side, and of the other side most rows go without having been looked for.
  // So it is said at first which keys the fewer ones have, and of the many only those get a place
  // among the rows of a key that one is going to look for. The others do when fewer ones come
  // later.
  Result<void> take_before(Watermark watermark, Context& context) {
    for (Side* side : {&left_, &right_}) side->taken = side->rows.take(watermark);
    if (left_.taken.empty() && right_.taken.empty()) return {};
    bool few_left = left_.taken.size() < right_.taken.size();
    Side& few = few_left ? left_ : right_;
    Side& many = few_left ? right_ : left_;
    std::int64_t first_ms = many.row(many.taken[0]).time_ms();
    if (!few.taken.empty()) first_ms = std::min(first_ms, few.row(few.taken[0]).time_ms());
    if (auto moved = move_to(first_ms, context); !moved) return fail(moved);
    tell_keys(few);
    if (!few.taken.empty()) tell_keys(many);
    await(few);
    auto next = few_.begin();
    // Of rows of the same time the right one comes first.
    auto take_few = [&](std::int64_t time_ms) -> Result<void> {
      for (; next != few_.end(); ++next) {
        if (few_left ? next->time_ms >= time_ms : next->time_ms > time_ms) break;
        if (auto took = take_few_row(few, *next, many, context); !took) return fail(took);
      }
      return {};
    };
    Result<void> took;
    auto cells_of = [&](std::size_t i) { return many.row(many.taken[i]); };
    many.hashed.for_each(keys_, many.taken.size(), cells_of,
                         [&](std::size_t i, const HashedKey& key) {
                           if (!took) return;
                           StoredRow row = cells_of(i);
                           std::int64_t time_ms = row.time_ms();
                           if (next != few_.end()) took = take_few(time_ms);
                           if (took) took = take_row(many, many.taken[i], row, key, few, context);
                         });
    if (!took) return took;
    for (; next != few_.end(); ++next) {
      if (took = take_few_row(few, *next, many, context); !took) return took;
    }
    return {};
  }

  void tell_keys(Side& side) {
    side.passed.tell_keys(
        [&](RowId id) { return side.key.find_or_add_in(keys_, side.row(id)).first; });
  }

  void await(Side& few) {
    few_.clear();
    for (RowId id : few.taken) {
      StoredRow row = few.row(id);
      KeyTable::Number key = KeyTable::none;
      if (!few.key.has_null(row)) {
        key = few.key.find_or_add_in(keys_, row).first;
        if (awaited_.size() <= key) awaited_.resize(key + 1);
        ++awaited_[key];
      }
      few_.push_back({id, key, row.time_ms()});
    }
  }

  Result<void> take_few_row(Side& few, const Awaited& row, const Side& many, Context& context) {
    if (auto moved = move_to(row.time_ms, context); !moved) return fail(moved);
    if (row.key == KeyTable::none) return take_alone(few, row.id, context);
    --awaited_[row.key];
    pass(few, {row.id, row.key, row.time_ms});
    return find_partners(row.id, row.time_ms, row.key, many, context);
  }

  Result<void> take_row(Side& many, RowId id, const StoredRow& row, const HashedKey& hashed,
                        const Side& few, Context& context) {
    std::int64_t time_ms = row.time_ms();
    if (auto moved = move_to(time_ms, context); !moved) return fail(moved);
    if (many.key.has_null(row)) return take_alone(many, id, context);
    KeyTable::Number key = keys_.find(hashed);
    bool looked_for = key != KeyTable::none && is_awaited(key);
    pass(many, {id, looked_for ? key : KeyTable::none, time_ms});
    return key == KeyTable::none ? Result<void>() : find_partners(id, time_ms, key, few, context);
  }

  // A row with a NULL in its key.
  Result<void> take_alone(Side& side, RowId id, Context& context) {
    side.released.push_back(id);
    bool alone = is_left(side) && columns_.gives_unmatched();
    return alone ? give_alone(id, context) : Result<void>();
  }

  void pass(Side& side, const RowChains::Row& row) {
    if (is_left(side)) set_matched(row.id, false);
    side.passed.add(row);
  }

  bool is_awaited(KeyTable::Number key) const { return key < awaited_.size() && awaited_[key] > 0; }

  // Among the rows of the other side, which are not younger.
  Result<void> find_partners(RowId id, std::int64_t time_ms, KeyTable::Number key,
                             const Side& other, Context& context) {
    bool of_left = !is_left(other);
    for (RowId partner = other.passed.first(key); partner != no_row;
         partner = other.passed.next(partner)) {
      std::int64_t before_ms = time_ms - other.passed.time_ms(partner);
      std::int64_t ahead_ms = of_left ? -before_ms : before_ms;  // of the right row
      bool too_far = ahead_ms > join_.upper_ms_, too_far_back = ahead_ms < join_.lower_ms_;
      // So are those behind it.
      if (of_left ? too_far : too_far_back) break;
      if (too_far || too_far_back) continue;
      auto found = of_left ? pair(id, partner, context) : pair(partner, id, context);
      if (!found) return fail(found);
    }
    return {};
  }

  Result<void> pair(RowId left, RowId right, Context& context) {
    bool again = matched_[left];
    matched_[left] = true;
    switch (columns_.how) {
      case plan::Join::How::inner: pairs_.push_back({left, right}); return {};
      case plan::Join::How::left: return hold(time_, left_.row(left), right_.row(right), context);
      case plan::Join::How::semi: return again ? Result<void>() : give_alone(left, context);
      case plan::Join::How::anti: break;
    }
    return {};
  }

  Result<void> give_alone(RowId left, Context& context) {
    StoredRow row = left_.row(left);
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
      auto left = left_.row(a.left).position() <=> left_.row(b.left).position();
      if (left != 0) return left < 0;
      return right_.row(a.right).position() < right_.row(b.right).position();
    };
    if (pairs_.size() > 1) std::sort(pairs_.begin(), pairs_.end(), before);
    for (const auto& [left, right] : pairs_) {
      auto held = hold(time_, left_.row(left), right_.row(right), context);
      if (!held) return fail(held);
    }
    pairs_.clear();
    return {};
  }

  // Rows that none of `time_ms` or later can be a partner of.
  Result<void> expire(std::int64_t time_ms, Context& context) {
    RowChains& lefts = left_.passed;
    while (!lefts.empty() && lefts.oldest().time_ms + join_.upper_ms_ < time_ms) {
      RowId id = lefts.oldest().id;
      if (columns_.gives_unmatched() && !is_matched(id)) {
        if (auto given = give_alone(id, context); !given) return fail(given);
      }
      drop_oldest(left_);
    }
    const RowChains& rights = right_.passed;
    while (!rights.empty() && rights.oldest().time_ms - join_.lower_ms_ < time_ms) {
      drop_oldest(right_);
    }
    return {};
  }
  void drop_oldest(Side& side) {
    RowChains::Row row = side.passed.oldest();
    side.passed.drop_oldest();
    side.released.push_back(row.id);
    if (row.key == KeyTable::none) return;
    bool is_used = left_.passed.first(row.key) != no_row ||
                   right_.passed.first(row.key) != no_row || is_awaited(row.key);
    if (!is_used) keys_.erase(row.key);
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
    for (Side* side : {&left_, &right_}) {
      for (RowId id : side->released) side->rows.store().release(id);
      side->released.clear();
    }
    return {};
  }

  const IntervalJoin& join_;
  const JoinColumns& columns_;
  Side left_;
  Side right_;
  SortedRows held_;
  KeyTable keys_;
  std::vector<bool> matched_;  // by the left rows' numbers
  // Within one call of advance():
  std::vector<Awaited> few_;            // rows of the side that has fewer
  std::vector<std::uint32_t> awaited_;  // by key: how many of them are yet to be taken
  std::int64_t time_ = watermark_min;   // of the rows that are taken
  std::vector<Pair> pairs_;             // of this time, if pairs come out as they are found
  JoinOutput output_;
};

IntervalJoin::IntervalJoin(const plan::BoundPlan& plan, std::size_t node) : columns_(plan, node) {
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
  return input == 0 ? columns_.left_keys : columns_.right_keys;
}

}  // namespace leat::operators
