// The judge's rows as a chunk, for sinks.
#pragma once

#include <memory>
#include <vector>

#include "column/chunk.h"
#include "interpreter/row.h"

namespace leat::stream {

inline column::RowKind kind_of(interpreter::Kind kind) {
  switch (kind) {
    case interpreter::Kind::insert: return column::RowKind::insert;
    case interpreter::Kind::update_before: return column::RowKind::update_before;
    case interpreter::Kind::update_after: return column::RowKind::update_after;
    case interpreter::Kind::remove: break;
  }
  return column::RowKind::erase;
}

/// Their texts point into `rows`, which must outlive the chunk. A row's position begins with its
/// node and its partition.
inline column::Chunk chunk_of_rows(const column::Schema& schema, const interpreter::Rows& rows) {
  column::Chunk chunk;
  chunk.rows = rows.size();
  chunk.selection = column::Selection::all(rows.size());
  for (std::size_t i = 0; i < schema.size(); ++i) {
    auto column = std::make_shared<column::Vector>(schema[i].type);
    column->resize(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
      column->set_value(row, rows[row].values[i]);
    }
    chunk.columns.push_back(std::move(column));
  }
  auto context = std::make_shared<column::RowContext>();
  bool all_inserts = true;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& row = rows[i];
    context->event_times_ms.push_back(row.time);
    context->places.push_back(row.position[2]);
    context->kinds.push_back(kind_of(row.kind));
    all_inserts = all_inserts && row.kind == interpreter::Kind::insert;
    context->runs.push_back({static_cast<std::uint32_t>(i + 1),
                             static_cast<std::int32_t>(row.position[1]), row.watermark,
                             static_cast<std::int32_t>(row.position[0])});
  }
  if (all_inserts) context->kinds.clear();
  chunk.context = std::move(context);
  return chunk;
}

}  // namespace leat::stream
