// Batches that other programs made: see golden/README.md.
#include <fstream>
#include <iterator>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "record/builder.h"
#include "record/record.h"
#include "record/validate.h"
#include "repository.h"

TEST_SUITE_BEGIN("record");

using namespace leat;
using namespace leat::record;

namespace {

Bytes load(const std::string& file) {
  std::ifstream in(repository_path("tests/record/golden/" + file), std::ios::binary);
  REQUIRE_MESSAGE(in.good(), file);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  auto bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

/// The value of record `i`, said once and cut to `size`, if that is more, said again and again.
std::string value_of(int i, std::size_t size = 0) {
  std::string once = fmt::format(
      R"({{"n":{},"city":"Amsterdam","note":"a leat feeds the mill, the mill grinds the corn"}})",
      i);
  std::string value = once;
  while (value.size() < size) value += once;
  if (size > 0) value.resize(size);
  return value;
}

void check_headers(const Record& record, bool expected) {
  CHECK(record.headers.size() == (expected ? 2 : 0));
  if (!expected) return;
  CHECK(as_text(record.headers.find("trace")->value.value()) == "abc");
  REQUIRE(record.headers.find("empty").has_value());
  CHECK_FALSE(record.headers.find("empty")->value.has_value());
}

/// Builds the batch anew, as the client's records in our bytes.
Bytes rebuilt(const BatchView& batch) {
  BatchBuilder builder;
  RecordIterator records(batch);
  while (const Record* record = records.next()) {
    builder.append(static_cast<std::int32_t>((record->offset - batch.base_offset())), *record);
  }
  return builder.build({.leader_epoch = batch.leader_epoch(),
                        .producer_id = batch.producer_id(),
                        .producer_epoch = batch.producer_epoch(),
                        .base_sequence = batch.base_sequence(),
                        .is_transactional = batch.is_transactional()});
}

struct Golden {
  const char* file;
  Compression compression;
};

}  // namespace

TEST_CASE("batches of librdkafka are accepted and read") {
  for (const Golden& golden :
       {Golden{"kcat-none.bin", Compression::none}, Golden{"kcat-gzip.bin", Compression::gzip},
        Golden{"kcat-snappy.bin", Compression::snappy}, Golden{"kcat-lz4.bin", Compression::lz4},
        Golden{"kcat-zstd.bin", Compression::zstd}, Golden{"kcat-idempotent.bin", Compression::lz4},
        Golden{"kcat-transactional.bin", Compression::none}}) {
    CAPTURE(golden.file);
    Bytes bytes = load(golden.file);
    Scratch scratch;
    auto produced = validate_produce(bytes, {}, scratch);
    REQUIRE_MESSAGE(produced.has_value(), produced.error().what);
    CHECK(produced->batch.compression() == golden.compression);
    CHECK(produced->batch.record_count() == 20);
    CHECK_FALSE(produced->header_needs_max_timestamp());
    CHECK(produced->batch.is_transactional() ==
          (golden.file == std::string("kcat-transactional.bin")));
    RecordIterator records(produced->batch);
    for (int i = 0; i < 20; ++i) {
      const Record* record = records.next();
      REQUIRE(record != nullptr);
      CHECK(record->offset == Offset{i});
      CHECK(as_text(record->key.value()) == fmt::format("user-{}", i % 4));
      CHECK(as_text(record->value.value()) == value_of(i));
      check_headers(*record, !produced->batch.has_producer_id());
    }
    CHECK(records.next() == nullptr);
  }
}

TEST_CASE("batches of kafka-python are accepted and read, nulls and headers included") {
  for (const Golden& golden : {Golden{"kafka-python-none.bin", Compression::none},
                               Golden{"kafka-python-gzip.bin", Compression::gzip},
                               Golden{"kafka-python-snappy.bin", Compression::snappy}}) {
    CAPTURE(golden.file);
    Bytes bytes = load(golden.file);
    Scratch scratch;
    auto produced = validate_produce(bytes, {}, scratch);
    REQUIRE_MESSAGE(produced.has_value(), produced.error().what);
    CHECK(produced->batch.compression() == golden.compression);
    CHECK(produced->max_timestamp_ms == 1'700'000'000'190);
    RecordIterator records(produced->batch);
    for (int i = 0; i < 20; ++i) {
      const Record* record = records.next();
      REQUIRE(record != nullptr);
      CHECK(record->timestamp_ms == 1'700'000'000'000 + i * 10);
      CHECK(record->key.has_value() == (i % 5 != 0));
      CHECK(record->value.has_value() == (i % 7 != 0));
      std::size_t size = golden.compression == Compression::snappy ? 2500 : 0;
      if (record->value) CHECK(as_text(*record->value) == value_of(i, size));
      check_headers(*record, i % 3 == 0);
    }
    CHECK(records.next() == nullptr);
  }
}

TEST_CASE("an uncompressed batch built from a client's records is the client's, byte for byte") {
  for (const char* file : {"kcat-none.bin", "kcat-transactional.bin", "kafka-python-none.bin"}) {
    CAPTURE(file);
    Bytes bytes = load(file);
    CHECK(rebuilt(*BatchView::parse(bytes)) == bytes);
  }
}

TEST_SUITE_END();
