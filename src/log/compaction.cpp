#include "log/compaction.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/logging.h"
#include "log/quarantine.h"
#include "log/seal.h"
#include "record/end_marker.h"

namespace leat::log {
namespace {

constexpr std::uint64_t write_bytes = std::uint64_t{1} << 20;
/// Beyond so many producers, batches that lost all their records stay, without them.
constexpr std::size_t producers_max = 1'000'000;

}  // namespace

/// The file of a new segment. A batch is written when it is known what follows it, since it may
/// get the offsets of those behind it that are gone.
struct Compaction::Output {
  std::string path;
  file::FilePtr file;
  SegmentState state;
  bool is_changed = false;  // it differs from what it was made from
  Bytes pending{};          // behind what is written
  std::uint64_t written = 0;
  Bytes last{};                      // the newest batch, not yet among those
  Offset next{};                     // the end of its offsets
  std::optional<Offset> gap_base{};  // offsets behind it that are nobody's yet, up to gap_next
  Offset gap_next{};
  LeaderEpoch gap_epoch{};

  Result<void> add(BytesView batch, Offset next_offset) {
    Result<void> flushed = close_gap();
    if (flushed) flushed = flush_last();
    if (!flushed) return flushed;
    last.assign(batch.begin(), batch.end());
    next = next_offset;
    return {};
  }

  /// Offsets [base, to) have no records any more.
  Result<void> skip(Offset base, Offset to, LeaderEpoch epoch) {
    if (!gap_base && !last.empty() && can_extend(to)) {
      next = to;
      return {};
    }
    if (gap_base && !record::covers(*gap_base, to)) {
      Result<void> closed = close_gap();
      if (!closed) return closed;
    }
    if (!gap_base) {
      gap_base = base;
      gap_epoch = epoch;
    }
    gap_next = to;
    return {};
  }

  Result<void> finish() {
    Result<void> done = close_gap();
    if (done) done = flush_last();
    if (done) done = write_pending();
    if (!done) return done;
    state.bytes = written;
    return file->sync();
  }

 private:
  bool can_extend(Offset to) const {
    Result<record::BatchView> batch = record::BatchView::parse(last);
    return batch && !batch->has_producer_id() && !batch->is_control() &&
           record::covers(batch->base_offset(), to);
  }

  Result<void> close_gap() {
    if (!gap_base) return {};
    Result<void> flushed = flush_last();
    if (!flushed) return flushed;
    last = record::empty_batch(*gap_base, gap_next, gap_epoch);
    next = gap_next;
    gap_base.reset();
    return {};
  }

  Result<void> flush_last() {
    if (last.empty()) return {};
    Result<record::BatchView> batch = record::BatchView::parse(last);
    ASSERT(batch.has_value());
    if (batch->next_offset() != next) record::extend(last, next);
    std::optional<BatchHead> head = parse_head(last, last.size());
    ASSERT(head.has_value());
    add_mark(state.marks, {written + pending.size(), *head});
    state.next_offset = head->next_offset;
    state.max_timestamp_ms = std::max(state.max_timestamp_ms, head->max_timestamp_ms);
    pending.insert(pending.end(), last.begin(), last.end());
    last.clear();
    return pending.size() >= write_bytes ? write_pending() : Result<void>();
  }

  Result<void> write_pending() {
    BytesView bytes(pending);
    Result<void> done = file->write_at(written, std::span(&bytes, 1));
    if (!done) return done;
    written += pending.size();
    pending.clear();
    return {};
  }
};

Compaction::Compaction(file::FileSystem& files, const Layout& layout, CompactionPlan plan)
    : files_(files),
      layout_(layout),
      plan_(std::move(plan)),
      keys_(plan_.map_bytes_max),
      end_(plan_.segments.empty() ? plan_.dirty_from : plan_.segments.back()->end().offset) {
  for (const AbortedTransaction& transaction : plan_.aborted) {
    aborted_[transaction.producer.value()].push_back(transaction);
  }
}

Compaction::~Compaction() = default;

void Compaction::step(std::uint64_t bytes) {
  bytes_read_ = 0;
  switch (phase_) {
    case Phase::clear: result_ = clear_strays(); break;
    case Phase::map: result_ = map_some(bytes); break;
    case Phase::write: result_ = write_some(bytes); break;
    case Phase::done: break;
  }
  if (!result_) abandon(result_.error());
}

void Compaction::abandon(Error error) {
  phase_ = Phase::done;
  result_ = tl::unexpected(std::move(error));
  if (output_) remove_segment(files_, output_->path);
  output_.reset();
}

Result<void> Compaction::clear_strays() {
  if (plan_.known) {
    PartitionState state;
    state.id = plan_.id;
    state.segments = *plan_.known;
    Result<void> cleared = remove_redundant(files_, layout_, state);
    if (!cleared) return cleared;
  }
  phase_ = Phase::map;
  segment_ = 0;
  while (segment_ < plan_.segments.size() &&
         plan_.segments[segment_]->end().offset <= plan_.dirty_from) {
    ++segment_;
  }
  start_segment(segment_);
  return {};
}

bool Compaction::is_usable(const Segment& segment) const {
  return segment.state().sealed && segment.damage().empty();
}

void Compaction::start_segment(std::size_t index) {
  segment_ = index;
  if (segment_ < plan_.segments.size()) at_ = plan_.segments[segment_]->base_offset();
}

Result<BytesView> Compaction::read(std::uint64_t bytes) {
  const Segment& segment = *plan_.segments[segment_];
  Result<Segment::Range> range = segment.read(at_, bytes, segment.end());
  if (!range) return fail(range);
  Result<file::FilePtr> file = segment.file();
  if (!file) return fail(file);
  buffer_.resize(range->end.position - range->begin.position);
  Result<std::size_t> got = (*file)->read_at(range->begin.position, buffer_);
  if (!got) return fail(got);
  if (*got != buffer_.size()) return fail(Errc::corrupt_message, "the file is too short");
  bytes_read_ += *got;
  return BytesView(buffer_);
}

Result<void> Compaction::map_some(std::uint64_t bytes) {
  while (segment_ < plan_.segments.size() && !is_usable(*plan_.segments[segment_])) {
    start_segment(segment_ + 1);
  }
  if (segment_ == plan_.segments.size() || at_ >= end_) {
    start_writing();
    return {};
  }
  Result<BytesView> rest = read(bytes);
  if (!rest) return fail(rest);
  while (!rest->empty()) {
    Result<record::BatchView> batch = record::BatchView::parse(*rest);
    if (!batch) return fail(batch);
    Result<bool> more = note(*batch);
    if (!more) return fail(more);
    if (!*more) {
      start_writing();
      return {};
    }
    at_ = batch->next_offset();
    *rest = rest->subspan(batch->size_bytes());
  }
  if (at_ >= plan_.segments[segment_]->end().offset) start_segment(segment_ + 1);
  return {};
}

bool Compaction::is_aborted(const record::BatchView& batch) const {
  if (!batch.is_transactional()) return false;
  auto theirs = aborted_.find(batch.producer_id().value());
  if (theirs == aborted_.end()) return false;
  // The first that ends behind it: a producer's transactions follow one another.
  auto at = std::partition_point(
      theirs->second.begin(), theirs->second.end(),
      [&](const AbortedTransaction& t) { return t.last < batch.base_offset(); });
  return at != theirs->second.end() && at->first <= batch.base_offset();
}

/// False when memory ends.
Result<bool> Compaction::note(const record::BatchView& batch) {
  if (batch.has_producer_id()) {
    auto at = producers_.find(batch.producer_id().value());
    if (at == producers_.end() && producers_.size() < producers_max) {
      at = producers_.emplace(batch.producer_id().value(), Newest{}).first;
    }
    if (at != producers_.end()) {
      (batch.is_control() ? at->second.marker : at->second.batch) = batch.base_offset();
    }
  }
  if (batch.is_control() || is_aborted(batch)) return true;
  record::RecordIterator records(batch, scratch_);
  while (const record::Record* record = records.next()) {
    if (!record->key || record->offset < plan_.dirty_from) continue;
    if (keys_.put(*record->key, record->offset)) continue;
    // A whole batch is either looked at or not, unless it is the first.
    bool is_first = batch.base_offset() <= plan_.dirty_from;
    end_ = is_first ? record->offset : batch.base_offset();
    return false;
  }
  if (const Error* error = records.error()) return tl::unexpected(*error);
  return true;
}

void Compaction::start_writing() {
  phase_ = Phase::write;
  start_segment(0);
}

Result<void> Compaction::write_some(std::uint64_t bytes) {
  if (!output_) {
    while (segment_ < plan_.segments.size() && !is_usable(*plan_.segments[segment_])) {
      has_skipped_ = true;
      start_segment(segment_ + 1);
    }
    if (segment_ == plan_.segments.size() || at_ >= end_) {
      phase_ = Phase::done;
      return {};
    }
    Result<void> opened = open_group();
    if (!opened) return opened;
  }
  Result<BytesView> rest = read(bytes);
  if (!rest) return fail(rest);
  while (!rest->empty()) {
    Result<record::BatchView> batch = record::BatchView::parse(*rest);
    if (!batch) return fail(batch);
    Result<void> written = write_batch(*batch);
    if (!written) return written;
    at_ = batch->next_offset();
    *rest = rest->subspan(batch->size_bytes());
  }
  if (at_ < plan_.segments[segment_]->end().offset) return {};
  start_segment(segment_ + 1);
  return segment_ == group_end_ ? close_group() : Result<void>();
}

Result<void> Compaction::open_group() {
  const SegmentState first = plan_.segments[segment_]->state();
  group_begin_ = segment_;
  std::uint64_t bytes = first.bytes;
  std::uint32_t version = first.version;
  SegmentState state;
  state.base_offset = state.next_offset = first.base_offset;
  state.first_append_ms = first.first_append_ms;
  state.last_append_ms = first.last_append_ms;
  for (group_end_ = segment_ + 1; group_end_ < plan_.segments.size(); ++group_end_) {
    const Segment& segment = *plan_.segments[group_end_];
    SegmentState next = segment.state();
    bool follows = next.base_offset == plan_.segments[group_end_ - 1]->end().offset;
    if (!follows || !is_usable(segment) || next.base_offset >= end_ ||
        bytes + next.bytes > plan_.segment_bytes) {
      break;
    }
    bytes += next.bytes;
    version = std::max(version, next.version);
    state.last_append_ms = std::max(state.last_append_ms, next.last_append_ms);
  }
  Result<std::uint64_t> free = files_.free_bytes(layout_.root());
  if (!free) return fail(free);
  if (*free < bytes + plan_.free_bytes_min) {
    return fail(Errc::no_space, fmt::format("{} bytes would be needed meanwhile", bytes));
  }
  state.version = version + 1;
  std::string path = layout_.segment(plan_.id, state.base_offset, state.version);
  Result<file::FilePtr> file = files_.open(path, file::OpenMode::create);
  if (!file) return fail(file);
  output_ = std::make_unique<Output>();
  output_->path = path;
  output_->file = std::move(*file);
  output_->state = state;
  output_->is_changed = group_end_ > group_begin_ + 1;
  return output_->file->truncate(0);
}

Result<void> Compaction::write_batch(const record::BatchView& batch) {
  if (batch.is_control()) return write_marker(batch);
  // What is behind the end was not looked at: its tombstones must not go before what they delete.
  if (batch.next_offset() > end_) return write_whole(batch);
  bool goes = is_aborted(batch);
  auto is_superseded = [&](const record::Record& record) {
    return goes || keys_.is_behind(*record.key, record.offset);
  };
  Result<record::Compacted> left =
      record::compact(batch, is_superseded, plan_.tombstones, scratch_);
  if (!left) return fail(left);
  records_removed_ += static_cast<std::uint64_t>(left->removed);
  if (left->kind != record::Compacted::Kind::unchanged) output_->is_changed = true;
  bool is_empty = left->kind == record::Compacted::Kind::emptied || left->kept == 0;
  if (is_empty && batch.has_producer_id()) {
    // The newest batch of a producer tells its last sequence.
    auto newest = producers_.find(batch.producer_id().value());
    is_empty = newest != producers_.end() && newest->second.batch > batch.base_offset();
  }
  if (is_empty) {
    output_->is_changed = true;
    return output_->skip(batch.base_offset(), batch.next_offset(), batch.leader_epoch());
  }
  if (left->kind == record::Compacted::Kind::unchanged) return write_whole(batch);
  if (batch.is_transactional()) in_transaction_.insert(batch.producer_id().value());
  bool is_rewritten = left->kind == record::Compacted::Kind::rewritten;
  return output_->add(is_rewritten ? left->bytes : record::without_records(batch),
                      batch.next_offset());
}

Result<void> Compaction::write_whole(const record::BatchView& batch) {
  if (batch.is_transactional()) in_transaction_.insert(batch.producer_id().value());
  return output_->add(batch.bytes(), batch.next_offset());
}

/// Whoever replays the log counts a transaction's records from its marker on.
Result<void> Compaction::write_marker(const record::BatchView& batch) {
  bool has_records = in_transaction_.erase(batch.producer_id().value()) > 0;
  std::optional<record::EndMarker> marker = record::parse_end_marker(batch);
  auto newest = producers_.find(batch.producer_id().value());
  bool is_newest = newest == producers_.end() || newest->second.marker <= batch.base_offset();
  bool is_behind = batch.base_offset() >= end_;
  bool stays =
      has_records || has_skipped_ || is_newest || is_behind || !marker || !marker->is_commit;
  if (stays) return output_->add(batch.bytes(), batch.next_offset());
  output_->is_changed = true;
  return output_->skip(batch.base_offset(), batch.next_offset(), batch.leader_epoch());
}

/// Whoever hears of the new segment can rely on it.
Result<void> Compaction::close_group() {
  if (!output_->is_changed) {
    remove_segment(files_, output_->path);
    output_.reset();
    return {};
  }
  Result<void> finished = output_->finish();
  if (!finished) return finished;
  auto segment = std::make_shared<Segment>(files_, output_->path, output_->state, plan_.settings);
  Result<void> sealed = write_seal(files_, *segment);
  if (!sealed) return sealed;
  if (!segment->damage().empty()) {
    return fail(Errc::corrupt_message, output_->path + ": what was written cannot be read");
  }
  Result<void> synced = files_.sync_directory(layout_.partition(plan_.id));
  if (!synced) return synced;
  Replacement made;
  made.state = output_->state;
  made.state.sealed = true;
  made.path = output_->path;
  auto begin = plan_.segments.begin();
  made.old.assign(begin + static_cast<std::ptrdiff_t>(group_begin_),
                  begin + static_cast<std::ptrdiff_t>(group_end_));
  bytes_written_ += made.state.bytes;
  replacement_ = std::move(made);
  output_.reset();
  return {};
}

}  // namespace leat::log
