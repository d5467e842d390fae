// What random plans leave out: options of nodes, columns from all parts of a record, tables.
#pragma once

#include <map>
#include <string>

#include "base/random.h"
#include "interpreter/row.h"
#include "plan/plan.h"

namespace leat::interpreter {

/// Changes a plan of random_pipeline() in some places, as far as bind() still takes it: columns
/// from keys, headers, paths and what else a record has; event times of the record; "b" as CSV; a
/// table "u" that is looked up; joins with any node, of several keys and of columns with one name;
/// keys, orderings and inputs that are added; topics for late rows and dead letters; sinks with
/// keys, partitions and CSV.
void vary(Random& random, plan::Plan& plan);

/// Makes logs of random_log() for "a" and "b" such that the plan finds what it asks for, and one
/// for "u" if that is there. Logs have the names of their topics.
void vary_logs(Random& random, const plan::Plan& plan, std::map<std::string, Log>& logs);

}  // namespace leat::interpreter
