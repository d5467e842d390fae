#include "operators/window_rows.h"

#include <algorithm>

#include "column/position.h"
#include "column/text_arena.h"
#include "operators/gather.h"

namespace leat::operators {

using column::Chunk;
using column::RowContext;
using column::Selection;
using column::Vector;

WindowRows::WindowRows(const plan::BoundNode& node, std::int32_t number)
    : schema_(node.schema), number_(number) {
  bad_schema_.assign(schema_.begin(),
                     schema_.begin() + static_cast<std::ptrdiff_t>(2 + node.keys.size()));
  for (std::size_t i = 2; i < bad_schema_.size(); ++i) key_types_.push_back(bad_schema_[i].type);
  for (const column::Type& type : result_types()) {
    auto held = physical(type);
    if (held == column::Physical::text || held == column::Physical::list) results_point_ = true;
  }
}

std::vector<column::Type> WindowRows::result_types() const {
  std::vector<column::Type> types;
  for (std::size_t i = first_result(); i < schema_.size(); ++i) types.push_back(schema_[i].type);
  return types;
}

std::vector<std::shared_ptr<Vector>> WindowRows::make_columns(const WindowResults& results,
                                                              RowContext& context) const {
  std::size_t rows = results.groups.size();
  std::vector<std::shared_ptr<Vector>> columns;
  for (const auto& field : schema_) {
    columns.push_back(std::make_shared<Vector>(field.type));
    columns.back()->resize(rows);
  }
  auto texts = std::make_shared<std::string>();
  auto rests = std::make_shared<std::string>();
  std::size_t key_bytes = results.keys->text_bytes(results.groups);
  texts->reserve(key_bytes);
  rests->reserve(key_bytes + rows * sizeof(std::int64_t));
  std::vector<Vector*> keys;
  for (std::size_t i = 0; i < key_types_.size(); ++i) keys.push_back(columns[2 + i].get());
  results.keys->set_cells(results.groups, keys, 0, *texts);

  auto starts = columns[0]->integers(), ends = columns[1]->integers();
  context.event_times_ms.resize(rows);
  context.rests.resize(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    const Span& window = results.windows[results.windows.size() == 1 ? 0 : row];
    starts[row] = window.start_ms;
    ends[row] = window.end_ms;
    context.event_times_ms[row] = window.end_ms - 1;
    std::size_t from = rests->size();
    column::append_word(*rests, window.start_ms);
    results.keys->append_bytes(*rests, results.groups[row]);
    context.rests[row] = std::string_view(*rests).substr(from);
  }
  context.places = context.event_times_ms;
  context.runs = {{static_cast<std::uint32_t>(rows), 0, watermark_min, number_}};
  context.buffers.push_back({texts});
  context.buffers.push_back({rests});
  return columns;
}

Chunk WindowRows::make(const WindowResults& results, std::shared_ptr<const void> owner,
                       std::vector<BadResult>& bad) const {
  auto context = std::make_shared<RowContext>();
  auto columns = make_columns(results, *context);
  auto texts = std::make_shared<column::TextArena>();
  std::string reason;
  for (std::size_t i = 0; i < results.accumulators->size(); ++i) {
    const auto& accumulators = *(*results.accumulators)[i];
    Vector& column = *columns[first_result() + i];
    for (std::uint32_t row = 0; row < results.slots.size(); ++row) {
      if (accumulators.result(results.slots[row], column, row, *texts, reason)) continue;
      column.set_null(row);
      bad.push_back({row, schema_[first_result() + i].name + ": " + reason});
    }
    if (!owner) own_texts(column, 0, results.slots.size(), *texts);
  }
  // A row has the reason of its first bad result.
  auto by_row = [](const BadResult& a, const BadResult& b) { return a.row < b.row; };
  auto same_row = [](const BadResult& a, const BadResult& b) { return a.row == b.row; };
  std::stable_sort(bad.begin(), bad.end(), by_row);
  bad.erase(std::unique(bad.begin(), bad.end(), same_row), bad.end());
  context->buffers.push_back({texts});
  // What nothing points into can be used again at once, whoever keeps the rows.
  if (results_point_) context->buffers.push_back({std::move(owner)});
  Chunk chunk;
  chunk.columns.assign(columns.begin(), columns.end());
  chunk.rows = results.groups.size();
  chunk.selection = Selection::all(chunk.rows);
  chunk.context = std::move(context);
  return chunk;
}

// Of a row only window and key are told.
Result<void> WindowRows::reject(Chunk chunk, std::uint32_t row, const std::string& reason,
                                Context& context) const {
  chunk.columns.resize(bad_schema_.size());
  return context.reject(bad_schema_, chunk, row, reason);
}

Result<void> WindowRows::reject(const Span& window, const GroupKeys& keys, std::uint32_t key,
                                const std::string& reason, Context& context) const {
  auto row_context = std::make_shared<RowContext>();
  auto columns = make_columns({{&window, 1}, &keys, {&key, 1}, nullptr, {}}, *row_context);
  Chunk chunk;
  chunk.columns.assign(columns.begin(), columns.end());
  chunk.rows = 1;
  chunk.selection = Selection::all(1);
  chunk.context = std::move(row_context);
  return reject(std::move(chunk), 0, reason, context);
}

Result<void> WindowRows::push(Chunk chunk, const std::vector<BadResult>& bad,
                              Context& context) const {
  for (const auto& [row, reason] : bad) {
    if (auto ok = reject(chunk, row, reason, context); !ok) return ok;
  }
  return push_good(std::move(chunk), bad, context);
}

Result<void> WindowRows::push_good(Chunk chunk, const std::vector<BadResult>& bad,
                                   Context& context) const {
  if (!bad.empty()) {
    std::vector<std::uint32_t> good;
    auto next = bad.begin();
    for (std::uint32_t row = 0; row < chunk.rows; ++row) {
      if (next != bad.end() && next->row == row)
        ++next;
      else
        good.push_back(row);
    }
    chunk.selection = Selection::of(std::move(good));
  }
  if (chunk.selection.size() == 0) return {};
  return context.push(chunk);
}

Result<void> WindowRows::push_all(const WindowResults& results,
                                  const std::shared_ptr<const void>& owner,
                                  Context& context) const {
  std::vector<BadResult> bad;
  for (std::size_t begin = 0; begin < results.groups.size(); begin += column::chunk_rows) {
    std::size_t count = std::min(column::chunk_rows, results.groups.size() - begin);
    bad.clear();
    Chunk chunk = make(results.part(begin, count), owner, bad);
    if (auto ok = push(std::move(chunk), bad, context); !ok) return ok;
  }
  return {};
}

}  // namespace leat::operators
