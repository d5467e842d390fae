#include "expression/node.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "expression/date_bin.h"
#include "expression/kernel.h"
#include "expression/null_test.h"
#include "expression/remainder.h"
#include "expression/rewrite.h"

namespace leat::expression {

namespace {

class ColumnNode final : public Node {
 public:
  explicit ColumnNode(const plan::BoundExpression& column)
      : Node(column.type), column_(column.column) {}
  Operand evaluate(const Frame& frame, const Rows&) const override {
    return {frame.chunk.columns[column_], false};
  }
  bool is_plain() const override { return true; }

 private:
  std::size_t column_;
};

class LiteralNode final : public Node {
 public:
  explicit LiteralNode(Operand operand)
      : Node(operand.vector->type()), operand_(std::move(operand)) {}
  Operand evaluate(const Frame&, const Rows&) const override { return operand_; }
  bool is_literal() const override { return true; }
  bool is_plain() const override { return true; }

 private:
  Operand operand_;
};

Operand operand_of(const column::Value& value, const column::Type& type) {
  struct Literal {
    column::Value value;
    column::Vector vector;
  };
  auto literal = std::make_shared<Literal>(Literal{value, column::Vector(type)});
  literal->vector.resize(1);
  literal->vector.set_value(0, literal->value);
  const column::Vector* vector = &literal->vector;
  return {{std::move(literal), vector}, true};
}

// Those of `rows` for which a boolean is true that was evaluated.
std::size_t collect_true(const Operand& truth, const Rows& rows, std::uint32_t* out) {
  return with_cells<std::int64_t>(truth, [&](auto cells) {
    if (!truth.vector->has_nulls())
      return collect(rows, out, [&](std::uint32_t row) { return cells(row) != 0; });
    return collect(rows, out,
                   [&](std::uint32_t row) { return cells(row) != 0 && !truth.is_null(row); });
  });
}

// Nothing if there is none.
Selector find_selector(const plan::BoundExpression& call) {
  for (auto find : {comparison_selector, null_test_selector, remainder_selector}) {
    if (auto selector = find(call)) return selector;
  }
  return {};
}

// A call that needs all its arguments.
class CallNode final : public Node {
 public:
  explicit CallNode(const plan::BoundExpression& call)
      : Node(call.type), kernel_(find_kernel(call)), selector_(find_selector(call)) {
    for (const auto& argument : call.arguments) arguments_.push_back(make_node(argument));
    auto all = [&](auto property) {
      return std::all_of(arguments_.begin(), arguments_.end(), property);
    };
    is_plain_ = is_test(call) && all([](const auto& node) { return node->is_plain(); });
    is_light_ =
        (is_test(call) || is_sum(call)) && all([](const auto& node) { return node->is_light(); });
  }

  Operand evaluate(const Frame& frame, const Rows& rows) const override {
    std::vector<std::uint32_t> kept;
    Rows left = rows;
    auto [operands, constant] = evaluate_arguments(frame, left, kept);
    if (constant) return evaluate_once(operands, frame, left);
    auto owned = make_result(operands, frame.chunk.rows);
    kernel_({operands, left, *owned, frame.errors, frame.now_ms});
    return {OwnedVector::release(std::move(owned)), false};
  }
  std::size_t select(const Frame& frame, const Rows& rows, std::uint32_t* out) const override {
    if (!selector_) return Node::select(frame, rows, out);
    std::vector<std::uint32_t> kept;
    Rows left = rows;
    auto [operands, constant] = evaluate_arguments(frame, left, kept);
    return selector_({operands, left, out});
  }
  bool is_plain() const override { return is_plain_; }
  bool is_light() const override { return is_light_; }
  bool has_literals_alone() const {
    return !arguments_.empty() && std::all_of(arguments_.begin(), arguments_.end(),
                                              [](const auto& node) { return node->is_literal(); });
  }

 private:
  struct Evaluated {
    std::vector<Operand> operands;
    bool constant = true;  // all of them
  };
  // Takes rows with errors out of `rows`, which are listed in `kept` then.
  Evaluated evaluate_arguments(const Frame& frame, Rows& rows,
                               std::vector<std::uint32_t>& kept) const {
    Evaluated all;
    all.operands.reserve(arguments_.size());
    for (const auto& argument : arguments_) {
      auto errors = frame.errors.reasons().size();
      all.operands.push_back(argument->evaluate(frame, rows));
      all.constant = all.constant && all.operands.back().constant;
      if (frame.errors.reasons().size() != errors) rows = without_errors(rows, frame.errors, kept);
    }
    return all;
  }
  static bool is_one_of(const std::string& name, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  }
  static bool is_of_numbers(const plan::BoundExpression& call) {
    return std::all_of(call.arguments.begin(), call.arguments.end(), [](const auto& argument) {
      auto held = column::physical(argument.type);
      return held == column::Physical::integer || held == column::Physical::real;
    });
  }
  // What says yes or no without an error.
  static bool is_test(const plan::BoundExpression& call) {
    if (is_one_of(call.function, {"is_null", "not is_null", "not"}) ||
        call.function.starts_with("% "))
      return true;
    return is_one_of(call.function, {"=", "<>", "<", "<=", ">", ">="}) && is_of_numbers(call);
  }
  static bool is_sum(const plan::BoundExpression& call) {
    return is_one_of(call.function, {"+", "-", "*"}) && is_of_numbers(call);
  }

  std::shared_ptr<OwnedVector> make_result(const std::vector<Operand>& operands,
                                           std::size_t rows) const {
    auto owned = OwnedVector::make(type(), rows);
    auto held = column::physical(type());
    if (held == column::Physical::text || held == column::Physical::list) {
      for (const auto& operand : operands) owned->keep(operand);
    }
    return owned;
  }

  // One cell, or one reason, for all rows.
  Operand evaluate_once(const std::vector<Operand>& operands, const Frame& frame,
                        const Rows& rows) const {
    auto owned = make_result(operands, 1);
    RowErrors error;
    kernel_({operands, Rows{1}, *owned, error, frame.now_ms});
    if (!error.empty()) {
      const std::string& reason = error.reasons().begin()->second;
      rows.each([&](std::uint32_t row) { frame.errors.add(row, reason); });
      owned->vector.set_null(0);
    }
    return {OwnedVector::release(std::move(owned)), true};
  }

  Kernel kernel_;
  Selector selector_;  // if there is one
  bool is_plain_;
  bool is_light_;
  std::vector<std::unique_ptr<Node>> arguments_;
};

// A call whose arguments are literals is one, unless it has no valid value: that is an error only
// for rows that need it.
std::unique_ptr<Node> make_call(const plan::BoundExpression& call) {
  auto node = std::make_unique<CallNode>(call);
  if (!node->has_literals_alone()) return node;
  column::Chunk nothing;
  RowErrors errors;
  Operand result = node->evaluate({nothing, 0, errors}, Rows{1});
  if (!errors.empty()) return node;
  return std::make_unique<LiteralNode>(std::move(result));
}

}  // namespace

std::size_t Node::select(const Frame& frame, const Rows& rows, std::uint32_t* out) const {
  std::vector<std::uint32_t> kept;
  auto errors = frame.errors.reasons().size();
  Operand truth = evaluate(frame, rows);
  bool more_errors = frame.errors.reasons().size() != errors;
  return collect_true(truth, more_errors ? without_errors(rows, frame.errors, kept) : rows, out);
}

Kernel find_kernel(const plan::BoundExpression& expression) {
  if (expression.kind == plan::Expression::Kind::cast) return cast_kernel(expression);
  for (auto find : {arithmetic_kernel,   decimal_kernel,     comparison_kernel, logic_kernel,
                    text_kernel,         pattern_kernel,     time_kernel,       date_bin_kernel,
                    to_char_kernel,      json_kernel,        array_kernel,      remainder_kernel,
                    null_test_kernel,    mathematics_kernel, rounding_kernel,   reshape_kernel,
                    encoding_kernel,     text_array_kernel,  read_time_kernel,  interval_kernel,
                    write_number_kernel, read_number_kernel}) {
    if (auto kernel = find(expression)) return kernel;
  }
  ASSERT(false);
}

std::unique_ptr<Node> make_node(const plan::BoundExpression& expression) {
  switch (expression.kind) {
    case plan::Expression::Kind::column: return std::make_unique<ColumnNode>(expression);
    case plan::Expression::Kind::literal:
      return std::make_unique<LiteralNode>(operand_of(expression.literal, expression.type));
    case plan::Expression::Kind::cast: return make_call(expression);
    case plan::Expression::Kind::call: break;
  }
  if (auto lazy = make_lazy_node(expression)) return lazy;
  return make_call(rewritten(expression));
}

}  // namespace leat::expression
