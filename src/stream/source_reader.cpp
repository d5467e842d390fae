#include "stream/source_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/assert.h"

namespace leat::stream {

using operators::Watermark;
using operators::watermark_min;

namespace {

// Event times whose windows' bounds can be written. Windows take a year at most, and those over
// windows end that much later each.
constexpr std::int64_t year_ms = std::int64_t{366} * 86'400'000;
constexpr std::int64_t time_min_ms = column::timestamp_min.ms + year_ms;
constexpr std::int64_t time_max_ms = column::timestamp_max.ms - 100 * year_ms;

Watermark behind(std::int64_t time_ms, std::int64_t disorder_ms) {
  Watermark watermark;
  if (__builtin_sub_overflow(time_ms, disorder_ms, &watermark)) return watermark_min;
  return watermark;
}

}  // namespace

SourceReader::SourceReader(const plan::BoundNode& node, std::int32_t number, PartitionId partition,
                           std::unique_ptr<RecordFeed> feed, const Options& options)
    : node_(node),
      source_(std::get<plan::Source>(node.node->body)),
      number_(number),
      partition_(partition),
      block_rows_(options.block_rows),
      feed_(std::move(feed)),
      decoder_(node, decoded_columns(node, options.used), partition),
      blocks_(node.schema, options.block_rows, decoded_columns(node, options.used)),
      names_read_(!source_.header_line) {}

void SourceReader::seek(Offset next, Watermark watermark) {
  ASSERT(!block_);
  feed_->seek(next);
  decoded_watermark_ = watermark;
}

void SourceReader::rewind() {
  if (!has_rows() && next_bad_ == bad_.size()) return;
  Offset next = position();
  decoded_watermark_ = watermark();
  feed_->hold_in(nullptr);
  block_.reset();
  bad_.clear();
  next_row_ = next_run_ = next_bad_ = 0;
  floored_at_.reset();
  feed_->seek(next);
}

void SourceReader::go_on(Offset next, Watermark watermark) {
  ASSERT(!has_rows() && next_bad_ == bad_.size());
  if (feed_->position() != next) feed_->seek(next);
  decoded_watermark_ = std::max(decoded_watermark_, watermark);
}

Offset SourceReader::position() const {
  if (next_bad_ < bad_.size()) {
    bool bad_first = !has_rows() || bad_[next_bad_].before_row <= next_row_;
    if (bad_first) return bad_[next_bad_].record.offset;
  }
  return has_rows() ? Offset{block_->context.places[next_row_]} : feed_->position();
}

Watermark SourceReader::watermark() const {
  return has_rows() ? next_stamp() : decoded_watermark_;
}

void SourceReader::consume(std::size_t rows) {
  next_row_ += rows;
  ASSERT(next_row_ <= block_->rows);
  const auto& runs = block_->context.runs;
  while (next_run_ < runs.size() && runs[next_run_].end <= next_row_) ++next_run_;
}

const BadRecord* SourceReader::next_bad() {
  if (next_bad_ == bad_.size() || bad_[next_bad_].before_row > next_row_) return nullptr;
  return &bad_[next_bad_++];
}

// The first line of the file that is one, wherever reading begins. False if there is none.
Result<bool> SourceReader::read_names() {
  Offset next = feed_->position();
  feed_->seek(Offset{0});
  const record::Record* names = nullptr;
  while (names == nullptr) {
    auto ready = feed_->fill();
    if (!ready || !*ready) return ready;
    names = feed_->next();
  }
  decoder_.read_names(as_text(*names->value));
  feed_->seek(std::max(next, feed_->position()));
  names_read_ = true;
  return true;
}

Result<bool> SourceReader::fill(std::optional<Floor> floor) {
  if (has_rows() || next_bad_ < bad_.size()) return true;
  // Lets go of the last block first, so that its memory can be taken again.
  feed_->hold_in(nullptr);
  block_.reset();
  block_ = blocks_.take();
  next_row_ = next_run_ = next_bad_ = 0;
  bad_.clear();
  if (!names_read_) {
    auto read = read_names();
    if (!read || !*read) return read;
  }
  auto ready = feed_->fill();
  if (!ready || !*ready) return ready;
  feed_->hold_in(&block_->context.buffers);
  auto decoded = decode_rows(floor);
  feed_->hold_in(nullptr);
  if (!decoded) return fail(decoded);
  decoder_.give_texts(block_->context.buffers);
  return true;
}

// What one read gave is enough for a block.
Result<void> SourceReader::decode_rows(std::optional<Floor> floor) {
  for (std::size_t read = 0; read < block_rows_; ++read) {
    const record::Record* record = feed_->next();
    if (record == nullptr) break;
    decode(*record, floor);
  }
  const Error* error = feed_->error();
  // What lies before it is given first; the next read meets it again.
  if (error == nullptr || block_->rows > 0 || !bad_.empty()) return {};
  return fail(error->code, error->what);
}

void SourceReader::add_bad(const record::Record& record, std::string reason) {
  bad_.push_back({block_->rows, record, std::move(reason)});
}

// Of a table's record without value, and where no column is named, the record's own. Nothing if it
// is a bad record.
std::optional<std::int64_t> SourceReader::event_time_of(const record::Record& record) {
  bool from_record = node_.columns.empty() || !record.value;
  if (from_record && node_.table && !node_.table->timed) return 0;
  // Of a file: as records without a timestamp have it.
  if (from_record && !source_.file.empty()) return record::no_timestamp_ms;
  std::optional<std::int64_t> time_ms;
  if (from_record) {
    if (record.timestamp_ms >= 0) time_ms = record.timestamp_ms;
  } else {
    const auto& column = block_->columns[node_.columns[0]];
    if (!column.is_null(block_->rows)) time_ms = column.integer(block_->rows);
  }
  if (!time_ms) {
    add_bad(record, "no event time");
    return {};
  }
  if (*time_ms < time_min_ms || *time_ms > time_max_ms) {
    add_bad(record, "the event time is out of range");
    return {};
  }
  // 0 is what is written by who knows no time.
  bool judged = source_.ahead_max_ms && record.timestamp_ms > 0;
  if (judged && behind(*time_ms, *source_.ahead_max_ms) > record.timestamp_ms) {
    add_bad(record,
            fmt::format("the event time is more than {} ms ahead of the record's timestamp: "
                        "ahead_max_ms of the source",
                        *source_.ahead_max_ms));
    return {};
  }
  return time_ms;
}

void SourceReader::decode(const record::Record& record, std::optional<Floor>& floor) {
  bytes_read_ += (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
  if (!decoder_.decode(record, block_->columns, block_->rows)) {
    add_bad(record, decoder_.reason());
    return;
  }
  auto time_ms = event_time_of(record);
  if (!time_ms) return;
  if (floor && record.offset >= floor->from) {
    if (floor->watermark > decoded_watermark_) {
      decoded_watermark_ = floor->watermark;
      floored_at_ = record.offset;
    }
    floor.reset();
  }
  add_row(record, *time_ms);
  decoded_watermark_ = std::max(decoded_watermark_, behind(*time_ms, source_.disorder_ms));
}

void SourceReader::add_row(const record::Record& record, std::int64_t time_ms) {
  auto& context = block_->context;
  auto row = static_cast<std::uint32_t>(block_->rows++);
  if (context.runs.empty() || context.runs.back().watermark_ms != decoded_watermark_) {
    context.runs.push_back({row, partition_.value(), decoded_watermark_, number_});
  }
  context.runs.back().end = row + 1;
  context.event_times_ms.push_back(time_ms);
  context.places.push_back(record.offset.value());
  bool erases = !record.value;
  if (context.kinds.empty() && !erases) return;
  context.kinds.resize(row, column::RowKind::insert);
  context.kinds.push_back(erases ? column::RowKind::erase : column::RowKind::insert);
}

}  // namespace leat::stream
