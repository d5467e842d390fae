// What aggregates give where types end, in sentences.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "aggregate/accumulators.h"

TEST_SUITE_BEGIN("aggregate");

using namespace leat;
using namespace leat::aggregate;
using column::Type;
using column::Value;

namespace {

constexpr std::int64_t bigint_max = std::numeric_limits<std::int64_t>::max();
constexpr double tiny = std::numeric_limits<double>::denorm_min();

// One group of one aggregate, whose rows come one after the other, a millisecond apart.
class Group {
 public:
  Group(const std::string& function, const Type& argument) : argument_(argument) {
    aggregate_.function = function;
    if (function == "percentile") aggregate_.fraction = 0.5;
    bound_.aggregate = &aggregate_;
    bound_.argument.emplace().type = argument;
    auto resolved = plan::resolve(plan::aggregates(), function, {{argument}});
    REQUIRE(resolved.has_value());
    bound_.type = resolved->result;
    accumulators_ = make_accumulators(bound_, Rows::leave);
    accumulators_->resize(1);
  }

  Group& add(const std::vector<Value>& values) { return change(values, false); }
  Group& take_away(const std::vector<Value>& values) { return change(values, true); }

  /// The result, or as a text why there is none.
  Value result() const {
    column::Vector out(bound_.type);
    out.resize(1);
    column::TextArena texts;
    std::string reason;
    if (!accumulators_->result(0, out, 0, texts, reason)) return reason;
    return out.value(0);
  }

 private:
  Group& change(const std::vector<Value>& values, bool away) {
    auto count = static_cast<std::uint32_t>(values.size());
    column::Vector vector(argument_);
    vector.resize(count);
    column::RowContext context;
    std::vector<std::uint32_t> rows, groups(count, 0);
    for (std::uint32_t row = 0; row < count; ++row) {
      vector.set_value(row, values[row]);
      rows.push_back(row);
      context.event_times_ms.push_back(time_++);
      context.places.push_back(0);
    }
    context.runs = {{count, 0, 0, 0}};
    Input input{&vector, nullptr, nullptr, &context};
    if (away)
      accumulators_->subtract(input, rows, groups);
    else
      accumulators_->update(input, rows, groups);
    return *this;
  }

  Type argument_;
  plan::Aggregate aggregate_;
  plan::BoundAggregate bound_;
  std::unique_ptr<Accumulators> accumulators_;
  std::int64_t time_ = 0;
};

column::Decimal cents(column::Int128 units) {
  return {units, 2};
}

}  // namespace

TEST_CASE("a sum may leave its type's range on the way, and is judged at the end") {
  CHECK(Group("sum", Type::bigint).add({bigint_max, bigint_max}).result() ==
        Value("bigint out of range"));
  CHECK(Group("sum", Type::bigint).add({bigint_max, 1}).add({-bigint_max}).result() ==
        Value(std::int64_t{1}));
  CHECK(Group("avg", Type::bigint).add({bigint_max, bigint_max}).result() == Value(0x1p63));
  CHECK(Group("sum", Type::double_precision).add({1e308, 1e308}).result() ==
        Value("double out of range: overflow"));
  CHECK(Group("avg", Type::double_precision).add({1e308, 1e308}).result() ==
        Value("double out of range: overflow"));
  CHECK(Group("sum", Type::double_precision).add({1e308, 1e308, -1e308}).result() == Value(1e308));
  column::Int128 nines = column::power_of_ten(38) - 1;
  Type widest = column::decimal(38, 2);
  CHECK(Group("sum", widest).add({cents(nines), cents(1)}).result() ==
        Value("out of range of decimal(38,2)"));
  CHECK(Group("sum", widest).add({cents(nines), cents(nines), cents(-nines)}).result() ==
        Value(cents(nines)));
  CHECK(Group("avg", widest).add({cents(nines), cents(nines)}).result() ==
        Value("out of range of decimal(38,6)"));
}

TEST_CASE("an average of decimals rounds halves away from zero") {
  Type type = column::decimal(38, 6);  // which leaves no room for more digits
  auto average = [&](std::vector<Value> values) { return Group("avg", type).add(values).result(); };
  auto micros = [](int units) { return Value(column::Decimal{units, 6}); };
  CHECK(average({micros(1), micros(2)}) == micros(2));
  CHECK(average({micros(-1), micros(-2)}) == micros(-2));
  CHECK(average({micros(1), micros(0), micros(0)}) == micros(0));
  CHECK(average({micros(-1), micros(-1), micros(0)}) == micros(-1));
}

TEST_CASE("no aggregate gives a negative zero") {
  Value half = Group("avg", Type::double_precision).add({-tiny, 0.0}).result();
  CHECK(std::get<double>(half) == 0);
  CHECK(!std::signbit(std::get<double>(half)));
}

TEST_CASE("variances are those of PostgreSQL, and exact where it loses digits") {
  const std::vector<Value> four{1.0, 2.0, 3.0, 4.0};
  auto of = [](const char* function, const std::vector<Value>& values) {
    return Group(function, Type::double_precision).add(values).result();
  };
  CHECK(of("var_pop", four) == Value(1.25));
  CHECK(of("var_samp", four) == Value(1.6666666666666667));
  CHECK(of("stddev_pop", four) == Value(1.118033988749895));
  CHECK(of("stddev_samp", four) == Value(1.2909944487358056));
  CHECK(of("var_samp", {1.0, {}, 3.0}) == Value(2.0));
  CHECK(of("var_samp", {7.0}).is_null());
  CHECK(of("stddev_samp", {7.0}).is_null());
  CHECK(of("var_pop", {7.0}) == Value(0.0));
  CHECK(of("var_pop", {{}}).is_null());
  CHECK(of("stddev_pop", std::vector<Value>(10, Value(0.1))) == Value(0.0));
  CHECK(of("var_samp", {1e15, 1e15 + 1, 1e15 + 2}) == Value(1.0));
  CHECK(of("var_samp", {1e8 + 0.25, 1e8 + 0.5, 1e8 + 0.75}) == Value(0.0625));
  CHECK(of("var_samp", {-1e153, 1e153}) == Value(2e306));
  CHECK(of("var_pop", {1e200}) == Value("double out of range: overflow"));
  CHECK(of("stddev_pop", {-tiny, tiny}) == Value(0.0));
  CHECK(Group("var_samp", Type::double_precision)
            .add({1.0, 1e200, 3.0, 0.1})
            .take_away({1e200, 0.1})
            .result() == Value(2.0));
}

TEST_CASE("all are true, or one is") {
  auto of = [](const char* function, const std::vector<Value>& values) {
    return Group(function, Type::boolean).add(values).result();
  };
  CHECK(of("bool_and", {true, {}, true}) == Value(true));
  CHECK(of("bool_and", {true, false}) == Value(false));
  CHECK(of("bool_or", {false, {}}) == Value(false));
  CHECK(of("bool_or", {false, true}) == Value(true));
  CHECK(of("bool_or", {{}}).is_null());
  CHECK(Group("bool_and", Type::boolean).add({true, false}).take_away({false}).result() ==
        Value(true));
}

TEST_CASE("a group without values has no result but counts") {
  for (const char* function : {"sum", "avg", "min", "max", "first", "last", "percentile"}) {
    CHECK(Group(function, Type::double_precision).result().is_null());
    CHECK(Group(function, Type::double_precision).add({{}}).result().is_null());
  }
  for (const char* function : {"count", "count_distinct", "approx_count_distinct"}) {
    CHECK(Group(function, Type::text).add({{}, {}}).result() == Value(std::int64_t{0}));
  }
  CHECK(Group("array_agg", Type::bigint).result().is_null());
  CHECK(Group("array_agg", Type::bigint).add({{}}).result() == Value(column::Array{{{}}}));
}

TEST_CASE("of intervals that are equal the earliest is the least and the most") {
  Value month = column::Interval{1, 0, 0}, days = column::Interval{0, 30, 0};
  for (const char* function : {"min", "max"}) {
    CHECK(Group(function, Type::interval).add({month, days}).result() == month);
    CHECK(Group(function, Type::interval).add({days, month}).result() == days);
  }
  CHECK(Group("count_distinct", Type::interval).add({days, month}).result() ==
        Value(std::int64_t{1}));
}

TEST_CASE("rows that are taken away leave what the others give") {
  CHECK(Group("sum", Type::double_precision).add({1e300, 0.1}).take_away({1e300}).result() ==
        Value(0.1));
  CHECK(Group("sum", Type::bigint).add({7}).take_away({7}).result().is_null());
  CHECK(Group("count_distinct", Type::text).add({"a", "a", "b"}).take_away({"a", "b"}).result() ==
        Value(std::int64_t{1}));
  CHECK(Group("count_distinct", Type::bigint).add({0, 0, 5, 6}).take_away({0, 5}).result() ==
        Value(std::int64_t{2}));
}

TEST_CASE("a percentile is exact up to 1,024 values") {
  std::vector<Value> values;
  for (int i = 1; i <= 1024; ++i) values.emplace_back(static_cast<double>(1025 - i));
  CHECK(Group("percentile", Type::double_precision).add(values).result() == Value(512.0));
  values.emplace_back(0.0);
  CHECK(Group("percentile", Type::double_precision).add(values).result() == Value(514.0));
}

TEST_SUITE_END();
