#include <doctest/doctest.h>

#include "record/partitioner.h"

TEST_SUITE_BEGIN("record");

using namespace leat;
using namespace leat::record;

TEST_CASE("keys hash as Kafka's Java client hashes them") {
  // From the client's own test of its hash.
  CHECK(static_cast<std::int32_t>(murmur2(as_bytes("21"))) == -973932308);
  CHECK(static_cast<std::int32_t>(murmur2(as_bytes("foobar"))) == -790332482);
  CHECK(static_cast<std::int32_t>(murmur2(as_bytes("a-little-bit-long-string"))) == -985981536);
  CHECK(static_cast<std::int32_t>(murmur2(as_bytes("a-little-bit-longer-string"))) == -1486304829);
  CHECK(static_cast<std::int32_t>(
            murmur2(as_bytes("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"))) == -58897971);
  CHECK(static_cast<std::int32_t>(murmur2(as_bytes("abc"))) == 479470107);
  CHECK(partition_of_key(as_bytes("foobar"), 4) == PartitionId{(-790332482 & 0x7fffffff) % 4});
}

TEST_SUITE_END();
