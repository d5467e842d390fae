#include "stream/side_output.h"

#include <algorithm>
#include <charconv>
#include <list>
#include <tuple>
#include <utility>

#include "column/position.h"
#include "column/row_text.h"
#include "column/timestamp.h"
#include "stream/record_finder.h"
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
  /// One that was copied, which outlives this.
  void add_kept(std::string_view name, const std::optional<std::string>& text) {
    headers_.push_back({name, text ? std::optional(as_bytes(*text)) : std::nullopt});
  }
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
  std::vector<Offset> offsets;
  for (const Late& row : late) offsets.push_back(row.offset);
  return find_records(buffer.bytes, offsets, [&](std::size_t i, const record::Record& record) {
    // Once, also if several rows were made of it.
    bool is_same = i > 0 && late[i - 1].offset == late[i].offset;
    if (!is_same && !late[i].written) {
      write_bad(buffer.node, PartitionId{buffer.partition}, record, late[i].reason, out);
    }
    late[i].written = true;
  });
}

void SideOutput::keep_rejected(std::size_t node, const column::Schema& schema,
                               const column::Chunk& chunk, std::uint32_t row,
                               const std::string& reason) {
  const auto& context = *chunk.context;
  Rejected& rejected = rejected_.emplace_back();
  rejected.node = node;
  rejected.time_ms = context.event_times_ms[row];
  rejected.value = object_of(schema, chunk, row);
  rejected.reason = reason;
  if (context.runs.empty()) return;
  const column::RowRun& run = column::RunCursor(context).run_of(row);
  column::append_position(rejected.position, context.position(row, run));
  if (source_name(run.node).empty()) return;
  rejected.run = run;
  rejected.place = context.places[row];
  ask_for_record(chunk, run, rejected_.size() - 1);
}

// Where it may be: the row may be made of several, or the bytes gone.
void SideOutput::ask_for_record(const column::Chunk& chunk, const column::RowRun& run,
                                std::size_t number) {
  constexpr std::size_t rows_max = 64 * 1024;
  constexpr std::size_t bytes_max = 64 << 20;
  for (const auto& buffer : chunk.context->buffers) {
    if (buffer.bytes.empty() || buffer.node != run.node || buffer.partition != run.partition) {
      continue;
    }
    Asked& asked = asked_[buffer.bytes.data()];
    if (asked.rows.empty()) {
      asked.buffer = buffer;
      asked_bytes_ += buffer.bytes.size();
    }
    asked.rows.emplace_back(Offset{rejected_[number].place}, number);
    ++asked_rows_;
  }
  if (asked_rows_ >= rows_max || asked_bytes_ >= bytes_max) find_asked();
}

// Rows come in the order of time, and those of several partitions by turns: so all of a buffer are
// looked for together.
void SideOutput::find_asked() {
  for (auto& place : asked_) {
    Asked& asked = place.second;
    std::sort(asked.rows.begin(), asked.rows.end());
    std::vector<Offset> offsets;
    for (const auto& row : asked.rows) offsets.push_back(row.first);
    auto take = [&](std::size_t i, const record::Record& record) {
      Rejected& rejected = rejected_[asked.rows[i].second];
      rejected.is_found = true;
      if (record.key) rejected.key.emplace(as_text(*record.key));
      Headers headers;
      add_notes(rejected, &record, headers);
      rejected.headers = headers.copied();
    };
    // Those behind damage are written without their records.
    [[maybe_unused]] auto found = find_records(asked.buffer.bytes, offsets, take);
  }
  asked_.clear();
  asked_rows_ = asked_bytes_ = 0;
}

void SideOutput::add_notes(const Rejected& rejected, const record::Record* record,
                           Headers& headers) const {
  bool is_returned =
      record != nullptr && add_returned(*record, rejected.reason, plan_.name, headers);
  if (!is_returned) {
    if (record != nullptr) headers.add_all(record->headers);
    if (rejected.run) {
      headers.add_place(source_name(rejected.run->node), rejected.run->partition, rejected.place,
                        record != nullptr ? record->timestamp_ms : record::no_timestamp_ms);
    }
    headers.add_reason(rejected.reason, plan_.name);
  }
  headers.add(node_header, plan_.nodes[rejected.node].name);
}

void SideOutput::write_rejected(OutputBatches& out) {
  find_asked();
  auto before = [](const Rejected& a, const Rejected& b) {
    return std::tie(a.node, a.time_ms, a.position) < std::tie(b.node, b.time_ms, b.position);
  };
  if (!std::is_sorted(rejected_.begin(), rejected_.end(), before)) {
    std::stable_sort(rejected_.begin(), rejected_.end(), before);
  }
  for (const auto& rejected : rejected_) {
    Headers headers;
    if (!rejected.is_found) add_notes(rejected, nullptr, headers);
    for (const auto& [name, text] : rejected.headers) headers.add_kept(name, text);
    std::optional<BytesView> key;
    if (rejected.key) key = as_bytes(*rejected.key);
    out.append({to_.id, PartitionId{0}}, rejected.time_ms, key, as_bytes(rejected.value),
               headers.headers());
  }
  rejected_.clear();
}

}  // namespace leat::stream
