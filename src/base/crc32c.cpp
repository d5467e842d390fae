// With SSE4.2: three streams at once, because one crc32 instruction has a latency of three cycles
// and a throughput of one; the streams are joined by shifting a CRC over zero bytes, done with
// tables made at start-up. What comes next is fetched into the cache meanwhile, since processors do
// not foresee a jump to the next three: bytes that are not there yet take half the time. Without
// SSE4.2: slicing by eight.

#include "base/crc32c.h"

#include <array>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace leat {
namespace {

constexpr std::uint32_t polynomial = 0x82f63b78;  // reflected

constexpr std::array<std::array<std::uint32_t, 256>, 8> make_slices() {
  std::array<std::array<std::uint32_t, 256>, 8> slices{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? polynomial : 0);
    slices[0][i] = crc;
  }
  for (std::uint32_t i = 0; i < 256; ++i) {
    for (std::size_t slice = 1; slice < 8; ++slice) {
      std::uint32_t before = slices[slice - 1][i];
      slices[slice][i] = (before >> 8) ^ slices[0][before & 0xff];
    }
  }
  return slices;
}

constexpr auto slices = make_slices();

std::uint32_t update_portable(std::uint32_t crc, const std::byte* at, std::size_t n) {
  auto byte = [&](std::size_t i) { return std::to_integer<std::uint32_t>(at[i]); };
  while (n >= 8) {
    std::uint32_t low = crc ^ (byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24);
    crc = slices[7][low & 0xff] ^ slices[6][(low >> 8) & 0xff] ^ slices[5][(low >> 16) & 0xff] ^
          slices[4][low >> 24] ^ slices[3][byte(4)] ^ slices[2][byte(5)] ^ slices[1][byte(6)] ^
          slices[0][byte(7)];
    at += 8;
    n -= 8;
  }
  for (; n > 0; --n, ++at) {
    crc = (crc >> 8) ^ slices[0][(crc ^ std::to_integer<std::uint32_t>(*at)) & 0xff];
  }
  return crc;
}

#if defined(__x86_64__)

constexpr std::size_t stream_bytes = 1024;  // of each of the three streams in one round

/// Tables that carry a CRC over `stream_bytes` zero bytes, one for each of its four bytes.
std::array<std::array<std::uint32_t, 256>, 4> make_shift(std::size_t zero_bytes) {
  std::array<std::array<std::uint32_t, 256>, 4> tables{};
  for (std::size_t position = 0; position < 4; ++position) {
    for (std::uint32_t value = 0; value < 256; ++value) {
      std::uint32_t crc = value << (8 * position);
      for (std::size_t i = 0; i < zero_bytes; ++i) crc = (crc >> 8) ^ slices[0][crc & 0xff];
      tables[position][value] = crc;
    }
  }
  return tables;
}

std::uint32_t shift(const std::array<std::array<std::uint32_t, 256>, 4>& by, std::uint32_t crc) {
  return by[0][crc & 0xff] ^ by[1][(crc >> 8) & 0xff] ^ by[2][(crc >> 16) & 0xff] ^
         by[3][crc >> 24];
}

constexpr std::size_t line_bytes = 64;

/// The lines of the three streams in the round after this one, where there may be nothing.
void fetch_ahead(const std::byte* at) {
  auto line = [&](std::size_t distance) {
    auto ahead = reinterpret_cast<std::uintptr_t>(at) + distance;
    _mm_prefetch(reinterpret_cast<const char*>(ahead), _MM_HINT_T0);
  };
  line(3 * stream_bytes);
  line(4 * stream_bytes);
  line(5 * stream_bytes);
}

std::uint64_t word(const std::byte* at) {
  std::uint64_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

__attribute__((target("sse4.2"))) std::uint32_t update_sse42(std::uint32_t start,
                                                             const std::byte* at, std::size_t n) {
  static const auto by_one = make_shift(stream_bytes);
  std::uint64_t crc = start;
  while (n >= 3 * stream_bytes) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t i = 0; i < stream_bytes; i += 8) {
      if (i % line_bytes == 0) fetch_ahead(at + i);
      crc = _mm_crc32_u64(crc, word(at + i));
      second = _mm_crc32_u64(second, word(at + stream_bytes + i));
      third = _mm_crc32_u64(third, word(at + 2 * stream_bytes + i));
    }
    crc = shift(by_one, static_cast<std::uint32_t>(crc)) ^ second;
    crc = shift(by_one, static_cast<std::uint32_t>(crc)) ^ third;
    at += 3 * stream_bytes;
    n -= 3 * stream_bytes;
  }
  for (; n >= 8; at += 8, n -= 8) crc = _mm_crc32_u64(crc, word(at));
  auto result = static_cast<std::uint32_t>(crc);
  for (; n > 0; --n, ++at) result = _mm_crc32_u8(result, std::to_integer<std::uint8_t>(*at));
  return result;
}

#endif

}  // namespace

std::uint32_t crc32c(BytesView bytes, std::uint32_t crc) {
#if defined(__x86_64__)
  static const bool has_sse42 = __builtin_cpu_supports("sse4.2");
  if (has_sse42) return ~update_sse42(~crc, bytes.data(), bytes.size());
#endif
  return ~update_portable(~crc, bytes.data(), bytes.size());
}

}  // namespace leat
