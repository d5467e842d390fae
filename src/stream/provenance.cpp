#include "stream/provenance.h"

#include <array>
#include <map>

#include <fmt/format.h>

#include "base/assert.h"
#include "column/timestamp.h"
#include "operators/watermark.h"

namespace leat::stream {

struct Provenance::LateRow {
  Offset offset;
  std::int64_t event_time_ms;
  std::int64_t watermark_ms;
};

namespace {

std::string late_reason(std::int64_t event_time_ms, std::int64_t watermark_ms) {
  std::string reason = "late: event time ";
  column::append_timestamp(reason, {event_time_ms});
  reason += " came when the watermark was ";
  column::append_timestamp(reason, {watermark_ms});
  return reason;
}

}  // namespace

void Provenance::write(PartitionId partition, const record::Record& record,
                       const std::string& reason, OutputBatches& out) const {
  std::string partition_text = std::to_string(partition.value());
  std::string offset_text = std::to_string(record.offset.value());
  std::string timestamp_text = std::to_string(record.timestamp_ms);
  std::vector<record::Header> headers;
  for (const auto& header : record.headers) headers.push_back(header);
  headers.push_back({"leat.topic", as_bytes(source_)});
  headers.push_back({"leat.partition", as_bytes(partition_text)});
  headers.push_back({"leat.offset", as_bytes(offset_text)});
  headers.push_back({"leat.timestamp", as_bytes(timestamp_text)});
  headers.push_back({"leat.reason", as_bytes(reason)});
  headers.push_back({"leat.pipeline", as_bytes(pipeline_)});
  out.append({to_.id, partition}, record.timestamp_ms, record.key, record.value, headers);
}

void Provenance::write_rejected(const std::string& value, std::int64_t timestamp_ms,
                                const std::string& reason, OutputBatches& out) const {
  std::array<record::Header, 2> headers{
      {{"leat.reason", as_bytes(reason)}, {"leat.pipeline", as_bytes(pipeline_)}}};
  out.append({to_.id, PartitionId{0}}, timestamp_ms, {}, as_bytes(value), headers);
}

Result<void> Provenance::write_late(const column::Chunk& chunk,
                                    const std::vector<std::uint32_t>& rows,
                                    OutputBatches& out) const {
  const auto& context = *chunk.context;
  std::map<std::int32_t, std::vector<LateRow>> by_partition;
  const column::RowRun* run = context.runs.data();
  for (std::uint32_t row : rows) {
    while (row >= run->end) ++run;
    by_partition[run->partition].push_back(
        {Offset{context.places[row]}, context.event_times_ms[row], run->watermark_ms});
  }
  // The records are found again in the batches that they were read from: rows do not carry them,
  // because hardly any is late.
  for (const auto& [partition, late] : by_partition) {
    std::size_t next = 0;
    for (const auto& buffer : context.buffers) {
      if (buffer.partition != partition) continue;
      if (auto ok = write_from(buffer, late, next, out); !ok) return ok;
    }
    ASSERT(next == late.size());
  }
  return {};
}

// Writes those records of `late` from its `next` on that are in `buffer`.
Result<void> Provenance::write_from(const column::Buffer& buffer, const std::vector<LateRow>& late,
                                    std::size_t& next, OutputBatches& out) const {
  record::Scratch scratch;
  BytesView left = buffer.bytes;
  while (!left.empty() && next < late.size()) {
    auto batch = record::BatchView::parse(left);
    if (!batch) return fail(batch);
    left = left.subspan(batch->size_bytes());
    if (batch->next_offset() <= late[next].offset) continue;
    record::RecordIterator records(*batch, scratch);
    while (next < late.size()) {
      const record::Record* record = records.next();
      if (record == nullptr) break;
      if (record->offset != late[next].offset) continue;
      write(PartitionId{buffer.partition}, *record,
            late_reason(late[next].event_time_ms, late[next].watermark_ms), out);
      ++next;
    }
    if (const Error* error = records.error()) return fail(error->code, error->what);
  }
  return {};
}

}  // namespace leat::stream
