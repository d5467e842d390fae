#include "log/segment.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/assert.h"
#include "log/layout.h"
#include "log/open_segments.h"

namespace leat::log {
namespace {

/// Unchecked bytes are checked at least so many at a time.
constexpr std::uint64_t check_bytes = std::uint64_t{1} << 20;

}  // namespace

Segment::Segment(file::FileSystem& files, std::string path, const SegmentState& state,
                 Settings settings)
    : files_(files),
      path_(std::move(path)),
      base_offset_(state.base_offset),
      version_(state.version),
      settings_(std::move(settings)),
      found_end_{state.next_offset, state.bytes},
      found_marks_(state.marks),
      ownership_(state.bytes == 0 || !state.marks.are_known() ? Ownership::own
                                                              : Ownership::unknown),
      state_(state),
      index_(state.base_offset, path_),
      index_loaded_(state.bytes == 0) {}

SegmentState Segment::state() const {
  std::lock_guard lock(mutex_);
  return state_;
}

std::uint64_t Segment::bytes() const {
  std::lock_guard lock(mutex_);
  return state_.bytes;
}

Place Segment::end() const {
  std::lock_guard lock(mutex_);
  return {state_.next_offset, state_.bytes};
}

void Segment::set_sealed() {
  std::lock_guard lock(mutex_);
  state_.sealed = true;
}

Result<file::FilePtr> Segment::file() const {
  used_ = true;
  file::FilePtr file;
  {
    std::lock_guard lock(mutex_);
    if (file_) return file_;
    Result<file::FilePtr> opened = files_.open(path_, file::OpenMode::read_write);
    if (!opened) return fail(opened);
    file = file_ = std::move(*opened);
  }
  if (settings_.open_segments) settings_.open_segments->opened(weak_from_this());
  return file;
}

bool Segment::is_lost() const {
  Result<file::FilePtr> opened = file();
  if (opened) return is_foreign(**opened);
  return opened.error().code == Errc::not_found && !retired_;
}

bool Segment::is_foreign(const file::File& file) const {
  if (ownership_ == Ownership::unknown) {
    Result<bool> own = has_marks(file, found_marks_);
    if (!own) return false;  // whoever reads on is told
    ownership_ = *own ? Ownership::own : Ownership::foreign;
  }
  return ownership_ == Ownership::foreign;
}

void Segment::set_file(file::FilePtr file) {
  used_ = true;
  {
    std::lock_guard lock(mutex_);
    file_ = std::move(file);
  }
  if (settings_.open_segments) settings_.open_segments->opened(weak_from_this());
}

bool Segment::keep_open() {
  stays_open_ = true;
  return file().has_value();
}

void Segment::close_file() const {
  if (stays_open_) return;
  std::lock_guard lock(mutex_);
  file_ = nullptr;
}

void Segment::appended(const Appended& run) {
  std::lock_guard lock(mutex_);
  if (run.batches.empty()) return;
  Place begin{state_.next_offset, state_.bytes};
  ASSERT(run.batches.front().position == begin.position);
  if (begin.position == 0) state_.first_append_ms = run.append_ms;
  for (const ScannedBatch& batch : run.batches) {
    if (batch.position == 0 ||
        batch.position >= index_.last().position + settings_.index_interval_bytes) {
      index_.add({batch.head.base_offset, batch.position}, state_.max_timestamp_ms);
    }
    state_.max_timestamp_ms = std::max(state_.max_timestamp_ms, batch.head.max_timestamp_ms);
  }
  add_mark(state_.marks, run.batches.front());
  add_mark(state_.marks, run.batches.back());
  const ScannedBatch& last = run.batches.back();
  state_.next_offset = last.head.next_offset;
  state_.bytes = last.position + last.head.bytes;
  state_.last_append_ms = run.append_ms;
  mark_checked(begin, {state_.next_offset, state_.bytes});
}

void Segment::add_damage(const Damage& damage) const {
  std::lock_guard lock(mutex_);
  log::add_damage(damage_, damage);
  if (index_loaded_) {
    std::size_t before = index_.size();
    index_.insert({damage.offsets.next, damage.position + damage.bytes});
    if (index_.size() != before) index_saved_ = 0;
  }
}

std::vector<Damage> Segment::damage() const {
  std::lock_guard lock(mutex_);
  return damage_;
}

void Segment::mark_checked(Place begin, Place end) const {
  if (begin.position >= end.position) return;
  auto at = checked_.upper_bound(begin.position);
  if (at != checked_.begin() && std::prev(at)->second.position >= begin.position) {
    --at;
    if (at->second.position >= end.position) return;
    at->second = end;
  } else {
    at = checked_.emplace_hint(at, begin.position, end);
  }
  auto next = std::next(at);
  while (next != checked_.end() && next->first <= at->second.position) {
    if (next->second.position > at->second.position) at->second = next->second;
    next = checked_.erase(next);
  }
}

Place Segment::checked_until(Place place) const {
  auto at = checked_.upper_bound(place.position);
  if (at == checked_.begin() || std::prev(at)->second.position <= place.position) return place;
  return std::prev(at)->second;
}

const Damage* Segment::damage_at(Offset offset) const {
  for (const Damage& damage : damage_) {
    if (damage.offsets.base <= offset && offset < damage.offsets.next) return &damage;
  }
  return nullptr;
}

Place Segment::limit_before_damage(Offset from, Place end) const {
  for (const Damage& damage : damage_) {
    // Records may be missing that left no bytes, and bytes may stand where no records belong.
    bool is_before = damage.offsets.base < end.offset || damage.position < end.position;
    if (damage.offsets.base > from && is_before) {
      return {damage.offsets.base, damage.position};
    }
  }
  return end;
}

std::uint64_t Segment::read_ahead(Place floor, std::uint64_t max_bytes, Place limit) const {
  std::optional<Place> next = index_.ceil_position(floor.position + 1);
  if (!next || next->position >= limit.position) return limit.position;
  max_bytes = std::min(max_bytes, limit.position);
  std::optional<Place> stop = index_.ceil_position(next->position + max_bytes);
  return stop ? std::min(stop->position, limit.position) : limit.position;
}

void Segment::found_damage(const Damage& damage, const std::string& cause) const {
  add_damage(damage);
  if (settings_.sink) (*settings_.sink)(damage, cause);
}

Result<void> Segment::check(Place begin, Place end) const {
  Result<file::FilePtr> opened = file();
  if (!opened) return fail(opened);
  RangeVisitor visitor;
  visitor.damage = [&](const Damage& damage, const std::string& cause) {
    {
      std::lock_guard lock(mutex_);
      mark_checked(begin, {damage.offsets.base, damage.position});
    }
    begin = {damage.offsets.next, damage.position + damage.bytes};
    found_damage(damage, cause);
  };
  auto next_boundary = [&](std::uint64_t position) {
    std::lock_guard lock(mutex_);
    return index_.ceil_position(position);
  };
  Result<void> checked = check_range(**opened, base_offset_, begin, end, next_boundary, visitor);
  if (!checked) return checked;
  std::lock_guard lock(mutex_);
  mark_checked(begin, end);
  return {};
}

Result<Place> Segment::check_again(Place from, std::uint64_t bytes, Place end) const {
  Result<file::FilePtr> opened = file();
  if (!opened) return fail(opened);
  BatchScanner scanner(**opened, from, end.position, BatchScanner::Check::crc);
  while (scanner.place().position < std::min(from.position + bytes, end.position)) {
    Result<std::optional<ScannedBatch>> batch = scanner.next();
    if (!batch) return fail(batch);
    if (!*batch) break;
  }
  Place at = scanner.place();
  if (scanner.cause().empty()) return at;
  {
    std::lock_guard lock(mutex_);
    const Damage* known = damage_at(at.offset);
    if (known != nullptr) return Place{known->offsets.next, known->position + known->bytes};
  }
  Result<void> loaded = load_index();
  if (!loaded) return fail(loaded);
  Place stop = end;
  {
    std::lock_guard lock(mutex_);
    std::optional<Place> entry = index_.ceil_position(at.position + 1);
    if (entry && entry->position < end.position) stop = *entry;
  }
  Result<void> checked = check(at, stop);
  if (!checked) return fail(checked);
  return stop;
}

template <class More>
Result<Place> Segment::walk(Place at, std::uint64_t until, const More& more) const {
  Result<file::FilePtr> opened = file();
  if (!opened) return fail(opened);
  BatchScanner scanner(**opened, at, until, BatchScanner::Check::heads);
  while (at.position < until) {
    Result<std::optional<ScannedBatch>> batch = scanner.next();
    if (!batch) return fail(batch);
    if (!*batch) {
      return fail(Errc::corrupt_message, fmt::format("{}: changed while in use: {} at byte {}",
                                                     path_, scanner.cause(), at.position));
    }
    if (!more(**batch)) break;
    at = scanner.place();
  }
  return at;
}

Result<void> Segment::refuse_damage(Offset from) const {
  std::lock_guard lock(mutex_);
  const Damage* damage = damage_at(from);
  if (damage == nullptr) return {};
  return fail(Errc::corrupt_message,
              fmt::format("{}: records {} to {} are damaged", path_, damage->offsets.base.value(),
                          damage->offsets.next.value() - 1));
}

/// Where the batch with `from` begins, at or behind `floor`.
Result<Place> Segment::find_begin(Place floor, Offset from, Place limit) const {
  if (floor.offset == from) return floor;
  {
    std::lock_guard lock(mutex_);
    if (read_end_.offset == from && read_end_.position > floor.position) return read_end_;
  }
  return walk(floor, limit.position,
              [&](const ScannedBatch& batch) { return batch.head.next_offset <= from; });
}

Result<Segment::Range> Segment::read(Offset from, std::uint64_t max_bytes, Place end) const {
  if (is_lost()) {
    // Part of it may have been known to be damaged before.
    SegmentState lost = state();
    if (refuse_damage(from)) {
      found_damage({{lost.base_offset, lost.next_offset}, lost.base_offset, 0, lost.bytes},
                   ownership_ == Ownership::foreign ? "the segment's file is another one's"
                                                    : "the segment's file is missing");
    }
    return fail(Errc::corrupt_message, path_ + " is missing, or another segment's");
  }
  // Damage comes first: the file itself may be lost.
  Result<void> readable = refuse_damage(from);
  if (!readable) return fail(readable);
  Result<void> loaded = load_index();
  if (!loaded) return fail(loaded);
  Place floor, limit;
  while (true) {
    readable = refuse_damage(from);
    if (!readable) return fail(readable);
    Place unchecked, stop;
    {
      std::lock_guard lock(mutex_);
      limit = limit_before_damage(from, end);
      floor = index_.floor_offset(from);
      unchecked = checked_until(floor);
      std::uint64_t needed = read_ahead(floor, max_bytes, limit);
      if (unchecked.position >= needed) break;
      std::uint64_t wanted = std::max(needed, unchecked.position + check_bytes);
      stop = limit;
      if (wanted < limit.position) {
        if (std::optional<Place> entry = index_.ceil_position(wanted)) stop = *entry;
        if (stop.position > limit.position) stop = limit;
      }
    }
    Result<void> checked = check(unchecked, stop);
    if (!checked) return fail(checked);
  }
  Result<Place> begin = find_begin(floor, from, limit);
  if (!begin) return fail(begin);
  if (begin->position >= limit.position) {
    return fail(Errc::corrupt_message, path_ + ": its index names batches that are not there");
  }
  std::uint64_t target = begin->position + std::min(max_bytes, limit.position);
  if (limit.position <= target) return Range{*begin, limit};
  Place at = *begin;
  {
    std::lock_guard lock(mutex_);
    Place entry = index_.floor_position(target);
    if (entry.position > at.position) at = entry;
    // What little may fit behind it is not worth a look into the file.
    if (at.position > begin->position && target - at.position <= max_bytes / 8) {
      read_end_ = at;
      return Range{*begin, at};
    }
  }
  bool first = at == *begin;
  Result<Place> last = walk(at, limit.position, [&](const ScannedBatch& batch) {
    return std::exchange(first, false) || batch.position + batch.head.bytes <= target;
  });
  if (!last) return fail(last);
  std::lock_guard lock(mutex_);
  read_end_ = *last;
  return Range{*begin, *last};
}

bool Segment::is_checked(Offset from, std::uint64_t max_bytes, Place end) const {
  std::lock_guard lock(mutex_);
  if (!index_loaded_ || !file_) return false;
  if (damage_at(from)) return true;  // refused without a look at the disk
  Place limit = limit_before_damage(from, end);
  Place floor = index_.floor_offset(from);
  return checked_until(floor).position >= read_ahead(floor, max_bytes, limit);
}

Result<void> Segment::visit(Place from, Place end, const Visit& visit) const {
  Offset at = from.offset;
  while (at < end.offset) {
    Result<Range> range = read(at, check_bytes, end);
    if (!range) {
      if (range.error().code != Errc::corrupt_message) return fail(range);
      std::lock_guard lock(mutex_);
      const Damage* damage = damage_at(at);
      if (!damage) return fail(range);
      at = damage->offsets.next;
      continue;
    }
    Result<file::FilePtr> opened = file();
    if (!opened) return fail(opened);
    BatchScanner scanner(**opened, range->begin, range->end.position, BatchScanner::Check::heads);
    while (true) {
      Result<std::optional<ScannedBatch>> batch = scanner.next();
      if (!batch) return fail(batch);
      if (!*batch) break;
      Result<bool> more = visit(**opened, **batch);
      if (!more) return fail(more);
      if (!*more) return {};
    }
    at = range->end.offset;
  }
  return {};
}

Result<Place> Segment::floor_timestamp(std::int64_t timestamp_ms) const {
  Result<void> loaded = load_index();
  if (!loaded) return fail(loaded);
  std::lock_guard lock(mutex_);
  return index_.floor_timestamp(timestamp_ms);
}

}  // namespace leat::log
