#include "expression/case_of_texts.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "expression/known_texts.h"
#include "expression/pending.h"
#include "expression/text_numbers.h"

namespace leat::expression {

using plan::BoundExpression;
using Kind = plan::Expression::Kind;

namespace {

bool same(const BoundExpression& a, const BoundExpression& b) {
  return a.kind == b.kind && a.type == b.type && a.column == b.column && a.literal == b.literal &&
         a.function == b.function &&
         std::equal(a.arguments.begin(), a.arguments.end(), b.arguments.begin(), b.arguments.end(),
                    same);
}

bool is_call(const BoundExpression& expression, std::string_view function) {
  return expression.kind == Kind::call && expression.function == function;
}

/// What a condition asks: whether the subject is one of some literals.
struct Question {
  const BoundExpression* subject;
  std::vector<const BoundExpression*> literals;
};

std::optional<Question> question_of(const BoundExpression& condition) {
  if (!is_call(condition, "=") && !is_call(condition, "in")) return {};
  const auto& arguments = condition.arguments;
  auto is_literal = [](const auto& argument) { return argument.kind == Kind::literal; };
  // What is compared may be on either side of =.
  std::size_t at = is_call(condition, "=") && is_literal(arguments[0]) ? 1 : 0;
  Question question{&arguments[at], {}};
  if (physical(question.subject->type) != column::Physical::text) return {};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (i == at) continue;
    if (!is_literal(arguments[i])) return {};
    question.literals.push_back(&arguments[i]);
  }
  return question;
}

/// Those of all conditions; nothing if one asks something else.
std::vector<Question> questions_of(const BoundExpression& call) {
  std::vector<Question> questions;
  for (std::size_t i = 0; i + 1 < call.arguments.size(); i += 2) {
    auto question = question_of(call.arguments[i]);
    bool fits = question && (questions.empty() || same(*questions[0].subject, *question->subject));
    if (!fits) return {};
    questions.push_back(std::move(*question));
  }
  return questions;
}

/// Literal results by their numbers, and what their texts point to.
struct Literals {
  explicit Literals(const column::Type& type) : vector(type) {}
  std::vector<column::Value> values;
  column::Vector vector;
};

class CaseOfTexts final : public Node {
 public:
  CaseOfTexts(const BoundExpression& call, const std::vector<Question>& questions)
      : Node(call.type),
        subject_(make_node(compared(*questions[0].subject))),
        numbers_(is_call(*questions[0].subject, "lower")),
        others_(static_cast<std::uint32_t>(questions.size())) {
    std::vector<const BoundExpression*> results;
    for (std::uint32_t i = 0; i < others_; ++i) {
      for (const auto* literal : questions[i].literals) {
        // Nothing is equal to NULL.
        if (const auto* text = std::get_if<std::string>(&literal->literal)) numbers_.add(*text, i);
      }
      results.push_back(&call.arguments[2 * i + 1]);
    }
    bool has_default = call.arguments.size() % 2 == 1;
    results.push_back(has_default ? &call.arguments.back() : nullptr);
    make_results(results);
  }

  Operand evaluate(const Frame& frame, const Rows& rows) const override {
    Pending pending(rows);
    Operand subject = pending.evaluate(*subject_, frame);
    auto owned = OwnedVector::make(type(), frame.chunk.rows);
    std::vector<std::uint32_t> numbers(frame.chunk.rows);
    find_numbers(subject, pending.rows(), numbers);
    set_literals(pending.rows(), numbers, *owned);
    std::vector<std::uint32_t> list(pending.rows().count);
    for (std::uint32_t i = 0; i <= others_; ++i) {
      if (results_[i] == nullptr) continue;
      auto takes = [&](std::uint32_t row) { return numbers[row] == i; };
      Rows takers{collect(pending.rows(), list.data(), takes), list.data()};
      if (takers.count > 0) take_result(*results_[i], frame, takers, *owned);
    }
    return {OwnedVector::release(std::move(owned)), false};
  }

 private:
  static const BoundExpression& compared(const BoundExpression& subject) {
    return is_call(subject, "lower") ? subject.arguments[0] : subject;
  }

  // A result that is null is NULL.
  void make_results(const std::vector<const BoundExpression*>& results) {
    auto literals = std::make_shared<Literals>(type());
    literals->values.resize(results.size());
    literals->vector.resize(results.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
      bool is_literal = results[i] == nullptr || results[i]->kind == Kind::literal;
      results_.push_back(is_literal ? nullptr : make_node(*results[i]));
      if (results[i] != nullptr && is_literal) literals->values[i] = results[i]->literal;
      // Who has another result gets it in place of any that is not NULL.
      if (is_literal) literals->vector.set_value(i, literals->values[i]);
    }
    const column::Vector* vector = &literals->vector;
    literals_ = {{std::move(literals), vector}, false};
  }

  void find_numbers(const Operand& subject, const Rows& rows,
                    std::span<std::uint32_t> numbers) const {
    bool has_nulls = subject.vector->has_nulls();
    for_each_text(subject, rows, [&](std::uint32_t row, std::string_view text) {
      bool is_known = !has_nulls || !subject.is_null(row);
      numbers[row] = is_known ? std::min(numbers_.find(text), others_) : others_;
    });
  }

  void set_literals(const Rows& rows, std::span<const std::uint32_t> numbers,
                    OwnedVector& out) const {
    const column::Vector& literals = *literals_.vector;
    out.keep(literals_);
    if (physical(type()) == column::Physical::text && !literals.has_nulls()) {
      auto to = out.vector.texts();
      auto from = literals.texts();
      return rows.each([&](std::uint32_t row) { to[row] = from[numbers[row]]; });
    }
    rows.each([&](std::uint32_t row) { out.vector.set_from(row, literals, numbers[row]); });
  }

  std::unique_ptr<Node> subject_;
  TextNumbers numbers_;
  std::uint32_t others_;  // the number of rows that meet no condition
  // By the number of a condition, and of the others.
  std::vector<std::unique_ptr<Node>> results_;  // null where a literal is
  Operand literals_;
};

}  // namespace

std::unique_ptr<Node> make_case_of_texts(const BoundExpression& call) {
  auto questions = questions_of(call);
  bool of_lists = physical(call.type) == column::Physical::list;
  if (questions.size() < 2 || of_lists) return nullptr;
  return std::make_unique<CaseOfTexts>(call, questions);
}

}  // namespace leat::expression
