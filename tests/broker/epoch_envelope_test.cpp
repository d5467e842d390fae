#include "broker/epoch_envelope.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "record/batch.h"
#include "record/record.h"

TEST_SUITE_BEGIN("broker");

using namespace leat;
using namespace leat::broker;

namespace {

std::vector<EpochPlace> random_places(Random& random, std::int32_t number) {
  std::vector<EpochPlace> places;
  for (std::uint64_t t = random.below(4); t > 0; --t) {
    Uuid topic = Uuid::random(random);
    for (std::uint64_t p = random.below(5); p > 0; --p) {
      EpochPlace place;
      place.partition = {topic, PartitionId{static_cast<std::int32_t>(random.below(1000) + p)}};
      auto before = static_cast<std::int32_t>(random.below(3));
      place.number = (number - before + epoch_numbers) % epoch_numbers;
      place.last_sequence = static_cast<std::int32_t>(random.below(std::uint64_t{1} << 31));
      place.next_offset = Offset{static_cast<std::int64_t>(random.next() >> 1U)};
      places.push_back(place);
    }
  }
  auto order = [](const EpochPlace& a, const EpochPlace& b) { return a.partition < b.partition; };
  std::stable_sort(places.begin(), places.end(), order);
  return places;
}

std::vector<EpochPlace> sorted(std::vector<EpochPlace> places) {
  auto order = [](const EpochPlace& a, const EpochPlace& b) { return a.partition < b.partition; };
  std::stable_sort(places.begin(), places.end(), order);
  return places;
}

}  // namespace

TEST_CASE("what an epoch's record says of its places is read as it was written") {
  Random random(1);
  for (int i = 0; i < 1000; ++i) {
    EpochEnvelope envelope;
    bool is_first = random.below(4) == 0;
    envelope.number = is_first ? 0 : static_cast<std::int32_t>(random.below(epoch_numbers));
    envelope.places = random_places(random, envelope.number);
    envelope.ended = random_places(random, envelope.number);
    Bytes bytes = encode(envelope);
    auto read = decode_epoch_envelope(bytes);
    REQUIRE_MESSAGE(read, read.error().what);
    CHECK(read->number == envelope.number);
    CHECK(sorted(read->places) == envelope.places);
    CHECK(sorted(read->ended) == envelope.ended);
    // Cut short it is none, wherever that is.
    bytes.resize(random.below(bytes.size()));
    CHECK_FALSE(decode_epoch_envelope(bytes));
  }
}

TEST_CASE("an envelope of a later version is told from one that is damaged") {
  Bytes bytes = encode(EpochEnvelope{});
  bytes[0] = std::byte{2};
  CHECK(decode_epoch_envelope(bytes).error().code == Errc::unsupported_format);
  bytes[0] = std::byte{1};
  bytes[1] = std::byte{0xff};
  CHECK(decode_epoch_envelope(bytes).error().code == Errc::corrupt_message);
}

TEST_CASE("markers of an epoch differ by what it came to, and from those of the next") {
  for (std::int32_t number : {0, 1, epoch_numbers - 1}) {
    std::int32_t next = (number + 1) % epoch_numbers;
    CHECK(epoch_marker(number, true).is_commit);
    CHECK_FALSE(epoch_marker(number, false).is_commit);
    CHECK(epoch_marker(number, true).coordinator_epoch >= 0);
    CHECK(epoch_marker(number, false).coordinator_epoch >= 0);
    CHECK(epoch_marker(number, true).coordinator_epoch !=
          epoch_marker(number, false).coordinator_epoch);
    CHECK(epoch_marker(number, true).coordinator_epoch !=
          epoch_marker(next, true).coordinator_epoch);
  }
}

TEST_CASE("an epoch's record is a batch of its producer's transaction, with the value as it was") {
  std::string text = "what the pipeline says";
  EpochRecord record{ProducerId{7}, 3, 1'700'000'000'000};
  Bytes bytes = build_epoch_record(record, as_bytes(text), EpochEnvelope{});
  auto batch = record::BatchView::parse(bytes);
  REQUIRE(batch);
  CHECK(batch->is_transactional());
  CHECK(batch->producer_id() == ProducerId{7});
  CHECK(batch->producer_epoch() == epoch_producer_epoch);
  CHECK(batch->base_sequence() == 3);
  record::RecordIterator records(*batch);
  const record::Record* first = records.next();
  REQUIRE(first != nullptr);
  CHECK_FALSE(first->key);
  CHECK(as_text(*first->value) == text);
  CHECK(first->headers.size() == 1);
}

TEST_SUITE_END();
