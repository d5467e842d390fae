// State, as section "revised_window" version 1:
//
//   body  := told:i64 rows panes:u32 pane*               rows as row_store.h has them
//   pane  := end:i64 keys group*                         keys as group_keys.h has them, a group
//   each group := 0x00 | 0x01 cell*  changed:u8  bad:text     what was given of it, as cell_codec.h
//   has it
//
// What windows add up to follows from the rows.
#include "operators/revised_panes.h"

#include <algorithm>
#include <utility>

#include "column/position.h"
#include "operators/chunk_maker.h"
#include "operators/row_tools.h"
#include "operators/saved_rows.h"

namespace leat::operators {

using column::Chunk;
using column::RowKind;

namespace {

bool stands(RowKind kind) {
  return kind == RowKind::insert || kind == RowKind::update_after;
}

std::string name_of(const column::Position& position) {
  std::string name;
  column::append_position(name, position);
  return name;
}

const plan::WindowShape& shape_of(const plan::BoundNode& node) {
  return std::get<plan::Window>(node.node->body).window;
}

}  // namespace

RevisedPanes::Node::Node(const plan::BoundNode& node, const column::Schema& input,
                         std::vector<column::Type> of_keys, std::vector<column::Type> of_results)
    : slices(shape_of(node)),
      inputs(node, input),
      aggregates(node.aggregates),
      key_types(std::move(of_keys)),
      result_types(std::move(of_results)) {
  auto keep = [&](std::size_t column) {
    auto found = std::find(kept.begin(), kept.end(), column);
    if (found != kept.end()) return static_cast<std::size_t>(found - kept.begin());
    kept.push_back(column);
    kept_types.push_back(inputs.types()[column]);
    return kept.size() - 1;
  };
  auto keep_one = [&](std::optional<std::size_t>& column) {
    if (column) column = keep(*column);
  };
  for (std::size_t key : node.keys) keys.push_back(keep(key));
  for (OverColumns of : inputs.columns()) {
    keep_one(of.argument), keep_one(of.order_by), keep_one(of.filter);
    columns.push_back(of);
  }
  kept.push_back(inputs.types().size());
  kept_types.push_back(column::Type::bigint);
  for (const auto& sum : make_sums()) recounts = recounts || !sum->can_subtract();
}

AccumulatorSet RevisedPanes::Node::make_sums() const {
  AccumulatorSet sums;
  for (const auto& one : aggregates) {
    sums.push_back(aggregate::make_accumulators(one, aggregate::Rows::leave));
  }
  return sums;
}

RevisedPanes::RevisedPanes(const Node& node) : node_(node), store_(node.kept_types) {}

RevisedPane& RevisedPanes::pane(std::int64_t end_ms) {
  auto found = panes.find(end_ms);
  if (found != panes.end()) return found->second;
  return panes.emplace(end_ms, RevisedPane(node_.key_types, node_.make_sums())).first->second;
}

std::uint32_t RevisedPanes::group_of(RevisedPane& pane, const StoredRow& row) {
  key_columns_.clear();
  for (std::size_t key : node_.keys) key_columns_.push_back(&row.column(key));
  scratch_.recent.clear();
  pane.keys.find_or_add(key_columns_, {&row.row, 1}, groups_, scratch_);
  scratch_.recent.clear();
  if (pane.groups.size() < pane.keys.size()) pane.groups.resize(pane.keys.size());
  return groups_[0];
}

void RevisedPanes::note(std::int64_t end_ms, RevisedPane& pane, std::uint32_t group) {
  pending_.insert(end_ms);
  changed.insert(end_ms);
  if (!std::exchange(pane.groups[group].is_changed, true)) pane.changed.push_back(group);
}

// Those of the first and the last window that the row counts in.
std::pair<std::int64_t, std::int64_t> RevisedPanes::ends_of(const StoredRow& row) const {
  const column::Vector& first_ends = row.column(node_.kept.size() - 1);
  return {first_ends.integer(row.row), node_.slices.slice_of(row.time_ms()).last_end_ms};
}

void RevisedPanes::insert(RowId id) {
  StoredRow row = store_.row(id);
  for (auto [end, last] = ends_of(row); end <= last; end += node_.slices.stride_ms()) {
    RevisedPane& window = pane(end);
    std::uint32_t group = group_of(window, row);
    ++window.groups[group].count;
    if (node_.recounts) window.groups[group].rows.insert(id);
    window.added.push_back({id, group});
    note(end, window, group);
  }
}

// Of a row that was rejected when it came, there is nothing.
void RevisedPanes::take_back(const std::string& position) {
  auto found = by_position_.find(position);
  if (found == by_position_.end()) return;
  RowId id = found->second;
  by_position_.erase(found);
  gone_.push_back(id);
  StoredRow row = store_.row(id);
  for (auto [end, last] = ends_of(row); end <= last; end += node_.slices.stride_ms()) {
    RevisedPane& window = pane(end);
    std::uint32_t group = group_of(window, row);
    --window.groups[group].count;
    window.groups[group].rows.erase(id);
    window.removed.push_back({id, group});
    note(end, window, group);
  }
}

void RevisedPanes::take(const Chunk& chunk, std::span<const std::uint32_t> stored) {
  Chunk kept = chunk;
  kept.columns.clear();
  for (std::size_t column : node_.kept) kept.columns.push_back(chunk.columns[column]);
  std::vector<RowId> ids;
  store_.add(kept, stored, ids);
  const auto& context = *chunk.context;
  std::size_t next = 0;
  column::RunCursor runs(context);
  for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
    std::uint32_t row = chunk.selection[i];
    bool is_stored = next < stored.size() && stored[next] == row;
    if (is_stored) {
      std::string name = name_of(store_.row(ids[next]).position());
      take_back(name);
      by_position_[name] = ids[next];
      insert(ids[next++]);
    } else if (!context.kinds.empty() && !stands(context.kinds[row])) {
      take_back(name_of(context.position(row, runs.run_of(row))));
    }
  }
}

// Calls `use(input, rows, groups)` for all changes, some at a time.
template <class Use>
void RevisedPanes::for_inputs(std::size_t aggregate, std::span<const RevisedPane::Change> changes,
                              const Use& use) {
  const OverColumns& of = node_.columns[aggregate];
  while (!changes.empty()) {
    auto some = changes.first(std::min(changes.size(), column::chunk_rows));
    changes = changes.subspan(some.size());
    ChunkMaker maker;
    std::vector<StoredRow> stored;
    std::vector<std::uint32_t> rows, groups;
    for (const auto& change : some) {
      stored.push_back(store_.row(change.row));
      maker.add(stored.back());
      rows.push_back(static_cast<std::uint32_t>(rows.size()));
      groups.push_back(change.group);
    }
    std::size_t columns = 0;
    auto add_column = [&](std::optional<std::size_t> column) -> std::optional<std::size_t> {
      if (!column) return {};
      maker.add_column(node_.kept_types[*column], stored, *column);
      return columns++;
    };
    auto argument = add_column(of.argument), order_by = add_column(of.order_by);
    auto filter = add_column(of.filter);
    Chunk chunk = maker.finish();
    auto at = [&](std::optional<std::size_t> column) {
      return column ? chunk.columns[*column].get() : nullptr;
    };
    use(aggregate::Input{at(argument), at(order_by), at(filter), chunk.context.get()}, rows,
        groups);
  }
}

// Counts groups anew that rows were taken from, and adds rows to the others.
void RevisedPanes::recount(RevisedPane& pane, std::size_t aggregate) {
  auto& sums = *pane.sums[aggregate];
  std::set<std::uint32_t> stale;
  for (const auto& change : pane.removed) stale.insert(change.group);
  std::vector<RevisedPane::Change> rows;
  for (const auto& change : pane.added) {
    if (!stale.contains(change.group)) rows.push_back(change);
  }
  for (std::uint32_t group : stale) {
    sums.clear_group(group);
    for (RowId row : pane.groups[group].rows) rows.push_back({row, group});
  }
  for_inputs(aggregate, rows, [&](const auto& input, const auto& some, const auto& groups) {
    sums.update(input, some, groups);
  });
}

void RevisedPanes::add_up(RevisedPane& pane) {
  for (std::size_t i = 0; i < pane.sums.size(); ++i) {
    auto& sums = *pane.sums[i];
    sums.resize(pane.keys.size());
    if (!sums.can_subtract()) {
      recount(pane, i);
      continue;
    }
    for_inputs(i, pane.added, [&](const auto& input, const auto& rows, const auto& groups) {
      sums.update(input, rows, groups);
    });
    for_inputs(i, pane.removed, [&](const auto& input, const auto& rows, const auto& groups) {
      sums.subtract(input, rows, groups);
    });
  }
  pane.added.clear();
  pane.removed.clear();
}

void RevisedPanes::add_up() {
  for (std::int64_t end : std::exchange(pending_, {})) add_up(panes.at(end));
  for (RowId id : gone_) store_.release(id);
  gone_.clear();
}

void RevisedPanes::snapshot(StateWriter& writer) const {
  writer.section("revised_window", 2);
  writer.write(told_ms);
  std::vector<RowId> ids;
  for (const auto& [position, id] : by_position_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  SavedRows(writer, store_).write(ids);
  writer.write(static_cast<std::uint32_t>(panes.size()));
  for (const auto& [end, pane] : panes) {
    writer.write(end);
    pane.keys.snapshot(writer);
    for (const auto& group : pane.groups) {
      writer.write(static_cast<std::uint8_t>(group.given ? 1 : 0));
      if (group.given) write_values(writer, *group.given, node_.result_types);
      writer.write(static_cast<std::uint8_t>(group.is_changed ? 1 : 0));
      writer.write_text(group.bad);
    }
  }
}

Result<void> RevisedPanes::restore_pane(StateReader& reader) {
  auto end_ms = reader.read<std::int64_t>();
  RevisedPane& restored = pane(end_ms);
  if (auto ok = restored.keys.restore(reader); !ok) return ok;
  restored.groups.resize(restored.keys.size());
  for (std::uint32_t i = 0; i < restored.groups.size() && reader.ok(); ++i) {
    auto& group = restored.groups[i];
    if (reader.read<std::uint8_t>() != 0) group.given = read_values(reader, node_.result_types);
    if (reader.read<std::uint8_t>() != 0) note(end_ms, restored, i);
    group.bad = reader.read_text();
  }
  return {};
}

Result<void> RevisedPanes::restore(StateReader& reader) {
  if (auto ok = reader.section("revised_window", 2); !ok) return ok;
  told_ms = reader.read<std::int64_t>();
  RestoredRows restored(reader, store_);
  std::vector<RowId> ids = restored.take_some();
  restored.finish();
  for (auto left = reader.read_count(sizeof(std::int64_t)); left > 0 && reader.ok(); --left) {
    if (auto ok = restore_pane(reader); !ok) return ok;
  }
  // Rows that are put back change nothing that was not changed before.
  auto changed_before = changed;
  std::map<std::int64_t, std::vector<std::uint32_t>> groups_before;
  for (const auto& [end, pane] : panes) groups_before[end] = pane.changed;
  for (RowId id : ids) {
    by_position_[name_of(store_.row(id).position())] = id;
    insert(id);
  }
  add_up();
  changed = std::move(changed_before);
  for (auto& [end, pane] : panes) {
    for (auto& group : pane.groups) group.is_changed = false;
    pane.changed = std::move(groups_before[end]);
    for (std::uint32_t group : pane.changed) pane.groups[group].is_changed = true;
  }
  return {};
}

std::size_t RevisedPanes::bytes() const {
  constexpr std::size_t entry_bytes = 96;  // of a hash table, with what it points to
  std::size_t bytes = store_.bytes() + by_position_.size() * entry_bytes;
  for (const auto& [end, pane] : panes) {
    bytes += sizeof pane + pane.keys.bytes() + pane.groups.capacity() * sizeof(RevisedPane::Group);
    for (const auto& sums : pane.sums) bytes += sums->bytes();
    for (const auto& group : pane.groups) {
      bytes += group.rows.size() * entry_bytes / 4;
      if (group.given) bytes += group.given->size() * sizeof(column::Value);
    }
  }
  return bytes;
}

}  // namespace leat::operators
