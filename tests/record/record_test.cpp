#include "record/record.h"

#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "record/builder.h"

TEST_SUITE_BEGIN("record");

using namespace leat;
using namespace leat::record;

namespace {

using Text = std::optional<std::string>;

/// A record that owns its bytes.
struct Row {
  std::int64_t timestamp_ms = 0;
  Text key;
  Text value;
  std::vector<std::pair<std::string, Text>> headers;
  bool operator==(const Row&) const = default;
};

std::optional<BytesView> view(const Text& text) {
  if (!text) return {};
  return as_bytes(*text);
}

Text text(const std::optional<BytesView>& bytes) {
  if (!bytes) return {};
  return std::string(as_text(*bytes));
}

void append(BatchBuilder& builder, const Row& row) {
  std::vector<Header> headers;
  for (const auto& [key, value] : row.headers) headers.push_back({key, view(value)});
  builder.append(row.timestamp_ms, view(row.key), view(row.value), headers);
}

Row to_row(const Record& record) {
  Row row{record.timestamp_ms, text(record.key), text(record.value), {}};
  for (const Header& header : record.headers) {
    row.headers.emplace_back(std::string(header.key), text(header.value));
  }
  return row;
}

/// The rows of a batch, or what is wrong with it.
Result<std::vector<Row>> read(BytesView bytes, std::size_t max_bytes = 1 << 20) {
  auto batch = BatchView::parse(bytes);
  if (!batch) return fail(batch);
  std::vector<Row> rows;
  RecordIterator records(*batch, max_bytes);
  while (const Record* record = records.next()) rows.push_back(to_row(*record));
  if (const Error* error = records.error()) return tl::unexpected<Error>(*error);
  return rows;
}

Text random_text(Random& random, std::size_t max) {
  if (random.one_in(5)) return {};
  std::string text(random.below(max), ' ');
  for (char& c : text) c = static_cast<char>("abcdefgh\0\xff"[random.below(10)]);
  return text;
}

Row random_row(Random& random) {
  Row row{
      random.between(-1, 2'000'000'000'000), random_text(random, 40), random_text(random, 300), {}};
  for (auto n = random.one_in(3) ? random.below(4) : 0; n > 0; --n) {
    row.headers.emplace_back(random_text(random, 20).value_or("h"), random_text(random, 20));
  }
  return row;
}

/// A batch of one record whose body, its length included, is `record`.
Bytes batch_of(const Bytes& record, std::int32_t count = 1) {
  BatchBuilder builder;
  builder.append(0, {}, {});
  Bytes bytes = builder.build();
  bytes.resize(batch_header_bytes);
  bytes.insert(bytes.end(), record.begin(), record.end());
  store_big_endian(bytes.data() + batch_field::length,
                   static_cast<std::int32_t>(bytes.size() - batch_prefix_bytes));
  store_big_endian(bytes.data() + batch_field::record_count, count);
  set_crc(bytes);
  return bytes;
}

Bytes hex(std::initializer_list<int> values) {
  Bytes bytes;
  for (int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

}  // namespace

TEST_CASE("random records come back as they were, with every codec") {
  Random random(3);
  for (int round = 0; round < 300; ++round) {
    std::vector<Row> rows;
    BatchBuilder builder;
    for (auto n = 1 + random.below(30); n > 0; --n) {
      rows.push_back(random_row(random));
      append(builder, rows.back());
    }
    auto compression = static_cast<Compression>(round % 5);
    Bytes bytes = builder.build({.compression = compression});
    CAPTURE(name(compression));
    CHECK(BatchView::parse(bytes)->crc_matches());
    auto back = read(bytes);
    REQUIRE(back.has_value());
    CHECK(*back == rows);
  }
}

TEST_CASE("a batch knows its largest timestamp, and deltas may go back in time or overflow") {
  constexpr std::int64_t max = std::numeric_limits<std::int64_t>::max();
  std::vector<Row> rows = {{1000, {}, "a", {}},
                           {500, {}, "b", {}},
                           {2000, {}, "c", {}},
                           {max, {}, "d", {}},
                           {-1, {}, "e", {}}};
  BatchBuilder builder;
  for (const Row& row : rows) append(builder, row);
  CHECK(builder.max_timestamp_ms() == max);
  Bytes bytes = builder.build();
  CHECK(BatchView::parse(bytes)->base_timestamp_ms() == 1000);
  CHECK(BatchView::parse(bytes)->max_timestamp_ms() == max);
  CHECK(*read(bytes) == rows);
}

TEST_CASE("a header is found by its key, the first of them") {
  BatchBuilder builder;
  append(builder, {0, "k", "v", {{"a", "1"}, {"b", {}}, {"a", "2"}}});
  Bytes bytes = builder.build();
  RecordIterator records(*BatchView::parse(bytes));
  const Record* record = records.next();
  REQUIRE(record != nullptr);
  CHECK(record->headers.size() == 3);
  CHECK(text(record->headers.find("a")->value) == "1");
  CHECK_FALSE(record->headers.find("b")->value);
  CHECK_FALSE(record->headers.find("c"));
}

TEST_CASE("a record that breaks the grammar ends the walk with a reason, and for good") {
  struct Case {
    const char* what;
    Bytes record;
    std::int32_t count = 1;
  };
  // Body of a good record: attributes, timestamp delta, offset delta, null key, null value, 0
  // headers.
  const Bytes good = hex({12, 0, 0, 0, 1, 1, 0});
  REQUIRE(read(batch_of(good)).has_value());
  for (const Case& c : {
           Case{"no record", {}},
           Case{"fewer records than declared", good, 2},
           Case{"more records than declared", good, 0},
           Case{"a length beyond the payload", hex({14, 0, 0, 0, 1, 1, 0})},
           Case{"a length short of the fields", hex({10, 0, 0, 0, 1, 1, 0})},
           Case{"a negative length", hex({1, 0, 0, 0, 1, 1, 0})},
           Case{"bytes behind the fields", hex({14, 0, 0, 0, 1, 1, 0, 0})},
           Case{"an endless length", Bytes(20, std::byte{0xff})},
           Case{"an endless timestamp",
                hex({24, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})},
           Case{"an offset outside the batch", hex({12, 0, 0, 2, 1, 1, 0})},
           Case{"a negative offset", hex({12, 0, 0, 1, 1, 1, 0})},
           Case{"a key beyond the record", hex({12, 0, 0, 0, 8, 1, 0})},
           Case{"a key of length -2", hex({12, 0, 0, 0, 3, 1, 0})},
           Case{"a value beyond the record", hex({12, 0, 0, 0, 1, 126, 0})},
           Case{"a negative number of headers", hex({12, 0, 0, 0, 1, 1, 1})},
           Case{"more headers than bytes", hex({12, 0, 0, 0, 1, 1, 126})},
           Case{"two billion headers", hex({20, 0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f})},
           Case{"a header without a key", hex({16, 0, 0, 0, 1, 1, 2, 1, 1})},
           Case{"a header's value beyond the record", hex({16, 0, 0, 0, 1, 1, 2, 0, 4})},
       }) {
    CAPTURE(c.what);
    Bytes bytes = batch_of(c.record, c.count);
    RecordIterator records(*BatchView::parse(bytes));
    while (records.next() != nullptr) {
    }
    REQUIRE(records.error() != nullptr);
    CHECK(records.error()->code == Errc::corrupt_message);
    CHECK(records.next() == nullptr);
  }
}

TEST_CASE("no flip and no truncation of the records makes the walk crash or leave its bytes") {
  Random random(4);
  for (int round = 0; round < 3000; ++round) {
    BatchBuilder builder;
    for (auto n = 1 + random.below(6); n > 0; --n) append(builder, random_row(random));
    Bytes bytes = builder.build({.compression = static_cast<Compression>(round % 5)});
    for (auto n = 1 + random.below(3); n > 0; --n) {
      bytes[random.between(batch_header_bytes, static_cast<std::int64_t>(bytes.size()) - 1)] ^=
          static_cast<std::byte>(1 << random.below(8));
    }
    if (random.one_in(2)) {
      bytes.resize(batch_header_bytes + random.below(bytes.size() - batch_header_bytes));
      store_big_endian(bytes.data() + batch_field::length,
                       static_cast<std::int32_t>(bytes.size() - batch_prefix_bytes));
    }
    CHECK_FALSE(BatchView::parse(bytes)->crc_matches());
    auto rows = read(bytes);
    if (!rows) CHECK_FALSE(rows.error().what.empty());
  }
}

TEST_CASE("a batch that decompresses to more than the limit is refused as too large") {
  for (auto compression :
       {Compression::gzip, Compression::snappy, Compression::lz4, Compression::zstd}) {
    BatchBuilder builder;
    append(builder, {0, {}, std::string(2 << 20, 'x'), {}});
    Bytes bytes = builder.build({.compression = compression});
    CHECK(read(bytes).error().code == Errc::message_too_large);
    CHECK(read(bytes, 3 << 20).has_value());
  }
}

TEST_CASE("a codec that nobody has is named") {
  BatchBuilder builder;
  append(builder, {0, {}, "v", {}});
  Bytes bytes = builder.build();
  store_big_endian(bytes.data() + batch_field::attributes, std::int16_t{5});
  CHECK(read(bytes).error().code == Errc::unsupported_compression);
}

TEST_CASE("the first record at or after a time is found, in the order of the log") {
  BatchBuilder builder;
  for (std::int64_t time : {100, 300, 200, 400}) builder.append(time, {}, as_bytes("v"));
  Bytes bytes = builder.build({.base_offset = Offset{10}});
  BatchView batch = *BatchView::parse(bytes);
  Scratch scratch;
  auto find = [&](std::int64_t time) { return *find_timestamp(batch, time, scratch); };
  CHECK(find(0) == TimedOffset{Offset{10}, 100});
  CHECK(find(100) == TimedOffset{Offset{10}, 100});
  CHECK(find(150) == TimedOffset{Offset{11}, 300});
  CHECK(find(301) == TimedOffset{Offset{13}, 400});
  CHECK_FALSE(find(401).has_value());
}

TEST_SUITE_END();
