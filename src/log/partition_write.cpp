// How a partition's pending appends get into its segments, and how that is undone.
#include <algorithm>
#include <limits>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/logging.h"
#include "log/background.h"
#include "log/committer.h"
#include "log/partition_log.h"
#include "log/quarantine.h"
#include "log/shard.h"
#include "record/batch.h"

namespace leat::log {
namespace {

/// Positions and offset deltas of an index entry have 32 bits, and Kafka's have 31.
constexpr std::uint64_t segment_bytes_limit = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t segment_offsets_limit = std::numeric_limits<std::int32_t>::max();

}  // namespace

bool PartitionLog::write_pending(std::vector<CommitPart>& parts, Completions& completions) {
  is_queued_ = false;
  if (pending_.empty() || is_held_ || !failed_.empty()) return false;
  // A part must fit into a frame of the journal, whatever number of segments it goes to.
  std::uint64_t journal_bytes = std::max(context_.options.journal_bytes, journal_bytes_min);
  std::size_t appends_max = (journal_bytes - journal_alignment) / 4 / data_entry_bytes;
  CommitPart part = take_pending(appends_max, context_.options.commit_bytes_max);
  Result<void> written = stopped_ ? tl::unexpected(*stopped_) : write_runs(part);
  if (!written) {
    roll_back(part);
    context_.pending_bytes -= part.bytes;
    part.error = written.error();
    fail(part, completions);
    fail_pending(*part.error, completions);
    return false;
  }
  roll_requested_ = false;
  const Run& last = part.runs.back();
  std::int64_t first_append_ms = first_append_of(*last.segment);
  tail_ = Tail{last.segment, last.position + last.bytes, last.next_offset,
               last.is_new ? part.append_ms : first_append_ms};
  ++in_flight_;
  parts.push_back(std::move(part));
  is_queued_ = !pending_.empty();
  return is_queued_;
}

std::int64_t PartitionLog::first_append_of(const Segment& segment) const {
  bool is_tail = tail_ && tail_->segment.get() == &segment;
  return is_tail ? tail_->first_append_ms : segment.state().first_append_ms;
}

CommitPart PartitionLog::take_pending(std::size_t appends_max, std::uint64_t bytes_max) {
  CommitPart part;
  part.log = shared_from_this();
  part.append_ms = context_.clock.wall_ms();
  while (!pending_.empty() && part.appends.size() < appends_max && part.bytes < bytes_max) {
    part.bytes += pending_.front().head.bytes;
    part.appends.push_back(std::move(pending_.front()));
    pending_.pop_front();
  }
  pending_bytes_ -= part.bytes;
  return part;
}

Result<void> PartitionLog::write_runs(CommitPart& part) {
  Result<void> prepared = prepare();
  if (!prepared) return prepared;
  std::size_t at = 0;
  while (at < part.appends.size()) {
    Result<Run> run = next_run(part, at);
    if (!run) return leat::fail(run);
    part.runs.push_back(std::move(*run));
    Result<void> written = write_run(part, part.runs.back());
    if (!written) return written;
    at = part.runs.back().last;
  }
  return {};
}

bool PartitionLog::must_roll(const Run& run, const BatchHead& head, std::int64_t now_ms) const {
  std::uint64_t bytes = run.position + run.bytes;
  if (bytes == 0) return false;
  auto configured = static_cast<std::uint64_t>(std::max<std::int64_t>(1, options_.segment_bytes));
  std::uint64_t limit = std::min(configured, segment_bytes_limit);
  if (bytes + head.bytes > limit) return true;
  if (head.next_offset - run.segment->base_offset() > segment_offsets_limit) return true;
  if (run.position == 0 || run.bytes > 0) return false;
  std::int64_t age_ms = now_ms - first_append_of(*run.segment);
  return roll_requested_ || (options_.segment_ms >= 0 && age_ms >= options_.segment_ms);
}

Result<Run> PartitionLog::start_segment(CommitPart& part, std::size_t first) {
  if (!directory_made_) {
    Result<void> made = context_.files.make_directories(context_.layout.partition(id_));
    if (!made) return leat::fail(made);
    directory_made_ = true;
  }
  if (segments_.empty()) {
    part.directories.push_back(context_.layout.partitions());
    part.directories.push_back(context_.layout.topic(id_.topic_id));
  }
  part.directories.push_back(context_.layout.partition(id_));
  SegmentState state;
  state.base_offset = state.next_offset = part.appends[first].head.base_offset;
  Run run;
  run.is_new = true;
  run.segment = make_segment(state);
  const std::string& path = run.segment->path();
  Result<file::FilePtr> file = context_.files.open(path, file::OpenMode::create);
  if (file) {
    Result<void> emptied = (*file)->truncate(0);
    if (!emptied) file = leat::fail(emptied);
  }
  if (!file) {
    context_.metrics.segments.add(-1);
    return leat::fail(file);
  }
  run.file = *file;
  run.segment->set_file(std::move(*file));
  return run;
}

Result<Run> PartitionLog::next_run(CommitPart& part, std::size_t first) {
  Run run;
  bool starts_segment = true;
  std::shared_ptr<Segment> last;
  Offset next_offset;
  if (!part.runs.empty()) {
    const Run& before = part.runs.back();
    last = before.segment;
    run.position = before.position + before.bytes;
    next_offset = before.next_offset;
  } else if (tail_) {
    last = tail_->segment;
    run.position = tail_->position;
    next_offset = tail_->next_offset;
  } else if (!segments_.empty()) {
    last = segments_.back();
    Place end = last->end();
    run.position = end.position;
    next_offset = end.offset;
  }
  if (last) {
    run.segment = last;
    // Recovery may have found fewer records than the start offset had passed.
    const BatchHead& head = part.appends[first].head;
    starts_segment =
        must_roll(run, head, part.append_ms) || last->is_lost() || next_offset != head.base_offset;
  }
  if (starts_segment) {
    Result<Run> started = start_segment(part, first);
    if (!started) return started;
    run = std::move(*started);
  } else {
    Result<file::FilePtr> file = last->file();
    if (!file) return leat::fail(file);
    run.file = std::move(*file);
  }
  run.base_offset = part.appends[first].head.base_offset;
  run.first = run.last = first;
  while (run.last < part.appends.size()) {
    const BatchHead& head = part.appends[run.last].head;
    if (run.last > first && must_roll(run, head, part.append_ms)) break;
    run.bytes += head.bytes;
    run.next_offset = head.next_offset;
    run.max_timestamp_ms = std::max(run.max_timestamp_ms, head.max_timestamp_ms);
    run.has_producers = run.has_producers || head.has_producer();
    ++run.last;
  }
  return run;
}

Result<void> PartitionLog::write_run(CommitPart& part, Run& run) {
  std::vector<BytesView> parts;
  parts.reserve(run.last - run.first);
  for (std::size_t i = run.first; i < run.last; ++i) {
    parts.push_back(part.appends[i].batch.bytes);
  }
  Result<void> written = run.file->write_at(run.position, parts);
  if (!written && written.error().code != Errc::no_space) {
    stop({Errc::storage_error, fmt::format("{}: {}", run.segment->path(), written.error().what)});
    return tl::unexpected(*stopped_);
  }
  return written;
}

void PartitionLog::roll_back(CommitPart& part) {
  for (auto run = part.runs.rbegin(); run != part.runs.rend(); ++run) {
    if (!run->file) continue;
    Result<void> undone = run->file->truncate(run->position);
    if (!undone) {
      // Zeros are no batch: what stands here must not be taken for an append that succeeded.
      constexpr std::array<std::byte, record::batch_header_bytes> zeros{};
      BytesView header(zeros);
      undone = run->file->write_at(run->position, std::span(&header, 1));
    }
    if (!undone) {
      log_warning("{}: bytes of a failed append could not be removed: {}", run->segment->path(),
                  undone.error().what);
      // Recovery must not take them for the tail of the log.
      shard_.add(EndEntry{id_, {}}, [](const Result<void>&) {});
    }
    if (!run->is_new) continue;
    context_.metrics.segments.add(-1);
    Result<void> removed = context_.files.remove(run->segment->path());
    if (!removed) {
      log_warning("{}: a segment without records could not be removed: {}", run->segment->path(),
                  removed.error().what);
    }
  }
  part.runs.clear();
}

Result<void> PartitionLog::prepare() {
  if (prepared_) return {};
  QuarantineJob job{context_.files, context_.layout, context_.clock.wall_ms()};
  job.keeps_replaced = true;
  Result<std::vector<Finding>> cleared = clear_behind_end(job, state());
  if (!cleared) return leat::fail(cleared);
  for (const Finding& finding : *cleared) {
    log_warning("{}: {}", finding.path, finding.cause);
  }
  prepared_ = true;
  return {};
}

}  // namespace leat::log
