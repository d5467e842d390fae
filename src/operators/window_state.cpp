// State, as section "window" version 1:
//
//   body     := keys:u32 aggregates:u32 closed:i64 told:i64 slices:u32 slice*
//               revisions:u32 revision* windows:u32 window*
//   slice    := start:i64 partials:u32 partial*
//   partial  := first:i64 table
//   revision := first:i64 last:i64 table
//   window   := end:i64 table row* changed:u32 key:u32* bad:u32 (key:u32 reason:text)*
//   row      := 0x00 | 0x01 cell*            what was given of each key: a cell for each aggregate
//
// Times are in milliseconds; keys are numbers of those of the table. `table` is as window_table.h
// has it, `cell` as cell_codec.h.
#include "operators/window_state.h"

#include <algorithm>

#include "base/assert.h"

namespace leat::operators {

namespace {

std::uint32_t count(std::size_t n) {
  return static_cast<std::uint32_t>(n);
}

}  // namespace

Partial* Slice::find(std::int64_t first_ms) const {
  for (const auto& partial : partials) {
    if (partial->first_ms == first_ms) return partial.get();
  }
  return nullptr;
}

WindowState::WindowState(const Node& node) : stack([this] { return take_table(); }), node_(node) {}

Slice& WindowState::slice(const SliceSpan& span) {
  Slice& slice = slices[span.start_ms];
  slice.span = span;
  return slice;
}

Partial& WindowState::partial(Slice& slice, std::int64_t first_ms) {
  Partial* found = slice.find(first_ms);
  if (found != nullptr) return *found;
  slice.partials.push_back(std::make_unique<Partial>(Partial{first_ms, take_table(), {}, nullptr}));
  if (first_ms != slice.span.first_end_ms) split.insert(slice.span.start_ms);
  return *slice.partials.back();
}

Partial& WindowState::revision(std::int64_t first_ms, std::int64_t last_ms) {
  if (first_ms == last_ms) {
    Partial& partial = single[last_ms];
    if (partial.table) return partial;
    GivenWindow& window = changes.window(last_ms, *this);
    partial = {first_ms, window.sums, {}, &window};
    return partial;
  }
  Partial& revision = revisions[{first_ms, last_ms}];
  revision.first_ms = first_ms;
  if (!revision.table) revision.table = take_table();
  return revision;
}

void WindowState::collect_revisions() {
  if (revisions.empty()) return;
  scratch.recent.clear();
  for (auto& [ends, revision] : revisions) {
    for (auto end = ends.first; end <= ends.second; end += node_.slices.stride_ms()) {
      GivenWindow& window = changes.window(end, *this);
      window.sums->merge(*revision.table, groups);
      changes.note(end, window, groups);
    }
    keep(std::move(revision.table));
  }
  revisions.clear();
}

std::optional<std::int64_t> WindowState::next_end() const {
  if (slices.empty()) return {};
  if (closed_ms == watermark_min) return slices.begin()->second.span.first_end_ms;
  std::int64_t end = node_.slices.end_after(closed_ms);
  auto slice = slices.lower_bound(node_.slices.window(end).start_ms);
  if (slice == slices.end()) return {};
  return std::max(end, slice->second.span.first_end_ms);
}

void WindowState::free_before(std::int64_t end_ms) {
  while (!slices.empty() && slices.begin()->second.span.last_end_ms <= end_ms) {
    auto slice = slices.extract(slices.begin());
    split.erase(slice.key());
    for (auto& partial : slice.mapped().partials) keep(std::move(partial->table));
  }
}

void WindowState::take_partial(const SliceSpan& span, std::unique_ptr<Partial> partial,
                               WindowState& other) {
  Slice& slice = this->slice(span);
  Partial* mine = slice.find(partial->first_ms);
  if (mine != nullptr) {
    mine->table->merge(*partial->table, groups);
    return other.keep(std::move(partial->table));
  }
  if (partial->first_ms != span.first_end_ms) split.insert(span.start_ms);
  slice.partials.push_back(std::move(partial));
  if (spares_.empty()) return;
  other.spares_.push_back(std::move(spares_.back()));
  spares_.pop_back();
}

std::shared_ptr<WindowTable> WindowState::take_table() {
  if (spares_.empty()) return node_.make_table();
  auto table = std::move(spares_.back());
  spares_.pop_back();
  return table;
}

void WindowState::keep(std::shared_ptr<WindowTable> table) {
  // Of large ones as many as there are slices of a usual hopping window.
  constexpr std::size_t spares_max = 64, large_max = 8;
  constexpr std::size_t small_keys = 1024, keys_max = 16'384;
  std::size_t size = table->size();
  std::size_t room = size <= small_keys ? spares_max : size <= keys_max ? large_max : 0;
  if (table.use_count() > 1 || spares_.size() >= room) return;
  table->clear();
  spares_.push_back(std::move(table));
}

void WindowState::snapshot(StateWriter& writer) const {
  writer.section("window", 2);
  writer.write(count(node_.key_types.size()));
  writer.write(count(node_.accumulators.size()));
  writer.write(closed_ms);
  writer.write(changes.told_ms);
  writer.write(count(slices.size()));
  for (const auto& [start, slice] : slices) {
    writer.write(start);
    writer.write(count(slice.partials.size()));
    for (const auto& partial : slice.partials) {
      writer.write(partial->first_ms);
      partial->table->snapshot(writer);
    }
  }
  writer.write(count(revisions.size()));
  for (const auto& [ends, revision] : revisions) {
    writer.write(ends.first);
    writer.write(ends.second);
    revision.table->snapshot(writer);
  }
  changes.snapshot(writer);
}

Result<void> WindowState::restore(StateReader& reader) {
  if (auto ok = reader.section("window", 2); !ok) return ok;
  if (reader.read<std::uint32_t>() != node_.key_types.size() ||
      reader.read<std::uint32_t>() != node_.accumulators.size()) {
    return fail(Errc::snapshot_mismatch, "the snapshot is of a window with other columns");
  }
  closed_ms = reader.read<std::int64_t>();
  changes.told_ms = reader.read<std::int64_t>();
  for (auto left = reader.read_count(sizeof(std::int64_t)); left > 0; --left) {
    auto start_ms = reader.read<std::int64_t>();
    SliceSpan span = node_.slices.slice_of(start_ms);
    if (span.start_ms != start_ms) {
      return fail(Errc::snapshot_mismatch, "the snapshot is of windows of another shape");
    }
    Slice& slice = this->slice(span);
    for (auto partials = reader.read_count(1); partials > 0; --partials) {
      Partial& partial = this->partial(slice, reader.read<std::int64_t>());
      if (auto ok = partial.table->restore(reader); !ok) return ok;
    }
  }
  for (auto left = reader.read_count(2 * sizeof(std::int64_t)); left > 0; --left) {
    auto first_ms = reader.read<std::int64_t>();
    auto last_ms = reader.read<std::int64_t>();
    Partial& revision = revisions[{first_ms, last_ms}];
    revision.first_ms = first_ms;
    revision.table = take_table();
    if (auto ok = revision.table->restore(reader); !ok) return ok;
  }
  return changes.restore(reader, *this);
}

std::size_t WindowState::bytes() const {
  std::size_t bytes = sizeof *this + stack.bytes() + changes.bytes();
  for (const auto& [start, slice] : slices) {
    bytes += sizeof slice;
    for (const auto& partial : slice.partials) {
      bytes += sizeof *partial + partial->table->bytes();
    }
  }
  for (const auto& [ends, revision] : revisions) bytes += sizeof revision + revision.table->bytes();
  for (const auto& spare : spares_) bytes += spare->bytes();
  return bytes;
}

}  // namespace leat::operators
