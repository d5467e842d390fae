#include "pipeline/broker_epochs.h"

#include <utility>

#include "base/once.h"
#include "broker/epochs.h"
#include "record/batch.h"
#include "record/record.h"

namespace leat::pipeline {

namespace {

/// Committed records of one topic.
class TopicEpochs {
 public:
  TopicEpochs(std::string topic, std::unique_ptr<stream::TopicReader> reader)
      : topic_(std::move(topic)), reader_(std::move(reader)) {}

  const std::string& topic() const { return topic_; }

  Result<Offset> end() {
    auto readable = reader_->readable();
    if (!readable) return fail(readable);
    return readable->at(0).high_watermark;
  }

  Result<std::vector<EpochReader::Entry>> read(Offset from, std::size_t max_bytes) {
    std::vector<EpochReader::Entry> entries;
    auto readable = reader_->readable();
    if (!readable) return fail(readable);
    Offset end = readable->at(0).high_watermark;
    // What was deleted at the start is missing, and who reads finds that.
    from = std::max(from, readable->at(0).start);
    while (from < end && entries.empty()) {
      auto batches = reader_->read(PartitionId{0}, from, max_bytes);
      if (!batches) return fail(batches);
      if (batches->bytes.empty()) break;
      if (auto ok = take(batches->bytes, from, entries); !ok) return fail(ok);
    }
    return entries;
  }

 private:
  // Adds the records from `from` on, and moves it behind them.
  static Result<void> take(BytesView left, Offset& from, std::vector<EpochReader::Entry>& entries) {
    while (!left.empty()) {
      auto batch = record::BatchView::parse(left);
      if (!batch) return fail(batch);
      left = left.subspan(batch->size_bytes());
      if (!batch->is_control()) {
        record::RecordIterator records(*batch);
        while (const record::Record* record = records.next()) {
          if (record->offset < from || !record->value) continue;
          entries.push_back({record->offset, Bytes(record->value->begin(), record->value->end())});
        }
        if (const Error* error = records.error()) return fail(error->code, error->what);
      }
      from = std::max(from, batch->next_offset());
    }
    return {};
  }

  const std::string topic_;
  std::unique_ptr<stream::TopicReader> reader_;
};

class Reader final : public EpochReader {
 public:
  explicit Reader(TopicEpochs epochs) : epochs_(std::move(epochs)) {}
  const std::string& topic() const override { return epochs_.topic(); }
  Result<std::vector<Entry>> read(Offset from, std::size_t max_bytes) override {
    return epochs_.read(from, max_bytes);
  }
  Result<Offset> end() override { return epochs_.end(); }

 private:
  TopicEpochs epochs_;
};

class Log final : public EpochLog {
 public:
  Log(TopicEpochs epochs, std::shared_ptr<broker::EpochWriter> writer)
      : epochs_(std::move(epochs)), writer_(std::move(writer)) {}
  const std::string& topic() const override { return epochs_.topic(); }
  Result<std::vector<Entry>> read(Offset from, std::size_t max_bytes) override {
    return epochs_.read(from, max_bytes);
  }
  Result<Offset> end() override { return epochs_.end(); }
  void commit(Bytes record, std::vector<stream::OutputBatch> output, Done done) override {
    std::vector<broker::EpochWriter::Output> batches;
    batches.reserve(output.size());
    for (auto& [partition, bytes] : output) batches.push_back({partition, std::move(bytes)});
    writer_->commit(std::move(record), std::move(batches), std::move(done));
  }

 private:
  TopicEpochs epochs_;
  std::shared_ptr<broker::EpochWriter> writer_;
};

Result<TopicEpochs> open_topic(stream::BrokerTopics& topics, const std::string& name) {
  auto topic = topics.find_topic(name);
  if (!topic) return fail(topic);
  auto reader = topics.open(*topic);
  if (!reader) return fail(reader);
  return TopicEpochs(name, std::move(*reader));
}

}  // namespace

Result<std::unique_ptr<EpochLog>> BrokerEpochs::open(const std::string& owner) {
  using Writer = std::shared_ptr<broker::EpochWriter>;
  auto writer = topics_.ask<Writer>(
      [&](Once<Writer> opened) { broker_.epochs().open(owner, std::move(opened)); });
  if (!writer) return fail(writer);
  auto epochs = open_topic(topics_, (*writer)->topic());
  if (!epochs) return fail(epochs);
  return std::make_unique<Log>(std::move(*epochs), std::move(*writer));
}

Result<std::unique_ptr<EpochReader>> BrokerEpochs::read(const std::string& owner) {
  auto epochs = open_topic(topics_, broker::epochs_topic(owner));
  if (!epochs) return fail(epochs);
  return std::make_unique<Reader>(std::move(*epochs));
}

}  // namespace leat::pipeline
