// In a snapshot, for each group:
//
//   sum   := count:u64 total
//   total := low:u64 high:i64                of bigints: two's complement of 128 bits
//          | low:u64 middle:u64 high:i64     of decimals, in units
//          | an ExactSum's                   of doubles
#include <limits>

#include "aggregate/accumulators_of.h"
#include "aggregate/exact_sum.h"
#include "aggregate/kinds.h"
#include "aggregate/wide_number.h"
#include "base/assert.h"

namespace leat::aggregate {

namespace {

using column::Int128;
using column::Type;

// Whether the result is in range; sets it, or says why not.
bool give_real(double value, const Cell& cell) {
  if (!std::isfinite(value)) {
    cell.reason = "double out of range: overflow";
    return false;
  }
  cell.out.set_real(cell.row, value);
  return true;
}

// A sum of numbers that are added by `Total`, and how many they are.
template <class Total>
struct Sum {
  Total total;
  std::uint64_t count = 0;
};

// What sums and averages have in common. `Rules` says what a total is and what comes of it.
template <class Rules>
struct SumOf : Rules {
  using State = Sum<typename Rules::Total>;

  const column::Vector* known(const Input& input) const { return input.argument; }
  auto adder(const Input& input) const {
    return [values = Rules::values(*input.argument)](State& sum, std::uint32_t row) {
      sum.total.add(values[row]);
      ++sum.count;
    };
  }
  auto subtracter(const Input& input) const {
    return [values = Rules::values(*input.argument)](State& sum, std::uint32_t row) {
      sum.total.subtract(values[row]);
      --sum.count;
    };
  }
  void merge(State& sum, const State& other) const {
    sum.total.merge(other.total);
    sum.count += other.count;
  }
  bool result(const State& sum, const Cell& cell) const {
    if (sum.count > 0) return Rules::give(sum.total, sum.count, cell);
    cell.out.set_null(cell.row);
    return true;
  }
  void write(const State& sum, StateWriter& writer) const {
    writer.write(sum.count);
    sum.total.snapshot(writer);
  }
  void read(State& sum, StateReader& reader) const {
    sum.count = reader.read<std::uint64_t>();
    sum.total.restore(reader);
  }
};

struct OfIntegers {
  using Total = IntegerTotal;
  static auto values(const column::Vector& argument) { return argument.integers(); }
};

struct IntegerSum : OfIntegers {
  bool give(const Total& total, std::uint64_t, const Cell& cell) const {
    Int128 sum = total.value();
    if (sum != static_cast<std::int64_t>(sum)) {
      cell.reason = "bigint out of range";
      return false;
    }
    cell.out.set_integer(cell.row, static_cast<std::int64_t>(sum));
    return true;
  }
};

struct IntegerAverage : OfIntegers {
  bool give(const Total& total, std::uint64_t count, const Cell& cell) const {
    double sum = static_cast<double>(total.value());
    return give_real(sum / static_cast<double>(count), cell);
  }
};

struct OfReals {
  using Total = ExactSum;
  static auto values(const column::Vector& argument) { return argument.reals(); }
};

struct RealSum : OfReals {
  bool give(const Total& total, std::uint64_t, const Cell& cell) const {
    return give_real(total.round(), cell);
  }
};

struct RealAverage : OfReals {
  bool give(const Total& total, std::uint64_t count, const Cell& cell) const {
    // No negative zero comes out, which half of the smallest negative number would be.
    return give_real(total.round() / static_cast<double>(count) + 0.0, cell);
  }
};

struct OfDecimals {
  using Total = DecimalTotal;
  static auto values(const column::Vector& argument) { return argument.decimals(); }

  bool give_units(const WideNumber& units, const Cell& cell) const {
    auto fitted = units.to_int128();
    Int128 end = column::power_of_ten(result.precision);
    if (!fitted || *fitted <= -end || *fitted >= end) {
      cell.reason = "out of range of " + column::name(result);
      return false;
    }
    cell.out.set_decimal(cell.row, *fitted);
    return true;
  }

  Type result;
};

struct DecimalSum : OfDecimals {
  bool give(const Total& total, std::uint64_t, const Cell& cell) const {
    return give_units(total.value(), cell);
  }
};

struct DecimalAverage : OfDecimals {
  bool give(const Total& total, std::uint64_t count, const Cell& cell) const {
    WideNumber scaled = total.value();
    for (int i = 0; i < more_digits; ++i) scaled.multiply(10);
    return give_units(scaled.divided_rounded(count), cell);
  }

  int more_digits = 0;  // behind the point than the argument has
};

}  // namespace

std::unique_ptr<Accumulators> make_sums(const plan::BoundAggregate& aggregate) {
  bool sum = aggregate.aggregate->function == "sum";
  const Type& argument = aggregate.argument->type;
  switch (column::physical(argument)) {
    case column::Physical::integer:
      if (sum) return accumulators_of(SumOf<IntegerSum>{});
      return accumulators_of(SumOf<IntegerAverage>{});
    case column::Physical::real:
      if (sum) return accumulators_of(SumOf<RealSum>{});
      return accumulators_of(SumOf<RealAverage>{});
    default: break;
  }
  ASSERT(column::physical(argument) == column::Physical::decimal);
  if (sum) return accumulators_of(SumOf<DecimalSum>{{{aggregate.type}}});
  return accumulators_of(
      SumOf<DecimalAverage>{{{aggregate.type}, aggregate.type.scale - argument.scale}});
}

}  // namespace leat::aggregate
