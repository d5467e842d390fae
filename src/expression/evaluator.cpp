#include "expression/evaluator.h"

#include "expression/node.h"

namespace leat::expression {

namespace {

// One cell for each row.
std::shared_ptr<const column::Vector> spread(const Operand& operand, std::size_t rows) {
  auto owned = OwnedVector::make(operand.vector->type(), rows);
  owned->take(operand, Rows{rows});
  return OwnedVector::release(std::move(owned));
}

}  // namespace

Evaluator::Evaluator(const plan::BoundExpression& expression) : root_(make_node(expression)) {}
Evaluator::~Evaluator() = default;
Evaluator::Evaluator(Evaluator&&) noexcept = default;
Evaluator& Evaluator::operator=(Evaluator&&) noexcept = default;

const column::Type& Evaluator::type() const {
  return root_->type();
}

std::shared_ptr<const column::Vector> Evaluator::evaluate(const column::Chunk& chunk,
                                                          const column::Selection& rows,
                                                          std::int64_t now_ms,
                                                          RowErrors& errors) const {
  std::vector<std::uint32_t> kept;
  Rows selected{rows.size(), rows.is_all() ? nullptr : rows.listed().data()};
  Frame frame{chunk, now_ms, errors};
  Operand result = root_->evaluate(frame, without_errors(selected, errors, kept));
  return result.constant ? spread(result, chunk.rows) : std::move(result.vector);
}

column::Selection Evaluator::select(const column::Chunk& chunk, const column::Selection& rows,
                                    std::int64_t now_ms, RowErrors& errors) const {
  std::vector<std::uint32_t> kept;
  Rows selected{rows.size(), rows.is_all() ? nullptr : rows.listed().data()};
  std::vector<std::uint32_t> chosen(rows.size());
  std::size_t count =
      root_->select({chunk, now_ms, errors}, without_errors(selected, errors, kept), chosen.data());
  if (count == rows.size()) return rows;
  chosen.resize(count);
  return column::Selection::of(std::move(chosen));
}

}  // namespace leat::expression
