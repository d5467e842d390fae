#include "record/batch.h"

#include <limits>

#include <doctest/doctest.h>

#include "base/crc32c.h"
#include "base/random.h"
#include "record/builder.h"

TEST_SUITE_BEGIN("record");

using namespace leat;
using namespace leat::record;

namespace {

Bytes sample_batch(int records = 3) {
  BatchBuilder builder;
  for (int i = 0; i < records; ++i) builder.append(1000 + i, as_bytes("key"), as_bytes("value"));
  return builder.build({.base_offset = Offset{40},
                        .leader_epoch = LeaderEpoch{7},
                        .producer_id = ProducerId{9},
                        .producer_epoch = 2,
                        .base_sequence = 11,
                        .is_transactional = true});
}

template <class T>
void patch(Bytes& batch, std::size_t at, T value) {
  store_big_endian(batch.data() + at, value);
}

Errc parse_error(BytesView bytes) {
  auto batch = BatchView::parse(bytes);
  REQUIRE_FALSE(batch.has_value());
  return batch.error().code;
}

}  // namespace

TEST_CASE("a view reads every field of the header, and only the first batch") {
  Bytes bytes = sample_batch();
  std::size_t size = bytes.size();
  Bytes second = sample_batch(1);
  bytes.insert(bytes.end(), second.begin(), second.end());

  auto batch = BatchView::parse(bytes);
  REQUIRE(batch.has_value());
  CHECK(batch->size_bytes() == size);
  CHECK(batch_size(bytes) == size);
  CHECK(batch->base_offset() == Offset{40});
  CHECK(batch->last_offset() == Offset{42});
  CHECK(batch->next_offset() == Offset{43});
  CHECK(batch->record_count() == 3);
  CHECK(batch->leader_epoch() == LeaderEpoch{7});
  CHECK(batch->compression() == Compression::none);
  CHECK(batch->timestamp_type() == TimestampType::create_time);
  CHECK(batch->is_transactional());
  CHECK_FALSE(batch->is_control());
  CHECK_FALSE(batch->has_delete_horizon());
  CHECK(batch->base_timestamp_ms() == 1000);
  CHECK(batch->max_timestamp_ms() == 1002);
  CHECK(batch->has_producer_id());
  CHECK(batch->producer_id() == ProducerId{9});
  CHECK(batch->producer_epoch() == 2);
  CHECK(batch->base_sequence() == 11);
  CHECK(batch->last_sequence() == 13);
  CHECK(batch->payload().size() == size - batch_header_bytes);
  CHECK(batch->crc_matches());
}

TEST_CASE("sequences count on from the largest with 0") {
  BatchBuilder builder;
  for (int i = 0; i < 3; ++i) builder.append(0, {}, {});
  Bytes bytes = builder.build({.producer_id = ProducerId{1},
                               .producer_epoch = 0,
                               .base_sequence = std::numeric_limits<std::int32_t>::max()});
  CHECK(BatchView::parse(bytes)->last_sequence() == 1);
}

TEST_CASE("every truncation of a batch is refused") {
  Bytes bytes = sample_batch();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK(parse_error(BytesView(bytes).first(size)) == Errc::corrupt_message);
    if (size < batch_prefix_bytes) CHECK_FALSE(batch_size(BytesView(bytes).first(size)));
  }
}

TEST_CASE("a header that cannot be is refused") {
  struct Case {
    const char* what;
    std::size_t at;
    std::int64_t value;
    std::size_t width;
    Errc code;
  };
  constexpr std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  for (const Case& c : {
           Case{"an old magic", batch_field::magic, 1, 1, Errc::unsupported},
           Case{"a newer magic", batch_field::magic, 3, 1, Errc::unsupported},
           Case{"a negative length", batch_field::length, -1, 4, Errc::corrupt_message},
           Case{"a length below the header", batch_field::length, 48, 4, Errc::corrupt_message},
           Case{"a length beyond the bytes", batch_field::length, 1 << 30, 4,
                Errc::corrupt_message},
           Case{"a negative base offset", batch_field::base_offset, -1, 8, Errc::corrupt_message},
           Case{"offsets that overflow", batch_field::base_offset, huge, 8, Errc::corrupt_message},
           Case{"a negative last offset delta", batch_field::last_offset_delta, -1, 4,
                Errc::corrupt_message},
           Case{"a negative count", batch_field::record_count, -1, 4, Errc::corrupt_message},
       }) {
    CAPTURE(c.what);
    Bytes bytes = sample_batch();
    if (c.width == 1) patch(bytes, c.at, static_cast<std::int8_t>(c.value));
    if (c.width == 4) patch(bytes, c.at, static_cast<std::int32_t>(c.value));
    if (c.width == 8) patch(bytes, c.at, c.value);
    CHECK(parse_error(bytes) == c.code);
  }
}

TEST_CASE("base offset and leader epoch are set without touching the CRC") {
  Bytes bytes = sample_batch();
  std::uint32_t crc = BatchView::parse(bytes)->crc();
  set_base_offset(bytes, Offset{123456789012});
  set_leader_epoch(bytes, LeaderEpoch{5});
  BatchView batch = *BatchView::parse(bytes);
  CHECK(batch.base_offset() == Offset{123456789012});
  CHECK(batch.leader_epoch() == LeaderEpoch{5});
  CHECK(batch.crc() == crc);
  CHECK(batch.crc_matches());
}

TEST_CASE("LogAppendTime overrides the records' times and keeps the CRC true") {
  Bytes bytes = sample_batch();
  set_append_time(bytes, 5000);
  BatchView batch = *BatchView::parse(bytes);
  CHECK(batch.crc_matches());
  CHECK(batch.timestamp_type() == TimestampType::log_append_time);
  CHECK(batch.max_timestamp_ms() == 5000);
  CHECK(batch.is_transactional());
  RecordIterator records(batch);
  while (const Record* record = records.next()) CHECK(record->timestamp_ms == 5000);
  CHECK(records.error() == nullptr);

  set_max_timestamp(bytes, 6000);
  CHECK(BatchView::parse(bytes)->max_timestamp_ms() == 6000);
  CHECK(BatchView::parse(bytes)->crc_matches());
}

TEST_CASE("a flipped bit behind the CRC is seen by it") {
  Bytes bytes = sample_batch();
  for (std::size_t at = batch_field::crc; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[at] ^= static_cast<std::byte>(1 << bit);
      auto batch = BatchView::parse(bytes);
      CHECK((!batch || !batch->crc_matches()));
      bytes[at] ^= static_cast<std::byte>(1 << bit);
    }
  }
}

TEST_SUITE_END();
