// In a snapshot, for each group:
//
//   count := u64
#include "aggregate/accumulators_of.h"
#include "aggregate/kinds.h"

namespace leat::aggregate {

namespace {

// Of rows without an argument, or of those that have one.
struct Count {
  using State = std::uint64_t;

  const column::Vector* known(const Input& input) const { return input.argument; }
  auto adder(const Input&) const {
    return [](State& count, std::uint32_t) { ++count; };
  }
  auto subtracter(const Input&) const {
    return [](State& count, std::uint32_t) { --count; };
  }
  void merge(State& count, State other) const { count += other; }
  bool result(State count, const Cell& cell) const {
    cell.out.set_integer(cell.row, static_cast<std::int64_t>(count));
    return true;
  }
  void write(State count, StateWriter& writer) const { writer.write(count); }
  void read(State& count, StateReader& reader) const { count = reader.read<State>(); }
};

}  // namespace

std::unique_ptr<Accumulators> make_counts(const plan::BoundAggregate&) {
  return accumulators_of(Count{});
}

}  // namespace leat::aggregate
