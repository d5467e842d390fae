#include "stream/aggregate.h"

#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/assert.h"
#include "aggregate/exact_sum.h"

namespace leat::stream {

using aggregate::ExactSum;

using column::Type;
using column::Vector;

namespace {

__extension__ using Int128 = __int128;

// How an input column is read: `Cell cell(vector, row)`.
template <class Cell>
Cell cell(const Vector& vector, std::size_t row) {
  if constexpr (std::is_same_v<Cell, std::int64_t>) return vector.integer(row);
  if constexpr (std::is_same_v<Cell, double>) return vector.real(row);
  if constexpr (std::is_same_v<Cell, std::string_view>) return vector.text(row);
}

// Keeps one State a group and gives it the cells that are not NULL. A State has
//   using Cell; void add(Cell); void merge(const State&); bool result(Vector& out, std::size_t row)
//   const; void snapshot(StateWriter&) const; void restore(StateReader&);
template <class State>
class StatePerGroup final : public Accumulators {
 public:
  void resize(std::size_t groups) override { states_.resize(groups); }

  void update(const Vector* input, std::span<const std::uint32_t> rows,
              std::span<const std::uint32_t> groups) override {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (input->is_null(rows[i])) continue;
      states_[groups[i]].add(cell<typename State::Cell>(*input, rows[i]));
    }
  }

  void merge(const Accumulators& other, std::span<const std::uint32_t> groups) override {
    const auto& states = static_cast<const StatePerGroup&>(other).states_;
    for (std::size_t i = 0; i < groups.size(); ++i) states_[groups[i]].merge(states[i]);
  }
  bool result(std::size_t group, Vector& out, std::size_t row) const override {
    return states_[group].result(out, row);
  }
  void snapshot(StateWriter& writer) const override {
    for (const State& state : states_) state.snapshot(writer);
  }
  void restore(StateReader& reader) override {
    for (State& state : states_) state.restore(reader);
  }

 private:
  std::vector<State> states_;
};

class Counts final : public Accumulators {
 public:
  void resize(std::size_t groups) override { counts_.resize(groups); }
  void update(const Vector* input, std::span<const std::uint32_t> rows,
              std::span<const std::uint32_t> groups) override {
    if (input == nullptr || !input->has_nulls()) {
      for (std::uint32_t group : groups) ++counts_[group];
      return;
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      counts_[groups[i]] += input->is_null(rows[i]) ? 0 : 1;
    }
  }
  void merge(const Accumulators& other, std::span<const std::uint32_t> groups) override {
    const auto& counts = static_cast<const Counts&>(other).counts_;
    for (std::size_t i = 0; i < groups.size(); ++i) counts_[groups[i]] += counts[i];
  }
  bool result(std::size_t group, Vector& out, std::size_t row) const override {
    out.set_integer(row, counts_[group]);
    return true;
  }
  void snapshot(StateWriter& writer) const override {
    for (std::int64_t count : counts_) writer.write(count);
  }
  void restore(StateReader& reader) override {
    for (std::int64_t& count : counts_) count = reader.read<std::int64_t>();
  }

 private:
  std::vector<std::int64_t> counts_;
};

// Sums in 128 bits, so that only the result can be out of range, never a sum on the way to it.
struct IntegerTotal {
  using Cell = std::int64_t;
  void add(std::int64_t value) {
    sum += value;
    ++count;
  }
  void merge(const IntegerTotal& other) {
    sum += other.sum;
    count += other.count;
  }
  void snapshot(StateWriter& writer) const {
    writer.write(count);
    writer.write(static_cast<std::int64_t>(sum >> 64));
    writer.write(static_cast<std::uint64_t>(sum));
  }
  void restore(StateReader& reader) {
    count = reader.read<std::int64_t>();
    auto high = static_cast<Int128>(reader.read<std::int64_t>());
    sum = high * (Int128{1} << 64) + static_cast<Int128>(reader.read<std::uint64_t>());
  }
  std::int64_t count = 0;
  Int128 sum = 0;
};

struct IntegerSum : IntegerTotal {
  bool result(Vector& out, std::size_t row) const {
    using Limits = std::numeric_limits<std::int64_t>;
    bool fits = Limits::min() <= sum && sum <= Limits::max();
    if (count == 0 || !fits) {
      out.set_null(row);
      return fits;
    }
    out.set_integer(row, static_cast<std::int64_t>(sum));
    return true;
  }
};

struct IntegerAverage : IntegerTotal {
  bool result(Vector& out, std::size_t row) const {
    if (count == 0) {
      out.set_null(row);
    } else {
      out.set_real(row, static_cast<double>(sum) / static_cast<double>(count));
    }
    return true;
  }
};

struct RealTotal {
  using Cell = double;
  void add(double value) {
    sum.add(value);
    ++count;
  }
  void merge(const RealTotal& other) {
    sum.merge(other.sum);
    count += other.count;
  }
  bool set(Vector& out, std::size_t row, double value) const {
    if (count == 0 || !std::isfinite(value)) {
      out.set_null(row);
      return count == 0;
    }
    out.set_real(row, value);
    return true;
  }
  void snapshot(StateWriter& writer) const {
    writer.write(count);
    sum.snapshot(writer);
  }
  void restore(StateReader& reader) {
    count = reader.read<std::int64_t>();
    sum.restore(reader);
  }
  std::int64_t count = 0;
  ExactSum sum;
};

struct RealSum : RealTotal {
  bool result(Vector& out, std::size_t row) const { return set(out, row, sum.round()); }
};

struct RealAverage : RealTotal {
  bool result(Vector& out, std::size_t row) const {
    return set(out, row, sum.round() / static_cast<double>(count == 0 ? 1 : count));
  }
};

template <class InputCell, bool largest>
struct Extreme {
  using Cell = InputCell;
  using Kept = std::conditional_t<std::is_same_v<Cell, std::string_view>, std::string, Cell>;

  void add(Cell value) {
    bool better = largest ? kept < value : value < kept;
    if (set && !better) return;
    kept = value;
    set = true;
  }
  void merge(const Extreme& other) {
    if (other.set) add(other.kept);
  }
  bool result(Vector& out, std::size_t row) const {
    if (!set) {
      out.set_null(row);
    } else if constexpr (std::is_same_v<Kept, std::int64_t>) {
      out.set_integer(row, kept);
    } else if constexpr (std::is_same_v<Kept, double>) {
      // -0 and 0 are equal, so the result must not say which of them came first.
      out.set_real(row, kept == 0 ? 0.0 : kept);
    } else {
      out.set_text(row, kept);
    }
    return true;
  }
  void snapshot(StateWriter& writer) const {
    writer.write(static_cast<std::uint8_t>(set ? 1 : 0));
    if constexpr (std::is_same_v<Kept, std::int64_t>) writer.write(kept);
    if constexpr (std::is_same_v<Kept, double>) writer.write_double(kept);
    if constexpr (std::is_same_v<Kept, std::string>) writer.write_text(kept);
  }
  void restore(StateReader& reader) {
    set = reader.read<std::uint8_t>() != 0;
    if constexpr (std::is_same_v<Kept, std::int64_t>) kept = reader.read<std::int64_t>();
    if constexpr (std::is_same_v<Kept, double>) kept = reader.read_double();
    if constexpr (std::is_same_v<Kept, std::string>) kept = reader.read_text();
  }
  bool set = false;
  Kept kept{};
};

template <class State>
std::unique_ptr<Accumulators> per_group() {
  return std::make_unique<StatePerGroup<State>>();
}

template <bool largest>
std::unique_ptr<Accumulators> make_extreme(Type type) {
  switch (physical(type)) {
    case column::Physical::integer: return per_group<Extreme<std::int64_t, largest>>();
    case column::Physical::real: return per_group<Extreme<double, largest>>();
    case column::Physical::text: return per_group<Extreme<std::string_view, largest>>();
    case column::Physical::decimal:
    case column::Physical::interval:
    case column::Physical::list: break;
  }
  ASSERT(false);
}

}  // namespace

Result<Type> result_type(const Aggregate& aggregate, const Schema& input) {
  if (aggregate.kind == AggregateKind::count && aggregate.column.empty()) return Type::bigint;
  auto found = find_column(input, aggregate.column);
  if (!found) return fail(found);
  Type type = input[*found].type;
  bool number = type == Type::bigint || type == Type::double_precision;
  switch (aggregate.kind) {
    case AggregateKind::count: return Type::bigint;
    case AggregateKind::min:
    case AggregateKind::max: return type;
    case AggregateKind::sum:
      if (number) return type;
      break;
    case AggregateKind::avg:
      if (number) return Type::double_precision;
      break;
  }
  return fail(Errc::plan_error, fmt::format("a {} has neither sum nor average: {}",
                                            column::name(type), aggregate.column));
}

std::unique_ptr<Accumulators> make_accumulators(AggregateKind kind, std::optional<Type> input) {
  bool real = input == Type::double_precision;
  switch (kind) {
    case AggregateKind::count: return std::make_unique<Counts>();
    case AggregateKind::sum: return real ? per_group<RealSum>() : per_group<IntegerSum>();
    case AggregateKind::avg: return real ? per_group<RealAverage>() : per_group<IntegerAverage>();
    case AggregateKind::min: return make_extreme<false>(*input);
    case AggregateKind::max: return make_extreme<true>(*input);
  }
  ASSERT(false);
}

}  // namespace leat::stream
