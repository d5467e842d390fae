#include "checker/check.h"

namespace leat::checker {

Report check(const History& history) {
  Report report;
  LogIndex log(history);
  check_log(history, log, report);
  check_order(history, log, report);
  check_watermarks(history, log, report);
  check_transactions(history, log, report);
  check_loops(history, log, report);
  check_reads(history, log, report);
  check_commits(history, log, report);
  check_generations(history, log, report);
  return report;
}

}  // namespace leat::checker
