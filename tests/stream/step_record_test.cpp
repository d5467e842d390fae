// What a step did, as bytes and back.
#include <algorithm>
#include <cstdint>
#include <limits>

#include <doctest/doctest.h>

#include "base/random.h"
#include "stream/step_record.h"

TEST_SUITE_BEGIN("stream");

using namespace leat;
using namespace leat::stream;

namespace {

Bytes encoded(const StepRecord& step) {
  Bytes bytes;
  ByteWriter writer(bytes);
  step.encode(writer);
  return bytes;
}

std::int64_t any_number(Random& random) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  switch (random.below(4)) {
    case 0: return most;
    case 1: return std::numeric_limits<std::int64_t>::min();
    case 2: return random.between(-1000, 1000);
    default: return random.between(-most, most);
  }
}

/// Some numbers below 2^32, rising.
std::vector<std::uint32_t> some_inputs(Random& random) {
  std::vector<std::uint32_t> inputs;
  for (std::size_t i = random.below(6); i > 0; --i) {
    std::size_t below = random.one_in(2) ? 8 : std::size_t{1} << 32;
    inputs.push_back(static_cast<std::uint32_t>(random.below(below)));
  }
  std::sort(inputs.begin(), inputs.end());
  inputs.erase(std::unique(inputs.begin(), inputs.end()), inputs.end());
  return inputs;
}

StepRecord any_step(Random& random) {
  StepRecord step;
  step.now_ms = any_number(random);
  step.watermark = any_number(random);
  step.flushed = random.one_in(2);
  auto offset = [&] {
    return Offset{any_number(random) & std::numeric_limits<std::int64_t>::max()};
  };
  for (std::uint32_t input : some_inputs(random)) {
    step.consumed.push_back({input, offset(), static_cast<std::uint64_t>(any_number(random))});
  }
  step.idle = some_inputs(random);
  for (std::uint32_t input : some_inputs(random)) {
    step.decisions.push_back({input, offset(), any_number(random)});
  }
  return step;
}

}  // namespace

TEST_CASE("records of steps are read as they were written, one behind the other") {
  Random random(1);
  for (int turn = 0; turn < 2'000; ++turn) {
    StepRecord first = any_step(random), second = any_step(random);
    Bytes bytes = encoded(first);
    ByteWriter writer(bytes);
    second.encode(writer);
    ByteReader reader(bytes);
    auto one = StepRecord::decode(reader);
    REQUIRE(one);
    CHECK(*one == first);
    auto other = StepRecord::decode(reader);
    REQUIRE(other);
    CHECK(*other == second);
    CHECK(reader.remaining() == 0);
  }
}

TEST_CASE("a live step's record takes a few bytes") {
  StepRecord step;
  step.now_ms = 1'700'000'000'000;
  step.watermark = 1'700'000'000'000;
  for (std::uint32_t input = 0; input < 12; ++input) {
    step.consumed.push_back({input, Offset{100'000'000}, 3});
  }
  CHECK(encoded(step).size() <= 90);
}

TEST_CASE("a record of a step that is damaged is refused, or means another step") {
  Random random(2);
  for (int turn = 0; turn < 2'000; ++turn) {
    Bytes bytes = encoded(any_step(random));
    Bytes cut(bytes.begin(),
              bytes.begin() + static_cast<std::ptrdiff_t>(random.below(bytes.size())));
    ByteReader short_of(cut);
    auto none = StepRecord::decode(short_of);
    REQUIRE_FALSE(none);
    CHECK(none.error().code == Errc::corrupt_message);
    for (std::size_t i = 1 + random.below(3); i > 0; --i) {
      bytes[random.below(bytes.size())] = static_cast<std::byte>(random.below(256));
    }
    ByteReader reader(bytes);
    auto step = StepRecord::decode(reader);
    if (!step) continue;
    Bytes again = encoded(*step);
    ByteReader reread(again);
    CHECK(StepRecord::decode(reread) == *step);
  }
}

TEST_CASE("a record of a step has each input once, offsets from 0 on, and no more than its bytes") {
  auto refused = [](std::initializer_list<int> numbers) {
    Bytes bytes;
    for (int number : numbers) bytes.push_back(static_cast<std::byte>(number));
    ByteReader reader(bytes);
    return !StepRecord::decode(reader).has_value();
  };
  CHECK_FALSE(refused({0, 0, 0, 0, 0, 0}));
  CHECK(refused({2, 0, 0, 0, 0, 0}));  // flags
  CHECK_FALSE(refused({0, 0, 0, 2, 3, 1, 1, 1, 1, 1, 0, 0}));
  CHECK(refused({0, 0, 0, 2, 3, 1, 1, 0, 1, 1, 0, 0}));  // an input twice
  CHECK(refused({0, 0, 0, 0, 2, 3, 0, 0}));
  CHECK(refused({0, 0, 0, 0, 0, 2, 3, 1, 1, 0, 2, 1}));
  CHECK(refused({0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f}));  // as many as there are
  CHECK(refused({0, 0, 0, 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1, 0, 0}));
}

TEST_SUITE_END();
