// Chunks from values, and expressions over them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "expression/evaluator.h"
#include "interpreter/evaluate.h"

namespace leat::expression {

using Table = std::vector<interpreter::Values>;  // row by row

/// A chunk, and the values that its texts point into.
struct TestChunk {
  TestChunk(const plan::Schema& schema, Table table) : rows(std::move(table)) {
    chunk.rows = rows.size();
    chunk.selection = column::Selection::all(rows.size());
    for (std::size_t c = 0; c < schema.size(); ++c) {
      auto vector = std::make_shared<column::Vector>(schema[c].type);
      vector->resize(rows.size());
      for (std::size_t r = 0; r < rows.size(); ++r) vector->set_value(r, rows[r][c]);
      chunk.columns.push_back(std::move(vector));
    }
  }

  Table rows;
  column::Chunk chunk;
};

inline plan::BoundExpression bound(const plan::Expression& expression, const plan::Schema& schema) {
  auto result = plan::bind_expression(expression, schema);
  REQUIRE_MESSAGE(result.has_value(), result.error().what);
  return *result;
}

inline constexpr std::int64_t test_now_ms = 1'700'000'000'123;

/// A cell as text; `NULL`; `! ` and why there is none.
inline std::string cell_text(const column::Vector& vector, const RowErrors& errors,
                             std::uint32_t row) {
  if (errors.contains(row)) return "! " + errors.reasons().at(row);
  if (vector.is_null(row)) return "NULL";
  auto value = interpreter::cast(vector.value(row), vector.type(), plan::Type{});
  return std::get<std::string>(value);
}

/// Checks that selecting rows by a boolean gives those for which it is true, and the errors that
/// evaluating it gives: `evaluated` and `errors`. `before` are those that there were already.
inline void check_selection(const Evaluator& evaluator, const column::Chunk& chunk,
                            const column::Selection& rows, const column::Vector& evaluated,
                            const RowErrors& errors, RowErrors before = {}) {
  if (evaluator.type() != plan::Type{plan::Type::boolean}) return;
  auto selected = evaluator.select(chunk, rows, test_now_ms, before);
  CHECK(before.reasons() == errors.reasons());
  std::vector<std::uint32_t> found, expected;
  for (std::size_t i = 0; i < selected.size(); ++i) found.push_back(selected[i]);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    bool is_true =
        !errors.contains(rows[i]) && !evaluated.is_null(rows[i]) && evaluated.integer(rows[i]) != 0;
    if (is_true) expected.push_back(rows[i]);
  }
  CHECK(found == expected);
}

/// What an expression is for all rows.
inline std::vector<std::string> cells(const plan::Expression& expression,
                                      const plan::Schema& schema, const Table& table) {
  TestChunk rows(schema, table);
  RowErrors errors;
  Evaluator evaluator(bound(expression, schema));
  auto vector = evaluator.evaluate(rows.chunk, rows.chunk.selection, test_now_ms, errors);
  check_selection(evaluator, rows.chunk, rows.chunk.selection, *vector, errors);
  std::vector<std::string> texts;
  for (std::uint32_t row = 0; row < table.size(); ++row) {
    texts.push_back(cell_text(*vector, errors, row));
  }
  return texts;
}

}  // namespace leat::expression
