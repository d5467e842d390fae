#include "interpreter/aggregate.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/assert.h"
#include "interpreter/big.h"
#include "interpreter/decimal_number.h"
#include "interpreter/evaluate.h"
#include "interpreter/sketches.h"
#include "interpreter/variance.h"

namespace leat::interpreter {

using namespace leat::plan;

namespace {

using Inputs = std::vector<const AggregateInput*>;

// Those whose `member` is not NULL.
Inputs known(const Inputs& inputs, Value AggregateInput::*member) {
  Inputs some;
  for (const auto* input : inputs) {
    if (!(input->*member).is_null()) some.push_back(input);
  }
  return some;
}

std::int64_t count_of(const Inputs& inputs) {
  return static_cast<std::int64_t>(inputs.size());
}

Values arguments_of(const Inputs& inputs) {
  Values values;
  for (const auto* input : inputs) values.push_back(input->argument);
  return values;
}

Values distinct(const Inputs& inputs) {
  auto less = [](const Value& a, const Value& b) { return compare(a, b) < 0; };
  std::set<Value, decltype(less)> values(less);
  for (const auto* input : inputs) values.insert(input->argument);
  return {values.begin(), values.end()};
}

double real_sum(const Inputs& inputs) {
  ExactSum sum;
  for (const auto* input : inputs) sum.add(std::get<double>(input->argument));
  double rounded = sum.rounded();
  if (!std::isfinite(rounded)) throw BadValue{"double out of range: overflow"};
  return rounded;
}

Big whole_sum(const Inputs& inputs) {
  Big sum;
  for (const auto* input : inputs) {
    const auto* decimal = std::get_if<Decimal>(&input->argument);
    sum = sum + Big(decimal != nullptr ? decimal->units : std::get<std::int64_t>(input->argument));
  }
  return sum;
}

Value sum_of(const Inputs& inputs, const Type& argument, const Type& result) {
  if (inputs.empty()) return {};
  if (result.kind == Type::Kind::double_precision) return real_sum(inputs);
  if (result.kind == Type::Kind::decimal) {
    return decimal_value(whole_sum(inputs), argument.scale, result);
  }
  auto sum = *whole_sum(inputs).to_int128();
  if (sum != static_cast<std::int64_t>(sum)) throw BadValue{"bigint out of range"};
  return static_cast<std::int64_t>(sum);
}

// Of doubles and whole numbers the sum as the nearest double, divided as doubles are.
Value average_of(const Inputs& inputs, const Type& argument, const Type& result) {
  if (inputs.empty()) return {};
  auto count = count_of(inputs);
  if (result.kind == Type::Kind::decimal) {
    Big scaled = whole_sum(inputs) * Big(power_of_ten(result.scale - argument.scale));
    return decimal_value(divide_rounded(scaled, Big(count)), result.scale, result);
  }
  double sum = argument.kind == Type::Kind::bigint
                   ? static_cast<double>(*whole_sum(inputs).to_int128())
                   : real_sum(inputs);
  return sum / static_cast<double>(count) + 0.0;  // half of the smallest number is no negative zero
}

Value extreme_of(const Inputs& inputs, int sign) {
  Value best;
  for (const auto* input : inputs) {
    if (best.is_null() || compare(input->argument, best) * sign > 0) best = input->argument;
  }
  return best;
}

Value top_of(Inputs inputs, const Aggregate& aggregate) {
  int sign = aggregate.descending ? -1 : 1;
  std::stable_sort(inputs.begin(), inputs.end(), [&](const auto* a, const auto* b) {
    return compare(a->order_by, b->order_by) * sign < 0;
  });
  if (count_of(inputs) > *aggregate.limit)
    inputs.resize(static_cast<std::size_t>(*aggregate.limit));
  return inputs.empty() ? Value() : Value(Array{arguments_of(inputs)});
}

Value joined(const Inputs& inputs, const std::string& separator) {
  if (inputs.empty()) return {};
  std::string text;
  for (const auto* input : inputs) {
    if (input != inputs.front()) text += separator;
    text += std::get<std::string>(input->argument);
  }
  return text;
}

Value first_by(const Inputs& inputs, int sign) {
  const AggregateInput* best = nullptr;
  for (const auto* input : inputs) {
    if (best == nullptr || compare(input->order_by, best->order_by) * sign > 0) best = input;
  }
  return best == nullptr ? Value() : best->argument;
}

Value all_or_any(const Inputs& inputs, bool decided) {
  if (inputs.empty()) return {};
  for (const auto* input : inputs) {
    if (std::get<bool>(input->argument) == decided) return decided;
  }
  return !decided;
}

Value value_of(const BoundAggregate& bound, const Inputs& all) {
  const Aggregate& aggregate = *bound.aggregate;
  const std::string& name = aggregate.function;
  if (!bound.argument) return count_of(all);
  const Type& argument = bound.argument->type;
  Inputs inputs = known(all, &AggregateInput::argument);
  if (name == "count") return count_of(inputs);
  if (name == "count_distinct") return static_cast<std::int64_t>(distinct(inputs).size());
  if (name == "approx_count_distinct") return approximate_count(distinct(inputs));
  if (name == "sum") return sum_of(inputs, argument, bound.type);
  if (name == "avg") return average_of(inputs, argument, bound.type);
  if (name == "min") return extreme_of(inputs, -1);
  if (name == "max") return extreme_of(inputs, 1);
  if (name == "min_by") return first_by(known(all, &AggregateInput::order_by), -1);
  if (name == "max_by") return first_by(known(all, &AggregateInput::order_by), 1);
  if (name == "bool_and") return all_or_any(inputs, false);
  if (name == "bool_or") return all_or_any(inputs, true);
  if (auto kind = variance_kind(name)) return variance(arguments_of(inputs), *kind);
  if (name == "first") return inputs.empty() ? Value() : inputs.front()->argument;
  if (name == "last") return inputs.empty() ? Value() : inputs.back()->argument;
  if (name == "percentile") return percentile(arguments_of(inputs), *aggregate.fraction);
  if (name == "top_n") return top_of(known(all, &AggregateInput::order_by), aggregate);
  if (name == "array_agg") return all.empty() ? Value() : Value(Array{arguments_of(all)});
  ASSERT(name == "string_agg");
  return joined(inputs, aggregate.separator);
}

}  // namespace

GroupedRow group_row(const BoundNode& node, const Row& row, std::int64_t now_ms) {
  GroupedRow grouped{&row, {}};
  for (const auto& aggregate : node.aggregates) {
    AggregateInput input;
    if (aggregate.filter) {
      Value passes = evaluate(*aggregate.filter, row.values, now_ms);
      input.counts = !passes.is_null() && std::get<bool>(passes);
    }
    if (input.counts && aggregate.argument) {
      input.argument = evaluate(*aggregate.argument, row.values, now_ms);
    }
    if (input.counts && aggregate.order_by) {
      input.order_by = evaluate(*aggregate.order_by, row.values, now_ms);
    }
    grouped.inputs.push_back(std::move(input));
  }
  return grouped;
}

Values aggregate(const BoundNode& node, const std::vector<GroupedRow>& rows) {
  Values values;
  for (std::size_t i = 0; i < node.aggregates.size(); ++i) {
    Inputs inputs;
    for (const auto& row : rows) {
      if (row.inputs[i].counts) inputs.push_back(&row.inputs[i]);
    }
    try {
      values.push_back(value_of(node.aggregates[i], inputs));
    } catch (const BadValue& bad) {
      throw BadValue{node.aggregates[i].aggregate->name + ": " + bad.why};
    }
  }
  return values;
}

}  // namespace leat::interpreter
