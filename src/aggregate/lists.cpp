// Lists of all rows, in the order of time. In a snapshot, for each group:
//
//   rows := count:u32 (row_time item) *       as row_time.h and kept_list.h write them
#include <algorithm>

#include "aggregate/accumulators_of.h"
#include "aggregate/kept_list.h"
#include "aggregate/kinds.h"
#include "aggregate/row_time.h"

namespace leat::aggregate {

namespace {

template <class Kind>
struct ListedRow {
  KeptRowTime time;
  KeptItem<Kind> item;
};

// What array_agg and string_agg have in common: `Rules` say which rows count and what comes of
// them.
template <class Kind, class Rules>
struct Listed : Rules {
  using Row = ListedRow<Kind>;
  using State = std::vector<Row>;
  static constexpr bool grows = true;

  const column::Vector* known(const Input& input) const {
    return Rules::nulls_count ? nullptr : input.argument;
  }
  auto adder(const Input& input) const {
    return [&argument = *input.argument, cells = Kind::cells(*input.argument),
            times = RowTimes(*input.context)](State& state, std::uint32_t row) mutable {
      Row& added = state.emplace_back();
      added.time = times.at(row);
      added.item.null = argument.is_null(row);
      if (!added.item.null) added.item.value = cells[row];
    };
  }
  void merge(State& state, const State& other) const {
    state.insert(state.end(), other.begin(), other.end());
  }
  bool result(const State& state, const Cell& cell) const {
    if (state.empty()) {
      cell.out.set_null(cell.row);
      return true;
    }
    auto earlier = [](const Row* a, const Row* b) { return RowTime(a->time) < RowTime(b->time); };
    std::vector<const Row*> rows;
    for (const Row& row : state) rows.push_back(&row);
    if (!std::is_sorted(rows.begin(), rows.end(), earlier)) {
      std::sort(rows.begin(), rows.end(), earlier);
    }
    Rules::give(rows, cell);
    return true;
  }
  void write(const State& state, StateWriter& writer) const {
    writer.write(static_cast<std::uint32_t>(state.size()));
    for (const Row& row : state) {
      row.time.snapshot(writer);
      ListCell<Kind>::write_item(row.item, writer);
    }
  }
  void read(State& state, StateReader& reader) const {
    state.resize(reader.read_count(3 * sizeof(std::int64_t)));
    for (Row& row : state) {
      row.time.restore(reader);
      ListCell<Kind>::read_item(row.item, reader);
    }
  }
  std::size_t heap_bytes(const State& state) const {
    std::size_t bytes = state.capacity() * sizeof(Row);
    for (const Row& row : state) bytes += row.time.heap_bytes() + Kind::heap_bytes(row.item.value);
    return bytes;
  }
};

template <class Kind>
struct Array {
  static constexpr bool nulls_count = true;

  void give(const std::vector<const ListedRow<Kind>*>& rows, const Cell& cell) const {
    ListCell<Kind>::give_items(
        rows.size(), cell.out,
        cell.row, [&](std::size_t i) -> const auto& { return rows[i]->item; });
  }
};

struct JoinedText {
  static constexpr bool nulls_count = false;

  void give(const std::vector<const ListedRow<TextCell>*>& rows, const Cell& cell) const {
    std::size_t size = separator.size() * (rows.size() - 1);
    for (const auto* row : rows) size += row->item.value.size();
    char* begin = cell.texts.reserve(size);
    char* end = begin;
    for (const auto* row : rows) {
      if (end != begin || row != rows.front())
        end = std::copy(separator.begin(), separator.end(), end);
      end = std::copy(row->item.value.begin(), row->item.value.end(), end);
    }
    cell.texts.keep(size);
    cell.out.set_text(cell.row, {begin, size});
  }

  std::string separator;
};

}  // namespace

std::unique_ptr<Accumulators> make_lists(const plan::BoundAggregate& aggregate) {
  if (aggregate.aggregate->function == "string_agg") {
    return accumulators_of(Listed<TextCell, JoinedText>{{aggregate.aggregate->separator}});
  }
  return with_cell(aggregate.argument->type, []<class Kind>(Kind) -> std::unique_ptr<Accumulators> {
    return accumulators_of(Listed<Kind, Array<Kind>>{});
  });
}

}  // namespace leat::aggregate
