#include "record/compression.h"

#include <string>

#include <doctest/doctest.h>
#include <snappy.h>

#include "base/random.h"

TEST_SUITE_BEGIN("record");

using namespace leat;
using namespace leat::record;

namespace {

constexpr Compression codecs[] = {Compression::gzip, Compression::snappy, Compression::lz4,
                                  Compression::zstd};

/// Text that compresses as logs do: words of a small vocabulary.
Bytes sample(std::uint64_t seed, std::size_t size) {
  Random random(seed);
  std::string text;
  while (text.size() < size) text += "word" + std::to_string(random.below(50)) + ' ';
  text.resize(size);
  auto bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

Bytes noise(std::uint64_t seed, std::size_t size) {
  Random random(seed);
  Bytes bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::byte>(random.next());
  return bytes;
}

Bytes compressed(Compression codec, BytesView input, std::optional<int> level = {}) {
  Scratch scratch;
  BytesView bytes = compress(codec, input, scratch, level);
  return {bytes.begin(), bytes.end()};
}

Bytes joined(const Bytes& a, const Bytes& b) {
  Bytes both = a;
  both.insert(both.end(), b.begin(), b.end());
  return both;
}

/// What comes out, or what is wrong.
Result<Bytes> decompressed(Compression codec, BytesView input, std::size_t max_bytes = 8 << 20) {
  Scratch scratch;
  auto bytes = decompress(codec, input, scratch, max_bytes);
  if (!bytes) return fail(bytes);
  return Bytes(bytes->begin(), bytes->end());
}

void check_round_trip(Compression codec, const Bytes& input, std::optional<int> level = {}) {
  CAPTURE(name(codec));
  CAPTURE(input.size());
  auto back = decompressed(codec, compressed(codec, input, level));
  REQUIRE(back.has_value());
  CHECK(*back == input);
}

}  // namespace

TEST_CASE("what is compressed comes back, at every size, easy or hard") {
  for (Compression codec : codecs) {
    for (std::size_t size : {0, 1, 100, 32767, 32768, 32769, 65536, 65537, 300'000, 5'000'000}) {
      check_round_trip(codec, sample(size, size));
      if (size < 1'000'000) check_round_trip(codec, noise(size, size));
    }
  }
}

TEST_CASE("levels change the size, and one out of range is the nearest") {
  Bytes input = sample(1, 200'000);
  for (Compression codec : {Compression::gzip, Compression::lz4, Compression::zstd}) {
    CAPTURE(name(codec));
    CHECK(compressed(codec, input, 9).size() < compressed(codec, input, 1).size());
    check_round_trip(codec, input, -1'000'000);
    check_round_trip(codec, input, 1'000'000);
    check_round_trip(codec, input);
  }
}

TEST_CASE("what is written keeps to what the Java client reads") {
  Bytes input = sample(1, 300'000);
  Bytes gzip = compressed(Compression::gzip, input);
  CHECK(load_big_endian<std::uint16_t>(gzip.data()) == 0x1f8b);
  // An LZ4 frame of version 1 whose blocks of up to 64 KiB do not refer to each other.
  Bytes lz4 = compressed(Compression::lz4, input);
  CHECK(load_big_endian<std::uint32_t>(lz4.data()) == 0x04224d18);
  CHECK((lz4[4] & std::byte{0xe0}) == std::byte{0x60});
  CHECK(lz4[5] == std::byte{0x40});
  // Xerial's header, then blocks of 32 KiB: ten for 300,000 bytes.
  Bytes snappy = compressed(Compression::snappy, input);
  CHECK(as_text(BytesView(snappy).first(8)) == std::string_view("\x82SNAPPY\0", 8));
  int blocks = 0;
  for (std::size_t at = 16; at < snappy.size(); ++blocks) {
    at += 4 + load_big_endian<std::uint32_t>(snappy.data() + at);
  }
  CHECK(blocks == 10);
}

TEST_CASE("members and frames in a row are read as one") {
  Bytes first = sample(1, 70'000), second = sample(2, 10);
  for (Compression codec : codecs) {
    CAPTURE(name(codec));
    auto both = decompressed(codec, joined(compressed(codec, first), compressed(codec, second)));
    REQUIRE(both.has_value());
    CHECK(*both == joined(first, second));
  }
}

TEST_CASE("snappy without framing is read") {
  Bytes input = sample(1, 100'000);
  std::string raw;
  snappy::Compress(as_text(input).data(), input.size(), &raw);
  CHECK(decompressed(Compression::snappy, as_bytes(raw)).value() == input);
}

TEST_CASE("every truncation is refused, save where a block of framed snappy ends") {
  Bytes input = sample(3, 70'000);
  for (Compression codec : codecs) {
    CAPTURE(name(codec));
    Bytes bytes = compressed(codec, input);
    int accepted = 0;
    for (std::size_t size = 0; size < bytes.size(); size += 1 + size / 100) {
      auto result = decompressed(codec, BytesView(bytes).first(size));
      if (result) {
        ++accepted;
        CHECK(codec == Compression::snappy);
      }
    }
    CHECK(accepted <= 3);
  }
}

TEST_CASE("flipped bits and noise are refused or read as something, within the limit") {
  Random random(5);
  for (Compression codec : codecs) {
    Bytes good = compressed(codec, sample(4, 3000));
    for (int round = 0; round < 2000; ++round) {
      Bytes bytes = good;
      for (auto n = 1 + random.below(4); n > 0; --n) {
        bytes[random.below(bytes.size())] ^= static_cast<std::byte>(1 << random.below(8));
      }
      auto result = decompressed(codec, bytes, 10'000);
      if (result) CHECK(result->size() <= 10'000);
      if (!result) CHECK_FALSE(result.error().what.empty());
    }
    for (int round = 0; round < 200; ++round) {
      CHECK_FALSE(decompressed(codec, noise(1000 + round, 200), 1 << 20).has_value());
    }
  }
}

TEST_CASE("a bomb is refused at the limit, and its memory is given back") {
  Bytes zeroes(64 << 20);
  constexpr std::size_t limit = 1 << 20;
  for (Compression codec : codecs) {
    CAPTURE(name(codec));
    Bytes bomb = compressed(codec, zeroes);
    Scratch scratch;
    auto result = decompress(codec, bomb, scratch, limit);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code == Errc::message_too_large);
    CHECK(scratch.capacity() == 0);
  }
}

TEST_CASE("exactly the limit is allowed, one byte more is not") {
  Bytes input = sample(6, 100'000);
  for (Compression codec : codecs) {
    CAPTURE(name(codec));
    Bytes bytes = compressed(codec, input);
    CHECK(decompressed(codec, bytes, input.size()).has_value());
    CHECK(decompressed(codec, bytes, input.size() - 1).error().code == Errc::message_too_large);
  }
}

TEST_CASE("a declared size is not believed") {
  // A bare snappy block that says it holds 4 GiB, in six bytes.
  Bytes block = {std::byte{0xff}, std::byte{0xff}, std::byte{0xff},
                 std::byte{0xff}, std::byte{0x0f}, std::byte{0}};
  Scratch scratch;
  CHECK_FALSE(decompress(Compression::snappy, block, scratch).has_value());
  CHECK(scratch.capacity() <= 4096);
  // A zstd frame whose header says 1 EiB: magic, a descriptor with an 8-byte size, the size.
  Bytes frame = {std::byte{0x28}, std::byte{0xb5}, std::byte{0x2f}, std::byte{0xfd},
                 std::byte{0xe0}, std::byte{0},    std::byte{0},    std::byte{0},
                 std::byte{0},    std::byte{0},    std::byte{0},    std::byte{0},
                 std::byte{0x10}, std::byte{1},    std::byte{0},    std::byte{0}};
  scratch.release();
  CHECK_FALSE(decompress(Compression::zstd, frame, scratch).has_value());
  CHECK(scratch.capacity() <= 4096);
}

TEST_CASE("a broken LZ4 frame that owes bytes does not spoil the good one after it") {
  // Its header says how many bytes it holds, and its first block is larger than it may be.
  constexpr std::uint8_t broken[] = {0x04, 0x22, 0x4d, 0x18, 0x5c, 0x40, 0x82, 0x00, 0x00,
                                     0x00, 0x37, 0x04, 0xe6, 0xb2, 0x18, 0x60, 0x40, 0x82,
                                     0x00, 0x00, 0x00, 0x00, 0x04, 0x22, 0x4d, 0x18, 0x60,
                                     0x40, 0x82, 0x00, 0x00, 0x00, 0x00};
  Scratch scratch;
  CHECK_FALSE(decompress(Compression::lz4, std::as_bytes(std::span(broken)), scratch).has_value());
  check_round_trip(Compression::lz4, sample(1, 1000));
}

TEST_CASE("codecs are known by name") {
  for (Compression codec : codecs) CHECK(compression_named(name(codec)) == codec);
  CHECK(compression_named("none") == Compression::none);
  CHECK_FALSE(compression_named("brotli").has_value());
  CHECK(name(static_cast<Compression>(6)) == "unknown");
}

TEST_SUITE_END();
