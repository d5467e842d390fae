#include "operators/revised_window.h"

#include <algorithm>
#include <utility>

#include "operators/row_tools.h"

namespace leat::operators {

using column::Chunk;
using column::RowKind;
using plan::Window;

RevisedWindow::RevisedWindow(const plan::BoundNode& node, const column::Schema& input,
                             std::int32_t number)
    : keys_(node.keys),
      at_times_(std::get<Window>(node.node->body).emit == Window::Emit::every),
      every_ms_(std::get<Window>(node.node->body).every_ms),
      rows_(node, number),
      node_(node, input, rows_.key_types(), rows_.result_types()) {}

std::unique_ptr<OperatorState> RevisedWindow::make_state() const {
  return std::make_unique<RevisedPanes>(node_);
}

// Rows that come, without those that are late. Sets where the first window ends that each counts
// in.
std::vector<std::uint32_t> RevisedWindow::sort_rows(const Chunk& chunk, column::Vector& first_ends,
                                                    std::vector<std::uint32_t>& late) const {
  const auto& context = *chunk.context;
  std::vector<std::uint32_t> rows;
  column::RunCursor runs(context);
  for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
    std::uint32_t row = chunk.selection[i];
    Watermark watermark = runs.run_of(row).watermark_ms;
    RowKind kind = context.kinds.empty() ? RowKind::insert : context.kinds[row];
    if (kind == RowKind::erase || kind == RowKind::update_before) continue;
    SliceSpan span = node_.slices.slice_of(context.event_times_ms[row]);
    // Rows that may be taken back carry no watermark; those of a source beside them do.
    std::int64_t first_ms = node_.slices.first_open(span, watermark, 0);
    first_ends.set_integer(row, first_ms);
    (first_ms <= span.last_end_ms ? rows : late).push_back(row);
  }
  return rows;
}

Result<void> RevisedWindow::process(OperatorState& operator_state, std::size_t, const Chunk& chunk,
                                    Context& context) const {
  auto& state = static_cast<RevisedPanes&>(operator_state);
  auto first_ends = std::make_shared<column::Vector>(column::Type::bigint);
  first_ends->resize(chunk.rows);
  std::vector<std::uint32_t> late;
  std::vector<std::uint32_t> rows = sort_rows(chunk, *first_ends, late);
  // What goes was worked out when it came.
  auto extended = node_.inputs.evaluate(chunk, rows, context);
  if (!extended) return fail(extended);
  extended->columns.push_back(std::move(first_ends));
  state.take(*extended, rows);
  return late.empty() ? Result<void>() : context.push_late(chunk, late);
}

Result<void> RevisedWindow::update(OperatorState& operator_state, Context& context) const {
  auto& state = static_cast<RevisedPanes&>(operator_state);
  state.add_up();
  if (state.changed.empty()) return {};
  if (at_times_ && !is_due(every_ms_, state.told_ms, context)) return {};
  return tell(state, context);
}

Result<void> RevisedWindow::tell(RevisedPanes& state, Context& context) const {
  for (std::int64_t end_ms : std::exchange(state.changed, {})) {
    RevisedPane& pane = state.panes.at(end_ms);
    if (auto ok = tell_pane(node_.slices.window(end_ms), pane, context); !ok) return ok;
    auto is_empty = [](const RevisedPane::Group& group) {
      return group.count == 0 && !group.given;
    };
    if (std::all_of(pane.groups.begin(), pane.groups.end(), is_empty)) state.panes.erase(end_ms);
  }
  return {};
}

Result<void> RevisedWindow::tell_pane(const Span& window, RevisedPane& pane,
                                      Context& context) const {
  std::vector<RowChange> changes;
  std::vector<std::uint32_t> changed = std::exchange(pane.changed, {});
  std::span<const std::uint32_t> left = changed;
  while (!left.empty()) {
    auto groups = left.first(std::min(left.size(), column::chunk_rows));
    left = left.subspan(groups.size());
    std::vector<BadResult> bad;
    Chunk chunk = rows_.make({{&window, 1}, &pane.keys, groups, &pane.sums, groups}, nullptr, bad);
    auto next = bad.begin();
    for (std::uint32_t row = 0; row < chunk.rows; ++row) {
      RevisedPane::Group& group = pane.groups[groups[row]];
      group.is_changed = false;
      group.bad.clear();
      bool is_bad = next != bad.end() && next->row == row;
      std::string reason = is_bad ? std::move((next++)->reason) : std::string();
      std::optional<ResultValues> now;
      if (group.count > 0 && is_bad) group.bad = std::move(reason);
      if (group.count > 0 && !is_bad) now = values_of(chunk, rows_.first_result(), row);
      append_change(window, groups[row], group.given, std::move(now), changes);
    }
  }
  return push_changes(rows_, pane.keys, std::move(changes), context);
}

// In the end it is known which groups have no valid result.
Result<void> RevisedWindow::advance(OperatorState& operator_state, Watermark watermark,
                                    Context& context) const {
  auto& state = static_cast<RevisedPanes&>(operator_state);
  if (watermark != watermark_max) return {};
  state.add_up();
  if (auto ok = tell(state, context); !ok) return ok;
  for (auto& [end_ms, pane] : state.panes) {
    for (std::uint32_t i = 0; i < pane.groups.size(); ++i) {
      if (pane.groups[i].bad.empty()) continue;
      auto ok =
          rows_.reject(node_.slices.window(end_ms), pane.keys, i, pane.groups[i].bad, context);
      if (!ok) return ok;
      pane.groups[i].bad.clear();
    }
  }
  return {};
}

}  // namespace leat::operators
