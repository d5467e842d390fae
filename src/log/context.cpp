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
      segments(metrics.gauge("leat_log_segments", "Segments of all partitions.")),
      free_bytes(
          metrics.gauge("leat_log_free_bytes", "Room that the disk had left when last asked.")),
      is_space_low(
          metrics.gauge("leat_log_space_low", "1 while appends are refused for want of room.")),
      scrub_bytes(
          metrics.counter("leat_log_scrub_bytes_total", "Bytes of sealed segments checked again.")),
      scrub_rounds(metrics.counter("leat_log_scrub_rounds_total",
                                   "Times that all sealed segments were checked again.")),
      scrub_findings(metrics.counter("leat_log_scrub_findings_total",
                                     "Damage and broken seals that checking again has found.")),
      scrub_bytes_left(metrics.gauge("leat_log_scrub_bytes_left",
                                     "What this round of checking again has still to read.")),
      compactions(metrics.counter("leat_log_compactions_total", "Logs compacted to their end.")),
      compaction_bytes_read(metrics.counter("leat_log_compaction_read_bytes_total",
                                            "Bytes of segments that compactions have read.")),
      compaction_bytes_written(metrics.counter("leat_log_compaction_written_bytes_total",
                                               "Bytes of the segments that came of it.")),
      compaction_records_removed(metrics.counter("leat_log_compaction_removed_records_total",
                                                 "Records that compactions have left out.")) {}

}  // namespace leat::log
