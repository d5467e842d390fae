// What all accumulators do alike: a state for each group, and loops over rows.
#pragma once

#include <utility>
#include <vector>

#include "aggregate/accumulators.h"
#include "base/assert.h"

namespace leat::aggregate {

/// Where a result goes.
struct Cell {
  column::Vector& out;
  std::size_t row;
  column::TextArena& texts;
  std::string& reason;
};

/// Calls `take(group, row)` for those rows that the filter lets pass and that are not NULL in
/// `known`, if there is one.
template <class Take>
void for_counted(const column::Vector* known, const column::Vector* filter,
                 std::span<const std::uint32_t> rows, std::span<const std::uint32_t> groups,
                 Take take) {
  if (known != nullptr && !known->has_nulls()) known = nullptr;
  if (filter == nullptr && known == nullptr) {
    for (std::size_t i = 0; i < rows.size(); ++i) take(groups[i], rows[i]);
    return;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::uint32_t row = rows[i];
    if (filter != nullptr && (filter->is_null(row) || filter->integer(row) == 0)) continue;
    if (known != nullptr && known->is_null(row)) continue;
    take(groups[i], row);
  }
}

/// Accumulators of a `Kernel`, which is immutable and says:
///
///   State                        what is kept of a group; made without arguments it is empty
///   known(input)                 the column whose NULLs do not count; null if all rows do
///   adder(input)                 a function that takes a State& and a row
///   merge(state, other)
///   result(state, cell)          as Accumulators::result()
///   write(state, writer), read(state, reader)
///   heap_bytes(state)            of what a state has elsewhere; may be missing
///   subtracter(input)            as adder(), to take rows away again; may be missing
template <class Kernel>
class AccumulatorsOf final : public Accumulators {
 public:
  explicit AccumulatorsOf(Kernel kernel) : kernel_(std::move(kernel)) {}

  void resize(std::size_t groups) override { states_.resize(groups); }
  void update(const Input& input, std::span<const std::uint32_t> rows,
              std::span<const std::uint32_t> groups) override {
    take(input, rows, groups, kernel_.adder(input));
  }
  bool can_subtract() const override { return subtracts; }
  void subtract(const Input& input, std::span<const std::uint32_t> rows,
                std::span<const std::uint32_t> groups) override {
    if constexpr (subtracts)
      take(input, rows, groups, kernel_.subtracter(input));
    else
      ASSERT(can_subtract());
  }
  void merge(const Accumulators& other, std::span<const std::uint32_t> groups) override {
    const auto& from = static_cast<const AccumulatorsOf&>(other).states_;
    for (std::size_t i = 0; i < groups.size(); ++i) kernel_.merge(states_[groups[i]], from[i]);
  }
  void merge_group(std::uint32_t group, const Accumulators& other, std::uint32_t from) override {
    kernel_.merge(states_[group], static_cast<const AccumulatorsOf&>(other).states_[from]);
  }
  void clear_group(std::uint32_t group) override { states_[group] = {}; }
  bool result(std::uint32_t group, column::Vector& out, std::size_t row, column::TextArena& texts,
              std::string& reason) const override {
    return kernel_.result(states_[group], Cell{out, row, texts, reason});
  }
  void snapshot(StateWriter& writer) const override {
    for (const State& state : states_) kernel_.write(state, writer);
  }
  void restore(StateReader& reader) override {
    for (State& state : states_) kernel_.read(state, reader);
  }
  std::size_t bytes() const override {
    std::size_t bytes = states_.capacity() * sizeof(State);
    if constexpr (requires(const State& state) { kernel_.heap_bytes(state); }) {
      for (const State& state : states_) bytes += kernel_.heap_bytes(state);
    }
    return bytes;
  }

 private:
  using State = typename Kernel::State;
  static constexpr bool subtracts = requires(const Kernel& kernel, const Input& input) {
    kernel.subtracter(input);
  };

  template <class Change>
  void take(const Input& input, std::span<const std::uint32_t> rows,
            std::span<const std::uint32_t> groups, Change change) {
    State* states = states_.data();
    for_counted(kernel_.known(input), input.filter, rows, groups,
                [&](std::uint32_t group, std::uint32_t row) { change(states[group], row); });
  }

  Kernel kernel_;
  std::vector<State> states_;
};

template <class Kernel>
std::unique_ptr<Accumulators> accumulators_of(Kernel kernel) {
  return std::make_unique<AccumulatorsOf<Kernel>>(std::move(kernel));
}

}  // namespace leat::aggregate
