// A simulated machine with one data directory: the language of the log's tests.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/metrics.h"
#include "base/sim_executor.h"
#include "file/fake_file_system.h"
#include "log/store.h"
#include "record/builder.h"
#include "record/record.h"
#include "shards.h"

namespace leat::log::testing {

inline TopicPartition partition(int topic, int number = 0) {
  TopicPartition id;
  id.topic_id.bytes[0] = 0xaa;
  id.topic_id.bytes[15] = static_cast<std::uint8_t>(topic);
  id.partition = PartitionId{number};
  return id;
}

/// One record a text, `timestamp_ms` apart by one.
inline Batch make_batch(const std::vector<std::string>& texts, std::int64_t timestamp_ms = 1000) {
  record::BatchBuilder builder;
  for (const std::string& text : texts) builder.append(timestamp_ms++, {}, as_bytes(text));
  auto owner = std::make_shared<Bytes>(builder.build());
  Batch batch;
  batch.bytes = MutableBytes(*owner);
  batch.record_count = static_cast<std::int32_t>(texts.size());
  batch.max_timestamp_ms = timestamp_ms - 1;
  batch.owner = std::move(owner);
  return batch;
}

class Machine {
 public:
  explicit Machine(std::uint64_t seed = 1) : shards(executor, seed), files(executor, seed) {
    options.directory = "/data";
    options.owner = "test";
    options.journal_bytes = std::uint64_t{1} << 20;
    options.free_bytes_min = 0;
    options.scrub_bytes_per_second = 0;  // its timers never end
    log_options.retention_ms = -1;
  }

  SimExecutor executor;
  leat::testing::SimShards shards;
  file::FakeFileSystem files;
  Metrics metrics;
  StoreOptions options;
  LogOptions log_options;
  std::unique_ptr<Store> store;

  Result<void> try_open() {
    store.reset();
    Result<std::unique_ptr<Store>> opened =
        Store::open({files, executor, executor, metrics, shards.executors()}, options);
    if (!opened) return fail(opened);
    store = std::move(*opened);
    return {};
  }
  Machine& open() {
    Result<void> opened = try_open();
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().what));
    return *this;
  }
  /// The process dies; what was written stays in the page cache.
  Machine& kill() {
    files.kill();
    executor.drop_all();
    store.reset();
    return *this;
  }
  Machine& power_loss() {
    files.power_loss();
    executor.drop_all();
    store.reset();
    return *this;
  }
  Machine& crash(bool loses_power) { return loses_power ? power_loss() : kill(); }
  Machine& close() {
    std::optional<Result<void>> closed;
    store->close([&](Result<void> result) { closed = std::move(result); });
    executor.run_until_idle();
    REQUIRE(closed.has_value());
    REQUIRE_MESSAGE(closed->has_value(), (*closed ? "" : closed->error().what));
    store.reset();
    return *this;
  }

  Log& log(const TopicPartition& id = partition(1)) {
    Result<std::shared_ptr<Log>> log = store->log(id, log_options);
    REQUIRE(log.has_value());
    // The store leaves that to the log's shard, whose turn comes later.
    (*log)->set_options(log_options);
    return **log;
  }

  /// Queues an append; the answer can be asked for later.
  using Answer = std::shared_ptr<std::optional<Result<Offset>>>;
  Answer start_append(const std::vector<std::string>& texts,
                      const TopicPartition& id = partition(1), std::int64_t timestamp_ms = 1000) {
    auto answer = std::make_shared<std::optional<Result<Offset>>>();
    Result<Offset> queued =
        log(id).append(make_batch(texts, timestamp_ms),
                       [answer](Result<Offset> result) { *answer = std::move(result); });
    if (!queued) *answer = std::move(queued);
    return answer;
  }
  /// Appends one batch and waits until it is answered.
  Result<Offset> append(const std::vector<std::string>& texts,
                        const TopicPartition& id = partition(1), std::int64_t timestamp_ms = 1000) {
    Answer answer = start_append(texts, id, timestamp_ms);
    while (!answer->has_value() && executor.run_one()) {
    }
    if (!answer->has_value()) return fail(Errc::cancelled, "never answered");
    return **answer;
  }

  /// The texts of all records from `from` on that can be read, separated by spaces; what cannot be
  /// read shows as `!code`.
  std::string read(const TopicPartition& id = partition(1), std::optional<Offset> from = {},
                   std::uint64_t max_bytes = 1 << 20) {
    std::shared_ptr<const LogView> view = log(id).view();
    Offset at = from.value_or(view->start_offset);
    std::string texts;
    last_failed_ = Offset{-1};
    while (true) {
      Result<Slice> slice = view->read(at, max_bytes);
      if (!slice) {
        std::string refusal = "!" + std::string(name(slice.error().code)) + " ";
        if (!texts.ends_with(refusal)) texts += refusal;
        bool skipped = false;
        for (const OffsetRange& range : view->damaged) {
          if (skipped || at < range.base || at >= range.next) continue;
          at = range.next;
          skipped = true;
        }
        executor.run_until_idle();
        view = log(id).view();
        if (slice.error().code != Errc::corrupt_message || stuck(at)) break;
        continue;
      }
      if (slice->bytes == 0) break;
      add_records(*slice, std::max(at, view->start_offset), texts);
      REQUIRE(slice->next_offset > at);
      at = slice->next_offset;
    }
    if (!texts.empty()) texts.pop_back();
    return texts;
  }

  std::string segment_path(std::int64_t base, const TopicPartition& id = partition(1)) const {
    std::string digits = std::to_string(base);
    return options.directory + "/partitions/" + id.topic_id.to_hex() + "/" +
           std::to_string(id.partition.value()) + "/" + std::string(20 - digits.size(), '0') +
           digits + ".log";
  }

 private:
  /// Two failed reads in a row at one offset end a read.
  bool stuck(Offset at) { return std::exchange(last_failed_, at) == at; }

  static void add_records(const Slice& slice, Offset from, std::string& texts) {
    Bytes bytes(slice.bytes);
    Result<std::size_t> got = slice.file->read_at(slice.position, bytes);
    REQUIRE(got.has_value());
    REQUIRE(*got == slice.bytes);
    BytesView rest(bytes);
    Offset expected = slice.base_offset;
    while (!rest.empty()) {
      Result<record::BatchView> batch = record::BatchView::parse(rest);
      REQUIRE(batch.has_value());
      REQUIRE(batch->crc_matches());
      REQUIRE(batch->base_offset() == expected);
      record::RecordIterator records(*batch);
      while (const record::Record* record = records.next()) {
        if (record->offset < from) continue;
        texts += std::string(as_text(*record->value)) + " ";
      }
      expected = batch->next_offset();
      rest = rest.subspan(batch->size_bytes());
    }
    REQUIRE(expected == slice.next_offset);
  }

  Offset last_failed_{-1};
};

}  // namespace leat::log::testing
