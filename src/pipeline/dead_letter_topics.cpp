#include "pipeline/dead_letter_topics.h"

#include <charconv>
#include <mutex>
#include <utility>
#include <vector>

#include "column/json_index.h"
#include "pipeline/dead_letters.h"
#include "record/batch.h"
#include "record/builder.h"
#include "stream/returned_records.h"

namespace leat::pipeline {

namespace {

constexpr std::string_view own_prefix = "leat.";

/// What the notes of a dead letter say; of several, the last ones count.
struct Provenance {
  std::string_view pipeline;
  std::string_view topic;
  std::int32_t partition = -1;
  std::int64_t offset = -1;
  /// The record's own, as it was read.
  std::int64_t timestamp_ms = -1;
  /// It is a row that had no result.
  bool is_row = false;
};

template <class Number>
void read_number(std::string_view text, Number& number) {
  std::from_chars(text.data(), text.data() + text.size(), number);
}

Provenance provenance_of(const record::Record& letter) {
  Provenance found;
  for (const record::Header& header : letter.headers) {
    std::string_view text = header.value ? as_text(*header.value) : std::string_view();
    if (header.key == "leat.pipeline") found.pipeline = text;
    if (header.key == "leat.topic") found.topic = text;
    if (header.key == "leat.partition") read_number(text, found.partition);
    if (header.key == "leat.offset") read_number(text, found.offset);
    if (header.key == "leat.timestamp") read_number(text, found.timestamp_ms);
    // Behind the others: a reason that follows belongs to a later time.
    if (header.key == "leat.reason") found.is_row = false;
    if (header.key == stream::node_header) found.is_row = true;
  }
  return found;
}

void append(Bytes& to, const Bytes& bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

/// One that nobody reads, for the range.
void append_nothing(Bytes& to, Offset begin, Offset end) {
  record::BatchBuilder builder;
  builder.append(0, {}, {});
  record::BatchOptions options;
  options.base_offset = begin;
  options.is_control = true;
  options.last_offset_delta = static_cast<std::int32_t>(end - begin - 1);
  append(to, builder.build(options));
}

/// A batch of one record: its own headers first, then the letter's notes.
void append_returned(Bytes& to, Offset at, const record::Record& record,
                     const record::Record& letter) {
  std::vector<record::Header> headers;
  for (const record::Header& header : record.headers) {
    if (!header.key.starts_with(own_prefix)) headers.push_back(header);
  }
  for (const record::Header& header : letter.headers) {
    if (header.key.starts_with(own_prefix)) headers.push_back(header);
  }
  headers.push_back({stream::returned_header, BytesView()});
  record::BatchBuilder builder;
  builder.append(record.timestamp_ms, record.key, record.value, headers);
  record::BatchOptions options;
  options.base_offset = at;
  options.producer_id = stream::returned_producer_id;
  append(to, builder.build(options));
}

}  // namespace

/// The dead letters of one source.
class DeadLetterTopics::Reader final : public stream::TopicReader {
 public:
  Reader(DeadLetterTopics& store, stream::Topic topic, std::unique_ptr<stream::TopicReader> letters)
      : store_(store), topic_(std::move(topic)), letters_(std::move(letters)) {}

  const stream::Topic& topic() const override { return topic_; }
  Result<std::vector<stream::Readable>> readable() override { return letters_->readable(); }
  std::optional<Offset> known_end(PartitionId partition) const override {
    return letters_->known_end(partition);
  }
  void when_readable(PartitionId partition, Offset offset, Work wake) override {
    letters_->when_readable(partition, offset, std::move(wake));
  }

  Result<stream::Batches> read(PartitionId partition, Offset from, std::size_t max_bytes) override {
    auto letters = letters_->read(partition, from, max_bytes);
    if (!letters || letters->bytes.empty()) return letters;
    auto given = std::make_shared<Bytes>();
    BytesView left = letters->bytes;
    while (!left.empty()) {
      auto batch = record::BatchView::parse(left);
      if (!batch) return fail(batch);
      if (auto ok = give(*batch, from, *given); !ok) return fail(ok);
      left = left.subspan(batch->size_bytes());
    }
    std::size_t size = given->size();
    given->resize(size + column::json_padding_bytes);
    stream::Batches batches;
    batches.bytes = BytesView(given->data(), size);
    batches.owner = std::move(given);
    return batches;
  }

 private:
  Result<void> give(const record::BatchView& batch, Offset from, Bytes& to) {
    Offset next = std::max(from, batch.base_offset());
    if (!batch.is_control()) {
      record::Scratch scratch;
      record::RecordIterator records(batch, scratch);
      while (const record::Record* letter = records.next()) {
        if (letter->offset < next) continue;
        std::size_t before = to.size();
        if (auto ok = give(*letter, to); !ok) return ok;
        if (to.size() > before) next = letter->offset + 1;
      }
      if (const Error* error = records.error()) return fail(error->code, error->what);
    }
    if (next < batch.next_offset()) append_nothing(to, next, batch.next_offset());
    return {};
  }

  Result<void> give(const record::Record& letter, Bytes& to) {
    Provenance from = provenance_of(letter);
    bool is_ours = from.pipeline == store_.pipeline_ && from.topic == topic_.name;
    if (!is_ours) return {};
    bool is_record = !from.is_row && from.timestamp_ms >= 0;
    if (is_record) {
      append_returned(to, letter.offset, letter, letter);
      return {};
    }
    if (!store_.takes_rows_ || from.offset < 0) return {};
    return give_origin(from, letter, to);
  }

  /// The record that a row was read from, if it is there.
  Result<void> give_origin(const Provenance& from, const record::Record& letter, Bytes& to) {
    std::lock_guard lock(mutex_);
    if (origin_ == nullptr) {
      auto topic = store_.topics_.find_topic(topic_.name);
      if (!topic) return {};  // deleted, and its records with it
      auto opened = store_.topics_.open(*topic);
      if (!opened) return fail(opened);
      origin_ = std::move(*opened);
    }
    if (from.partition < 0 || from.partition >= origin_->topic().partitions) return {};
    auto batches = origin_->read(PartitionId{from.partition}, Offset{from.offset}, 1);
    if (!batches) {
      bool is_gone = batches.error().code == Errc::offset_out_of_range;
      return is_gone ? Result<void>() : fail(batches);
    }
    if (batches->bytes.empty()) return {};
    auto batch = record::BatchView::parse(batches->bytes);
    if (!batch) return fail(batch);
    if (batch->is_control()) return {};
    record::Scratch scratch;
    record::RecordIterator records(*batch, scratch);
    while (const record::Record* record = records.next()) {
      if (record->offset.value() != from.offset) continue;
      append_returned(to, letter.offset, *record, letter);
      break;
    }
    if (const Error* error = records.error()) return fail(error->code, error->what);
    return {};
  }

  DeadLetterTopics& store_;
  const stream::Topic topic_;
  const std::unique_ptr<stream::TopicReader> letters_;
  std::mutex mutex_;
  std::unique_ptr<stream::TopicReader> origin_;  // guarded by mutex_, also while it reads
};

DeadLetterTopics::DeadLetterTopics(stream::TopicStore& topics, const plan::Plan& plan,
                                   std::string letters)
    : topics_(topics),
      pipeline_(plan.name),
      letters_(std::move(letters)),
      sources_([&] {
        auto names = letter_sources(plan);
        return std::set<std::string>(names.begin(), names.end());
      }()),
      takes_rows_(gives_one_result(plan)) {}

Result<stream::Topic> DeadLetterTopics::find_topic(const std::string& name) {
  if (!sources_.contains(name)) return topics_.find_topic(name);
  auto letters = topics_.find_topic(letters_);
  if (letters) letters->name = name;
  return letters;
}

Result<std::unique_ptr<stream::TopicReader>> DeadLetterTopics::open(const stream::Topic& topic) {
  if (!sources_.contains(topic.name)) return topics_.open(topic);
  stream::Topic letters = topic;
  letters.name = letters_;
  auto opened = topics_.open(letters);
  if (!opened) return opened;
  return std::make_unique<Reader>(*this, topic, std::move(*opened));
}

}  // namespace leat::pipeline
