// Plans that have every shape that JSON can give them, and need not make sense.
#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/random.h"
#include "plan/enum_names.h"
#include "plan/functions.h"
#include "plan/plan.h"

namespace leat::plan {

/// A visitor that fills in fields, and leaves half of the optional ones as they should be then.
class RandomFiller {
 public:
  explicit RandomFiller(Random& random) : random_(random) {}

  template <class T>
  void required(std::string_view, T& member) {
    fill(member);
  }
  template <class T>
  void optional(std::string_view, T& member, const std::type_identity_t<T>& otherwise) {
    member = otherwise;
    if (random_.one_in(2)) fill(member);
  }

  void fill(std::string& text) {
    const std::vector<std::string> texts{"",           "a",    "user name",
                                         "\"\\\n\x01", "käse", "\xf0\x9f\x90\x9f"};
    text = texts[random_.below(texts.size())];
  }
  void fill(bool& truth) { truth = random_.one_in(2); }
  void fill(std::int64_t& number) {
    number = static_cast<std::int64_t>(random_.next()) >> random_.below(64);
  }
  void fill(double& number) {
    number = static_cast<double>(random_.between(-1'000'000, 1'000'000)) / 7;
    if (random_.one_in(4)) number *= 1e300;
  }
  void fill(Type& type) {
    type = Type{static_cast<Type::Kind>(random_.below(9))};
    if (type.kind == Type::Kind::decimal) {
      int precision = static_cast<int>(random_.between(1, precision_max));
      type = decimal(precision, static_cast<int>(random_.between(0, precision)));
    }
    type.array = random_.one_in(4);
  }
  void fill(Expression& expression);

  template <class T>
  void fill(std::optional<T>& value) {
    fill(value.emplace());
  }
  template <class T>
  void fill(std::vector<T>& values) {
    values.clear();
    for (auto count = random_.below(4); count > 0; --count) fill(values.emplace_back());
  }
  template <class T>
  requires std::is_enum_v<T>
  void fill(T& value) { value = static_cast<T>(random_.below(names_of(T{}).size())); }
  template <class T>
  requires std::is_class_v<T>
  void fill(T& value) { T::fields(value, *this); }

 private:
  void fill_literal(Expression& expression);

  Random& random_;
  int depth_ = 0;
};

inline void RandomFiller::fill_literal(Expression& expression) {
  std::int64_t number = random_.between(-100'000, 100'000);
  std::string text;
  fill(text);
  double real = 0;
  fill(real);
  std::vector<std::pair<Type::Kind, Value>> literals{
      {Type::Kind::boolean, number > 0},
      {Type::Kind::bigint, number},
      {Type::Kind::double_precision, real},
      {Type::Kind::text, text},
      {Type::Kind::bytes, text},
      {Type::Kind::timestamp, Timestamp{number * 997}},
      {Type::Kind::date, Date{number}},
      {Type::Kind::interval, Interval{number, number % 3, number % 5}}};
  auto& [kind, value] = literals[random_.below(literals.size())];
  expression = literal({kind}, value);
  if (!random_.one_in(5)) return;
  Decimal digits{number, static_cast<int>(random_.below(8))};
  expression = literal(decimal_type_of(digits), digits);
}

inline void RandomFiller::fill(Expression& expression) {
  bool leaf = ++depth_ > 3;
  expression = Expression();
  switch (random_.below(leaf ? 3 : 5)) {
    case 0:
      expression.kind = Expression::Kind::column;
      fill(expression.name);
      break;
    case 1: fill_literal(expression); break;
    case 2: fill(expression.type); break;
    case 3:
      expression.kind = Expression::Kind::call;
      fill(expression.name);
      fill(expression.arguments);
      break;
    default:
      expression.kind = Expression::Kind::cast;
      fill(expression.type);
      fill(expression.arguments.emplace_back());
      break;
  }
  --depth_;
}

template <std::size_t... index>
void fill_body(std::size_t which, Node& node, RandomFiller& filler, std::index_sequence<index...>) {
  ((which == index ? filler.fill(node.body.emplace<index>()) : void()), ...);
}

inline Plan random_plan(Random& random) {
  RandomFiller filler(random);
  Plan plan;
  filler.fill(plan.name);
  filler.fill(plan.mode);
  filler.fill(plan.bad_rows);
  constexpr auto bodies = node_types;
  for (auto count = random.below(6); count > 0; --count) {
    Node& node = plan.nodes.emplace_back();
    filler.fill(node.name);
    fill_body(random.below(bodies), node, filler, std::make_index_sequence<bodies>());
  }
  return plan;
}

}  // namespace leat::plan
