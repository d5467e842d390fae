#include "leat/records.h"

#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "client/error.h"
#include "client/record_reader.h"
#include "client/records_maker.h"
#include "record/scratch.h"

namespace leat {

struct Records::Inside {
  /// Goes on to the next record, to an error, or to the end.
  void advance();
  void show(const record::Record& record);
  void throw_error();
  const InRecord* shown() const { return has_current ? &current : nullptr; }

  std::vector<client::Fetched> fetched;
  std::size_t bytes = 0;
  std::size_t at = 0;
  record::Scratch scratch;
  std::optional<client::RecordReader> reader;
  bool has_current = false;
  InRecord current;
  std::vector<Header> headers;
  std::optional<client::Error> error;
};

namespace {

std::optional<std::string_view> text_of(const std::optional<BytesView>& bytes) {
  if (!bytes) return std::nullopt;
  return as_text(*bytes);
}

}  // namespace

void Records::Inside::advance() {
  has_current = false;
  while (at < fetched.size() && !error) {
    if (!reader) reader.emplace(fetched[at], scratch);
    if (const record::Record* record = reader->next()) return show(*record);
    if (reader->error()) error = *reader->error();
    reader.reset();
    ++at;
  }
}

void Records::Inside::show(const record::Record& record) {
  headers.clear();
  for (const record::Header& header : record.headers)
    headers.push_back({header.key, text_of(header.value)});
  current.topic = fetched[at].topic;
  current.partition = fetched[at].partition;
  current.offset = record.offset.value();
  current.timestamp = Timestamp(std::chrono::milliseconds(record.timestamp_ms));
  current.key = text_of(record.key);
  current.value = text_of(record.value);
  current.headers = headers;
  has_current = true;
}

void Records::Inside::throw_error() {
  if (!error) [[likely]]
    return;
  client::Error thrown = std::move(*error);
  error.reset();
  throw Exception(client::to_error_code(thrown), thrown.what);
}

Records::Records() = default;
Records::~Records() = default;
Records::Records(Records&&) noexcept = default;
Records& Records::operator=(Records&&) noexcept = default;

Records::Iterator Records::begin() {
  if (!inside_) return {this, nullptr};
  inside_->throw_error();
  return {this, inside_->has_current ? inside_->shown() : next()};
}

const InRecord* Records::next() {
  inside_->advance();
  inside_->throw_error();
  return inside_->shown();
}

std::vector<PartitionRecords> Records::split() {
  std::vector<PartitionRecords> parts;
  if (!inside_) return parts;
  inside_->throw_error();
  detail::Owned<Inside> whole = std::move(inside_);
  // A record that is ready was not walked over.
  if (whole->has_current) whole->fetched[whole->at].begin = whole->current.offset;
  std::map<std::pair<std::string_view, std::int32_t>, std::size_t> places;
  for (std::size_t i = whole->at; i < whole->fetched.size(); ++i) {
    client::Fetched& fetched = whole->fetched[i];
    auto [place, is_new] = places.try_emplace({fetched.topic, fetched.partition}, parts.size());
    if (is_new) {
      PartitionRecords& part = parts.emplace_back();
      part.partition = {std::string(fetched.topic), fetched.partition};
      part.records.inside_ = std::make_unique<Inside>();
    }
    PartitionRecords& part = parts[place->second];
    part.next_offset = fetched.end;
    part.records.inside_->bytes += fetched.batches.size();
    part.records.inside_->fetched.push_back(std::move(fetched));
  }
  return parts;
}

bool Records::empty() const {
  return !inside_ || inside_->fetched.empty();
}

std::size_t Records::bytes() const {
  return inside_ ? inside_->bytes : 0;
}

bool Records::is_at_end() const {
  if (!inside_) return true;
  return !inside_->has_current && !inside_->error && inside_->at >= inside_->fetched.size();
}

namespace client {

Records RecordsMaker::make(std::vector<Fetched> fetched) {
  Records records;
  records.inside_ = std::make_unique<Records::Inside>();
  for (const Fetched& part : fetched) records.inside_->bytes += part.batches.size();
  records.inside_->fetched = std::move(fetched);
  records.inside_->advance();
  return records;
}

}  // namespace client
}  // namespace leat
