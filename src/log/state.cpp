#include "log/state.h"

#include <algorithm>

namespace leat::log {

void add_range(std::vector<OffsetRange>& ranges, OffsetRange range) {
  if (range.base >= range.next) return;
  auto first = std::find_if(ranges.begin(), ranges.end(),
                            [&](const OffsetRange& r) { return r.next >= range.base; });
  auto last = first;
  while (last != ranges.end() && last->base <= range.next) {
    range.base = std::min(range.base, last->base);
    range.next = std::max(range.next, last->next);
    ++last;
  }
  ranges.insert(ranges.erase(first, last), range);
}

std::vector<OffsetRange> unreadable(const std::vector<Damage>& damage,
                                    const std::vector<OffsetRange>& gaps) {
  std::vector<OffsetRange> ranges;
  for (const Damage& d : damage) {
    Offset at = d.offsets.base;
    for (const OffsetRange& gap : gaps) {
      if (gap.next <= at || gap.base >= d.offsets.next) continue;
      add_range(ranges, {at, gap.base});
      at = std::max(at, gap.next);
    }
    add_range(ranges, {at, d.offsets.next});
  }
  return ranges;
}

void advance_start(PartitionState& state, Offset start, bool all) {
  state.start_offset = std::max(state.start_offset, start);
  auto& segments = state.segments;
  std::size_t before = segments.size();
  while (!segments.empty() && segments.front().next_offset <= state.start_offset &&
         (segments.size() > 1 || all)) {
    segments.erase(segments.begin());
  }
  if (segments.size() == before) return;
  auto gone = [&](const OffsetRange& range) { return range.next <= state.start_offset; };
  std::erase_if(state.damage, [&](const Damage& damage) { return gone(damage.offsets); });
  std::erase_if(state.gaps, gone);
}

void note_producers(PartitionState& state, Offset offset) {
  if (!state.producers_from || offset < *state.producers_from) state.producers_from = offset;
}

const SegmentState* find_segment(const PartitionState& state, SegmentName name) {
  for (const SegmentState& segment : state.segments) {
    if (segment.name() == name) return &segment;
  }
  return nullptr;
}

std::string segment_path(const Layout& layout, const PartitionState& state, Offset base) {
  std::uint32_t version = 0;
  for (const SegmentState& segment : state.segments) {
    if (segment.base_offset == base) version = segment.version;
  }
  return layout.segment(state.id, base, version);
}

void replace_segments(PartitionState& state, const SegmentState& segment) {
  auto covered = [&](const SegmentState& s) {
    return s.base_offset >= segment.base_offset && s.next_offset <= segment.next_offset;
  };
  auto first = std::find_if(state.segments.begin(), state.segments.end(), covered);
  auto last = std::find_if_not(first, state.segments.end(), covered);
  if (first == last) return;
  state.segments.insert(state.segments.erase(first, last), segment);
}

void set_sealed(PartitionState& state, Offset base) {
  for (SegmentState& segment : state.segments) {
    if (segment.base_offset == base) segment.sealed = true;
  }
}

bool add_damage(std::vector<Damage>& list, Damage damage) {
  // Bytes that no offsets belong to overlap nothing.
  if (std::find(list.begin(), list.end(), damage) != list.end()) return false;
  auto at = std::lower_bound(
      list.begin(), list.end(), damage,
      [](const Damage& a, const Damage& b) { return a.offsets.next <= b.offsets.base; });
  auto last = at;
  while (last != list.end() && last->offsets.base < damage.offsets.next) {
    bool within =
        last->offsets.base <= damage.offsets.base && damage.offsets.next <= last->offsets.next;
    if (within || last->segment_base != damage.segment_base) return false;
    std::uint64_t end = damage.position + damage.bytes;
    if (last->offsets.next > damage.offsets.next) end = last->position + last->bytes;
    if (last->offsets.base < damage.offsets.base) damage.position = last->position;
    damage.bytes = end - std::min(end, damage.position);
    damage.offsets = {std::min(last->offsets.base, damage.offsets.base),
                      std::max(last->offsets.next, damage.offsets.next)};
    ++last;
  }
  list.insert(list.erase(at, last), damage);
  return true;
}

}  // namespace leat::log
