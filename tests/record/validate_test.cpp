#include "record/validate.h"

#include <functional>
#include <string>

#include <doctest/doctest.h>

#include "base/random.h"
#include "record/builder.h"

TEST_SUITE_BEGIN("record");

using namespace leat;
using namespace leat::record;

namespace {

Bytes batch_of(std::initializer_list<std::int64_t> times, BatchOptions options = {}) {
  BatchBuilder builder;
  std::string value(100, 'v');
  for (std::int64_t time : times) builder.append(time, as_bytes("key"), as_bytes(value));
  return builder.build(options);
}

Result<ProducedBatch> validate(BytesView bytes, const ProduceRules& rules = {}) {
  static Scratch scratch;
  return validate_produce(bytes, rules, scratch);
}

void check_refused(const char* what, BytesView bytes, Errc code, const ProduceRules& rules = {}) {
  CAPTURE(what);
  auto produced = validate(bytes, rules);
  REQUIRE_FALSE(produced.has_value());
  CHECK(name(produced.error().code) == name(code));
  CHECK_FALSE(produced.error().what.empty());
}

/// Changes one field of a good batch and makes the CRC right again.
template <class T>
Bytes with(std::size_t at, T value, BatchOptions options = {}) {
  Bytes bytes = batch_of({1, 2, 3}, options);
  store_big_endian(bytes.data() + at, value);
  set_crc(bytes);
  return bytes;
}

}  // namespace

TEST_CASE("a good batch of every codec is accepted, with what the log wants to know") {
  for (int codec = 0; codec < 5; ++codec) {
    Bytes bytes = batch_of({10, 30, 20}, {.compression = static_cast<Compression>(codec)});
    auto produced = validate(bytes);
    REQUIRE(produced.has_value());
    CHECK(static_cast<int>(produced->batch.compression()) == codec);
    CHECK(produced->batch.record_count() == 3);
    CHECK(produced->max_timestamp_ms == 30);
    CHECK(produced->records_bytes == batch_of({10, 30, 20}).size() - batch_header_bytes);
    CHECK_FALSE(produced->header_needs_max_timestamp());
  }
}

TEST_CASE("no batch, two batches and trailing bytes are refused (fault 20)") {
  Bytes one = batch_of({1});
  Bytes two = one;
  two.insert(two.end(), one.begin(), one.end());
  Bytes more = one;
  more.push_back(std::byte{0});
  check_refused("nothing", {}, Errc::invalid_record);
  check_refused("two", two, Errc::invalid_record);
  check_refused("a byte behind", more, Errc::invalid_record);
  for (std::size_t size = 1; size < one.size(); ++size) {
    check_refused("truncated", BytesView(one).first(size), Errc::corrupt_message);
  }
}

TEST_CASE("a header that no producer may send is refused by its own error (faults 20, 21)") {
  namespace field = batch_field;
  auto attributes = [](int bits) {
    return with(field::attributes, static_cast<std::int16_t>(bits));
  };
  check_refused("magic 1", with(field::magic, std::int8_t{1}), Errc::invalid_record);
  check_refused("base offset", with(field::base_offset, std::int64_t{5}), Errc::invalid_record);
  CHECK(validate(with(field::base_offset, std::int64_t{5})).error().what == "base offset 5, not 0");
  check_refused("base offset -1", with(field::base_offset, std::int64_t{-1}), Errc::invalid_record);
  check_refused("few records", with(field::record_count, 2), Errc::invalid_record);
  check_refused("many records", with(field::record_count, 4), Errc::invalid_record);
  check_refused("no records", with(field::record_count, 0), Errc::invalid_record);
  check_refused("last delta", with(field::last_offset_delta, 3), Errc::invalid_record);
  check_refused("negative last delta", with(field::last_offset_delta, -1), Errc::invalid_record);
  check_refused("control", attributes(batch_attribute::control), Errc::invalid_record);
  check_refused("delete horizon", attributes(batch_attribute::delete_horizon),
                Errc::invalid_record);
  check_refused("append time", attributes(batch_attribute::log_append_time),
                Errc::invalid_timestamp);
  check_refused("transaction of nobody", attributes(batch_attribute::transactional),
                Errc::invalid_record);
  check_refused("codec 5", attributes(5), Errc::unsupported_compression);
  check_refused("no sequence", batch_of({1}, {.producer_id = ProducerId{1}, .producer_epoch = 0}),
                Errc::invalid_record);
  check_refused("no epoch", batch_of({1}, {.producer_id = ProducerId{1}, .base_sequence = 0}),
                Errc::invalid_record);
}

TEST_CASE("a flipped bit anywhere is refused, and under the CRC as damage") {
  Bytes bytes = batch_of({1, 2, 3});
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (at >= batch_field::leader_epoch && at < batch_field::magic) continue;  // the broker's own
    for (int bit = 0; bit < 8; ++bit) {
      bytes[at] ^= static_cast<std::byte>(1 << bit);
      auto produced = validate(bytes);
      REQUIRE_FALSE(produced.has_value());
      if (at >= batch_field::crc) CHECK(produced.error().code == Errc::corrupt_message);
      bytes[at] ^= static_cast<std::byte>(1 << bit);
    }
  }
}

TEST_CASE("records that do not parse are the producer's fault, compressed or not (fault 18)") {
  Bytes plain = batch_of({1, 2, 3});
  plain[batch_header_bytes] = std::byte{0x7e};
  set_crc(plain);
  check_refused("a record's length", plain, Errc::invalid_record);

  for (int codec = 1; codec < 5; ++codec) {
    Bytes bytes = batch_of({1, 2, 3}, {.compression = static_cast<Compression>(codec)});
    Bytes broken = bytes;
    for (std::size_t at = batch_header_bytes + 8; at < broken.size(); ++at) broken[at] = {};
    set_crc(broken);
    check_refused("the compressed bytes", broken, Errc::invalid_record);
    // The same records under another count.
    store_big_endian(bytes.data() + batch_field::record_count, 2);
    store_big_endian(bytes.data() + batch_field::last_offset_delta, 1);
    set_crc(bytes);
    check_refused("the count", bytes, Errc::invalid_record);
  }
}

TEST_CASE("offset deltas that do not count up are refused") {
  Bytes bytes = batch_of({1, 2, 3});
  RecordIterator records(*BatchView::parse(bytes));
  std::size_t second = batch_header_bytes + records.next()->encoded_bytes;
  // Two bytes of length, attributes and timestamp delta stand before it.
  std::byte& offset_delta = bytes[second + 4];
  REQUIRE(offset_delta == std::byte{2});
  offset_delta = std::byte{4};
  set_crc(bytes);
  check_refused("a gap", bytes, Errc::invalid_record);
}

TEST_CASE("too many bytes are refused, as sent or decompressed (faults 21, 22)") {
  Bytes bytes = batch_of({1, 2, 3});
  CHECK(validate(bytes, {.max_message_bytes = bytes.size()}).has_value());
  check_refused("sent", bytes, Errc::message_too_large, {.max_message_bytes = bytes.size() - 1});
  BatchBuilder builder;
  builder.append(0, {}, as_bytes(std::string(10'000, 'x')));
  check_refused("decompressed", builder.build({.compression = Compression::zstd}),
                Errc::message_too_large, {.max_decompressed_bytes = 9'000});
}

TEST_CASE("zstd is for those who know it") {
  Bytes bytes = batch_of({1, 2, 3}, {.compression = Compression::zstd});
  CHECK(validate(bytes, {.produce_version = 7}).has_value());
  check_refused("version 6", bytes, Errc::unsupported_compression, {.produce_version = 6});
}

TEST_CASE("a compacted topic wants keys (fault 23)") {
  BatchBuilder builder;
  builder.append(0, as_bytes(""), as_bytes("v"));
  CHECK(validate(builder.build(), {.requires_keys = true}).has_value());
  builder.append(0, as_bytes("k"), as_bytes("v"));
  builder.append(0, {}, as_bytes("v"));
  check_refused("no key", builder.build(), Errc::invalid_record, {.requires_keys = true});
}

TEST_CASE("timestamps are bounded, unless the broker's clock replaces them (fault 23)") {
  ProduceRules rules{.earliest_timestamp_ms = 100, .latest_timestamp_ms = 200};
  CHECK(validate(batch_of({100, 200, -1}), rules).has_value());
  check_refused("early", batch_of({150, 99}), Errc::invalid_timestamp, rules);
  check_refused("late", batch_of({150, 201}), Errc::invalid_timestamp, rules);
  check_refused("below -1", batch_of({-2}), Errc::invalid_timestamp);
  rules.timestamp_type = TimestampType::log_append_time;
  CHECK(validate(batch_of({-50, 99, 201}), rules).has_value());
}

TEST_CASE("a header without the largest timestamp is accepted and said to need it") {
  Bytes bytes = with(batch_field::max_timestamp, std::int64_t{-1});
  auto produced = validate(bytes);
  REQUIRE(produced.has_value());
  CHECK(produced->header_needs_max_timestamp());
  set_max_timestamp(bytes, produced->max_timestamp_ms);
  CHECK(validate(bytes).has_value());
  CHECK_FALSE(validate(bytes)->header_needs_max_timestamp());
}

TEST_CASE("every record to blame is named, the first hundred of them (KIP-467)") {
  BatchBuilder builder;
  for (int i = 0; i < 300; ++i) {
    builder.append(1000, i % 2 == 0 ? std::optional<BytesView>() : as_bytes("key"), as_bytes("v"));
  }
  Bytes bytes = builder.build();
  Scratch scratch;
  std::vector<RecordError> rejected;
  auto produced = validate_produce(bytes, {.requires_keys = true}, scratch, &rejected);
  REQUIRE_FALSE(produced.has_value());
  CHECK(produced.error().code == Errc::invalid_record);
  CHECK(produced.error().what.find("149 more records") != std::string::npos);
  REQUIRE(rejected.size() == record_errors_max);
  CHECK(rejected[3].index == 6);
  CHECK_FALSE(rejected[3].what.empty());
}

TEST_CASE("of several kinds of bad records the wrong timestamp gives the error") {
  BatchBuilder builder;
  builder.append(10, std::nullopt, as_bytes("v"));
  builder.append(99, as_bytes("key"), as_bytes("v"));
  builder.append(10, as_bytes("key"), as_bytes("v"));
  Bytes bytes = builder.build();
  Scratch scratch;
  std::vector<RecordError> rejected;
  ProduceRules rules{.requires_keys = true, .latest_timestamp_ms = 50};
  auto produced = validate_produce(bytes, rules, scratch, &rejected);
  REQUIRE_FALSE(produced.has_value());
  CHECK(produced.error().code == Errc::invalid_timestamp);
  REQUIRE(rejected.size() == 2);
  CHECK(rejected[0].index == 0);
  CHECK(rejected[1].index == 1);
}

TEST_SUITE_END();
