#include "operators/session_window.h"

#include <algorithm>
#include <utility>

#include "operators/row_tools.h"

namespace leat::operators {

using column::Chunk;
using column::Selection;
using plan::Window;

namespace {

const Window& window_of(const plan::BoundNode& node) {
  return std::get<Window>(node.node->body);
}

}  // namespace

SessionWindow::SessionWindow(const plan::BoundNode& node, const column::Schema& input,
                             std::int32_t number)
    : keys_(node.keys),
      lateness_ms_(window_of(node).lateness_ms),
      emit_(window_of(node).emit),
      every_ms_(window_of(node).every_ms),
      closes_(emit_ == Window::Emit::close),
      changes_(lateness_ms_ > 0 || !closes_),
      inputs_(node.aggregates, input),
      rows_(node, number),
      node_{rows_.key_types(), rows_.result_types(), AccumulatorMaker(node.aggregates),
            window_of(node).window.gap_ms} {}

std::unique_ptr<OperatorState> SessionWindow::make_state() const {
  return std::make_unique<SessionState>(node_);
}

void SessionWindow::sort_rows(SessionState& state, const Chunk& chunk) const {
  const auto& context = *chunk.context;
  state.all_rows.clear();
  state.late.clear();
  state.on_time_rows.clear();
  TimeBounds bounds(context);
  if (bounds.earliest_ms > earlier_by(bounds.watermark_ms, node_.gap_ms)) {
    append_rows(chunk.selection, state.on_time_rows);
    if (changes_) state.all_rows = state.on_time_rows;
    return;
  }
  column::RunCursor runs(context);
  for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
    std::uint32_t row = chunk.selection[i];
    Watermark watermark = runs.run_of(row).watermark_ms;
    std::int64_t end = context.event_times_ms[row] + node_.gap_ms;
    if (end > watermark) state.on_time_rows.push_back(row);
    if (end + lateness_ms_ > watermark)
      state.all_rows.push_back(row);
    else
      state.late.push_back(row);
  }
}

Result<void> SessionWindow::process(OperatorState& operator_state, std::size_t, const Chunk& chunk,
                                    Context& context) const {
  auto& state = static_cast<SessionState&>(operator_state);
  sort_rows(state, chunk);
  if (auto ok = add_rows(state, chunk, context); !ok) return ok;
  if (state.late.empty()) return {};
  return context.push_late(chunk, state.late);
}

Result<void> SessionWindow::add_rows(SessionState& state, const Chunk& chunk,
                                     Context& context) const {
  Selection rows = chunk.selection;
  if (!state.late.empty()) rows = Selection::of(state.all_rows);
  auto good = inputs_.evaluate(chunk, rows, context, state.columns);
  if (!good) return fail(good);
  if (good->size() < rows.size()) {
    keep_only(*good, state.on_time_rows);
    keep_only(*good, state.all_rows);
  }
  state.keys.clear();
  for (std::size_t key : keys_) state.keys.push_back(chunk.columns[key].get());
  const auto& times = chunk.context->event_times_ms;
  if (closes_) {
    state.on_time.add(state.keys, state.columns, times, state.on_time_rows, state.scratch);
  }
  if (!changes_) return {};
  state.all.add(state.keys, state.columns, times, state.all_rows, state.scratch);
  state.told.resize(state.all.id_end());
  auto on_time = state.on_time_rows.begin();
  for (std::size_t i = 0; i < state.all_rows.size(); ++i) {
    bool late = on_time == state.on_time_rows.end() || *on_time != state.all_rows[i];
    if (!late) ++on_time;
    SessionId id = state.all.ids()[i];
    state.told[id].is_late = state.told[id].is_late || late;
    if (late || !closes_) state.note_change(id);
  }
  state.follow_joins();
  return {};
}

Result<void> SessionWindow::advance(OperatorState& operator_state, Watermark watermark,
                                    Context& context) const {
  auto& state = static_cast<SessionState&>(operator_state);
  state.watermark = watermark;
  if (auto ok = close(state, earlier_by(watermark, node_.gap_ms - 1), context); !ok) return ok;
  if (changes_) {
    auto ended = end(state, earlier_by(watermark, node_.gap_ms - 1 + lateness_ms_), context);
    if (!ended) return ended;
  }
  // Keys may have other numbers now.
  state.scratch.recent.clear();
  return {};
}

// No row on time can join what ends at `end_ms` or before.
Result<void> SessionWindow::close(SessionState& state, std::int64_t end_ms,
                                  Context& context) const {
  auto ids = state.on_time.ended(end_ms);
  std::span<const SessionId> left = ids;
  while (!left.empty()) {
    auto part = left.first(std::min(left.size(), column::chunk_rows));
    left = left.subspan(part.size());
    if (auto ok = give(state, part, context); !ok) return ok;
  }
  state.on_time.erase(ids);
  return {};
}

// Pushes rows of sessions on time, and notes what is given. Where rows may still come late, what
// has no valid result is only noted: it may have one then.
Result<void> SessionWindow::give(SessionState& state, std::span<const SessionId> ids,
                                 Context& context) const {
  const SessionList& list = state.on_time;
  std::vector<Span> spans;
  std::vector<std::uint32_t> keys;
  for (SessionId id : ids) {
    spans.push_back(list.span(id));
    keys.push_back(list.session(id).key);
  }
  std::vector<BadResult> bad;
  Chunk chunk = rows_.make({spans, &list.keys(), keys, &list.accumulators(), ids}, nullptr, bad);
  if (!changes_) return rows_.push(std::move(chunk), bad, context);
  auto next = bad.begin();
  for (std::uint32_t row = 0; row < chunk.rows; ++row) {
    ToldSession& told = state.told[state.all.find(list.keys(), keys[row], spans[row].start_ms)];
    if (next != bad.end() && next->row == row)
      told.bad = (next++)->reason;
    else
      told.given.push_back({spans[row], values_of(chunk, rows_.first_result(), row)});
  }
  return rows_.push_good(std::move(chunk), bad, context);
}

Result<void> SessionWindow::update(OperatorState& operator_state, Context& context) const {
  auto& state = static_cast<SessionState&>(operator_state);
  auto is_changed = [&](SessionId id) { return state.told[id].is_changed; };
  if (std::none_of(state.changed.begin(), state.changed.end(), is_changed)) {
    state.changed.clear();  // they are all gone
    return {};
  }
  if (emit_ == Window::Emit::every && !is_due(every_ms_, state.told_ms, context)) return {};
  Watermark closed = earlier_by(state.watermark, node_.gap_ms - 1);
  std::vector<SessionId> due, waiting;
  for (SessionId id : std::exchange(state.changed, {})) {
    if (!is_changed(id)) continue;
    bool waits = closes_ && state.all.span(id).end_ms > closed;
    (waits ? waiting : due).push_back(id);
  }
  state.changed = std::move(waiting);
  // Those of a key in the order of time, whatever rows came first.
  std::sort(due.begin(), due.end(), [&](SessionId a, SessionId b) {
    return std::pair(state.all.span(a), a) < std::pair(state.all.span(b), b);
  });
  return tell_changes(state, due, context);
}

// Takes back what was given of the rows of these sessions, and gives the sessions as they are.
Result<void> SessionWindow::tell_changes(SessionState& state, std::span<const SessionId> ids,
                                         Context& context) const {
  const SessionList& list = state.all;
  while (!ids.empty()) {
    auto part = ids.first(std::min(ids.size(), column::chunk_rows));
    ids = ids.subspan(part.size());
    std::vector<Span> spans;
    std::vector<std::uint32_t> keys;
    for (SessionId id : part) {
      spans.push_back(list.span(id));
      keys.push_back(list.session(id).key);
    }
    std::vector<BadResult> bad;
    Chunk chunk = rows_.make({spans, &list.keys(), keys, &list.accumulators(), part}, nullptr, bad);
    std::vector<RowChange> changes;
    auto next = bad.begin();
    for (std::uint32_t row = 0; row < chunk.rows; ++row) {
      ToldSession& told = state.told[part[row]];
      told.is_changed = false;
      told.bad.reset();
      std::optional<ResultValues> before, now;
      if (next != bad.end() && next->row == row)
        told.bad = std::move((next++)->reason);
      else
        now = values_of(chunk, rows_.first_result(), row);
      auto by_span = [](const auto& a, const auto& b) { return a.span < b.span; };
      std::sort(told.given.begin(), told.given.end(), by_span);
      for (auto& given : std::exchange(told.given, {})) {
        if (given.span == spans[row])
          before = std::move(given.values);
        else
          changes.push_back(
              {column::RowKind::erase, given.span, keys[row], std::move(given.values)});
      }
      if (now) told.given.push_back({spans[row], *now});
      append_change(spans[row], keys[row], before, std::move(now), changes);
    }
    if (auto ok = push_changes(rows_, list.keys(), std::move(changes), context); !ok) return ok;
  }
  return {};
}

// Nothing can change any more what ends at `end_ms` or before.
Result<void> SessionWindow::end(SessionState& state, std::int64_t end_ms, Context& context) const {
  auto ids = state.all.ended(end_ms);
  std::vector<SessionId> changed;
  std::copy_if(ids.begin(), ids.end(), std::back_inserter(changed),
               [&](SessionId id) { return state.told[id].is_changed; });
  if (auto ok = tell_changes(state, changed, context); !ok) return ok;
  for (SessionId id : ids) {
    if (state.told[id].bad) {
      auto ok = rows_.reject(state.all.span(id), state.all.keys(), state.all.session(id).key,
                             *state.told[id].bad, context);
      if (!ok) return ok;
    }
    state.told[id] = {};
  }
  state.all.erase(ids);
  return {};
}

}  // namespace leat::operators
