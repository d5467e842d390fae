#include "log/context.h"

namespace leat::log {

StoreMetrics::StoreMetrics(Metrics& metrics)
    : appends(metrics.counter("leat_log_appends_total", "Record batches acknowledged.")),
      append_bytes(
          metrics.counter("leat_log_append_bytes_total", "Bytes of acknowledged batches.")),
      commits(metrics.counter("leat_log_commits_total", "Group commits.")),
      journal_bytes(
          metrics.counter("leat_log_journal_bytes_total", "Bytes written to the commit journal.")),
      syncs(metrics.counter("leat_log_syncs_total", "Syncs that a commit waited for.")),
      failures(
          metrics.counter("leat_log_append_failures_total", "Record batches refused or lost.")),
      sync_time(metrics.histogram("leat_log_sync_seconds", "Time until a commit was on disk.")),
      damaged_ranges(
          metrics.gauge("leat_log_damaged_ranges", "Offset ranges that cannot be read.")),
      segments(metrics.gauge("leat_log_segments", "Segments of all partitions.")) {}

}  // namespace leat::log
