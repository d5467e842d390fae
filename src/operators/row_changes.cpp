#include "operators/row_changes.h"

#include <algorithm>
#include <optional>

namespace leat::operators {

using column::RowKind;

namespace {

std::vector<RowId> missing_in(std::span<const RowId> rows, std::span<const RowId> others,
                              RowSet& scratch) {
  for (RowId id : others) scratch.add(id);
  std::vector<RowId> missing;
  for (RowId id : rows) {
    if (!scratch.has(id)) missing.push_back(id);
  }
  for (RowId id : others) scratch.remove(id);
  return missing;
}

// `before` becomes `after`; one of them may not be there.
Result<void> give_change(std::optional<RankedRow> before, std::optional<RankedRow> after,
                         StoredOutput& out, Context& context) {
  if (before) {
    RowKind kind = after ? RowKind::update_before : RowKind::erase;
    if (auto added = out.add(before->id, context, before->rank, kind); !added) return fail(added);
  }
  if (!after) return {};
  RowKind kind = before ? RowKind::update_after : RowKind::insert;
  return out.add(after->id, context, after->rank, kind);
}

std::optional<RankedRow> at(std::span<const RankedRow> rows, std::size_t i) {
  return i < rows.size() ? std::optional(rows[i]) : std::nullopt;
}

std::optional<RankedRow> at(std::span<const RowId> rows, std::size_t i) {
  return i < rows.size() ? std::optional(RankedRow{rows[i], 0}) : std::nullopt;
}

}  // namespace

Result<void> give_changes(std::span<const RowId> shown, std::span<const RowId> now, RowSet& scratch,
                          StoredOutput& out, Context& context) {
  std::vector<RowId> gone = missing_in(shown, now, scratch);
  std::vector<RowId> come = missing_in(now, shown, scratch);
  for (std::size_t i = 0; i < std::max(gone.size(), come.size()); ++i) {
    auto given = give_change(at(gone, i), at(come, i), out, context);
    if (!given) return fail(given);
  }
  return {};
}

Result<void> give_ranked_changes(std::span<const RankedRow> shown, std::span<const RankedRow> now,
                                 StoredOutput& out, Context& context) {
  for (std::size_t i = 0; i < std::max(shown.size(), now.size()); ++i) {
    auto before = at(shown, i), after = at(now, i);
    if (before == after) continue;
    auto given = give_change(before, after, out, context);
    if (!given) return fail(given);
  }
  return {};
}

}  // namespace leat::operators
