// The values of the first rows by some other value, or of the first one alone, ties by the order of
// time. In a snapshot, for each group, in no order:
//
//   rows := count:u32 (order:text row_time item) *     order as column/row_key.h writes it
#include <algorithm>

#include "aggregate/accumulators_of.h"
#include "aggregate/kept_list.h"
#include "aggregate/kinds.h"
#include "aggregate/row_time.h"
#include "column/row_key.h"

namespace leat::aggregate {

namespace {

template <class Kind>
struct Top {
  struct Row {
    std::string order;
    KeptRowTime time;
    KeptItem<Kind> item;
  };
  using State = std::vector<Row>;  // at most `limit`; a heap, the last of them in front

  const column::Vector* known(const Input& input) const { return input.order_by; }
  auto adder(const Input& input) const {
    return [this, &input, cells = Kind::cells(*input.argument), times = RowTimes(*input.context),
            order = std::string()](State& state, std::uint32_t row) mutable {
      order.clear();
      column::append_key(order, *input.order_by, row);
      RowTime time = times.at(row);
      if (!has_room(state, order, time)) return;
      Row added{order, time, {}};
      added.item.null = input.argument->is_null(row);
      if (!added.item.null) added.item.value = cells[row];
      add(state, std::move(added));
    };
  }
  void merge(State& state, const State& other) const {
    for (const Row& row : other) {
      if (has_room(state, row.order, row.time)) add(state, row);
    }
  }
  bool result(const State& state, const Cell& cell) const {
    if (state.empty()) {
      cell.out.set_null(cell.row);
      return true;
    }
    std::vector<const Row*> rows;
    for (const Row& row : state) rows.push_back(&row);
    std::sort(rows.begin(), rows.end(), [&](const Row* a, const Row* b) { return before(*a, *b); });
    ListCell<Kind>::give_items(
        rows.size(), cell.out,
        cell.row, [&](std::size_t i) -> const auto& { return rows[i]->item; });
    return true;
  }
  void write(const State& state, StateWriter& writer) const {
    writer.write(static_cast<std::uint32_t>(state.size()));
    for (const Row& row : state) {
      writer.write_text(row.order);
      row.time.snapshot(writer);
      ListCell<Kind>::write_item(row.item, writer);
    }
  }
  void read(State& state, StateReader& reader) const {
    state.clear();
    for (auto left = reader.read_count(3 * sizeof(std::int64_t)); left > 0; --left) {
      Row row{std::string(reader.read_text()), {}, {}};
      row.time.restore(reader);
      ListCell<Kind>::read_item(row.item, reader);
      add(state, std::move(row));
    }
  }
  std::size_t heap_bytes(const State& state) const {
    std::size_t bytes = state.capacity() * sizeof(Row);
    for (const Row& row : state) {
      bytes += TextCell::heap_bytes(row.order) + row.time.heap_bytes();
      bytes += Kind::heap_bytes(row.item.value);
    }
    return bytes;
  }

  bool before(std::string_view order_a, const RowTime& a, const Row& b) const {
    int order = order_a.compare(b.order);
    if (order != 0) return descending ? order > 0 : order < 0;
    return a < RowTime(b.time);
  }
  bool before(const Row& a, const Row& b) const { return before(a.order, a.time, b); }
  bool has_room(const State& state, std::string_view order, const RowTime& time) const {
    return state.size() < limit || before(order, time, state.front());
  }
  void add(State& state, Row row) const {
    auto less = [&](const Row& a, const Row& b) { return before(a, b); };
    state.push_back(std::move(row));
    std::push_heap(state.begin(), state.end(), less);
    if (state.size() <= limit) return;
    std::pop_heap(state.begin(), state.end(), less);
    state.pop_back();
  }

  bool descending;
  std::size_t limit;
};

// min_by and max_by: the value of the first row itself, which may be NULL.
template <class Kind>
struct TopOne : Top<Kind> {
  bool result(const typename Top<Kind>::State& state, const Cell& cell) const {
    if (state.empty() || state.front().item.null)
      cell.out.set_null(cell.row);
    else
      Kind::give(state.front().item.value, cell.out, cell.row);
    return true;
  }
};

}  // namespace

std::unique_ptr<Accumulators> make_tops(const plan::BoundAggregate& bound) {
  const plan::Aggregate& aggregate = *bound.aggregate;
  if (aggregate.function != "top_n") {
    bool largest = aggregate.function == "max_by";
    return with_cell(bound.argument->type, [&]<class Kind>(Kind) -> std::unique_ptr<Accumulators> {
      return accumulators_of(TopOne<Kind>{{largest, 1}});
    });
  }
  auto limit = static_cast<std::size_t>(*aggregate.limit);
  return with_cell(bound.argument->type, [&]<class Kind>(Kind) -> std::unique_ptr<Accumulators> {
    return accumulators_of(Top<Kind>{aggregate.descending, limit});
  });
}

}  // namespace leat::aggregate
