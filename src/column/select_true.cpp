#include "column/select_true.h"

#include <utility>

namespace leat::column {

namespace {

// Writes each row, and the next one over it if it is not wanted: no branch.
template <class IsTrue>
std::size_t collect(const Selection& selection, std::uint32_t* rows, IsTrue is_true) {
  std::size_t kept = 0;
  if (selection.is_all()) {
    for (std::uint32_t row = 0; row < selection.size(); ++row) {
      rows[kept] = row;
      kept += is_true(row) ? 1 : 0;
    }
    return kept;
  }
  for (std::uint32_t row : selection.listed()) {
    rows[kept] = row;
    kept += is_true(row) ? 1 : 0;
  }
  return kept;
}

}  // namespace

Selection select_true(const Vector& condition, const Selection& selection) {
  std::vector<std::uint32_t> rows(selection.size());
  auto truths = condition.integers();
  auto nulls = condition.nulls();
  std::size_t kept = 0;
  if (condition.has_nulls()) {
    kept = collect(selection, rows.data(),
                   [=](std::uint32_t row) { return (truths[row] != 0) & (nulls[row] == 0); });
  } else {
    kept = collect(selection, rows.data(), [=](std::uint32_t row) { return truths[row] != 0; });
  }
  if (kept == selection.size()) return selection;
  rows.resize(kept);
  return Selection::of(std::move(rows));
}

}  // namespace leat::column
