// Random plans that make sense, and random logs for them, by seed.
#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "interpreter/interpreter.h"
#include "plan/plan.h"

namespace leat::interpreter {

/// A plan over the topics "a" and "b", both read with all columns that records of random_log()
/// have, and a node or several behind them. Every row of the tables of functions and aggregates
/// comes up, and every type of node. bind() takes it. `steps` is how many nodes are behind the
/// sources; each that nobody reads has a sink.
plan::Plan random_pipeline(Random& random, int steps);

/// Whether rows of several partitions may have the same event time.
enum class Ties { some, none };

/// Records with times that go forth and back, duplicates, NULLs, missing fields, what is no record
/// at all, hot keys; partitions that end early or have nothing.
Log random_log(Random& random, std::size_t partitions, int records, Ties ties = Ties::some);

}  // namespace leat::interpreter
