#include "aggregate/random_rows.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "interpreter/evaluate.h"

namespace leat::aggregate {

using column::Type;
using column::Value;

namespace {

template <class T>
T one_of(Random& random, const std::vector<T>& values) {
  return values[random.below(values.size())];
}

std::int64_t random_integer(Random& random, bool many) {
  if (many) return static_cast<std::int64_t>(random.next() >> random.below(64));
  constexpr std::int64_t max = std::numeric_limits<std::int64_t>::max();
  if (random.one_in(20)) return one_of<std::int64_t>(random, {max, -max - 1, max - 1});
  if (random.one_in(10)) return static_cast<std::int64_t>(random.next() >> random.below(64));
  return random.between(-20, 20);
}

double random_real(Random& random, bool many) {
  if (many && random.one_in(2))
    return static_cast<double>(random.between(-1000, 100'000)) / 7 + 0.0;
  switch (random.below(16)) {
    case 0: return std::ldexp(1.0, static_cast<int>(random.between(-1074, 1023)));
    case 1: return -std::ldexp(1.5, static_cast<int>(random.between(-60, 60)));
    case 2: return std::numeric_limits<double>::max() * (random.one_in(2) ? 1 : -1);
    case 3: return std::numeric_limits<double>::denorm_min() * (random.one_in(2) ? 1 : -1);
    case 4: {
      auto value = std::bit_cast<double>(random.next());
      return std::isfinite(value) ? value : 1e308;
    }
    case 5:
    case 6: return static_cast<double>(random.below(1000)) / 7;
    default: return static_cast<double>(random.between(-200, 200)) / 4 + 0.0;
  }
}

column::Decimal random_decimal(Random& random, const Type& type) {
  column::Int128 end = column::power_of_ten(type.precision);
  auto wide = static_cast<column::Int128>(column::Uint128{random.next()} << 64 | random.next());
  column::Int128 units = wide % end;
  if (random.one_in(4)) units = (random.one_in(2) ? 1 : -1) * (end - 1);
  if (random.one_in(2)) units %= 50;
  return {units, type.scale};
}

std::string random_text(Random& random, bool many) {
  if (many) return std::to_string(random.next() >> random.below(64));
  using namespace std::string_literals;
  if (random.one_in(3)) return one_of<std::string>(random, {"", "\0"s, "a\0b"s, "\xff", "a"});
  return std::string(1 + random.below(24), static_cast<char>('a' + random.below(3)));
}

// Different ones may be of equal length.
column::Interval random_interval(Random& random) {
  std::int64_t months = random.between(-1, 1), days = random.between(-1, 1) * 30;
  if (random.one_in(8)) days = random_integer(random, true) / 4;
  return {months, days, random.between(0, 1) * 86'400'000};
}

}  // namespace

Type random_type(Random& random, std::string_view word) {
  auto digits = static_cast<int>(random.one_in(2) ? 38 : random.between(1, 38));
  Type decimal = column::decimal(digits, static_cast<int>(random.below(digits + 1)));
  if (word == "decimal") return decimal;
  if (word != "any" && word != "ordered") return *column::parse_type(word);
  Type type =
      one_of<Type>(random, {Type::boolean, Type::bigint, Type::double_precision, decimal,
                            Type::text, Type::bytes, Type::timestamp, Type::date, Type::interval});
  return word == "any" && random.one_in(3) ? column::array_of(type) : type;
}

Value random_value(Random& random, const Type& type, bool many) {
  if (type.array) {
    column::Array array;
    for (auto left = random.below(4); left > 0; --left) {
      bool null = random.one_in(5);
      array.items.push_back(null ? Value() : random_value(random, column::element_of(type), many));
    }
    return array;
  }
  switch (type.kind) {
    case Type::boolean: return random.one_in(2);
    case Type::bigint: return random_integer(random, many);
    case Type::double_precision: return random_real(random, many);
    case Type::decimal: return random_decimal(random, type);
    case Type::text:
    case Type::bytes: return random_text(random, many);
    case Type::timestamp: return column::Timestamp{random_integer(random, many)};
    case Type::date: return column::Date{random_integer(random, many)};
    case Type::interval: return random_interval(random);
  }
  return {};
}

RandomAggregate::RandomAggregate(Random& random, const plan::Signature& signature) {
  aggregate.function = signature.name;
  plan::BoundAggregate& bound = node.aggregates.emplace_back();
  bound.aggregate = &aggregate;
  std::vector<plan::Operand> operands;
  if (!signature.arguments.empty()) {
    bound.argument.emplace().type = random_type(random, signature.arguments);
    operands.push_back({bound.argument->type});
  }
  auto resolved = plan::resolve(plan::aggregates(), aggregate.function, operands);
  REQUIRE(resolved.has_value());
  bound.type = resolved->result;
  if (random.one_in(3)) bound.filter.emplace().type = Type::boolean;
  if (signature.name == "percentile") {
    aggregate.fraction = one_of<double>(random, {0, 0.25, 0.5, 0.99, 1});
  }
  if (signature.name == "string_agg") aggregate.separator = one_of<std::string>(random, {"", ", "});
  bool top = signature.name == "top_n";
  if (!top && !signature.name.ends_with("_by")) return;
  bound.order_by.emplace().type = random_type(random, "ordered");
  if (!top) return;
  aggregate.descending = random.one_in(2);
  aggregate.limit = random.between(1, 6);
}

RandomRows::RandomRows(Random& random, const plan::BoundAggregate& aggregate, std::size_t count)
    : judged_(count) {
  auto make = [&](const auto& expression) {
    auto vector = expression ? std::make_unique<column::Vector>(expression->type) : nullptr;
    if (vector) vector->resize(count);
    return vector;
  };
  argument_ = make(aggregate.argument);
  order_by_ = make(aggregate.order_by);
  filter_ = make(aggregate.filter);
  bool nulls = random.one_in(2), many = count > 1000;
  auto fill = [&](column::Vector* vector, std::size_t row, Value& value) {
    if (vector == nullptr) return;
    if (!nulls || !random.one_in(5)) value = random_value(random, vector->type(), many);
    vector->set_value(row, value);
  };
  for (std::size_t row = 0; row < count; ++row) {
    interpreter::AggregateInput& input = judged_[row];
    fill(argument_.get(), row, input.argument);
    fill(order_by_.get(), row, input.order_by);
    if (!filter_) continue;
    Value passes = random.one_in(5) ? Value() : Value(random.one_in(2));
    filter_->set_value(row, passes);
    input.counts = passes == Value(true);
  }
  add_context(random, count);
}

void RandomRows::add_context(Random& random, std::size_t count) {
  bool rests = random.one_in(3);
  rests_.resize(count);
  for (std::size_t row = 0; row < count; ++row) {
    context_.event_times_ms.push_back(random.between(-3, 3));
    context_.places.push_back(static_cast<std::int64_t>(rests ? row / 3 : row));
    rests_[row] = rests ? std::string(random.below(20), 'r') + std::to_string(row) : "";
    bool ends = random.one_in(4) || row + 1 == count;
    if (!ends) continue;
    auto partition = static_cast<std::int32_t>(random.below(3));
    context_.runs.push_back({static_cast<std::uint32_t>(row + 1), partition, 0, 0});
  }
  // The same place twice in one partition must differ in its rest, as it does here.
  if (rests) context_.rests.assign(rests_.begin(), rests_.end());
}

Input RandomRows::input() const {
  return {argument_.get(), order_by_.get(), filter_.get(), &context_};
}

bool RandomRows::earlier(std::uint32_t a, std::uint32_t b) const {
  auto key = [&](std::uint32_t row) {
    const auto* run = std::upper_bound(
        context_.runs.data(), context_.runs.data() + context_.runs.size(), row,
        [](std::uint32_t wanted, const column::RowRun& one) { return wanted < one.end; });
    return std::pair(context_.event_times_ms[row], context_.position(row, *run));
  };
  return key(a) < key(b);
}

RandomRows::Verdict RandomRows::judge(const plan::BoundNode& node,
                                      const std::vector<std::uint32_t>& rows) const {
  std::vector<std::uint32_t> sorted = rows;
  std::sort(sorted.begin(), sorted.end(), [&](auto a, auto b) { return earlier(a, b); });
  std::vector<interpreter::GroupedRow> grouped;
  for (auto row : sorted) grouped.push_back({nullptr, {judged_[row]}});
  try {
    return {interpreter::aggregate(node, grouped)[0], ""};
  } catch (const interpreter::BadValue& bad) {
    // Who it was is said for the plan's author; here it is known.
    std::string who = node.aggregates[0].aggregate->name + ": ";
    return {{}, bad.why.substr(who.size())};
  }
}

}  // namespace leat::aggregate
