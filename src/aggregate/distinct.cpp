// How many different values there are, exactly. In a snapshot a set for each group, as
// counted_set.h writes it; the bits of doubles are words.
#include <bit>
#include <type_traits>

#include "aggregate/accumulators_of.h"
#include "aggregate/counted_set.h"
#include "aggregate/kinds.h"
#include "aggregate/value_bytes.h"

namespace leat::aggregate {

namespace {

bool give_size(std::size_t size, const Cell& cell) {
  cell.out.set_integer(cell.row, static_cast<std::int64_t>(size));
  return true;
}

// Of values of one word. Rows can be taken away if they are `counted`.
template <class Kind, bool counted>
struct DistinctWords {
  using State = WordSet;

  const column::Vector* known(const Input& input) const { return input.argument; }
  auto adder(const Input& input) const {
    return [cells = Kind::cells(*input.argument)](State& set, std::uint32_t row) {
      set.add(std::bit_cast<std::uint64_t>(cells[row]), counted);
    };
  }
  auto subtracter(const Input& input) const requires counted {
    return [cells = Kind::cells(*input.argument)](State& set, std::uint32_t row) {
      set.remove(std::bit_cast<std::uint64_t>(cells[row]));
    };
  }
  void merge(State& set, const State& other) const { set.merge(other, counted); }
  bool result(const State& set, const Cell& cell) const { return give_size(set.size(), cell); }
  void write(const State& set, StateWriter& writer) const { set.write(writer); }
  void read(State& set, StateReader& reader) const { set.read(reader, counted); }
  std::size_t heap_bytes(const State& set) const { return set.heap_bytes(); }
};

// Of all others, by their bytes; likewise.
template <class Kind, bool counted>
struct DistinctTexts {
  using State = TextSet;

  const column::Vector* known(const Input& input) const { return input.argument; }
  auto adder(const Input& input) const {
    return [cells = Kind::cells(*input.argument), bytes = ValueBytes()](
               State& set, std::uint32_t row) mutable { set.add(bytes.of(cells[row]), counted); };
  }
  auto subtracter(const Input& input) const requires counted {
    return [cells = Kind::cells(*input.argument), bytes = ValueBytes()](
               State& set, std::uint32_t row) mutable { set.remove(bytes.of(cells[row])); };
  }
  void merge(State& set, const State& other) const { set.merge(other, counted); }
  bool result(const State& set, const Cell& cell) const { return give_size(set.size(), cell); }
  void write(const State& set, StateWriter& writer) const { set.write(writer); }
  void read(State& set, StateReader& reader) const { set.read(reader, counted); }
  std::size_t heap_bytes(const State& set) const { return set.heap_bytes(); }
};

}  // namespace

std::unique_ptr<Accumulators> make_distinct_counts(const plan::BoundAggregate& aggregate,
                                                   Rows rows) {
  return with_cell(aggregate.argument->type,
                   [&]<class Kind>(Kind) -> std::unique_ptr<Accumulators> {
                     constexpr bool is_word = sizeof(typename Kind::Kept) == sizeof(std::uint64_t);
                     auto made = [&]<bool counted>(std::bool_constant<counted>) {
                       if constexpr (is_word)
                         return accumulators_of(DistinctWords<Kind, counted>{});
                       else
                         return accumulators_of(DistinctTexts<Kind, counted>{});
                     };
                     return rows == Rows::leave ? made(std::true_type{}) : made(std::false_type{});
                   });
}

}  // namespace leat::aggregate
