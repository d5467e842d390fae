// In a snapshot, for each group:
//
//   extreme := there:u8 value      its value as kept_cell.h writes it, if there is one
#include "aggregate/accumulators_of.h"
#include "aggregate/kept_cell.h"
#include "aggregate/kinds.h"

namespace leat::aggregate {

namespace {

// Of values that are the same if they are equal.
template <class Kind, bool largest>
struct Extreme {
  struct State {
    typename Kind::Kept value{};
    bool there = false;

    void add(const auto& cell) {
      bool better =
          !there || (largest ? Kind::compare(cell, value) > 0 : Kind::compare(cell, value) < 0);
      if (!better) return;
      value = cell;
      there = true;
    }
  };

  const column::Vector* known(const Input& input) const { return input.argument; }
  auto adder(const Input& input) const {
    return [cells = Kind::cells(*input.argument)](State& state, std::uint32_t row) {
      state.add(cells[row]);
    };
  }
  void merge(State& state, const State& other) const {
    if (other.there) state.add(other.value);
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
    if (state.there) Kind::write(state.value, writer);
  }
  void read(State& state, StateReader& reader) const {
    state.there = reader.read<std::uint8_t>() != 0;
    if (state.there) Kind::read(state.value, reader);
  }
  std::size_t heap_bytes(const State& state) const { return Kind::heap_bytes(state.value); }
};

}  // namespace

std::unique_ptr<Accumulators> make_extremes(const plan::BoundAggregate& aggregate) {
  const column::Type& type = aggregate.argument->type;
  if (column::physical(type) == column::Physical::interval) return make_chosen(aggregate);
  bool largest = aggregate.aggregate->function == "max";
  return with_cell(type, [&]<class Kind>(Kind) -> std::unique_ptr<Accumulators> {
    if (largest) return accumulators_of(Extreme<Kind, true>{});
    return accumulators_of(Extreme<Kind, false>{});
  });
}

}  // namespace leat::aggregate
