// One operator against the judge (tests/interpreter): both get the rows that the nodes before give.
// The operator gets them in random chunks, its partitions in random turns, with event time moving
// on and states written and read again in between. All that must not change what it gives.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "interpreter/row.h"
#include "operators/operator.h"
#include "plan/bound_plan.h"

namespace leat::operators {

/// How what the operator gives is compared with what the judge says.
enum class Given {
  /// The same rows in the same order, which is that of time: emission by watermark.
  in_order,
  /// The same rows in the same order. Rows come merged by (time, position) over all partitions.
  at_once,
  /// The same rows, those of one partition in the same order: what has no state, and lookups.
  as_it_comes,
  /// What is left of all changes.
  changes,
};

/// What is tried.
struct Trial {
  /// The node, whatever is before it, and a sink behind it.
  plan::Plan plan;
  std::string node;
  /// By the sources' names.
  std::map<std::string, interpreter::Log> logs;
  Given given = Given::in_order;
  /// All of input 1 comes before any row of input 0: tables.
  bool right_first = false;
};

/// The operator of the plan's node of that number.
using Make =
    std::function<std::unique_ptr<Operator>(const plan::BoundPlan& plan, std::size_t node)>;

/// Runs it once, as `seed` says, and checks rows, late rows, bad rows, order, and what passes_on()
/// promises.
void check(const Trial& trial, std::uint64_t seed, const Make& make);

/// A source with the columns that records of interpreter::random_log() have.
plan::Source log_source(const std::string& topic, std::int64_t disorder_ms);

/// A plan of nodes in the words of plan::parse(), commas between them, behind sources "a" and "b"
/// of random_log()'s columns, if they are read. A sink reads the last one.
plan::Plan plan_of(const std::string& nodes, std::int64_t disorder_ms);

}  // namespace leat::operators
