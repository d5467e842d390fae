#include "log/log_view.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "log/segment.h"
#include "record/record.h"

namespace leat::log {
namespace {

/// The batch's bytes and what it takes to walk over its records.
struct LoadedBatch {
  Bytes bytes;
  record::Scratch scratch;
};

Result<record::BatchView> load(const file::File& file, const ScannedBatch& batch,
                               LoadedBatch& into) {
  into.bytes.resize(batch.head.bytes);
  Result<std::size_t> got = file.read_at(batch.position, into.bytes);
  if (!got) return fail(got);
  into.bytes.resize(*got);
  return record::BatchView::parse(into.bytes);
}

/// Calls `use(timestamp, offset)` for the records of `batch` from `start` on until it gives false.
/// A batch whose records do not parse, though its CRC holds, counts as one record at its begin.
template <class Use>
Result<void> each_record(const file::File& file, const ScannedBatch& batch, Offset start,
                         LoadedBatch& memory, const Use& use) {
  Result<record::BatchView> view = load(file, batch, memory);
  if (!view) return fail(view);
  record::RecordIterator records(*view, memory.scratch);
  while (const record::Record* record = records.next()) {
    if (record->offset >= start && !use(record->timestamp_ms, record->offset)) return {};
  }
  if (records.error() && batch.head.base_offset >= start) {
    use(batch.head.max_timestamp_ms, batch.head.base_offset);
  }
  return {};
}

Place end_in(const LogView& view, const Segment& segment) {
  if (&segment == view.segments.back().get()) {
    return {view.high_watermark, view.high_watermark_position};
  }
  return segment.end();
}

/// The last segment that begins at or below `offset`.
const Segment* segment_of(const LogView& view, Offset offset) {
  auto at = std::partition_point(
      view.segments.begin(), view.segments.end(),
      [&](const std::shared_ptr<const Segment>& s) { return s->base_offset() <= offset; });
  return at == view.segments.begin() ? nullptr : std::prev(at)->get();
}

Offset behind_gaps(const LogView& view, Offset offset) {
  for (const OffsetRange& gap : view.gaps) {
    if (gap.base <= offset && offset < gap.next) offset = gap.next;
  }
  return offset;
}

Result<Slice> read_segment(const LogView& view, Offset from, std::uint64_t max_bytes) {
  if (from < view.start_offset || from > view.high_watermark) {
    return fail(Errc::offset_out_of_range,
                fmt::format("offset {} is not within {} to {}", from.value(),
                            view.start_offset.value(), view.high_watermark.value()));
  }
  from = behind_gaps(view, from);
  if (from >= view.high_watermark) return Slice{nullptr, 0, 0, from, from};
  // The records may be lost with their segment, so that none knows of the damage.
  for (const OffsetRange& lost : view.damaged) {
    if (lost.base <= from && from < lost.next) {
      return fail(Errc::corrupt_message, fmt::format("records {} to {} are damaged",
                                                     lost.base.value(), lost.next.value() - 1));
    }
  }
  const Segment* segment = segment_of(view, from);
  if (segment == nullptr || from >= end_in(view, *segment).offset) {
    return fail(Errc::corrupt_message,
                fmt::format("offset {} is in no segment that was found", from.value()));
  }
  Result<Segment::Range> range = segment->read(from, max_bytes, end_in(view, *segment));
  if (!range && range.error().code == Errc::not_found) {
    // Retention has removed the file of a view that is no longer the newest.
    return fail(Errc::offset_out_of_range, range.error().what);
  }
  if (!range) return fail(range);
  // Damage that takes no bytes, because its records are missing altogether, ends no range of bytes.
  for (const OffsetRange& lost : view.damaged) {
    if (range->begin.offset < lost.base) range->end.offset = std::min(range->end.offset, lost.base);
  }
  Result<file::FilePtr> file = segment->file();
  if (!file) return fail(file);
  return Slice{std::move(*file), range->begin.position, range->end.position - range->begin.position,
               range->begin.offset, range->end.offset};
}

/// Where the first batch with records in `slice` begins; its end if there is none.
Result<Offset> first_records(const LogView& view, const Slice& slice) {
  const Segment* segment = segment_of(view, slice.base_offset);
  if (segment == nullptr || segment->name().version == 0) return slice.base_offset;
  BatchScanner scanner(*slice.file, {slice.base_offset, slice.position},
                       slice.position + slice.bytes, BatchScanner::Check::heads);
  while (true) {
    Result<std::optional<ScannedBatch>> batch = scanner.next();
    if (!batch) return fail(batch);
    if (!*batch) return slice.next_offset;
    if ((*batch)->head.record_count > 0) return (*batch)->head.base_offset;
  }
}

}  // namespace

// A client that gets nothing but batches without records takes its own buffer for too small.
Result<Slice> LogView::read(Offset from, std::uint64_t max_bytes) const {
  Result<Slice> slice = read_segment(*this, from, max_bytes);
  while (slice && slice->bytes > 0) {
    Result<Offset> first = first_records(*this, *slice);
    if (!first) return fail(first);
    if (*first == slice->base_offset || *first >= high_watermark) break;
    Result<Slice> next = read_segment(*this, *first, max_bytes);
    if (!next || next->bytes == 0) break;
    slice = std::move(next);
  }
  return slice;
}

Result<Slice> LogView::read_stable(Offset from, std::uint64_t max_bytes) const {
  Offset stable = *last_stable_offset;
  if (from >= stable && from <= high_watermark) return Slice{nullptr, 0, 0, from, from};
  Result<Slice> slice = read(from, max_bytes);
  if (!slice || slice->bytes == 0 || slice->next_offset <= stable) return slice;
  if (slice->base_offset >= stable) return Slice{nullptr, 0, 0, from, from};
  // A transaction begins in the middle of it, with a batch.
  const Segment* segment = segment_of(*this, stable);
  Result<Segment::Range> unstable = segment->read(stable, 0, end_in(*this, *segment));
  if (!unstable) return fail(unstable);
  slice->bytes = unstable->begin.position - slice->position;
  slice->next_offset = unstable->begin.offset;
  return slice;
}

bool LogView::is_checked(Offset from, std::uint64_t max_bytes) const {
  if (from < start_offset || from > high_watermark) return true;
  from = behind_gaps(*this, from);
  if (from >= high_watermark) return true;
  const Segment* segment = segment_of(*this, from);
  if (segment == nullptr || from >= end_in(*this, *segment).offset) return true;
  return segment->is_checked(from, max_bytes, end_in(*this, *segment));
}

Result<std::optional<TimestampOffset>> LogView::find_timestamp(std::int64_t timestamp_ms) const {
  std::optional<TimestampOffset> found;
  LoadedBatch memory;
  auto visit = [&](const file::File& file, const ScannedBatch& batch) -> Result<bool> {
    if (batch.head.max_timestamp_ms < timestamp_ms || batch.head.next_offset <= start_offset) {
      return true;
    }
    Result<void> read =
        each_record(file, batch, start_offset, memory, [&](std::int64_t ms, Offset offset) {
          if (ms < timestamp_ms) return true;
          found = TimestampOffset{ms, offset};
          return false;
        });
    if (!read) return fail(read);
    return !found.has_value();
  };
  for (const auto& segment : segments) {
    if (segment->state().max_timestamp_ms < timestamp_ms) continue;
    Result<Place> from = segment->floor_timestamp(timestamp_ms);
    if (!from) return fail(from);
    Result<void> visited = segment->visit(*from, end_in(*this, *segment), visit);
    if (!visited) return fail(visited);
    if (found) return found;
  }
  return found;
}

Result<std::optional<TimestampOffset>> LogView::find_max_timestamp() const {
  std::optional<TimestampOffset> best;
  LoadedBatch memory;
  auto is_better = [&](std::int64_t ms) { return !best || ms > best->timestamp_ms; };
  auto visit = [&](const file::File& file, const ScannedBatch& batch) -> Result<bool> {
    if (!is_better(batch.head.max_timestamp_ms) || batch.head.next_offset <= start_offset) {
      return true;
    }
    Result<void> read =
        each_record(file, batch, start_offset, memory, [&](std::int64_t ms, Offset offset) {
          if (is_better(ms)) best = TimestampOffset{ms, offset};
          return true;
        });
    if (!read) return fail(read);
    return true;
  };
  for (const auto& segment : segments) {
    std::int64_t largest = segment->state().max_timestamp_ms;
    if (!is_better(largest) || segment->end().offset <= start_offset) continue;
    Place from{segment->base_offset(), 0};
    // The largest timestamp may belong to a record below the start offset: then all others count.
    if (segment->base_offset() >= start_offset) {
      Result<Place> floor = segment->floor_timestamp(largest);
      if (!floor) return fail(floor);
      from = *floor;
    }
    Result<void> visited = segment->visit(from, end_in(*this, *segment), visit);
    if (!visited) return fail(visited);
  }
  return best;
}

std::uint64_t LogView::size_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& segment : segments) bytes += end_in(*this, *segment).position;
  return bytes;
}

}  // namespace leat::log
