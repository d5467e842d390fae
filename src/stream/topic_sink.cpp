#include "stream/topic_sink.h"

#include <algorithm>

#include "column/json_encoder.h"
#include "record/partitioner.h"

namespace leat::stream {

TopicSink::TopicSink(Schema schema, std::vector<std::size_t> keys, Topic topic)
    : schema_(std::move(schema)), keys_(std::move(keys)), topic_(std::move(topic)) {
  for (const auto& field : schema_) {
    std::string name;
    column::append_json_string(name, field.name);
    names_.push_back(name + ":");
  }
  times_.resize(names_.size());
}

void TopicSink::append_value(std::string& out, const column::Chunk& chunk, std::uint32_t row) {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    out += i == 0 ? '{' : ',';
    out += names_[i];
    const column::Vector& cells = *chunk.columns[i];
    if (cells.type() == column::Type::timestamp && !cells.is_null(row)) {
      append_time(out, i, cells, row);
    } else {
      column::append_json(out, cells, row);
    }
  }
  out += '}';
}

void TopicSink::append_time(std::string& out, std::size_t column, const column::Vector& times,
                            std::uint32_t row) {
  TimeText& last = times_[column];
  if (last.json.empty() || last.ms != times.integer(row)) {
    last.ms = times.integer(row);
    last.json.clear();
    column::append_json(last.json, times, row);
  }
  out += last.json;
}

std::string TopicSink::value_of(const column::Chunk& chunk, std::uint32_t row) {
  std::string value;
  append_value(value, chunk, row);
  return value;
}

bool TopicSink::append_key(std::string& out, const column::Chunk& chunk, std::uint32_t row) const {
  if (keys_.empty()) return false;
  if (keys_.size() == 1) {
    const column::Vector& key = *chunk.columns[keys_[0]];
    if (key.is_null(row)) return false;
    if (key.type() == column::Type::text) {
      out += key.text(row);
      return true;
    }
    column::append_json(out, key, row);
    // A time is a string in JSON; as a bare key it needs no quotes.
    if (key.type() == column::Type::timestamp) out = out.substr(1, out.size() - 2);
    return true;
  }
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    out += i == 0 ? '{' : ',';
    out += names_[keys_[i]];
    column::append_json(out, *chunk.columns[keys_[i]], row);
  }
  out += '}';
  return true;
}

void TopicSink::write(const column::Chunk& chunk, OutputBatches& out) {
  const auto& context = *chunk.context;
  const column::RowRun* run = context.runs.data();
  for (std::size_t i = 0; i < chunk.selection.size(); ++i) {
    std::uint32_t row = chunk.selection[i];
    key_.clear();
    value_.clear();
    bool keyed = append_key(key_, chunk, row);
    append_value(value_, chunk, row);
    PartitionId partition{0};
    std::optional<BytesView> key;
    if (keyed) {
      key = as_bytes(key_);
      partition = record::partition_of_key(*key, topic_.partitions);
    } else if (!context.runs.empty()) {
      while (row >= run->end) ++run;
      partition = PartitionId{run->partition % topic_.partitions};
    }
    out.append({topic_.id, partition}, context.event_times_ms[row], key, as_bytes(value_));
  }
}

}  // namespace leat::stream
