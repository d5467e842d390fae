#include "record/builder.h"

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("record");

using namespace leat;
using namespace leat::record;

TEST_CASE("a builder foretells its size and is empty after building") {
  BatchBuilder builder;
  CHECK(builder.empty());
  CHECK(builder.size_bytes() == batch_header_bytes);
  for (int round = 0; round < 3; ++round) {
    std::vector<Header> headers = {{"h", as_bytes("1")}, {"i", {}}};
    std::size_t most = builder.size_bytes() +
                       BatchBuilder::record_bytes_max(as_bytes("key"), as_bytes("value"), headers);
    builder.append(1'700'000'000'000, as_bytes("key"), as_bytes("value"), headers);
    CHECK(builder.size_bytes() <= most);
    CHECK(builder.record_count() == 1);
    std::size_t size = builder.size_bytes();
    CHECK(builder.build().size() == size);
    CHECK(builder.empty());
    CHECK(builder.size_bytes() == batch_header_bytes);
    CHECK(builder.max_timestamp_ms() == no_timestamp_ms);
  }
}

TEST_CASE("a sealed batch is what would be built, in the memory in which it was collected") {
  for (Compression codec : {Compression::none, Compression::lz4}) {
    auto memory = std::make_shared<RecycledMemory>(1 << 20);
    BatchBuilder builder({memory, 200'000, 300'000});
    BatchBuilder plain;
    std::string value(100, 'v');
    for (int round = 0; round < 2; ++round) {
      int count = round == 0 ? 2500 : 10;
      for (BatchBuilder* one : {&builder, &plain})
        for (int i = 0; i < count; ++i) one->append(i, {}, as_bytes(value));
      BatchOptions options;
      options.compression = codec;
      SharedBytes sealed = builder.seal(options);
      Bytes built = plain.build(options);
      CHECK(Bytes(sealed.view().begin(), sealed.view().end()) == built);
      CHECK(builder.empty());
      CHECK(builder.size_bytes() == batch_header_bytes);
    }
    builder = BatchBuilder();
    CHECK(memory->kept_bytes() > 0);
  }
  BatchBuilder empty;
  CHECK(BatchView::parse(empty.seal().view())->record_count() == 0);
}

TEST_CASE("a builder can be moved, and the one moved from can be used again after clear()") {
  BatchBuilder first;
  first.append(7, {}, as_bytes("a"));
  BatchBuilder second = std::move(first);
  first.clear();
  first.append(8, {}, as_bytes("b"));
  for (auto [builder, time] : {std::pair{&first, 8}, std::pair{&second, 7}}) {
    Bytes bytes = builder->build();
    RecordIterator records(*BatchView::parse(bytes));
    const Record* record = records.next();
    REQUIRE(record != nullptr);
    CHECK(record->timestamp_ms == time);
  }
}

TEST_CASE("what compression would not make smaller stays uncompressed") {
  BatchBuilder builder;
  builder.append(0, {}, as_bytes("q"));
  Bytes bytes = builder.build({.compression = Compression::gzip});
  CHECK(BatchView::parse(bytes)->compression() == Compression::none);
  builder.append(0, {}, as_bytes(std::string(500, 'q')));
  bytes = builder.build({.compression = Compression::gzip});
  CHECK(BatchView::parse(bytes)->compression() == Compression::gzip);
}

TEST_CASE("compaction keeps offsets, times, headers and the range of a batch") {
  BatchBuilder builder;
  std::vector<Header> headers = {{"h", as_bytes("1")}};
  for (int i = 0; i < 5; ++i) builder.append(100 + i, as_bytes("k"), as_bytes("v"), headers);
  Bytes whole = builder.build({.base_offset = Offset{20},
                               .producer_id = ProducerId{3},
                               .producer_epoch = 1,
                               .base_sequence = 7});
  BatchView old = *BatchView::parse(whole);

  BatchBuilder kept(90);
  RecordIterator records(old);
  while (const Record* record = records.next()) {
    auto delta = static_cast<std::int32_t>(record->offset - old.base_offset());
    if (delta % 2 == 1) kept.append(delta, *record);
  }
  Bytes compacted = kept.build({.base_offset = old.base_offset(),
                                .producer_id = old.producer_id(),
                                .producer_epoch = old.producer_epoch(),
                                .base_sequence = old.base_sequence(),
                                .has_delete_horizon = true,
                                .last_offset_delta = old.last_offset_delta()});
  BatchView batch = *BatchView::parse(compacted);
  CHECK(batch.crc_matches());
  CHECK(batch.record_count() == 2);
  CHECK(batch.next_offset() == old.next_offset());
  CHECK(batch.last_sequence() == old.last_sequence());
  CHECK(batch.has_delete_horizon());
  CHECK(batch.base_timestamp_ms() == 90);
  CHECK(batch.max_timestamp_ms() == 103);
  RecordIterator left(batch);
  for (int delta : {1, 3}) {
    const Record* record = left.next();
    REQUIRE(record != nullptr);
    CHECK(record->offset == Offset{20 + delta});
    CHECK(record->timestamp_ms == 100 + delta);
    CHECK(record->headers.find("h").has_value());
  }
  CHECK(left.next() == nullptr);
  CHECK(left.error() == nullptr);
}

TEST_CASE("an empty batch keeps the place of records that compaction took") {
  BatchBuilder builder;
  Bytes bytes = builder.build({.base_offset = Offset{5}, .last_offset_delta = 4});
  BatchView batch = *BatchView::parse(bytes);
  CHECK(batch.record_count() == 0);
  CHECK(batch.next_offset() == Offset{10});
  RecordIterator records(batch);
  CHECK(records.next() == nullptr);
  CHECK(records.error() == nullptr);
}

TEST_SUITE_END();
