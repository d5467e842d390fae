// A plan whose columns are found and whose types fit: what interpreter and runtime start from.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "plan/functions.h"
#include "plan/plan.h"

namespace leat::plan {

/// An expression of which every part has its type. Calls have exactly the arguments that a row of
/// functions.h takes: casts are put in where needed.
struct BoundExpression {
  Expression::Kind kind = Expression::Kind::literal;
  Type type;
  std::size_t column = 0;
  Value literal;
  std::string function;
  std::vector<BoundExpression> arguments;
};

/// Errc::plan_error with what is wrong.
Result<BoundExpression> bind_expression(const Expression& expression, const Schema& schema);

/// Where in `schema` the column is. Errc::plan_error, naming what there is, if nowhere.
Result<std::size_t> find_column(const Schema& schema, const std::string& name);

struct BoundAggregate {
  const Aggregate* aggregate = nullptr;
  Type type;
  std::optional<BoundExpression> argument;
  std::optional<BoundExpression> filter;
  std::optional<BoundExpression> order_by;
};

/// Rows that are versions of a table's: a later one of a key replaces the earlier one.
struct TableRows {
  /// Columns that hold the record's key.
  std::vector<std::size_t> keys;
  /// Whether rows can be taken back: files have no records without value.
  bool removable = false;
  /// Whether its rows have an event time.
  bool timed = false;
};

/// One node. Of the parts, those are there that its type has.
struct BoundNode {
  const Node* node = nullptr;
  std::vector<std::size_t> inputs;  // which nodes
  Schema schema;                    // of what it gives
  /// Whether rows that it gave may be taken back or changed.
  bool revises = false;
  std::optional<TableRows> table;
  /// A filter's condition, a projection's columns.
  std::vector<BoundExpression> expressions;
  std::vector<BoundAggregate> aggregates;
  /// Where the input, of a join the left one, has the keys, the orderings, the array to unnest, the
  /// event time; a sink the columns of its folders.
  std::vector<std::size_t> keys;
  std::vector<std::size_t> right_keys;
  std::vector<std::size_t> columns;
};

/// Points into the plan, which must outlive it.
struct BoundPlan {
  const Plan* plan = nullptr;
  std::vector<BoundNode> nodes;
};

/// Checks all that can be said of a plan without looking at topics and files. Errc::plan_error
/// with the place: "nodes[3] 'per_channel' aggregates[1].argument: column 'addded' is not there;
/// there are: added, channel, time".
Result<BoundPlan> bind(const Plan& plan);

}  // namespace leat::plan
