#include "stream/record_sink.h"

#include <array>
#include <numeric>
#include <utility>

#include "base/assert.h"
#include "column/cell_text.h"
#include "record/partitioner.h"

namespace leat::stream {

using column::RowKind;

std::string_view kind_name(RowKind kind) {
  switch (kind) {
    case RowKind::insert: return "insert";
    case RowKind::update_before: return "update_before";
    case RowKind::update_after: return "update_after";
    case RowKind::erase: return "delete";
  }
  ASSERT(false);
}

namespace {

std::vector<std::size_t> all_of(const column::Schema& schema) {
  std::vector<std::size_t> columns(schema.size());
  std::iota(columns.begin(), columns.end(), std::size_t{0});
  return columns;
}

}  // namespace

RecordSink::RecordSink(const plan::BoundNode& sink, Topic topic)
    : topic_(std::move(topic)),
      keys_(sink.keys),
      all_changes_(std::get<plan::Sink>(sink.node->body).changes == plan::Sink::Changes::all),
      csv_(std::get<plan::Sink>(sink.node->body).format == plan::Sink::Format::csv),
      objects_(sink.schema),
      lines_(sink.schema, all_of(sink.schema)),
      key_objects_(sink.schema, sink.keys) {}

bool RecordSink::make_key(const column::Chunk& chunk, std::uint32_t row) {
  key_.clear();
  if (keys_.empty()) return false;
  if (keys_.size() > 1) {
    key_objects_.append(key_, chunk, row);
    return true;
  }
  const column::Vector& cells = *chunk.columns[keys_[0]];
  if (cells.is_null(row)) return false;
  column::append_cell_text(key_, cells, row);
  return true;
}

void RecordSink::make_value(const column::Chunk& chunk, std::uint32_t row) {
  value_.clear();
  if (csv_)
    lines_.append(value_, chunk, row);
  else
    objects_.append(value_, chunk, row);
}

void RecordSink::write(const column::Chunk& chunk, OutputBatches& out) {
  const auto& context = *chunk.context;
  column::RunCursor runs(context);
  for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
    std::uint32_t row = chunk.selection[i];
    std::int32_t partition = context.runs.empty() ? 0 : runs.run_of(row).partition;
    write_row(chunk, row, partition, out);
  }
}

void RecordSink::write_row(const column::Chunk& chunk, std::uint32_t row, std::int32_t partition,
                           OutputBatches& out) {
  const auto& context = *chunk.context;
  RowKind kind = context.kinds.empty() ? RowKind::insert : context.kinds[row];
  if (!all_changes_ && kind == RowKind::update_before) return;
  std::optional<BytesView> key, value;
  PartitionId to{partition % topic_.partitions};
  if (make_key(chunk, row)) {
    key = as_bytes(key_);
    to = record::partition_of_key(*key, topic_.partitions);
  }
  if (all_changes_ || kind != RowKind::erase) {
    make_value(chunk, row);
    value = as_bytes(value_);
  }
  std::array<record::Header, 1> header{{{"leat.kind", as_bytes(kind_name(kind))}}};
  std::span<const record::Header> headers(header);
  out.append({topic_.id, to}, context.event_times_ms[row], key, value,
             headers.first(all_changes_ ? 1 : 0));
}

}  // namespace leat::stream
