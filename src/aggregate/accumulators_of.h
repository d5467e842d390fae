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

/// Neither false nor NULL.
inline bool is_true(const column::Vector& condition, std::uint32_t row) {
  return !condition.is_null(row) && condition.integer(row) != 0;
}

/// Copies what a cell's texts are.
void copy_texts(column::Vector& out, std::size_t row, column::TextArena& texts);

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
    if (filter != nullptr && !is_true(*filter, row)) continue;
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
///   grows                        as Accumulators::grows(); false if it is missing
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
  bool grows() const override {
    return requires {
      Kernel::grows;
    };
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
  void run(const Input& input, std::span<const Step> steps, column::Vector& out,
           column::TextArena& texts, std::vector<Failure>& failures) override {
    auto add = kernel_.adder(input);
    for (const Step& step : steps) {
      State& state = states_[step.group];
      switch (step.kind) {
        case Step::Kind::add:
          if (counts(input, step.other)) add(state, step.other);
          break;
        case Step::Kind::subtract: subtract_one(input, state, step.other); break;
        case Step::Kind::merge: kernel_.merge(state, states_[step.other]); break;
        case Step::Kind::clear: state = {}; break;
        case Step::Kind::give: give(state, step.other, out, texts, failures); break;
      }
    }
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

  bool counts(const Input& input, std::uint32_t row) const {
    if (input.filter != nullptr && !is_true(*input.filter, row)) return false;
    const column::Vector* known = kernel_.known(input);
    return known == nullptr || !known->is_null(row);
  }
  void subtract_one(const Input& input, State& state, std::uint32_t row) {
    if constexpr (subtracts) {
      if (counts(input, row)) kernel_.subtracter(input)(state, row);
    } else {
      ASSERT(can_subtract());
    }
  }
  void give(const State& state, std::uint32_t cell, column::Vector& out, column::TextArena& texts,
            std::vector<Failure>& failures) {
    std::string reason;
    if (kernel_.result(state, Cell{out, cell, texts, reason}))
      copy_texts(out, cell, texts);
    else
      failures.push_back({cell, std::move(reason)});
  }

  Kernel kernel_;
  std::vector<State> states_;
};

template <class Kernel>
std::unique_ptr<Accumulators> accumulators_of(Kernel kernel) {
  return std::make_unique<AccumulatorsOf<Kernel>>(std::move(kernel));
}

}  // namespace leat::aggregate
