// The rules, each a function from a history to what is wrong with it.
#pragma once

#include "checker/history.h"
#include "checker/log_index.h"
#include "checker/report.h"

namespace leat::checker {

/// Holds a history against all rules.
Report check(const History& history);

// One file each; all but the report is borrowed.
void check_log(const History& history, const LogIndex& log, Report& report);
void check_order(const History& history, const LogIndex& log, Report& report);
void check_watermarks(const History& history, const LogIndex& log, Report& report);
void check_transactions(const History& history, const LogIndex& log, Report& report);
void check_loops(const History& history, const LogIndex& log, Report& report);
void check_reads(const History& history, const LogIndex& log, Report& report);
void check_commits(const History& history, const LogIndex& log, Report& report);
void check_generations(const History& history, const LogIndex& log, Report& report);

}  // namespace leat::checker
