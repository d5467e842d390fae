#include "operators/top_changes.h"

#include <algorithm>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "operators/key_numbers.h"
#include "operators/key_table.h"
#include "operators/row_changes.h"
#include "operators/row_tools.h"
#include "operators/saved_rows.h"
#include "operators/stored_output.h"

namespace leat::operators {

//   state := section "top_changes" rows keys:u32 (key:text first:numbers shown:u32 shown_row*)*
//   shown_row := place:u32 | 0xffffffff number        among the first ones, or none of them any
//   more; rows, number: see saved_rows.h
class TopChanges::State : public OperatorState {
 public:
  explicit State(const TopChanges& top)
      : top_(top), store_(top.input_types_), numbers_(top.keys_) {}

  void snapshot(StateWriter& writer) const override {
    writer.section("top_changes", 2);
    SavedRows saved(writer, store_);
    writer.write(static_cast<std::uint32_t>(keys_.size()));
    for (KeyTable::Number number = 0; number < keys_.number_end(); ++number) {
      const Group& group = groups_[number];
      writer.write_text(keys_.key(number));
      std::vector<RowId> first = rows_of(group);
      saved.write(first);
      writer.write(static_cast<std::uint32_t>(group.shown.size()));
      for (RowId id : group.shown) {
        auto place = std::find(first.begin(), first.end(), id);
        bool there = place != first.end();
        writer.write(there ? static_cast<std::uint32_t>(place - first.begin()) : no_row);
        if (!there) saved.write(id);
      }
    }
  }

  Result<void> restore(StateReader& reader) override {
    if (auto section = reader.section("top_changes", 2); !section) return fail(section);
    RestoredRows restored(reader, store_);
    std::uint32_t keys = reader.read_count(2 * sizeof(std::uint32_t));
    for (std::uint32_t i = 0; i < keys && reader.ok(); ++i) {
      KeyTable::Number number = keys_.find_or_add(reader.read_text()).first;
      make_groups();
      Group& group = groups_[number];
      for (RowId id : restored.take_some()) {
        write_order(store_.row(id));
        group.first.push_back(entry_of(id));
        order_bytes_ += bytes_of(group.first.back());
      }
      for (std::uint32_t count = reader.read_count(sizeof(RowId)); count > 0; --count) {
        auto place = reader.read<std::uint32_t>();
        if (place < group.first.size())
          group.shown.push_back(group.first[place].id);
        else
          group.shown.push_back(restored.take());
        if (!reader.ok()) break;
        is_shown_.add(group.shown.back());
      }
      note_last(number);
      if (rows_of(group) != group.shown) touch(number);
    }
    restored.finish();
    return {};
  }

  std::size_t bytes() const override {
    return store_.bytes() + keys_.bytes() + groups_.capacity() * sizeof(Group) +
           roughs_.capacity() * sizeof(roughs_[0]) + order_bytes_;
  }

  // Some rows are kept before others are judged: to be behind them costs little.
  void add(const column::Chunk& chunk, std::span<const std::uint32_t> rows) {
    auto numbers = numbers_.find_or_add(keys_, chunk, rows);
    make_groups();
    Able able{chunk, column::RunCursor(*chunk.context), {}, {}};
    top_.order_.each_not_behind(chunk, rows, numbers, roughs_.data(),
                                [&](std::size_t i) { consider(able, rows[i], numbers[i]); });
    keep(able);
  }

  Result<void> update(Context& context) {
    StoredOutput out(top_.schema_, store_);
    for (KeyTable::Number number : touched_) {
      Group& group = groups_[number];
      group.touched = false;
      std::vector<RowId> now = rows_of(group);
      auto given = top_.ranked_
                       ? give_ranked_changes(ranked(group.shown), ranked(now), out, context)
                       : give_changes(group.shown, now, scratch_, out, context);
      if (!given) return fail(given);
      for (RowId id : group.shown) is_shown_.remove(id);
      for (RowId id : now) is_shown_.add(id);
      for (RowId id : group.shown) {
        if (!is_shown_.has(id)) out.release_later(id);
      }
      group.shown = std::move(now);
    }
    touched_.clear();
    return out.finish(context);
  }

 private:
  struct Entry {
    std::string order;
    std::uint32_t order_by_size;  // of `order`: what is behind it decides between equals
    RowId id;
    std::uint64_t rough;

    std::string_view order_by() const { return {order.data(), order_by_size}; }
  };
  struct Group {
    std::vector<Entry> first;  // sorted
    std::vector<RowId> shown;
    bool touched = false;
  };

  /// Rows of a chunk that were among the first ones when they were looked at, in rising order.
  struct Able {
    const column::Chunk& chunk;
    column::RunCursor runs;
    std::vector<std::uint32_t> rows;
    std::vector<KeyTable::Number> numbers;
  };

  // Few rows get here: kept out of the loop that most of them end in.
  [[gnu::noinline]] void consider(Able& able, std::uint32_t row, KeyTable::Number number) {
    constexpr std::size_t able_max = 64;
    const column::RowContext& context = *able.chunk.context;
    write_order(ChunkRow{&able.chunk, row}, context.event_times_ms[row],
                context.position(row, able.runs.run_of(row)));
    if (!is_first(groups_[number])) return;
    able.rows.push_back(row);
    able.numbers.push_back(number);
    if (able.rows.size() == able_max) keep(able);
  }
  void keep(Able& able) {
    std::vector<RowId> ids;
    store_.add(able.chunk, able.rows, ids);
    for (std::size_t i = 0; i < ids.size(); ++i) insert(able.numbers[i], ids[i]);
    able.rows.clear();
    able.numbers.clear();
  }
  template <class Cells>
  void write_order(const Cells& cells, std::int64_t time_ms, const column::Position& position) {
    order_.clear();
    top_.order_.append(order_, cells);
    order_by_size_ = static_cast<std::uint32_t>(order_.size());
    RowOrder::append_time(order_, time_ms, position);
  }
  void write_order(const StoredRow& row) { write_order(row, row.time_ms(), row.position()); }
  /// Of the row whose ordering is order_.
  Entry entry_of(RowId id) const {
    return {order_, order_by_size_, id, top_.order_.rough(store_.row(id))};
  }
  static std::size_t bytes_of(const Entry& entry) { return sizeof entry + entry.order.size(); }

  void make_groups() {
    groups_.resize(keys_.number_end());
    roughs_.resize(keys_.number_end(), std::numeric_limits<std::uint64_t>::max());
  }
  /// When the first ones of a key have changed.
  void note_last(KeyTable::Number number) {
    const Group& group = groups_[number];
    if (group.first.size() >= top_.limit_) roughs_[number] = group.first.back().rough;
  }
  /// Whether the row whose ordering is order_ is among the first ones.
  bool is_first(const Group& group) const {
    if (group.first.size() < top_.limit_) return true;
    const Entry& last = group.first.back();
    if (!top_.ties_) return order_ < last.order;
    return std::string_view(order_).substr(0, order_by_size_) <= last.order_by();
  }

  void insert(KeyTable::Number number, RowId id) {
    Group& group = groups_[number];
    write_order(store_.row(id));
    if (!is_first(group)) return store_.release(id);  // others of its chunk were better
    auto before = [](const std::string& order, const Entry& entry) { return order < entry.order; };
    auto at = std::upper_bound(group.first.begin(), group.first.end(), order_, before);
    order_bytes_ += bytes_of(*group.first.insert(at, entry_of(id)));
    while (has_too_many(group)) drop_last(group);
    note_last(number);
    touch(number);
  }
  bool has_too_many(const Group& group) const {
    if (group.first.size() <= top_.limit_) return false;
    return !top_.ties_ || group.first[top_.limit_ - 1].order_by() != group.first.back().order_by();
  }
  void drop_last(Group& group) {
    Entry& last = group.first.back();
    order_bytes_ -= bytes_of(last);
    if (!is_shown_.has(last.id)) store_.release(last.id);
    group.first.pop_back();
  }

  /// `rows` are the first ones of a key, in order.
  std::vector<RankedRow> ranked(const std::vector<RowId>& rows) {
    std::vector<RankedRow> ranked;
    std::string before;  // by what the row before was ordered
    for (RowId id : rows) {
      auto rank = static_cast<std::int64_t>(ranked.size()) + 1;
      if (top_.ties_) {
        order_.clear();
        top_.order_.append(order_, store_.row(id));
        if (!ranked.empty() && order_ == before) rank = ranked.back().rank;
        std::swap(order_, before);
      }
      ranked.push_back({id, rank});
    }
    return ranked;
  }

  void touch(KeyTable::Number number) {
    if (groups_[number].touched) return;
    groups_[number].touched = true;
    touched_.push_back(number);
  }

  static std::vector<RowId> rows_of(const Group& group) {
    std::vector<RowId> rows;
    for (const auto& entry : group.first) rows.push_back(entry.id);
    return rows;
  }

  const TopChanges& top_;
  RowStore store_;
  KeyNumbers numbers_;
  std::string order_;  // of the row that is looked at
  std::uint32_t order_by_size_ = 0;
  KeyTable keys_;
  std::vector<Group> groups_;  // by the keys' numbers
  // By the same: rows with a larger one are behind all first ones for certain.
  std::vector<std::uint64_t> roughs_;
  std::vector<KeyTable::Number> touched_;
  RowSet is_shown_;
  RowSet scratch_;
  std::size_t order_bytes_ = 0;
};

TopChanges::TopChanges(const plan::BoundNode& node, const column::Schema& input)
    : input_types_(types_of(input)),
      schema_(node.schema),
      keys_(node.keys),
      order_(node.columns, std::get<plan::Top>(node.node->body).order_by) {
  const auto& top = std::get<plan::Top>(node.node->body);
  limit_ = static_cast<std::size_t>(top.limit);
  ties_ = top.ties;
  ranked_ = !top.rank.empty();
}

std::unique_ptr<OperatorState> TopChanges::make_state() const {
  return std::make_unique<State>(*this);
}

Result<void> TopChanges::process(OperatorState& state, std::size_t, const column::Chunk& chunk,
                                 Context& context) const {
  auto rows = take_in_time(chunk, context);
  if (!rows) return fail(rows);
  static_cast<State&>(state).add(chunk, *rows);
  return {};
}

Result<void> TopChanges::update(OperatorState& state, Context& context) const {
  return static_cast<State&>(state).update(context);
}

}  // namespace leat::operators
