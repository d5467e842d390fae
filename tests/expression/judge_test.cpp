// Kernels against the judge: each selected row has exactly its value, or its reason for having
// none.
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "expression/random_rows.h"
#include "expression/rows_of_values.h"
#include "interpreter/random_expression.h"
#include "plan/functions.h"

TEST_SUITE_BEGIN("expression");

using namespace leat;
using namespace leat::expression;
using plan::Expression;
using plan::Type;

namespace {

std::string print(const plan::BoundExpression& bound, const plan::Schema& schema) {
  using Kind = Expression::Kind;
  if (bound.kind == Kind::column) return schema[bound.column].name;
  if (bound.kind == Kind::literal) {
    auto text = interpreter::cast(bound.literal, bound.type, Type{});
    std::string written = bound.literal.is_null() ? "NULL" : std::get<std::string>(text);
    return fmt::format("{} '{}'", plan::name(bound.type), written);
  }
  std::string text = bound.kind == Kind::cast ? plan::name(bound.type) : bound.function;
  for (const auto& argument : bound.arguments) {
    text += (&argument == bound.arguments.data() ? "(" : ", ") + print(argument, schema);
  }
  return text + ")";
}

/// A value, or why there is none.
struct Answer {
  std::optional<std::string> reason;
  column::Value value;
};

bool same(const Answer& a, const Answer& b) {
  if (a.reason || b.reason) return a.reason == b.reason;
  const auto* x = std::get_if<double>(&a.value);
  const auto* y = std::get_if<double>(&b.value);
  if (x != nullptr && y != nullptr && std::signbit(*x) != std::signbit(*y)) return false;
  return a.value == b.value;
}

std::string shown(const Answer& answer, const Type& type) {
  if (answer.reason) return "! " + *answer.reason;
  if (answer.value.is_null()) return "NULL";
  if (type.array) return "an array";
  return std::get<std::string>(interpreter::cast(answer.value, type, Type{}));
}

Answer judged(const plan::BoundExpression& expression, const interpreter::Values& row) {
  try {
    return {{}, interpreter::evaluate(expression, row, test_now_ms)};
  } catch (const interpreter::BadValue& bad) {
    return {bad.why, {}};
  }
}

column::Selection random_selection(Random& random, std::size_t rows) {
  if (random.one_in(2)) return column::Selection::all(rows);
  std::vector<std::uint32_t> selected;
  auto one_in = 1 + random.below(4);
  bool most = random.one_in(2);  // in stretches, with few rows between them
  for (std::uint32_t row = 0; row < rows; ++row) {
    if (most ? !random.one_in(16) : random.one_in(one_in)) selected.push_back(row);
  }
  return column::Selection::of(std::move(selected));
}

/// Compares expressions over random chunks of one schema.
class Comparison {
 public:
  explicit Comparison(std::uint64_t seed) : random_(seed), schema_(all_types()) {}

  Random& random() { return random_; }
  const plan::Schema& schema() const { return schema_; }
  std::size_t values() const { return values_; }
  std::size_t reasons() const { return reasons_; }

  /// Whether at least one row had a value that is not NULL.
  bool check(const Expression& expression) {
    auto bound = plan::bind_expression(expression, schema_);
    REQUIRE_MESSAGE(bound.has_value(), bound.error().what);
    INFO("expression: ", print(*bound, schema_));
    Table table(1 + random_.below(random_.one_in(4) ? 80 : 24));
    for (auto& row : table) row = random_row(random_, schema_);
    TestChunk rows(schema_, std::move(table));
    if (random_.one_in(3)) forget_nulls(rows);
    auto selection = random_selection(random_, rows.rows.size());
    RowErrors errors;
    const std::string earlier = "of an expression before";
    if (selection.size() > 0 && random_.one_in(8)) errors.add(selection[0], earlier);
    std::set<std::uint32_t> selected;
    Evaluator evaluator(*bound);
    CHECK(evaluator.type() == bound->type);
    RowErrors before = errors;
    auto vector = evaluator.evaluate(rows.chunk, selection, test_now_ms, errors);
    check_selection(evaluator, rows.chunk, selection, *vector, errors, std::move(before));
    REQUIRE(vector->size() == rows.rows.size());
    bool any = false;
    for (std::size_t i = 0; i < selection.size(); ++i) {
      std::uint32_t row = selection[i];
      selected.insert(row);
      if (errors.contains(row) && errors.reasons().at(row) == earlier) continue;
      any = check_row(*bound, rows.rows[row], *vector, errors, row) || any;
    }
    for (const auto& [row, reason] : errors.reasons()) CHECK(selected.contains(row));
    return any;
  }

 private:
  // All of one column known: kernels have other loops then.
  void forget_nulls(TestChunk& rows) {
    for (std::size_t c = 0; c < schema_.size(); ++c) {
      for (auto& row : rows.rows) {
        if (row[c].is_null()) row[c] = random_value(random_, schema_[c].type);
      }
    }
    rows = TestChunk(schema_, std::move(rows.rows));
  }

  bool check_row(const plan::BoundExpression& bound, const interpreter::Values& values,
                 const column::Vector& vector, const RowErrors& errors, std::uint32_t row) {
    Answer wanted = judged(bound, values), given;
    if (errors.contains(row))
      given.reason = errors.reasons().at(row);
    else
      given.value = vector.value(row);
    bool good = same(wanted, given);
    if (!good) {
      std::string line;
      for (const auto& value : values) {
        auto c = static_cast<std::size_t>(&value - values.data());
        line += schema_[c].name + "=" + shown({{}, value}, schema_[c].type) + " ";
      }
      CAPTURE(line);
      CAPTURE(shown(wanted, bound.type));
      CAPTURE(shown(given, bound.type));
      CHECK(good);
    }
    ++(wanted.reason ? reasons_ : values_);
    return !wanted.reason && !wanted.value.is_null();
  }

  Random random_;
  plan::Schema schema_;
  std::size_t values_ = 0;
  std::size_t reasons_ = 0;
};

constexpr std::uint64_t seed = 20'151'112;

std::string row_name(const plan::Signature& row) {
  return fmt::format("{}({})", row.name, row.arguments);
}

/// Columns in place of some arguments: of decimals those of other digits too.
void vary(std::vector<Expression>& arguments, Comparison& comparison) {
  static const std::vector<std::string> decimals{"huge", "tiny", "both", "digit", "small", "money"};
  auto& random = comparison.random();
  for (auto& argument : arguments) {
    auto bound = plan::bind_expression(argument, comparison.schema());
    if (!bound || argument.kind == Expression::Kind::literal) continue;
    if (bound->type.kind == Type::decimal && !bound->type.array && random.one_in(2)) {
      argument = plan::col(decimals[random.below(decimals.size())]);
    }
  }
}

}  // namespace

TEST_CASE("each function of the table gives what the judge gives") {
  Comparison comparison(seed);
  CAPTURE(seed);
  interpreter::ExpressionMaker maker(comparison.random(), comparison.schema());
  constexpr int rounds = 60;
  for (const auto& row : plan::functions()) {
    bool any = false;
    for (int round = 0; round < rounds; ++round) {
      auto arguments = maker.arguments_for(row, static_cast<int>(comparison.random().below(2)));
      vary(arguments, comparison);
      auto expression = plan::call(std::string(row.name), arguments);
      if (!plan::bind_expression(expression, comparison.schema())) continue;
      any = comparison.check(expression) || any;
    }
    CHECK_MESSAGE(any, row_name(row));
  }
  CHECK(comparison.values() > 10'000);
  CHECK(comparison.reasons() > 1'000);
}

TEST_CASE("each function that takes many types gives what the judge gives for each of them") {
  Comparison comparison(seed + 1);
  CAPTURE(seed);
  auto& random = comparison.random();
  const auto& schema = comparison.schema();
  for (const auto& row : plan::functions()) {
    std::string_view words = row.arguments;
    bool takes_many = words.starts_with("any") || words.starts_with("ordered") || words == "when*";
    for (const auto& field : schema) {
      if (!takes_many || (field.type.array && words.starts_with("ordered"))) continue;
      bool any = false;
      for (int round = 0; round < 8; ++round) {
        auto operand = [&] {
          std::vector<std::string> names;
          for (const auto& other : schema) {
            if (other.type == field.type) names.push_back(other.name);
          }
          bool is_null = field.type.array || random.one_in(20);
          if (!random.one_in(3)) return plan::col(names[random.below(names.size())]);
          auto value = is_null ? column::Value() : random_value(random, field.type);
          return plan::cast(plan::literal(field.type, value), field.type);
        };
        std::vector<Expression> arguments;
        if (words == "when*") arguments.push_back(plan::col("truth"));
        arguments.push_back(operand());
        if (words.find(' ') != words.npos || words == "when*") arguments.push_back(operand());
        if (words.ends_with('*') && random.one_in(2)) arguments.push_back(operand());
        if (row.name == "between") arguments.resize(2), arguments.push_back(operand());
        if (words == "when*" && arguments.size() == 4) arguments.pop_back();
        any = comparison.check(plan::call(std::string(row.name), arguments)) || any;
      }
      CHECK_MESSAGE(any, row_name(row), " of ", plan::name(field.type));
    }
  }
}

TEST_CASE("bins of one length for all rows are those that the judge finds") {
  Comparison comparison(seed + 4);
  CAPTURE(seed);
  auto& random = comparison.random();
  constexpr std::int64_t day_ms = 86'400'000, far = 1'000'000'000'000'000;
  const std::vector<column::Interval> strides{
      {0, 0, 1},          {0, 0, 10'000},     {0, 0, 7'777'777}, {0, 1, 0},
      {0, 7, day_ms / 2}, {0, 2, -3'600'000}, {0, 4'000'000, 0}, {0, 0, far * 9'000},
      {0, 0, 0},          {0, 1, -day_ms},    {0, -2, 0},        {1, 0, 0},
      {0, far, 0},        {0, -far, 0},       {12, -365, 0},     {0, 0, -1}};
  for (const auto& stride : strides) {
    for (int round = 0; round < 20; ++round) {
      column::Value origin = random_value(random, {Type::timestamp});
      if (random.one_in(10)) origin = {};
      auto time = random.one_in(10) ? "date" : random.one_in(2) ? "time" : "other_time";
      comparison.check(
          plan::call("date_bin", {plan::literal({Type::interval}, stride), plan::col(time),
                                  plan::literal({Type::timestamp}, origin)}));
    }
  }
  CHECK(comparison.values() > 500);
  CHECK(comparison.reasons() > 500);
}

TEST_CASE("remainders that are compared with literals give what the judge gives") {
  Comparison comparison(seed + 5);
  CAPTURE(seed);
  auto number = [](std::int64_t value) { return plan::literal({Type::bigint}, value); };
  constexpr std::int64_t word = std::int64_t{1} << 32;
  for (std::int64_t divisor : {0l, 1l, -1l, 2l, 3l, 10l, 4096l, word - 1, word, -7l}) {
    for (std::int64_t value : {0l, 1l, -1l, 2l, 9l, word}) {
      for (const char* name : {"=", "<>", "<", "<=", ">", ">="}) {
        auto rest = plan::call("%", {plan::col("whole"), number(divisor)});
        comparison.check(plan::call(name, {rest, number(value)}));
      }
    }
  }
  auto digit = plan::call("%", {plan::col("whole"), number(10)});
  auto is_even =
      plan::call("=", {plan::call("%", {plan::col("other_whole"), number(2)}), number(0)});
  for (int round = 0; round < 100; ++round) {
    comparison.check(plan::call("and", {is_even, plan::call("<", {digit, number(5)})}));
    comparison.check(plan::call("<", {digit, plan::col("other_whole")}));
    comparison.check(plan::call("=", {digit, plan::literal({Type::bigint}, {})}));
  }
}

TEST_CASE("a case that asks for texts gives what the judge gives") {
  Comparison comparison(seed + 6);
  CAPTURE(seed);
  auto& random = comparison.random();
  const auto& schema = comparison.schema();
  auto maybe_null = [&](const Type& type) {
    return random.one_in(12) ? column::Value() : random_value(random, type);
  };
  constexpr int rounds = 400;
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round);
    bool of_bytes = random.one_in(8);
    Type compared = of_bytes ? Type{Type::bytes} : Type{};
    auto subject = plan::col(of_bytes ? "bytes" : "text");
    if (random.one_in(8) && !of_bytes) {  // of a negative length, which is an error
      subject = plan::call(
          "substring",
          {plan::col("text"), plan::literal({Type::bigint}, std::int64_t{1}), plan::col("whole")});
    }
    if (random.one_in(2) && !of_bytes) subject = plan::call("lower", {subject});
    auto result = schema[random.below(schema.size())];
    std::vector<Expression> arguments;
    for (auto count = 1 + random.below(20); count > 0; --count) {
      std::vector<Expression> both{subject, plan::literal(compared, maybe_null(compared))};
      if (random.one_in(4)) std::swap(both[0], both[1]);
      auto one = plan::call("=", both);
      if (random.one_in(4)) {
        std::vector<Expression> listed{subject};
        for (auto more = 1 + random.below(5); more > 0; --more) {
          listed.push_back(plan::literal(compared, maybe_null(compared)));
        }
        one = plan::call("in", listed);
      }
      if (random.one_in(60)) one = plan::col("truth");
      arguments.push_back(one);
      bool is_column = result.type.array || random.one_in(4);
      auto literal =
          plan::literal(result.type, is_column ? column::Value() : maybe_null(result.type));
      arguments.push_back(is_column ? plan::col(result.name) : plan::cast(literal, result.type));
    }
    if (random.one_in(2)) arguments.push_back(plan::col(result.name));
    comparison.check(plan::call("case", arguments));
  }
  CHECK(comparison.values() > 1'000);
}

TEST_CASE("each cast of the table gives what the judge gives") {
  Comparison comparison(seed + 2);
  CAPTURE(seed);
  const auto& schema = comparison.schema();
  constexpr int rounds = 20;
  std::set<std::pair<Type::Kind, Type::Kind>> pairs;
  for (const auto& from : schema) {
    for (const auto& to : schema) {
      if (!plan::can_cast(from.type, to.type)) continue;
      // Of decimals without a digit before the point hardly any number is one.
      bool any = from.type.array || to.type == plan::decimal(38, 38);
      int texts = from.type == Type{} ? 4 : 1;  // most texts are no values of most types
      for (int round = 0; round < rounds * texts; ++round) {
        any = comparison.check(plan::cast(plan::col(from.name), to.type)) || any;
      }
      pairs.emplace(from.type.kind, to.type.kind);
      CHECK_MESSAGE(any, from.name, " to ", to.name);
    }
  }
  std::size_t all = 0;
  for (int from = 0; from <= static_cast<int>(Type::interval); ++from) {
    for (int to = 0; to <= static_cast<int>(Type::interval); ++to) {
      Type wider = to == static_cast<int>(Type::decimal) ? plan::decimal(8, 2)
                                                         : Type(static_cast<Type::Kind>(to));
      all += plan::can_cast(Type(static_cast<Type::Kind>(from)), wider) ? 1u : 0u;
    }
  }
  CHECK(pairs.size() == all);
}

TEST_CASE("functions of functions give what the judge gives") {
  Comparison comparison(seed + 3);
  CAPTURE(seed);
  interpreter::ExpressionMaker maker(comparison.random(), comparison.schema());
  constexpr int rounds = 3000;
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round);
    const auto& schema = comparison.schema();
    const Type& type = schema[comparison.random().below(schema.size())].type;
    comparison.check(maker.of_type(type, 3));
  }
  CHECK(comparison.values() > 10'000);
  CHECK(comparison.reasons() > 1'000);
}

TEST_SUITE_END();
