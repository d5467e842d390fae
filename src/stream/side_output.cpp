#include "stream/side_output.h"

#include <charconv>
#include <list>
#include <utility>

#include "column/row_text.h"
#include "column/timestamp.h"
#include "record/batch.h"
#include "stream/returned_records.h"

namespace leat::stream {

struct SideOutput::Late {
  std::uint32_t row;
  Offset offset;
  std::string reason;
  bool written = false;
};

/// Headers to be added, and their texts.
class SideOutput::Headers {
 public:
  void add(std::string_view name, std::string text) {
    texts_.push_back(std::move(text));
    headers_.push_back({name, as_bytes(texts_.back())});
  }
  void add_all(const record::Headers& headers) {
    for (const auto& header : headers) headers_.push_back(header);
  }
  void add(const record::Header& header) { headers_.push_back(header); }
  void add_place(std::string source, std::int32_t partition, std::int64_t offset,
                 std::int64_t timestamp_ms) {
    add("leat.topic", std::move(source));
    add("leat.partition", std::to_string(partition));
    add("leat.offset", std::to_string(offset));
    add("leat.timestamp", std::to_string(timestamp_ms));
  }
  void add_reason(const std::string& reason, const std::string& pipeline) {
    add("leat.reason", reason);
    add("leat.pipeline", pipeline);
  }
  std::span<const record::Header> headers() const { return headers_; }
  /// Copies.
  std::vector<std::pair<std::string, std::optional<std::string>>> copied() const {
    std::vector<std::pair<std::string, std::optional<std::string>>> all;
    for (const auto& header : headers_) {
      std::optional<std::string> value;
      if (header.value) value.emplace(as_text(*header.value));
      all.emplace_back(header.key, std::move(value));
    }
    return all;
  }

 private:
  std::list<std::string> texts_;  // which stay where they are
  std::vector<record::Header> headers_;
};

namespace {

std::string late_reason(std::int64_t event_time_ms, std::int64_t watermark_ms) {
  std::string reason = "late: event time ";
  column::append_timestamp(reason, {event_time_ms});
  reason += " came when the watermark was ";
  column::append_timestamp(reason, {watermark_ms});
  return reason;
}

/// The names of what is kept of a letter, which stay.
constexpr std::string_view kept_headers[] = {"leat.topic", "leat.partition", "leat.offset",
                                             "leat.timestamp"};

/// What is known of a record that was given again, with the next number of attempts: false if it
/// was not.
template <class Headers>
bool add_returned(const record::Record& record, const std::string& reason,
                  const std::string& pipeline, Headers& headers) {
  if (!record.headers.find(returned_header)) return false;
  std::int64_t attempts = 1;
  for (const auto& header : record.headers) {
    std::string text(header.value ? as_text(*header.value) : "");
    if (header.key == attempts_header) {
      std::from_chars(text.data(), text.data() + text.size(), attempts);
    }
    if (!header.key.starts_with("leat.")) headers.add(header);
    for (std::string_view kept : kept_headers) {
      if (header.key == kept) headers.add(kept, text);
    }
  }
  headers.add_reason(reason, pipeline);
  headers.add(attempts_header, std::to_string(attempts + 1));
  return true;
}

std::string object_of(const column::Schema& schema, const column::Chunk& chunk, std::uint32_t row) {
  std::string json;
  column::JsonRows(schema).append(json, chunk, row);
  return json;
}

}  // namespace

// The topic or file that a node reads; nothing if it reads none.
std::string SideOutput::source_name(std::int32_t node) const {
  const auto* source = std::get_if<plan::Source>(&plan_.nodes[static_cast<std::size_t>(node)].body);
  if (source == nullptr) return "";
  return source->topic.empty() ? source->file : source->topic;
}

void SideOutput::write_bad(std::int32_t source, PartitionId partition, const record::Record& record,
                           const std::string& reason, OutputBatches& out) const {
  Headers headers;
  if (!add_returned(record, reason, plan_.name, headers)) {
    headers.add_all(record.headers);
    headers.add_place(source_name(source), partition.value(), record.offset.value(),
                      record.timestamp_ms);
    headers.add_reason(reason, plan_.name);
  }
  PartitionId to{partition.value() % to_.partitions};
  out.append({to_.id, to}, record.timestamp_ms, record.key, record.value, headers.headers());
}

Result<void> SideOutput::write_late(const column::Schema& schema, const column::Chunk& chunk,
                                    std::span<const std::uint32_t> rows, OutputBatches& out) {
  const auto& context = *chunk.context;
  column::RunCursor runs(context);
  const column::RowRun origin = runs.run_of(rows[0]);
  auto last = last_late_.find({origin.node, origin.partition});
  std::vector<Late> late;
  for (std::uint32_t row : rows) {
    Offset offset{context.places[row]};
    if (last != last_late_.end() && last->second == offset) continue;
    late.push_back(
        {row, offset, late_reason(context.event_times_ms[row], runs.run_of(row).watermark_ms)});
  }
  if (late.empty()) return {};
  // The records are found again in the batches that they were read from: rows do not carry them,
  // because hardly any is late.
  for (const auto& buffer : context.buffers) {
    if (buffer.node != origin.node || buffer.partition != origin.partition) continue;
    if (auto ok = write_from(buffer, late, out); !ok) return ok;
  }
  if (late.back().written) last_late_[{origin.node, origin.partition}] = late.back().offset;
  for (const auto& row : late) {
    if (row.written) continue;
    Headers headers;
    headers.add_place(source_name(origin.node), origin.partition, row.offset.value(), -1);
    headers.add_reason(row.reason, plan_.name);
    PartitionId to{origin.partition % to_.partitions};
    out.append({to_.id, to}, context.event_times_ms[row.row], {},
               as_bytes(object_of(schema, chunk, row.row)), headers.headers());
  }
  return {};
}

// Writes those records of `late` that are in `buffer` and were not written yet.
Result<void> SideOutput::write_from(const column::Buffer& buffer, std::vector<Late>& late,
                                    OutputBatches& out) const {
  record::Scratch scratch;
  BytesView left = buffer.bytes;
  std::size_t next = 0;
  while (!left.empty() && next < late.size()) {
    auto batch = record::BatchView::parse(left);
    if (!batch) return fail(batch);
    left = left.subspan(batch->size_bytes());
    while (next < late.size() && late[next].offset < batch->base_offset()) ++next;
    if (next == late.size() || late[next].offset >= batch->next_offset()) continue;
    record::RecordIterator records(*batch, scratch);
    while (next < late.size()) {
      const record::Record* record = records.next();
      if (record == nullptr) break;
      while (next < late.size() && late[next].offset < record->offset) ++next;
      bool wanted = next < late.size() && late[next].offset == record->offset;
      if (wanted && !late[next].written) {
        write_bad(buffer.node, PartitionId{buffer.partition}, *record, late[next].reason, out);
      }
      // Once, also if several rows were made of it.
      for (; next < late.size() && late[next].offset == record->offset; ++next) {
        late[next].written = true;
      }
    }
    if (const Error* error = records.error()) return fail(error->code, error->what);
  }
  return {};
}

// Null if it is not at hand, or the row was made of several.
const record::Record* SideOutput::find_record(const column::Chunk& chunk, std::uint32_t row,
                                              const column::RowRun& run) {
  for (const auto& buffer : chunk.context->buffers) {
    if (buffer.bytes.empty() || buffer.node != run.node || buffer.partition != run.partition) {
      continue;
    }
    auto& finder = finders_[{run.node, run.partition}];
    if (!finder) finder = std::make_unique<RecordFinder>();
    const record::Record* record = finder->find(buffer, chunk.context->places[row]);
    if (record != nullptr) return record;
  }
  return nullptr;
}

SideOutput::Rejected SideOutput::make_rejected(const std::string& node,
                                               const column::Schema& schema,
                                               const column::Chunk& chunk, std::uint32_t row,
                                               const std::string& reason) {
  const auto& context = *chunk.context;
  Rejected rejected{context.event_times_ms[row], {}, object_of(schema, chunk, row), {}};
  Headers headers;
  const record::Record* record = nullptr;
  bool is_returned = false;
  if (!context.runs.empty()) {
    const column::RowRun& run = column::RunCursor(context).run_of(row);
    std::string source = source_name(run.node);
    if (!source.empty()) record = find_record(chunk, row, run);
    if (record != nullptr) {
      if (record->key) rejected.key.emplace(as_text(*record->key));
      is_returned = add_returned(*record, reason, plan_.name, headers);
      if (!is_returned) headers.add_all(record->headers);
    }
    if (!is_returned && !source.empty()) {
      headers.add_place(std::move(source), run.partition, context.places[row],
                        record != nullptr ? record->timestamp_ms : record::no_timestamp_ms);
    }
  }
  if (!is_returned) headers.add_reason(reason, plan_.name);
  headers.add(node_header, node);
  rejected.headers = headers.copied();
  return rejected;
}

void SideOutput::write_rejected(const Rejected& rejected, OutputBatches& out) const {
  std::vector<record::Header> headers;
  for (const auto& [name, text] : rejected.headers) {
    headers.push_back({name, text ? std::optional(as_bytes(*text)) : std::nullopt});
  }
  std::optional<BytesView> key;
  if (rejected.key) key = as_bytes(*rejected.key);
  out.append({to_.id, PartitionId{0}}, rejected.timestamp_ms, key, as_bytes(rejected.value),
             headers);
}

}  // namespace leat::stream
