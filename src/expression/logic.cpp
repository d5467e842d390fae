// Three-valued logic, and the functions that do not need all their arguments for each row.
#include "expression/optimize.h"

#include <algorithm>

#include "expression/case_of_texts.h"
#include "expression/kernel.h"
#include "expression/node.h"
#include "expression/pending.h"

namespace leat::expression {

namespace {

using Nodes = std::vector<std::unique_ptr<Node>>;

Nodes make_nodes(const plan::BoundExpression& call) {
  Nodes nodes;
  for (const auto& argument : call.arguments) nodes.push_back(make_node(argument));
  return nodes;
}

/// cells[row] = of_row(row)
template <class T, class OfRow>
void set_cells(const Rows& rows, T* cells, OfRow of_row) {
  if (!rows.is_all()) return rows.each([&](std::uint32_t row) { cells[row] = of_row(row); });
  std::size_t count = rows.count;
  vectorized([=] {
    return loop_over(cells, count, [=](std::size_t row) { return Checked<T>{of_row(row), 0}; });
  });
}

/// `and` and `or`: an argument that is `decided` decides.
class ConnectNode final : public Node {
 public:
  explicit ConnectNode(const plan::BoundExpression& call)
      : Node(call.type), decided_(call.function == "or" ? 1 : 0), arguments_(make_nodes(call)) {
    is_plain_ = std::all_of(arguments_.begin(), arguments_.end(),
                            [](const auto& node) { return node->is_plain(); });
  }

  Operand evaluate(const Frame& frame, const Rows& rows) const override {
    auto owned = OwnedVector::make(type(), frame.chunk.rows);
    if (is_plain_)
      connect_all(frame, rows, owned->vector);
    else
      connect_needed(frame, rows, owned->vector);
    return {OwnedVector::release(std::move(owned)), false};
  }
  // Of `and`, each argument takes out of the rows what the next one need not look at. Those for
  // which it is NULL are asked on, if only for their errors.
  std::size_t select(const Frame& frame, const Rows& rows, std::uint32_t* out) const override {
    if (decided_ == 1) return Node::select(frame, rows, out);
    Rows left = rows;
    std::vector<Operand> unknown;
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
      auto rest = arguments_.begin() + static_cast<std::ptrdiff_t>(i) + 1;
      bool asks_on =
          !std::all_of(rest, arguments_.end(), [](const auto& node) { return node->is_plain(); });
      if (asks_on)
        left = {select_not_false(*arguments_[i], frame, left, out, unknown), out};
      else
        left = {arguments_[i]->select(frame, left, out), out};
    }
    for (const Operand& operand : unknown) {
      left.count = collect(left, out, [&](std::uint32_t row) { return !operand.is_null(row); });
    }
    return left.count;
  }
  bool is_plain() const override { return is_plain_; }

 private:
  void connect_needed(const Frame& frame, const Rows& rows, column::Vector& out) const {
    Pending pending(rows);
    rows.each([&](std::uint32_t row) { out.set_integer(row, 1 - decided_); });
    for (const auto& argument : arguments_) {
      if (pending.empty()) return;
      Operand operand = pending.evaluate(*argument, frame);
      Cells<std::int64_t> truths(operand);
      pending.take_if([&](std::uint32_t row) {
        if (operand.is_null(row)) {
          out.set_null(row);
          return false;
        }
        if ((truths[row] != 0) != (decided_ != 0)) return false;
        out.set_integer(row, decided_);
        return true;
      });
    }
  }

  // If NULL is among them, `unknown` has the result.
  static std::size_t select_not_false(const Node& node, const Frame& frame, const Rows& rows,
                                      std::uint32_t* out, std::vector<Operand>& unknown) {
    Pending pending(rows);
    Operand truth = pending.evaluate(node, frame);
    Cells<std::int64_t> cells(truth);
    if (!truth.vector->has_nulls()) {
      return collect(pending.rows(), out, [&](std::uint32_t row) { return cells[row] != 0; });
    }
    unknown.push_back(truth);
    return collect(pending.rows(), out,
                   [&](std::uint32_t row) { return truth.is_null(row) || cells[row] != 0; });
  }

  // All arguments for all rows, without a branch.
  void connect_all(const Frame& frame, const Rows& rows, column::Vector& out) const {
    std::vector<Operand> operands;
    operands.reserve(arguments_.size());
    bool any_null = false;
    for (const auto& argument : arguments_) {
      operands.push_back(argument->evaluate(frame, rows));
      any_null = any_null || operands.back().vector->has_nulls();
    }
    if (any_null) return connect_unknown(operands, rows, out);
    if (decided_ == 0)
      connect_known(operands, rows, out, [](std::int64_t a, std::int64_t b) { return a & b; });
    else
      connect_known(operands, rows, out, [](std::int64_t a, std::int64_t b) { return a | b; });
  }

  template <class Connect>
  static void connect_known(const std::vector<Operand>& operands, const Rows& rows,
                            column::Vector& out, Connect connect) {
    std::int64_t* cells = out.integers().data();
    with_cells<std::int64_t>(operands.front(), [&](auto first) {
      with_cells<std::int64_t>(operands.back(), [&](auto last) {
        set_cells(rows, cells, [=](std::size_t row) { return connect(first(row), last(row)); });
      });
    });
    for (std::size_t i = 1; i + 1 < operands.size(); ++i) {
      Cells<std::int64_t> truths(operands[i]);
      rows.each([&](std::uint32_t row) { cells[row] = connect(cells[row], truths[row]); });
    }
  }

  void connect_unknown(const std::vector<Operand>& operands, const Rows& rows,
                       column::Vector& out) const {
    rows.each([&](std::uint32_t row) {
      bool unknown = false;
      for (const auto& operand : operands) {
        if (operand.is_null(row)) {
          unknown = true;
        } else if ((operand.vector->integer(operand.at(row)) != 0) == (decided_ != 0)) {
          return out.set_integer(row, decided_);
        }
      }
      if (unknown)
        out.set_null(row);
      else
        out.set_integer(row, 1 - decided_);
    });
  }

  std::int64_t decided_;
  Nodes arguments_;
  bool is_plain_;
};

/// Conditions and results in turn, and perhaps the result of all others.
class CaseNode final : public Node {
 public:
  explicit CaseNode(const plan::BoundExpression& call)
      : Node(call.type), arguments_(make_nodes(call)) {
    auto held = column::physical(type());
    is_light_ = (held == column::Physical::integer || held == column::Physical::real) &&
                std::all_of(arguments_.begin(), arguments_.end(),
                            [](const auto& node) { return node->is_light(); });
  }

  Operand evaluate(const Frame& frame, const Rows& rows) const override {
    auto owned = OwnedVector::make(type(), frame.chunk.rows);
    if (!is_light_ || !choose_of_all(frame, rows, owned->vector)) choose(frame, rows, *owned);
    return {OwnedVector::release(std::move(owned)), false};
  }
  bool is_light() const override { return is_light_; }

 private:
  // Evaluates results for those rows alone that take them.
  void choose(const Frame& frame, const Rows& rows, OwnedVector& out) const {
    Pending pending(rows);
    for (std::size_t i = 0; i + 1 < arguments_.size() && !pending.empty(); i += 2) {
      Operand condition = pending.evaluate(*arguments_[i], frame);
      Cells<std::int64_t> truths(condition);
      bool has_nulls = condition.vector->has_nulls();
      Rows chosen = pending.take_if([&](std::uint32_t row) {
        return truths[row] != 0 && !(has_nulls && condition.is_null(row));
      });
      if (chosen.count > 0) take_result(*arguments_[i + 1], frame, chosen, out);
    }
    if (has_default() && !pending.empty()) {
      take_result(*arguments_.back(), frame, pending.rows(), out);
    } else {
      pending.rows().each([&](std::uint32_t row) { out.vector.set_null(row); });
    }
  }

  // All conditions and results for all rows, without a branch. False if there is an error, which
  // may be of a row that does not need it.
  bool choose_of_all(const Frame& frame, const Rows& rows, column::Vector& out) const {
    RowErrors errors;
    Frame trial{frame.chunk, frame.now_ms, errors};
    std::vector<Operand> operands;
    operands.reserve(arguments_.size());
    bool any_null = !has_default();
    for (const auto& argument : arguments_) {
      operands.push_back(argument->evaluate(trial, rows));
      if (!errors.empty()) return false;
      any_null = any_null || operands.back().vector->has_nulls();
    }
    if (any_null)
      choose_with_nulls(operands, rows, out);
    else if (column::physical(type()) == column::Physical::real)
      blend(operands, rows, out.reals().data());
    else
      blend(operands, rows, out.integers().data());
    return true;
  }

  void choose_with_nulls(const std::vector<Operand>& operands, const Rows& rows,
                         column::Vector& out) const {
    rows.each([&](std::uint32_t row) {
      std::size_t i = 0;
      auto is_true = [&](const Operand& condition) {
        return !condition.is_null(row) && condition.vector->integer(condition.at(row)) != 0;
      };
      while (i + 1 < operands.size() && !is_true(operands[i])) i += 2;
      if (i + 1 < operands.size()) ++i;
      if (i < operands.size())
        out.set_from(row, *operands[i].vector, operands[i].at(row));
      else
        out.set_null(row);
    });
  }

  // From the last condition to the first one, since that counts before the others.
  template <class T>
  static void blend(const std::vector<Operand>& operands, const Rows& rows, T* cells) {
    for (std::size_t i = operands.size() - 1; i >= 2; i -= 2) {
      bool first = i == operands.size() - 1;
      with_cells<std::int64_t>(operands[i - 2], [&](auto truth) {
        with_cells<T>(operands[i - 1], [&](auto value) {
          if (!first) return blend_into(rows, cells, truth, value);
          with_cells<T>(operands[i], [&](auto other) {
            set_cells(rows, cells,
                      [=](std::size_t row) { return truth(row) != 0 ? value(row) : other(row); });
          });
        });
      });
    }
  }
  template <class T, class Truth, class Value>
  static void blend_into(const Rows& rows, T* cells, Truth truth, Value value) {
    if (!rows.is_all()) {
      rows.each([&](std::uint32_t row) {
        if (truth(row) != 0) cells[row] = value(row);
      });
      return;
    }
    vectorized([=, count = rows.count] {
      for (std::size_t row = 0; row < count; ++row) {
        cells[row] = truth(row) != 0 ? value(row) : cells[row];
      }
    });
  }

  bool has_default() const { return arguments_.size() % 2 == 1; }

  Nodes arguments_;
  bool is_light_;
};

/// The first argument that is not NULL.
class CoalesceNode final : public Node {
 public:
  explicit CoalesceNode(const plan::BoundExpression& call)
      : Node(call.type), arguments_(make_nodes(call)) {}

  Operand evaluate(const Frame& frame, const Rows& rows) const override {
    Pending pending(rows);
    Operand first = pending.evaluate(*arguments_[0], frame);
    if (!first.vector->has_nulls()) return first;
    auto owned = OwnedVector::make(type(), frame.chunk.rows);
    take_known(*owned, first, pending);
    for (std::size_t i = 1; i < arguments_.size() && !pending.empty(); ++i) {
      Operand operand = pending.evaluate(*arguments_[i], frame);
      take_known(*owned, operand, pending);
    }
    pending.rows().each([&](std::uint32_t row) { owned->vector.set_null(row); });
    return {OwnedVector::release(std::move(owned)), false};
  }

 private:
  static void take_known(OwnedVector& out, const Operand& from, Pending& pending) {
    out.take(from, pending.take_if([&](std::uint32_t row) { return !from.is_null(row); }));
  }

  Nodes arguments_;
};

void negate(const Call& call) {
  map<std::int64_t, std::int64_t>(call,
                                  [](std::int64_t truth) -> std::int64_t { return truth ^ 1; });
}

}  // namespace

Kernel logic_kernel(const plan::BoundExpression& call) {
  if (call.function == "not") return negate;
  return {};
}

std::unique_ptr<Node> make_lazy_node(const plan::BoundExpression& call) {
  if (call.function == "and" || call.function == "or") return std::make_unique<ConnectNode>(call);
  if (call.function == "case") {
    if (auto of_texts = make_case_of_texts(call)) return of_texts;
    return std::make_unique<CaseNode>(call);
  }
  if (call.function == "coalesce") return std::make_unique<CoalesceNode>(call);
  return nullptr;
}

}  // namespace leat::expression
