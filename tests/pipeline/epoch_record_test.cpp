// The records of epochs: what is written is read, and nothing else is.
#include <doctest/doctest.h>

#include "base/random.h"
#include "pipeline/epoch_record.h"

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;

namespace {

std::uint64_t number(Random& random) {
  return random.next() >> (1 + random.below(63));
}
Offset offset(Random& random) {
  return Offset{static_cast<std::int64_t>(number(random))};
}
std::string text(Random& random) {
  return std::string(random.below(20), static_cast<char>('a' + random.below(26)));
}
EpochPlace place(Random& random) {
  return {number(random), offset(random)};
}

BeginRecord random_begin(Random& random) {
  BeginRecord begin;
  begin.epoch = number(random);
  begin.begun_ms = static_cast<std::int64_t>(random.next());
  begin.plan_hash = text(random);
  begin.plan = text(random);
  begin.bounded = random.one_in(2);
  begin.flush = random.one_in(2);
  for (auto left = random.below(4); left > 0; --left) {
    BeginRecord::Input input;
    input.source = static_cast<std::uint32_t>(random.below(1'000));
    input.name = text(random);
    input.topic_id = Uuid::random(random);
    input.partition = PartitionId{static_cast<std::int32_t>(random.below(100))};
    input.start = offset(random);
    if (random.one_in(2)) input.silent_to = offset(random);
    if (random.one_in(2)) input.end = offset(random);
    begin.inputs.push_back(input);
  }
  if (random.one_in(2)) begin.repeats = {text(random), place(random), place(random)};
  return begin;
}

EpochRecord random_epoch(Random& random) {
  EpochRecord epoch;
  epoch.epoch = number(random);
  epoch.suffix = text(random);
  epoch.silent = random.one_in(2);
  epoch.files = random.one_in(2);
  epoch.finished = random.one_in(2);
  epoch.counts = {number(random), number(random), number(random), number(random)};
  for (auto left = random.below(4); left > 0; --left) {
    stream::StepRecord step;
    step.now_ms = static_cast<std::int64_t>(random.next());
    step.watermark = static_cast<std::int64_t>(random.next());
    step.consumed = {{1, offset(random), number(random)}, {7, offset(random), number(random)}};
    step.idle = {2, 3};
    step.decisions = {{2, offset(random), 5}};
    epoch.steps.push_back({step, random.next()});
  }
  if (random.one_in(2)) epoch.repeated = place(random);
  return epoch;
}

}  // namespace

TEST_CASE("a record is read as it was written, and none of its beginnings is") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Record record = random.one_in(2) ? Record(random_begin(random)) : random_epoch(random);
    Bytes bytes = encode(record);
    auto read = decode(bytes);
    REQUIRE_MESSAGE(read.has_value(), read.error().what);
    CHECK(*read == record);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      auto part = decode(BytesView(bytes).first(size));
      REQUIRE_FALSE(part.has_value());
      CHECK(part.error().code == Errc::corrupt_message);
    }
    bytes.push_back(std::byte{0});
    CHECK_FALSE(decode(bytes).has_value());
  }
}

TEST_CASE("whatever bytes there are, reading them ends") {
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    Random random(seed);
    Bytes bytes = encode(random.one_in(2) ? Record(random_begin(random)) : random_epoch(random));
    for (int i = 0; i < 3; ++i) {
      bytes[random.below(bytes.size())] = static_cast<std::byte>(random.below(256));
    }
    if (auto read = decode(bytes)) CHECK(decode(encode(*read)).has_value());
  }
}

TEST_CASE("a record of a later version of Leat is no damage") {
  Random random(1);
  for (const auto& record : {Record(random_begin(random)), Record(random_epoch(random))}) {
    Bytes bytes = encode(record);
    bytes[0] = static_cast<std::byte>(static_cast<int>(bytes[0]) + 1);
    auto read = decode(bytes);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code == Errc::unsupported_format);
  }
}

TEST_CASE("a beginning of version 1 is read, which has the hash of its plan alone") {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.write_bytes(as_bytes("\1\1"));  // version and kind
  writer.write_uvarlong(7);
  writer.write<std::uint8_t>(1);  // bounded
  writer.write_varlong(1'000);
  writer.write_uvarlong(3);
  writer.write_bytes(as_bytes("abc"));
  writer.write_uvarlong(0);  // inputs
  BeginRecord begin;
  begin.epoch = 7;
  begin.begun_ms = 1'000;
  begin.plan_hash = "abc";
  begin.bounded = true;
  auto read = decode(bytes);
  REQUIRE_MESSAGE(read.has_value(), read.error().what);
  CHECK(*read == Record(begin));
}

TEST_SUITE_END();
