#include "log/partition_producers.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/logging.h"
#include "log/background.h"
#include "log/partition_log.h"
#include "log/segment.h"
#include "log/shard.h"
#include "record/batch.h"

namespace leat::log {
namespace {

/// So much of a log is read again at most, for each partition that is used after a start.
constexpr std::uint64_t bytes_between_snapshots = std::uint64_t{32} << 20;
/// A snapshot is written at most once in so many times its own bytes.
constexpr std::uint64_t snapshot_share = 16;
constexpr std::chrono::minutes expiry_interval{10};

/// What the file holds, if it fits the log; an empty table from where the log has to be read if it
/// does not.
PartitionProducers::Loaded read_snapshot(file::FileSystem& files,
                                         const PartitionProducers::Source& source) {
  PartitionProducers::Loaded none{ProducerTable(source.producers_max), {}, Offset{-1}, 0};
  Result<Bytes> bytes = file::read_file(files, source.path);
  if (!bytes) {
    // A short log has none yet.
    std::uint64_t behind = 0;
    for (const auto& segment : source.view->segments) {
      if (segment->base_offset() >= source.from) behind += segment->bytes();
    }
    bool should_be = behind > 2 * bytes_between_snapshots;
    if (bytes.error().code != Errc::not_found || should_be) {
      log_warning("{}: what is known of producers is read from the log instead: {}", source.path,
                  bytes.error().what);
    }
    return none;
  }
  Result<ProducerSnapshot> snapshot = decode_producer_snapshot(*bytes, source.producers_max);
  std::string cause;
  if (!snapshot) {
    cause = snapshot.error().what;
  } else if (snapshot->offset > source.view->high_watermark) {
    cause = "it counts more than the log has";
  } else if (!snapshot->is_durable && snapshot->leader_epoch != source.leader_epoch) {
    cause = "what it counts may have been lost in a power cut";
  }
  if (!cause.empty()) {
    log_warning("{}: what is known of producers is read from the log instead: {}", source.path,
                cause);
    return none;
  }
  return {std::move(snapshot->table), std::move(snapshot->aborted), snapshot->offset, 0};
}

Result<std::optional<record::EndMarker>> read_marker(const file::File& file,
                                                     const ScannedBatch& batch) {
  Bytes bytes(batch.head.bytes);
  Result<std::size_t> got = file.read_at(batch.position, bytes);
  if (!got) return fail(got);
  bytes.resize(*got);
  Result<record::BatchView> view = record::BatchView::parse(bytes);
  if (!view) return fail(view);
  return record::parse_end_marker(*view);
}

/// Applies what `segment` holds from `from` on.
Result<void> replay(const LogView& view, const Segment& segment, Offset from,
                    PartitionProducers::Loaded& loaded) {
  // No earlier than when it was appended.
  std::int64_t used_ms = segment.state().last_append_ms;
  Place end = segment.end();
  if (&segment == view.segments.back().get()) {
    end = {view.high_watermark, view.high_watermark_position};
  }
  auto apply = [&](const file::File& file, const ScannedBatch& batch) -> Result<bool> {
    if (batch.head.base_offset < from) return true;
    loaded.bytes += batch.head.bytes;
    if (!batch.head.has_producer()) return true;
    std::optional<record::EndMarker> marker;
    if (batch.head.is_control()) {
      Result<std::optional<record::EndMarker>> read = read_marker(file, batch);
      if (!read) return fail(read);
      marker = *read;
    }
    loaded.table.append(batch.head, marker, used_ms);
    for (const AbortedTransaction& aborted : loaded.table.commit(batch.head.next_offset)) {
      loaded.aborted.push_back(aborted);
    }
    return true;
  };
  Place begin{std::max(from, segment.base_offset()), 0};
  Result<void> visited = segment.visit(begin, end, apply);
  // What is lost with its file says nothing any more, and must not keep producers out for ever.
  if (!visited && visited.error().code == Errc::corrupt_message) {
    log_warning("{}: what it says of producers cannot be read: {}", segment.path(),
                visited.error().what);
    return {};
  }
  return visited;
}

/// Whether records at or behind `from` are missing.
bool has_lost(const LogView& view, Offset from) {
  auto is_behind = [from](const OffsetRange& range) { return range.next > from; };
  return std::any_of(view.damaged.begin(), view.damaged.end(), is_behind) ||
         std::any_of(view.gaps.begin(), view.gaps.end(), is_behind);
}

}  // namespace

PartitionProducers::PartitionProducers(StoreContext& context, Shard& shard, TopicPartition id,
                                       LeaderEpoch leader_epoch, std::optional<Offset> from)
    : context_(context),
      shard_(shard),
      id_(std::move(id)),
      leader_epoch_(leader_epoch),
      from_(from),
      is_loaded_(!from),
      table_(context.options.producers_max) {}

PartitionProducers::Source PartitionProducers::source(std::shared_ptr<const LogView> view) const {
  return {std::move(view), context_.layout.producers(id_), leader_epoch_, from_.value_or(Offset{0}),
          context_.options.producers_max};
}

Result<PartitionProducers::Loaded> PartitionProducers::read(file::FileSystem& files,
                                                            const Source& source) {
  Loaded loaded = read_snapshot(files, source);
  Offset from = loaded.snapshot_offset >= Offset{0} ? loaded.snapshot_offset : source.from;
  // Retention has taken what stood between.
  if (from < source.view->start_offset) loaded.table.expect_any();
  for (const auto& segment : source.view->segments) {
    if (segment->end().offset <= from) continue;
    Result<void> replayed = replay(*source.view, *segment, from, loaded);
    if (!replayed) return fail(replayed);
  }
  if (has_lost(*source.view, from)) loaded.table.expect_any();
  return loaded;
}

void PartitionProducers::install(Loaded loaded) {
  ASSERT(!is_loaded_);
  is_loaded_ = true;
  table_ = std::move(loaded.table);
  aborted_ = std::make_shared<AbortedTransactions>(std::move(loaded.aborted));
  snapshot_offset_ = loaded.snapshot_offset;
  bytes_ = loaded.bytes;
}

Result<std::optional<RememberedBatch>> PartitionProducers::check(
    const BatchHead& head, const std::optional<record::EndMarker>& marker) const {
  if (!is_loaded_) {
    return fail(Errc::request_timed_out, "what is known of producers is still being read");
  }
  return table_.check(head, marker);
}

void PartitionProducers::append(const BatchHead& head,
                                const std::optional<record::EndMarker>& marker) {
  if (!from_) from_ = head.base_offset;
  table_.append(head, marker, context_.clock.wall_ms());
}

void PartitionProducers::wait_for(const RememberedBatch& original, Log::AppendDone done) {
  waiting_.emplace(original.next_offset, Waiting{original.base_offset, std::move(done)});
}

void PartitionProducers::commit(Offset end, std::uint64_t bytes, Completions& completions) {
  if (!from_ || !is_loaded_) return;
  for (const AbortedTransaction& aborted : table_.commit(end)) aborted_->add(aborted);
  while (!waiting_.empty() && waiting_.begin()->first <= end) {
    Waiting& waiting = waiting_.begin()->second;
    completions.appends.push_back({std::move(waiting.done), waiting.base_offset});
    waiting_.erase(waiting_.begin());
  }
  bytes_ += bytes;
  if (bytes_ >= std::max(bytes_between_snapshots, snapshot_share * snapshot_bytes_)) snapshot(end);
}

void PartitionProducers::roll_back(Offset end, const Error& error, Completions& completions) {
  table_.roll_back(end);
  for (auto at = waiting_.upper_bound(end); at != waiting_.end(); at = waiting_.erase(at)) {
    completions.appends.push_back({std::move(at->second.done), tl::unexpected(error)});
  }
}

void PartitionProducers::start_advanced(Offset start, Offset committed_end) {
  if (!from_ || !is_loaded_) return;
  aborted_->trim(start);
  // Files that it would have to be read from are about to go, in a job behind this one.
  if (snapshot_offset_ < start && !table_.empty()) snapshot(committed_end);
}

void PartitionProducers::expire() {
  auto now = context_.clock.monotonic();
  if (!is_loaded_ || table_.empty() || (expired_ && now - *expired_ < expiry_interval)) return;
  expired_ = now;
  if (!table_.is_settled()) return;
  table_.expire(context_.clock.wall_ms() - context_.options.producer_expiration.count());
}

std::optional<Offset> PartitionProducers::stable_offset(Offset committed_end) const {
  if (!is_loaded_) return std::nullopt;
  return std::min(committed_end, table_.first_unstable().value_or(committed_end));
}

void PartitionProducers::snapshot(Offset end) {
  ProducerSnapshot snapshot{end, leader_epoch_, context_.options.durability == Durability::fsync,
                            table_, aborted_->all()};
  snapshot.table.roll_back(end);
  auto bytes = std::make_shared<const Bytes>(encode(snapshot));
  snapshot_offset_ = end;
  snapshot_bytes_ = bytes->size();
  bytes_ = 0;
  auto job = [&files = context_.files, path = context_.layout.producers(id_), bytes] {
    Result<void> written = file::replace_file(files, path, *bytes);
    if (!written) log_warning("{}: cannot be written: {}", path, written.error().what);
  };
  shard_.at_home([background = context_.background, job = std::move(job)]() mutable {
    background->run(std::move(job), [] {});
  });
}

}  // namespace leat::log
