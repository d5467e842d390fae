#include "log/partition_recovery.h"

#include <algorithm>
#include <map>

#include <fmt/core.h>

#include "base/logging.h"
#include "log/batch_hash.h"
#include "log/quarantine.h"

namespace leat::log {

Finding damage_finding(const Layout& layout, const PartitionState& state, const Damage& damage,
                       const std::string& cause) {
  Finding finding;
  finding.kind = Finding::Kind::damage;
  finding.partition = state.id;
  finding.offsets = damage.offsets;
  finding.path = layout.relative(segment_path(layout, state, damage.segment_base));
  finding.position = damage.position;
  finding.bytes = damage.bytes;
  finding.cause = cause;
  return finding;
}

void RecoveryJob::report(const Finding& finding) {
  auto known = accepted.find(finding.partition);
  if (finding.kind != Finding::Kind::damage || known == accepted.end()) return tell(finding);
  Damage found;
  found.offsets = finding.offsets;
  for (const OffsetRange& range : unreadable({found}, known->second)) {
    Finding rest = finding;
    rest.offsets = range;
    tell(std::move(rest));
  }
}

void RecoveryJob::tell(Finding finding) {
  if (!is_quiet && finding.kind == Finding::Kind::damage) {
    log_error("{}: records {} to {} at byte {} are damaged: {}", finding.path,
              finding.offsets.base.value(), finding.offsets.next.value() - 1, finding.position,
              finding.cause);
  } else if (!is_quiet && finding.kind == Finding::Kind::journal) {
    log_error("{}: {}", finding.path, finding.cause);
  } else if (!is_quiet) {
    log_warning("{}: {}", finding.path, finding.cause);
  }
  findings.push_back(std::move(finding));
}

PartitionRecovery::PartitionRecovery(RecoveryJob& job, PartitionState state, bool is_suspect)
    : job_(job), state_(std::move(state)), is_suspect_(is_suspect) {}

Result<PartitionState> PartitionRecovery::run(const PartitionEvents& events) {
  find_dropped(events);
  for (const auto& event : events.events) {
    Result<void> applied = std::visit([this](const auto& e) { return apply(e); }, event);
    if (!applied) return fail(applied);
  }
  Result<void> written = write_pending();
  if (!written) return fail(written);
  for (const Damage& damage : events.damage) log::add_damage(state_.damage, damage);
  for (const OffsetRange& gap : events.gaps) add_range(state_.gaps, gap);
  // Without an append in this journal, what stands behind the end is of an earlier life.
  bool appended = std::any_of(events.events.begin(), events.events.end(), [](const auto& event) {
    return std::holds_alternative<PartitionEvents::Data>(event);
  });
  if (job_.same_boot && appended && !ended_ && !is_suspect_) {
    Result<void> kept = keep_valid_tail();
    if (!kept) return fail(kept);
  }
  Result<void> cleared = clear_behind();
  if (!cleared) return fail(cleared);
  forget_behind();
  finish();
  if (raise_epoch_) state_.leader_epoch = LeaderEpoch{state_.leader_epoch.value() + 1};
  return state_;
}

void PartitionRecovery::find_dropped(const PartitionEvents& events) {
  std::map<Offset, Offset> ends;  // by base offset
  // A later entry may name a lower start: they were asked for before either was there.
  Offset begin = state_.start_offset;
  for (const SegmentState& segment : state_.segments) {
    ends[segment.base_offset] = segment.next_offset;
  }
  for (const auto& event : events.events) {
    if (const auto* data = std::get_if<PartitionEvents::Data>(&event)) {
      ends[data->entry.segment_base] = data->entry.next_offset;
      continue;
    }
    const auto& start = std::get<StartEntry>(event);
    begin = std::max(begin, start.start);
    while (!ends.empty() && ends.begin()->second <= begin && (ends.size() > 1 || start.all)) {
      dropped_.insert(ends.begin()->first);
      ends.erase(ends.begin());
    }
  }
}

void PartitionRecovery::start_segment(Offset base) {
  // Where commits are missing, a start that was moved may have retired what is appended to again.
  std::string path = job_.layout.segment(state_.id, base, 0);
  for (std::string_view suffix : {".index", ".seal", ".log"}) {
    std::erase(job_.retired, with_suffix(path, suffix));
  }
  // Its name may never have been synced.
  structure_changed_ = true;
  SegmentState segment;
  segment.base_offset = segment.next_offset = base;
  segment.first_append_ms = segment.last_append_ms = job_.now_ms;
  state_.segments.push_back(segment);
}

Result<file::FilePtr> PartitionRecovery::open_last(bool create) {
  const SegmentState& last = state_.segments.back();
  if (open_ && open_base_ == last.base_offset) return open_;
  std::string path = job_.layout.segment(state_.id, last.base_offset, last.version);
  Result<file::FilePtr> opened = job_.files.open(path, file::OpenMode::read_write);
  if (opened) {
    Result<bool> own = has_marks(**opened, state_.segments.back().marks);
    if (!own) return fail(own);
    if (!*own) {
      Result<void> moved = set_aside(path);
      if (!moved) return fail(moved);
      opened = fail(Errc::not_found, path + " is another segment's");
    }
  }
  if (!opened && opened.error().code == Errc::not_found && create) {
    Result<void> made = job_.files.make_directories(job_.layout.partition(state_.id));
    if (!made) return fail(made);
    opened = job_.files.open(path, file::OpenMode::create);
    structure_changed_ = true;
  }
  if (!opened) return opened;
  open_ = *opened;
  open_base_ = last.base_offset;
  touched_.push_back(last.name());
  return opened;
}

/// What is to be written here must not destroy what another segment may miss.
Result<void> PartitionRecovery::set_aside(const std::string& path) {
  SegmentState& segment = state_.segments.back();
  std::string to = job_.layout.quarantine(state_.id, segment.base_offset, 0, job_.now_ms);
  Result<void> done = job_.files.make_directories(job_.layout.quarantine());
  if (done) done = job_.files.rename(path, to);
  if (done) done = job_.files.sync_directory(job_.layout.quarantine());
  if (!done) return done;
  structure_changed_ = true;
  segment.marks = {};
  add_damage({{segment.base_offset, segment.next_offset}, segment.base_offset, 0, segment.bytes},
             "the segment's file is another one's, and was moved to " + job_.layout.relative(to));
  return {};
}

/// Of batches that the journal has, and the last segment will have.
void PartitionRecovery::add_marks(std::uint64_t position, BytesView batches) {
  while (std::optional<BatchHead> head = parse_head(batches, batches.size())) {
    add_mark(state_.segments.back().marks, {position, *head});
    position += head->bytes;
    batches = batches.subspan(head->bytes);
  }
}

void PartitionRecovery::extend(const DataEntry& entry) {
  SegmentState& last = state_.segments.back();
  if (entry.position == 0) last.first_append_ms = entry.append_ms;
  last.next_offset = entry.next_offset;
  last.bytes = entry.position + entry.bytes;
  last.max_timestamp_ms = std::max(last.max_timestamp_ms, entry.max_timestamp_ms);
  last.last_append_ms = entry.append_ms;
  last.sealed = false;
  state_.end_offset = entry.next_offset;
  if (entry.has_producers) note_producers(state_, entry.base_offset);
  state_.leader_epoch = std::max(state_.leader_epoch, entry.leader_epoch);
}

void PartitionRecovery::extend(const ScannedBatch& batch) {
  SegmentState& last = state_.segments.back();
  last.next_offset = batch.head.next_offset;
  last.bytes = batch.position + batch.head.bytes;
  last.max_timestamp_ms = std::max(last.max_timestamp_ms, batch.head.max_timestamp_ms);
  last.sealed = false;
  add_mark(last.marks, batch);
  state_.end_offset = batch.head.next_offset;
  if (batch.head.has_producer()) note_producers(state_, batch.head.base_offset);
  state_.leader_epoch = std::max(state_.leader_epoch, batch.head.leader_epoch);
}

void PartitionRecovery::add_damage(const Damage& damage, const std::string& cause) {
  log::add_damage(state_.damage, damage);
  raise_epoch_ = true;
  job_.report(damage_finding(job_.layout, state_, damage, cause));
}

/// A commit whose write failed has left a frame; what came after it took its offsets again.
void PartitionRecovery::cut_back(const DataEntry& entry) {
  while (!state_.segments.empty() && state_.segments.back().base_offset > entry.segment_base) {
    state_.segments.pop_back();
  }
  state_.end_offset = entry.base_offset;
  if (state_.segments.empty() || state_.segments.back().base_offset < entry.segment_base) return;
  SegmentState& last = state_.segments.back();
  last.next_offset = entry.base_offset;
  last.bytes = entry.position;
  if (last.marks.are_known() && last.marks.last_position >= last.bytes) last.marks = {};
}

Result<void> PartitionRecovery::apply(const StartEntry& start) {
  Result<void> written = write_pending();
  if (!written) return written;
  state_.start_offset = std::max(state_.start_offset, start.start);
  // Where appends were lost that nobody waited for the disk with, the start is on disk all the
  // same.
  bool all = start.all || state_.end_offset < start.start;
  state_.end_offset = std::max(state_.end_offset, start.start);
  // A segment that was dropped goes even if it turned out to be the last one, because the appends
  // behind it were lost: its file may be gone.
  auto goes = [&](const SegmentState& segment) {
    return segment.next_offset <= state_.start_offset &&
           (state_.segments.size() > 1 || all || dropped_.contains(segment.base_offset));
  };
  while (!state_.segments.empty() && goes(state_.segments.front())) {
    const SegmentState& first = state_.segments.front();
    std::string path = job_.layout.segment(state_.id, first.base_offset, first.version);
    for (std::string_view suffix : {".index", ".seal", ".log"}) {
      job_.retired.push_back(with_suffix(path, suffix));
    }
    state_.segments.erase(state_.segments.begin());
  }
  auto gone = [&](const OffsetRange& range) { return range.next <= state_.start_offset; };
  if (state_.segments.empty() || state_.segments.front().base_offset >= state_.start_offset) {
    std::erase_if(state_.damage, [&](const Damage& d) { return gone(d.offsets); });
    std::erase_if(state_.gaps, gone);
  }
  return {};
}

Result<void> PartitionRecovery::apply(const PartitionEvents::Data& data) {
  const DataEntry& entry = data.entry;
  if (ended_) return {};
  if (job_.rebuilt && entry.next_offset <= state_.end_offset) return {};
  if (!follows_pending(entry)) {
    Result<void> written = write_pending();
    if (!written) return written;
  }
  if (entry.base_offset < state_.end_offset) cut_back(entry);
  if (entry.base_offset > state_.end_offset) {
    Result<void> filled = fill_hole(entry);
    if (!filled) return filled;
  }
  if (state_.segments.empty() || state_.segments.back().base_offset < entry.segment_base) {
    start_segment(entry.segment_base);
  }
  if (dropped_.contains(entry.segment_base)) {
    extend(entry);
    return {};
  }
  Result<bool> good = bytes_are_there(data);
  if (!good) return fail(good);
  if (!*good && data.sequence > job_.synced) {
    ended_ = true;
    raise_epoch_ = true;
    if (state_.segments.back().bytes == 0) state_.segments.pop_back();
    return {};
  }
  extend(entry);
  if (!*good) {
    add_damage(
        {{entry.base_offset, entry.next_offset}, entry.segment_base, entry.position, entry.bytes},
        "an acknowledged commit wrote records here that are no longer there");
  }
  return {};
}

bool PartitionRecovery::follows_pending(const DataEntry& entry) const {
  return entry.is_inline && !pending_.empty() && pending_.size() < pending_max &&
         entry.base_offset == state_.end_offset &&
         entry.segment_base == state_.segments.back().base_offset &&
         entry.position == pending_position_ + pending_.size();
}

/// Whatever the file seems to hold: a page cache that outlived a process may have it and not the
/// disk, since after a failed sync it counts as written. That may have been an earlier recovery's.
Result<void> PartitionRecovery::write_pending() {
  if (pending_.empty()) return {};
  BytesView bytes(pending_);
  Result<void> written = open_->write_at(pending_position_, std::span(&bytes, 1));
  pending_.clear();
  return written;
}

Result<bool> PartitionRecovery::take_inline(const PartitionEvents::Data& data) {
  const DataEntry& entry = data.entry;
  std::size_t before = pending_.size();
  pending_.resize(before + entry.bytes);
  std::span<std::byte> wanted = std::span(pending_).subspan(before);
  const file::FilePtr& journal = job_.journals[static_cast<std::size_t>(data.file)];
  Result<std::size_t> got = journal->read_at(data.inline_position, wanted);
  if (!got || *got != wanted.size()) {
    pending_.resize(before);
    if (!got) return fail(got);
    return false;
  }
  Result<file::FilePtr> file = open_last(true);
  if (!file) return fail(file);
  if (before == 0) pending_position_ = entry.position;
  add_marks(entry.position, wanted);
  return true;
}

Result<bool> PartitionRecovery::bytes_are_there(const PartitionEvents::Data& data) {
  const DataEntry& entry = data.entry;
  if (entry.is_inline) return take_inline(data);
  Result<file::FilePtr> file = open_last(false);
  if (!file && file.error().code == Errc::not_found) return false;
  if (!file) return fail(file);
  Result<std::uint64_t> size = (*file)->size();
  if (!size) return fail(size);
  if (*size < entry.position + entry.bytes) return false;
  // What was synced, or is still in the page cache, is checked when it is first read.
  bool is_newest = data.sequence == job_.newest;
  if (data.sequence <= job_.synced || (job_.same_boot && !is_newest)) return true;
  Result<bool> whole = holds_batches(**file, entry);
  if (!whole || !*whole || !job_.same_boot) return whole;
  // The newest commit's own sync may have failed, with no time left to say so in another frame: the
  // page cache may hold for clean what the disk does not have.
  Result<void> written = write_again(**file, entry.position, entry.position + entry.bytes);
  if (!written) return fail(written);
  job_.urgent.emplace_back(state_.id, state_.segments.back().name());
  return true;
}

/// Durable commits cannot be read from the journal: what they appended may be in the segments.
Result<void> PartitionRecovery::fill_hole(const DataEntry& entry) {
  std::vector<Offset> bases;
  Result<std::vector<file::DirectoryEntry>> names =
      job_.files.list(job_.layout.partition(state_.id));
  if (!names && names.error().code != Errc::not_found) return fail(names);
  if (names) {
    for (const file::DirectoryEntry& name : *names) {
      std::optional<SegmentName> file = parse_segment_name(name.name, ".log");
      if (!file || file->version != 0) continue;
      if (file->base >= state_.end_offset && file->base < entry.segment_base) {
        bases.push_back(file->base);
      }
    }
  }
  bool same = !state_.segments.empty() && state_.segments.back().base_offset == entry.segment_base;
  if (!same) bases.push_back(entry.segment_base);
  for (Offset base : bases) {
    if (state_.segments.empty()) start_segment(state_.end_offset);
    if (base > state_.segments.back().base_offset) {
      Result<file::FilePtr> file = open_last(false);
      if (!file && file.error().code != Errc::not_found) return fail(file);
      Result<std::uint64_t> size = file ? (*file)->size() : Result<std::uint64_t>(0);
      if (!size) return fail(size);
      Result<void> checked = check_to({base, *size});
      if (!checked) return checked;
      start_segment(base);
    }
  }
  return check_to({entry.base_offset, entry.position});
}

/// Takes over what is good of the last segment's bytes up to `end`; the rest becomes damage.
Result<void> PartitionRecovery::check_to(Place end) {
  SegmentState& last = state_.segments.back();
  Place begin{state_.end_offset, last.bytes};
  Result<file::FilePtr> file = open_last(false);
  if (!file && file.error().code != Errc::not_found) return fail(file);
  if (end.position < begin.position) end.position = begin.position;
  if (file) {
    RangeVisitor visitor;
    visitor.batch = [&](const ScannedBatch& batch) { extend(batch); };
    visitor.damage = [&](const Damage& damage, const std::string& cause) {
      add_damage(damage, cause);
      last.next_offset = state_.end_offset = damage.offsets.next;
      last.bytes = damage.position + damage.bytes;
    };
    auto no_boundary = [](std::uint64_t) { return std::optional<Place>(); };
    Result<void> checked = check_range(**file, last.base_offset, begin, end, no_boundary, visitor);
    if (!checked) return checked;
  }
  if (state_.end_offset < end.offset) {
    add_damage(
        {{state_.end_offset, end.offset}, last.base_offset, last.bytes, end.position - last.bytes},
        "acknowledged records are missing from journal and segment");
    last.next_offset = state_.end_offset = end.offset;
    last.bytes = end.position;
  }
  return {};
}

/// Makes the page cache take [begin, end) to the disk, whatever it believes to be there.
Result<void> PartitionRecovery::write_again(file::File& file, std::uint64_t begin,
                                            std::uint64_t end) {
  constexpr std::uint64_t step = std::uint64_t{1} << 20;
  Bytes piece;
  while (begin < end) {
    piece.resize(std::min(step, end - begin));
    Result<std::size_t> got = file.read_at(begin, piece);
    if (!got) return fail(got);
    BytesView view(piece);
    Result<void> written = file.write_at(begin, std::span(&view, 1));
    if (!written) return written;
    begin += piece.size();
  }
  return {};
}

/// Bytes behind the last frame are our own, not yet acknowledged: the page cache is still the one
/// they were written to. Whole batches may stay.
Result<void> PartitionRecovery::keep_valid_tail() {
  while (true) {
    if (state_.segments.empty() || state_.segments.back().next_offset != state_.end_offset) {
      return {};
    }
    Result<file::FilePtr> file = open_last(false);
    if (!file && file.error().code == Errc::not_found) return {};
    if (!file) return fail(file);
    Result<std::uint64_t> size = (*file)->size();
    if (!size) return fail(size);
    SegmentState& last = state_.segments.back();
    std::uint64_t begin = last.bytes;
    DataEntry kept;
    kept.id = state_.id;
    kept.leader_epoch = state_.leader_epoch;
    kept.segment_base = last.base_offset;
    kept.base_offset = last.next_offset;
    kept.position = begin;
    kept.append_ms = job_.now_ms;
    BatchScanner scanner(**file, {last.next_offset, begin}, *size, BatchScanner::Check::crc);
    while (true) {
      Result<std::optional<ScannedBatch>> batch = scanner.next();
      if (!batch) return fail(batch);
      if (!*batch) break;
      extend(**batch);
      last.last_append_ms = job_.now_ms;
      kept.has_producers = kept.has_producers || (*batch)->head.has_producer();
      kept.max_timestamp_ms = std::max(kept.max_timestamp_ms, (*batch)->head.max_timestamp_ms);
    }
    kept.next_offset = last.next_offset;
    kept.bytes = last.bytes - begin;
    if (kept.bytes > 0) job_.kept.push_back(kept);
    Result<void> written = write_again(**file, begin, last.bytes);
    if (!written) return written;
    if (last.bytes != *size || last.bytes == 0) return {};
    Result<bool> more = job_.files.exists(job_.layout.segment(state_.id, state_.end_offset, 0));
    if (!more) return fail(more);
    if (!*more) return {};
    start_segment(state_.end_offset);
  }
}

Result<void> PartitionRecovery::clear_behind() {
  if (!state_.segments.empty() && state_.segments.back().bytes == 0) state_.segments.pop_back();
  QuarantineJob quarantine{job_.files, job_.layout, job_.now_ms, true};
  Result<std::vector<Finding>> moved = clear_behind_end(quarantine, state_);
  if (!moved) return fail(moved);
  for (Finding& finding : *moved) {
    job_.report(std::move(finding));
    raise_epoch_ = true;
  }
  return {};
}

/// What was known of records that were cut away must not be said of those that take their offsets.
void PartitionRecovery::forget_behind() {
  Offset end = state_.end_offset;
  // Bytes at the end that no offsets belong to are still there.
  std::erase_if(state_.damage,
                [&](const Damage& d) { return d.offsets.base >= end && d.offsets.next > end; });
  std::erase_if(state_.gaps, [&](const OffsetRange& gap) { return gap.base >= end; });
  for (Damage& damage : state_.damage) damage.offsets.next = std::min(damage.offsets.next, end);
  for (OffsetRange& gap : state_.gaps) gap.next = std::min(gap.next, end);
}

void PartitionRecovery::finish() {
  for (SegmentName name : touched_) job_.touched.emplace_back(state_.id, name);
  if (raise_epoch_ || is_suspect_) job_.is_changed = true;
  if (!structure_changed_) return;
  job_.touched_directories.insert(job_.layout.partition(state_.id));
  job_.touched_directories.insert(job_.layout.topic(state_.id.topic_id));
  job_.touched_directories.insert(job_.layout.partitions());
}

}  // namespace leat::log
