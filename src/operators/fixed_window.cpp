#include "operators/fixed_window.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "operators/row_tools.h"

namespace leat::operators {

using column::Chunk;
using column::RowKind;
using column::Selection;
using plan::Window;

namespace {

const Window& window_of(const plan::BoundNode& node) {
  return std::get<Window>(node.node->body);
}

}  // namespace

FixedWindow::FixedWindow(const plan::BoundNode& node, const column::Schema& input,
                         std::int32_t number)
    : keys_(node.keys),
      lateness_ms_(window_of(node).lateness_ms),
      emit_(window_of(node).emit),
      every_ms_(window_of(node).every_ms),
      closes_(emit_ == Window::Emit::close),
      changes_(lateness_ms_ > 0 || !closes_),
      inputs_(node.aggregates, input),
      rows_(node, number),
      node_{WindowSlices(window_of(node).window), rows_.key_types(), rows_.result_types(),
            AccumulatorMaker(node.aggregates)} {}

std::unique_ptr<OperatorState> FixedWindow::make_state() const {
  return std::make_unique<WindowState>(node_);
}

std::vector<std::size_t> FixedWindow::gathers_by(std::size_t) const {
  return changes_ ? keys_ : std::vector<std::size_t>();
}

// Whether all rows count in all windows of one slice, to which they are given: as most chunks' do.
bool FixedWindow::sort_together(WindowState& state, const Chunk& chunk) const {
  if (chunk.selection.size() == 0) return true;
  TimeBounds bounds(*chunk.context);
  SliceSpan span = node_.slices.slice_of(bounds.earliest_ms);
  if (!span.contains(bounds.latest_ms) || bounds.watermark_ms >= span.first_end_ms) return false;
  Partial& whole = whole_of(state, span);
  append_rows(chunk.selection, whole.rows);
  state.touched.push_back(&whole);
  return true;
}

// What rows are for that count in all windows of the slice.
Partial& FixedWindow::whole_of(WindowState& state, const SliceSpan& span) const {
  return closes_ ? state.partial(state.slice(span), span.first_end_ms)
                 : state.revision(span.first_end_ms, span.last_end_ms);
}

// Gives every selected row to what it counts in, or to `late`.
void FixedWindow::sort_rows(WindowState& state, const Chunk& chunk) const {
  if (sort_together(state, chunk)) return;
  const auto& context = *chunk.context;
  SliceSpan span;
  Partial* whole = nullptr;  // for rows that count in all windows of the span
  auto add = [&](Partial& partial, std::uint32_t row) {
    if (partial.rows.empty()) state.touched.push_back(&partial);
    partial.rows.push_back(row);
  };
  // Its rows are handed over together: mostly all of the chunk.
  state.whole_rows.resize(chunk.selection.size());
  std::uint32_t* const begin = state.whole_rows.data();
  std::uint32_t* end = begin;
  auto hand_over = [&] {
    if (begin == end) return;
    if (whole->rows.empty()) state.touched.push_back(whole);
    whole->rows.insert(whole->rows.end(), begin, std::exchange(end, begin));
  };
  column::RunCursor runs(context);
  for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
    std::uint32_t row = chunk.selection[i];
    Watermark watermark = runs.run_of(row).watermark_ms;
    if (!span.contains(context.event_times_ms[row])) {
      hand_over();
      span = node_.slices.slice_of(context.event_times_ms[row]);
      whole = nullptr;
    }
    if (watermark < span.first_end_ms) {
      if (whole == nullptr) whole = &whole_of(state, span);
      *end++ = row;
    } else if (watermark >= span.last_end_ms + lateness_ms_) {
      state.late.push_back(row);
    } else {
      hand_over();  // a partial has its rows in their order
      std::int64_t last_ms = span.last_end_ms;
      if (closes_) {
        std::int64_t on_time_ms = node_.slices.first_open(span, watermark, 0);
        if (on_time_ms <= last_ms) add(state.partial(state.slice(span), on_time_ms), row);
        last_ms = on_time_ms - node_.slices.stride_ms();
      }
      std::int64_t first_ms = node_.slices.first_open(span, watermark, lateness_ms_);
      if (first_ms <= last_ms) add(state.revision(first_ms, last_ms), row);
    }
  }
  hand_over();
}

Result<void> FixedWindow::process(OperatorState& operator_state, std::size_t, const Chunk& chunk,
                                  Context& context) const {
  auto& state = static_cast<WindowState&>(operator_state);
  state.late.clear();
  state.touched.clear();
  sort_rows(state, chunk);
  auto added = add_rows(state, chunk, context);
  state.single.clear();
  if (!added || state.late.empty()) return added;
  return context.push_late(chunk, state.late);
}

// Adds the rows of the partials that were touched, without those that have no valid arguments.
Result<void> FixedWindow::add_rows(WindowState& state, const Chunk& chunk, Context& context) const {
  Selection rows = chunk.selection;
  if (!state.late.empty()) {
    std::vector<std::uint32_t> in_time;
    auto late = state.late.begin();
    for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
      if (late != state.late.end() && *late == chunk.selection[i])
        ++late;
      else
        in_time.push_back(chunk.selection[i]);
    }
    rows = Selection::of(std::move(in_time));
  }
  auto good = inputs_.evaluate(chunk, rows, context, state.columns);
  if (!good) return fail(good);
  state.keys.clear();
  for (std::size_t key : keys_) state.keys.push_back(chunk.columns[key].get());
  for (Partial* partial : state.touched) {
    if (good->size() < rows.size()) keep_only(*good, partial->rows);
    partial->table->add(state.keys, state.columns, partial->rows, state.groups, state.scratch,
                        state.filtered);
    partial->rows.clear();
    if (partial->window == nullptr) continue;
    state.changes.note(partial->first_ms, *partial->window, state.groups);
  }
  return {};
}

Result<void> FixedWindow::advance(OperatorState& operator_state, Watermark watermark,
                                  Context& context) const {
  auto& state = static_cast<WindowState&>(operator_state);
  state.collect_revisions();
  while (closes_) {
    auto end_ms = state.next_end();
    if (!end_ms || *end_ms > watermark) break;
    if (auto ok = close(state, *end_ms, context); !ok) return ok;
    state.closed_ms = *end_ms;
    // What stays in the stack is in the next window, which is then the one that closes next.
    state.stack.leave_before(node_.slices.window(*end_ms + node_.slices.stride_ms()).start_ms);
    state.free_before(*end_ms);
  }
  auto& windows = state.changes.windows;
  while (!windows.empty() && windows.begin()->first + lateness_ms_ <= watermark) {
    auto& [end_ms, window] = *windows.begin();
    if (auto ok = end_window(end_ms, window, context); !ok) return ok;
    state.changes.changed.erase(end_ms);
    state.keep(std::move(window.sums));
    windows.erase(windows.begin());
  }
  if (watermark < watermark_max) state.closed_ms = std::max(state.closed_ms, watermark);
  // Tables that were asked about may be gone, or another slice's.
  state.scratch.recent.clear();
  return {};
}

// What is on time of the window, as one table or the parts of one.
SliceStack::Tables FixedWindow::sum_of(WindowState& state, const Span& window) const {
  SliceStack::Tables tables;
  if (node_.slices.single()) {
    auto at = state.slices.find(window.start_ms);
    Partial* whole = at == state.slices.end() ? nullptr : at->second.whole();
    if (whole != nullptr) tables.push_back(whole->table);
    return tables;
  }
  std::int64_t from_ms = window.start_ms;
  if (state.entered_ms >= from_ms) from_ms = state.entered_ms + 1;
  auto end = state.slices.lower_bound(window.end_ms);
  for (auto at = state.slices.lower_bound(from_ms); at != end; ++at) {
    if (at->second.span.first_end_ms > window.end_ms) break;
    Partial* whole = at->second.whole();
    if (whole != nullptr) state.stack.enter(at->first, whole->table);
    state.entered_ms = at->first;
  }
  tables = state.stack.sum(window.start_ms + node_.slices.stride_ms());
  for (auto start = state.split.lower_bound(window.start_ms);
       start != state.split.end() && *start < window.end_ms; ++start) {
    const Slice& slice = state.slices.at(*start);
    for (const auto& partial : slice.partials) {
      bool counts = partial->first_ms <= window.end_ms && partial.get() != slice.whole();
      if (counts) tables.push_back(partial->table);
    }
  }
  return tables;
}

Result<void> FixedWindow::close(WindowState& state, std::int64_t end_ms, Context& context) const {
  Span window = node_.slices.window(end_ms);
  auto tables = sum_of(state, window);
  if (tables.empty()) return {};
  if (tables.size() == 1) return give(state, window, tables[0], context);
  auto sum = state.take_table();
  for (const auto& table : tables) sum->merge(*table, state.groups);
  if (auto ok = give(state, window, sum, context); !ok) return ok;
  state.keep(std::move(sum));
  return {};
}

// Pushes the window's rows, by key. Where rows may still come late, what has no valid result is
// only noted: it may have one then.
Result<void> FixedWindow::give(WindowState& state, const Span& window,
                               const std::shared_ptr<const WindowTable>& table,
                               Context& context) const {
  std::vector<std::uint32_t> order = table->keys().sorted();
  WindowResults results{{&window, 1}, &table->keys(), order, &table->accumulators(), order};
  if (!changes_) return rows_.push_all(results, table, context);
  GivenWindow& given = state.changes.window(window.end_ms, state);
  given.sums->merge(*table, state.groups);
  given.make_room();
  std::vector<BadResult> bad;
  for (std::size_t begin = 0; begin < order.size(); begin += column::chunk_rows) {
    auto part = results.part(begin, std::min(column::chunk_rows, order.size() - begin));
    bad.clear();
    Chunk chunk = rows_.make(part, table, bad);
    auto next = bad.begin();
    for (std::uint32_t row = 0; row < chunk.rows; ++row) {
      std::uint32_t key = state.groups[part.groups[row]];
      if (next != bad.end() && next->row == row)
        given.bad[key] = (next++)->reason;
      else
        given.given.set(key, chunk, rows_.first_result(), row);
    }
    if (auto ok = rows_.push_good(std::move(chunk), bad, context); !ok) return ok;
  }
  return {};
}

Result<void> FixedWindow::update(OperatorState& operator_state, Context& context) const {
  auto& state = static_cast<WindowState&>(operator_state);
  if (!changes_) return {};
  state.collect_revisions();
  if (state.changes.changed.empty()) return {};
  if (emit_ == Window::Emit::every && !is_due(every_ms_, state.changes.told_ms, context)) return {};
  auto& changed = state.changes.changed;
  // What is not closed yet is given first as it is on time.
  while (!changed.empty() && (!closes_ || *changed.begin() <= state.closed_ms)) {
    std::int64_t end_ms = *changed.begin();
    changed.erase(changed.begin());
    auto ok = tell_changes(end_ms, state.changes.windows.at(end_ms), context);
    if (!ok) return ok;
  }
  return {};
}

Result<void> FixedWindow::tell_changes(std::int64_t end_ms, GivenWindow& window,
                                       Context& context) const {
  Span span = node_.slices.window(end_ms);
  std::span<const std::uint32_t> left = window.changed;
  while (!left.empty()) {
    // A key has two rows at most.
    auto keys = left.first(std::min(left.size(), column::chunk_rows / 2));
    left = left.subspan(keys.size());
    if (auto ok = tell_changes(span, window, keys, context); !ok) return ok;
  }
  window.changed.clear();
  return {};
}

Result<void> FixedWindow::tell_changes(const Span& span, GivenWindow& window,
                                       std::span<const std::uint32_t> keys,
                                       Context& context) const {
  std::vector<BadResult> bad;
  Chunk now = rows_.make({{&span, 1}, &window.keys(), keys, &window.sums->accumulators(), keys},
                         nullptr, bad);
  GivenResults& given = window.given;
  std::vector<GivenChange> changes;
  auto next = bad.begin();
  for (std::uint32_t row = 0; row < now.rows; ++row) {
    std::uint32_t key = keys[row];
    window.is_changed[key] = 0;
    window.bad.erase(key);
    bool good = next == bad.end() || next->row != row;
    if (!good) window.bad[key] = std::move((next++)->reason);
    bool had = given.has(key);
    if (had && good && given.is_same(key, now, rows_.first_result(), row)) continue;
    if (had) changes.push_back({good ? RowKind::update_before : RowKind::erase, key});
    if (good) changes.push_back({had ? RowKind::update_after : RowKind::insert, key, row});
  }
  if (changes.empty()) return {};
  Chunk chunk = make_changes(rows_, span, window, now, changes);
  for (const GivenChange& change : changes) {
    if (change.kind == RowKind::erase) given.forget(change.key);
    if (change.row != GivenChange::given)
      given.set(change.key, now, rows_.first_result(), change.row);
  }
  return context.push(chunk);
}

// Nothing can change the window any more: keys that have no valid result now never have one.
Result<void> FixedWindow::end_window(std::int64_t end_ms, GivenWindow& window,
                                     Context& context) const {
  if (auto ok = tell_changes(end_ms, window, context); !ok) return ok;
  Span span = node_.slices.window(end_ms);
  for (const auto& [key, reason] : window.bad) {
    auto ok = rows_.reject(span, window.keys(), key, reason, context);
    if (!ok) return ok;
  }
  return {};
}

void FixedWindow::merge(OperatorState& whole, OperatorState& part, Watermark watermark) const {
  auto& to = static_cast<WindowState&>(whole);
  auto& from = static_cast<WindowState&>(part);
  from.scratch.recent.clear();
  to.scratch.recent.clear();
  for (auto at = from.slices.begin(); at != from.slices.end();) {
    Slice& slice = at->second;
    if (slice.span.first_end_ms > watermark) break;
    std::erase_if(slice.partials, [&](std::unique_ptr<Partial>& partial) {
      if (partial->first_ms > watermark) return false;
      to.take_partial(slice.span, std::move(partial), from);
      return true;
    });
    if (slice.partials.empty()) {
      from.split.erase(at->first);
      at = from.slices.erase(at);
    } else {
      ++at;
    }
  }
}

}  // namespace leat::operators
