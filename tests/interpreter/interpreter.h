// The judge of the runtime: what a plan gives for a partitioned log, worked out as design and
// plan/*.h define it, one row at a time, all rows kept, everything counted anew. Shares names and
// types with the runtime (plan/bound_plan.h) and nothing that computes.
//
// It judges a bounded run: all there is is read, then event time ends. Of nodes that change rows
// later it gives the last word: an inserted row for each that stands in the end. Only a window that
// closes and has a lateness gives what it gave on time, and behind it what became of that.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "interpreter/nodes.h"

namespace leat::interpreter {

struct Run {
  /// What each source reads, by its node's name.
  std::map<std::string, Log> logs;
  /// The processing time of the one epoch.
  std::int64_t now_ms = 0;
};

/// A record that cannot become a row.
struct BadRecord {
  std::string node;
  std::int64_t partition = 0;
  std::int64_t offset = 0;
  std::string reason;
};

struct Outcome {
  /// What each sink gets, by its node's name.
  std::map<std::string, Rows> sinks;
  /// What each other node gives, by its name.
  std::map<std::string, Rows> given;
  /// Rows that came too late, by the node that did not take them.
  std::map<std::string, Rows> late;
  /// What policies other than `fail` let pass.
  std::vector<BadRecord> bad_records;
  std::vector<BadRow> bad_rows;
};

/// Errc::bad_record where the policy is to fail. REQUIRES: a log for each source.
Result<Outcome> interpret(const plan::BoundPlan& plan, const Run& run);

}  // namespace leat::interpreter
