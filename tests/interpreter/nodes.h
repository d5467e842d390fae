// What each type of node makes of all rows of its inputs.
#pragma once

#include <string>
#include <vector>

#include "interpreter/row.h"
#include "plan/bound_plan.h"

namespace leat::interpreter {

/// A row that has no valid result at a node.
struct BadRow {
  std::string node;
  Row row;
  std::string reason;
};

/// What a node gives, and what goes aside there.
struct NodeResult {
  Rows rows;
  Rows late;
  std::vector<BadRow> bad;
};

/// How event time goes on: by the number of rows that are read, the pipeline's watermark behind the
/// last one of them. Behind all rows it passes everything.
using Progress = std::vector<std::int64_t>;

/// One node's turn.
struct Turn {
  const plan::BoundNode& node;
  std::int64_t number;  // of the node in the plan
  std::int64_t now_ms;
  std::int64_t delay_ms;  // a row comes when event time has passed it by so much
  const Progress& progress;
  NodeResult& result;

  /// When the node gives a row that waits for event time.
  Arrival arrival_at(std::int64_t time_ms) const;

  void reject(const Row& row, const std::string& reason) const {
    result.bad.push_back({node.node->name, row, reason});
  }
};

void run_filter(const Turn& turn, const Rows& rows);
void run_project(const Turn& turn, const Rows& rows);
void run_unnest(const Turn& turn, const Rows& rows);
void run_union(const Turn& turn, const std::vector<const Rows*>& inputs);
void run_window(const Turn& turn, const plan::Window& window, const Rows& rows);
void run_over(const Turn& turn, const plan::Over& over, const Rows& rows);
void run_top(const Turn& turn, const plan::Top& top, const Rows& rows);
void run_dedup(const Turn& turn, const plan::Dedup& dedup, const Rows& rows);
void run_join(const Turn& turn, const plan::Join& join, const Rows& left, const Rows& right,
              std::size_t right_columns);

/// The values of these columns, as a group's key: of equal intervals the same one.
Values key_of(const Row& row, const std::vector<std::size_t>& columns);

/// Joins, dedup, top and OVER take no row that is behind its watermark. Gives the others, in the
/// order of time.
Rows in_time(const Turn& turn, const Rows& rows);

/// Puts rows that a node has made into the order of time, given with positions that decide ties,
/// and then gives them positions of their own.
void settle(const Turn& turn, Rows rows);

}  // namespace leat::interpreter
