#include "base/crc32c.h"

#include <doctest/doctest.h>

#include "base/random.h"

TEST_SUITE_BEGIN("base");

using namespace leat;

namespace {

/// One bit at a time, straight from the definition.
std::uint32_t naive_crc32c(BytesView bytes) {
  std::uint32_t crc = ~0U;
  for (std::byte byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x82f63b78U : 0U);
  }
  return ~crc;
}

}  // namespace

TEST_CASE("crc32c of the check string is the published value") {
  CHECK(crc32c(as_bytes("123456789")) == 0xe3069283);
}

TEST_CASE("crc32c agrees with the definition at every length and alignment") {
  Random random(7);
  Bytes data(9000);
  for (auto& byte : data) byte = static_cast<std::byte>(random.next());
  for (std::size_t size : {0, 1, 7, 8, 9, 63, 1023, 3071, 3072, 3073, 3080, 6144, 8990}) {
    for (std::size_t start : {0, 1, 5}) {
      BytesView part = BytesView(data).subspan(start, size);
      CHECK(crc32c(part) == naive_crc32c(part));
    }
  }
}

TEST_CASE("crc32c of two parts in a row is that of the whole") {
  Bytes data(5000, std::byte{0x5a});
  BytesView whole(data);
  CHECK(crc32c(whole.subspan(1234), crc32c(whole.first(1234))) == crc32c(whole));
}

TEST_SUITE_END();
