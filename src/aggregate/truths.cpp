// Whether all are true, or at least one is. In a snapshot, for each group:
//
//   truths := true:u64 false:u64       how many there are of each
#include "aggregate/accumulators_of.h"
#include "aggregate/kinds.h"

namespace leat::aggregate {

namespace {

template <bool any>
struct Truths {
  struct State {
    std::uint64_t yes = 0;
    std::uint64_t no = 0;
  };

  const column::Vector* known(const Input& input) const { return input.argument; }
  auto adder(const Input& input) const {
    return [truths = input.argument->integers()](State& state, std::uint32_t row) {
      ++(truths[row] != 0 ? state.yes : state.no);
    };
  }
  auto subtracter(const Input& input) const {
    return [truths = input.argument->integers()](State& state, std::uint32_t row) {
      --(truths[row] != 0 ? state.yes : state.no);
    };
  }
  void merge(State& state, const State& other) const {
    state.yes += other.yes;
    state.no += other.no;
  }
  bool result(const State& state, const Cell& cell) const {
    if (state.yes + state.no == 0)
      cell.out.set_null(cell.row);
    else
      cell.out.set_integer(cell.row, (any ? state.yes > 0 : state.no == 0) ? 1 : 0);
    return true;
  }
  void write(const State& state, StateWriter& writer) const {
    writer.write(state.yes);
    writer.write(state.no);
  }
  void read(State& state, StateReader& reader) const {
    state.yes = reader.read<std::uint64_t>();
    state.no = reader.read<std::uint64_t>();
  }
};

}  // namespace

std::unique_ptr<Accumulators> make_truths(const plan::BoundAggregate& aggregate) {
  if (aggregate.aggregate->function == "bool_or") return accumulators_of(Truths<true>{});
  return accumulators_of(Truths<false>{});
}

}  // namespace leat::aggregate
