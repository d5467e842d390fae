#include "operators/over_parts.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "operators/chunk_maker.h"

namespace leat::operators {

namespace {

column::Schema input_of(const plan::BoundNode& node) {
  auto end = node.schema.end() - static_cast<std::ptrdiff_t>(node.aggregates.size());
  return {node.schema.begin(), end};
}

// Cells [begin, begin + count) of a column.
std::shared_ptr<const column::Vector> part_of(const std::shared_ptr<column::Vector>& column,
                                              std::size_t begin, std::size_t count) {
  if (begin == 0 && count == column->size()) return column;
  auto part = std::make_shared<column::Vector>(column->type());
  part->resize(count);
  part->copy_from(0, *column, begin, count);
  return part;
}

Result<void> push_part(const OverParts& parts, const RowStore& store, const OverRows& over,
                       std::size_t begin, std::size_t count, Context& context) {
  ChunkMaker maker;
  std::vector<StoredRow> rows;
  for (std::size_t i = begin; i < begin + count; ++i) {
    rows.push_back(store.row(over.rows[i]));
    maker.add(rows.back(), over.kinds.empty() ? column::RowKind::insert : over.kinds[i]);
  }
  for (std::size_t c = 0; c < parts.input.size(); ++c) {
    maker.add_column(parts.input[c].type, rows, c);
  }
  for (const auto& column : over.results.columns) {
    maker.add_column(part_of(column, begin, count));
  }
  maker.keep(over.results.texts);
  column::Chunk chunk = maker.finish();
  const auto& failures = over.results.failures;
  if (failures.empty()) return context.push(chunk);
  column::Chunk input = chunk;
  input.columns.resize(parts.input.size());
  std::vector<std::uint32_t> good;
  for (std::size_t i = 0; i < count; ++i) {
    auto row = static_cast<std::uint32_t>(i);
    auto failed = failures.find(static_cast<std::uint32_t>(begin + i));
    if (failed == failures.end()) {
      good.push_back(row);
      continue;
    }
    auto rejected = context.reject(parts.input, input, row, failed->second.reason);
    if (!rejected) return fail(rejected);
  }
  if (good.empty()) return {};
  chunk.selection = column::Selection::of(std::move(good));
  return context.push(chunk);
}

}  // namespace

OverParts::OverParts(const plan::BoundNode& node)
    : input(input_of(node)),
      schema(node.schema),
      keys(node.keys),
      frame(std::get<plan::Over>(node.node->body).frame),
      aggregates(std::get<plan::Over>(node.node->body).aggregates),
      bound(node.aggregates),
      inputs(node, input) {
  for (std::size_t i = 0; i < bound.size(); ++i) bound[i].aggregate = &aggregates[i];
}

Result<void> push_over(const OverParts& parts, const RowStore& store, const OverRows& over,
                       Context& context) {
  for (std::size_t begin = 0; begin < over.rows.size(); begin += column::chunk_rows) {
    std::size_t count = std::min(column::chunk_rows, over.rows.size() - begin);
    auto pushed = push_part(parts, store, over, begin, count, context);
    if (!pushed) return fail(pushed);
  }
  return {};
}

}  // namespace leat::operators
