// About how many different values there are (plan/functions.h says how to the bit).
//
// In a snapshot, for each group, its registers that are not 0:
//
//   sketch := count:u32 (index << 8 | run):u32 *     rising
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "aggregate/accumulators_of.h"
#include "aggregate/kinds.h"
#include "aggregate/value_bytes.h"

namespace leat::aggregate {

namespace {

constexpr int index_bits = 12;
constexpr std::size_t register_count = std::size_t{1} << index_bits;
constexpr int run_max = 64 - index_bits + 1;

// The registers: those that are not 0, in order, until they are many, then all.
class Registers {
 public:
  void add(std::uint64_t hash) {
    auto index = static_cast<std::uint32_t>(hash >> (64 - index_bits));
    std::uint64_t rest = hash << index_bits;
    int run = rest == 0 ? run_max : std::countl_zero(rest) + 1;
    raise(index, static_cast<std::uint8_t>(run));
  }
  void merge(const Registers& other) {
    other.for_each([&](std::uint32_t index, std::uint8_t run) { raise(index, run); });
  }

  std::int64_t estimate() const {
    std::array<int, run_max + 1> with_run{};
    int zeros = register_count;
    for_each([&](std::uint32_t, std::uint8_t run) {
      ++with_run[run];
      --zeros;
    });
    with_run[0] = zeros;
    // From the shortest to the longest, so that it is always rounded the same way.
    double sum = 0;
    for (std::size_t run = 0; run < with_run.size(); ++run) {
      sum += with_run[run] * std::ldexp(1.0, -static_cast<int>(run));
    }
    constexpr auto m = static_cast<double>(register_count);
    double estimate = 0.7213 / (1 + 1.079 / m) * m * m / sum;
    if (estimate <= 2.5 * m && zeros > 0) estimate = m * std::log(m / zeros);
    return std::llround(estimate);
  }

  void write(StateWriter& writer) const {
    std::uint32_t count = 0;
    for_each([&](std::uint32_t, std::uint8_t) { ++count; });
    writer.write(count);
    for_each([&](std::uint32_t index, std::uint8_t run) { writer.write(index << 8 | run); });
  }
  void read(StateReader& reader) {
    *this = {};
    for (auto left = reader.read_count(sizeof(std::uint32_t)); left > 0; --left) {
      auto entry = reader.read<std::uint32_t>();
      raise(entry >> 8 & (register_count - 1), static_cast<std::uint8_t>(entry & 0x3f));
    }
  }
  std::size_t heap_bytes() const {
    return few_.capacity() * sizeof few_[0] + (all_ ? sizeof *all_ : 0);
  }

 private:
  static constexpr std::size_t few_max = 256;  // where they take a quarter of what all take

  void raise(std::uint32_t index, std::uint8_t run) {
    if (all_) {
      (*all_)[index] = std::max((*all_)[index], run);
      return;
    }
    auto at = std::lower_bound(few_.begin(), few_.end(), index << 8);
    if (at != few_.end() && *at >> 8 == index) {
      *at = std::max(*at, index << 8 | run);
    } else {
      few_.insert(at, index << 8 | run);
      if (few_.size() > few_max) spread();
    }
  }
  void spread() {
    all_ = std::make_unique<std::array<std::uint8_t, register_count>>();
    for (std::uint32_t entry : few_) (*all_)[entry >> 8] = static_cast<std::uint8_t>(entry);
    few_ = {};
  }
  void for_each(auto use) const {
    for (std::uint32_t entry : few_) use(entry >> 8, static_cast<std::uint8_t>(entry));
    if (!all_) return;
    for (std::uint32_t index = 0; index < register_count; ++index) {
      if ((*all_)[index] != 0) use(index, (*all_)[index]);
    }
  }

  std::vector<std::uint32_t> few_;  // index << 8 | run
  std::unique_ptr<std::array<std::uint8_t, register_count>> all_;
};

template <class Kind>
struct ApproximateCount {
  using State = Registers;

  const column::Vector* known(const Input& input) const { return input.argument; }
  auto adder(const Input& input) const {
    return [cells = Kind::cells(*input.argument), bytes = ValueBytes()](State& state,
                                                                        std::uint32_t row) mutable {
      std::string_view value = bytes.of(cells[row]);
      state.add(XXH3_64bits(value.data(), value.size()));
    };
  }
  void merge(State& state, const State& other) const { state.merge(other); }
  bool result(const State& state, const Cell& cell) const {
    cell.out.set_integer(cell.row, state.estimate());
    return true;
  }
  void write(const State& state, StateWriter& writer) const { state.write(writer); }
  void read(State& state, StateReader& reader) const { state.read(reader); }
  std::size_t heap_bytes(const State& state) const { return state.heap_bytes(); }
};

}  // namespace

std::unique_ptr<Accumulators> make_approximate_counts(const plan::BoundAggregate& aggregate) {
  return with_cell(aggregate.argument->type,
                   []<class Kind>(Kind) { return accumulators_of(ApproximateCount<Kind>{}); });
}

}  // namespace leat::aggregate
