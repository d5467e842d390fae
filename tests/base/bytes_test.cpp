#include "base/bytes.h"

#include <limits>

#include <doctest/doctest.h>

#include "base/random.h"

TEST_SUITE_BEGIN("base");

using namespace leat;

TEST_CASE("varints of every length come back as written, and their size is foretold") {
  Random random(1);
  for (int i = 0; i < 20'000; ++i) {
    auto value = static_cast<std::int64_t>(random.next() >> random.below(64));
    if (random.one_in(2)) value = -value;
    Bytes out;
    ByteWriter(out).write_varlong(value);
    CHECK(out.size() == varlong_size(value));
    ByteReader reader(out);
    CHECK(reader.read_varlong() == value);
    CHECK(reader.ok());
    CHECK(reader.remaining() == 0);
  }
  for (std::int32_t value : {0, -1, std::numeric_limits<std::int32_t>::max(),
                             std::numeric_limits<std::int32_t>::min()}) {
    Bytes out;
    ByteWriter(out).write_varint(value);
    CHECK(ByteReader(out).read_varint() == value);
  }
}

TEST_CASE("a varint that never ends is refused after five or ten bytes") {
  Bytes endless(20, std::byte{0xff});
  ByteReader reader(endless);
  reader.read_uvarint();
  CHECK_FALSE(reader.ok());
  CHECK(reader.position() <= 5);
  ByteReader longer(endless);
  longer.read_uvarlong();
  CHECK_FALSE(longer.ok());
  CHECK(longer.position() <= 10);
}

TEST_CASE("a reader that ran past its end stays failed and gives zeroes") {
  Bytes three(3, std::byte{1});
  ByteReader reader(three);
  CHECK(reader.read<std::int32_t>() == 0);
  CHECK_FALSE(reader.ok());
  CHECK(reader.read<std::int8_t>() == 0);
  CHECK(reader.remaining() == 0);
}

TEST_CASE("numbers are big-endian") {
  Bytes out;
  ByteWriter writer(out);
  writer.write<std::int32_t>(0x01020304);
  CHECK(out == Bytes{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}});
}

TEST_SUITE_END();
