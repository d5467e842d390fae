#include "stream/console_sink.h"

#include <numeric>
#include <utility>

#include "stream/record_sink.h"

namespace leat::stream {

using column::RowKind;

namespace {

std::vector<std::size_t> columns_of(const column::Schema& schema) {
  std::vector<std::size_t> columns(schema.size());
  std::iota(columns.begin(), columns.end(), std::size_t{0});
  return columns;
}

}  // namespace

ConsoleSink::ConsoleSink(const plan::BoundNode& node, Write write)
    : write_(std::move(write)),
      csv_(std::get<plan::Sink>(node.node->body).format == plan::Sink::Format::csv),
      revises_(node.revises),
      all_changes_(std::get<plan::Sink>(node.node->body).changes == plan::Sink::Changes::all),
      objects_(node.schema),
      lines_(node.schema, columns_of(node.schema)) {}

Result<void> ConsoleSink::write(const column::Chunk& chunk) {
  text_.clear();
  if (csv_ && !std::exchange(begun_, true)) {
    if (revises_) text_ += "leat.kind,";
    lines_.append_names(text_);
    text_ += '\n';
  }
  const auto& kinds = chunk.context->kinds;
  auto kind_of = [&](std::size_t i) {
    return kinds.empty() ? RowKind::insert : kinds[chunk.selection[i]];
  };
  for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
    std::uint32_t row = chunk.selection[i];
    RowKind kind = kind_of(i);
    if (!all_changes_ && kind == RowKind::update_before) {
      // What comes in its place is behind it.
      if (i + 1 < chunk.selection.size() && kind_of(i + 1) == RowKind::update_after) continue;
      kind = RowKind::erase;
    }
    append_row(chunk, row, kind);
  }
  return text_.empty() ? Result<void>() : write_(text_);
}

void ConsoleSink::append_row(const column::Chunk& chunk, std::uint32_t row, RowKind kind) {
  if (csv_) {
    if (revises_) text_.append(kind_name(kind)).append(",");
    lines_.append(text_, chunk, row);
  } else if (revises_) {
    text_.append("{\"leat.kind\":\"").append(kind_name(kind)).append("\",");
    objects_.append_members(text_, chunk, row);
    text_ += '}';
  } else {
    objects_.append(text_, chunk, row);
  }
  text_ += '\n';
}

}  // namespace leat::stream
