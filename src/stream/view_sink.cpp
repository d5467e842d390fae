#include "stream/view_sink.h"

#include "column/cell_text.h"

namespace leat::stream {

using column::RowKind;

ViewSink::ViewSink(const plan::BoundNode& sink)
    : keys_(sink.keys), objects_(sink.schema), key_objects_(sink.schema, sink.keys) {
  const auto& plan = std::get<plan::Sink>(sink.node->body);
  view_ = std::make_shared<View>(View::Options{plan.view, plan.keep_ms});
}

std::string ViewSink::key_of(const column::Chunk& chunk, std::uint32_t row) {
  std::string key;
  if (keys_.size() > 1) {
    key_objects_.append(key, chunk, row);
    return key;
  }
  const column::Vector& cells = *chunk.columns[keys_[0]];
  if (!cells.is_null(row)) column::append_cell_text(key, cells, row);
  return key;
}

void ViewSink::write(const column::Chunk& chunk) {
  const auto& context = *chunk.context;
  for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
    std::uint32_t row = chunk.selection[i];
    RowKind kind = context.kinds.empty() ? RowKind::insert : context.kinds[row];
    if (kind == RowKind::update_before) continue;
    std::string key = key_of(chunk, row);
    if (kind == RowKind::erase) {
      view_->stage(std::move(key), nullptr);
      continue;
    }
    auto made = std::make_shared<ViewRow>();
    made->key = key;
    objects_.append(made->json, chunk, row);
    made->event_time_ms = context.event_times_ms[row];
    view_->stage(std::move(key), std::move(made));
  }
}

}  // namespace leat::stream
