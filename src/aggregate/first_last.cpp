// Aggregates that choose one row: the first, the last, and the extremes of intervals, of which
// different ones may be equal: then the earliest is the result.
//
// In a snapshot, for each group:
//
//   chosen := there:u8 (row_time value)     as row_time.h and kept_cell.h write them; only if there
#include "aggregate/accumulators_of.h"
#include "aggregate/kept_cell.h"
#include "aggregate/kept_list.h"
#include "aggregate/kinds.h"
#include "aggregate/row_time.h"

namespace leat::aggregate {

namespace {

enum class Choice { first, last, least, most };

// What a row's value is worth, apart from its time.
template <class Kind, Choice choice>
int compare_worth(const auto& a, const auto& b) {
  if constexpr (choice == Choice::least) return Kind::compare(a, b);
  if constexpr (choice == Choice::most) return Kind::compare(b, a);
  return 0;
}

template <class Kind, Choice choice>
struct Chosen {
  struct State {
    typename Kind::Kept value{};
    KeptRowTime time;
    bool there = false;

    void add(const auto& cell, const RowTime& cell_time) {
      if (there) {
        int order = compare_worth<Kind, choice>(cell, value);
        bool earlier = cell_time < RowTime(time);
        bool better = order < 0 || (order == 0 && earlier != (choice == Choice::last));
        if (!better) return;
      }
      value = cell;
      time = cell_time;
      there = true;
    }
  };

  const column::Vector* known(const Input& input) const { return input.argument; }
  auto adder(const Input& input) const {
    return [cells = Kind::cells(*input.argument), times = RowTimes(*input.context)](
               State& state, std::uint32_t row) mutable { state.add(cells[row], times.at(row)); };
  }
  void merge(State& state, const State& other) const {
    if (other.there) state.add(other.value, other.time);
  }
  bool result(const State& state, const Cell& cell) const {
    if (state.there)
      Kind::give(state.value, cell.out, cell.row);
    else
      cell.out.set_null(cell.row);
    return true;
  }
  void write(const State& state, StateWriter& writer) const {
    writer.write(static_cast<std::uint8_t>(state.there ? 1 : 0));
    if (!state.there) return;
    state.time.snapshot(writer);
    Kind::write(state.value, writer);
  }
  void read(State& state, StateReader& reader) const {
    state.there = reader.read<std::uint8_t>() != 0;
    if (!state.there) return;
    state.time.restore(reader);
    Kind::read(state.value, reader);
  }
  std::size_t heap_bytes(const State& state) const {
    return Kind::heap_bytes(state.value) + state.time.heap_bytes();
  }
};

template <Choice choice>
std::unique_ptr<Accumulators> make(const column::Type& type) {
  if (type.array) {
    return with_cell(column::element_of(type),
                     []<class Item>(Item) -> std::unique_ptr<Accumulators> {
                       return accumulators_of(Chosen<ListCell<Item>, choice>{});
                     });
  }
  return with_cell(type, []<class Kind>(Kind) -> std::unique_ptr<Accumulators> {
    return accumulators_of(Chosen<Kind, choice>{});
  });
}

}  // namespace

std::unique_ptr<Accumulators> make_chosen(const plan::BoundAggregate& aggregate) {
  const auto& function = aggregate.aggregate->function;
  const column::Type& type = aggregate.argument->type;
  if (function == "first") return make<Choice::first>(type);
  if (function == "last") return make<Choice::last>(type);
  if (function == "min") return accumulators_of(Chosen<IntervalCell, Choice::least>{});
  return accumulators_of(Chosen<IntervalCell, Choice::most>{});
}

}  // namespace leat::aggregate
