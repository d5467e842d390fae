#include "expression/optimize.h"

#include "expression/md5.h"

#include <bit>
#include <cstring>

namespace leat::expression {

namespace {

constexpr std::size_t block_bytes = 64;

constexpr std::array<std::uint32_t, 64> sines{
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};
constexpr std::array<std::array<int, 4>, 4> turns{
    {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}}};

using Digest = std::array<std::uint32_t, 4>;

void add_block(Digest& digest, const char* block) {
  std::array<std::uint32_t, 16> words;
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(words.data(), block, block_bytes);
  auto [a, b, c, d] = digest;
  for (std::size_t i = 0; i < sines.size(); ++i) {
    std::uint32_t mixed = 0;
    std::size_t word = i;
    switch (i / 16) {
      case 0: mixed = (b & c) | (~b & d); break;
      case 1: mixed = (d & b) | (~d & c), word = 5 * i + 1; break;
      case 2: mixed = b ^ c ^ d, word = 3 * i + 5; break;
      default: mixed = c ^ (b | ~d), word = 7 * i; break;
    }
    mixed += a + sines[i] + words[word % words.size()];
    a = d, d = c, c = b;
    b += std::rotl(mixed, turns[i / 16][i % 4]);
  }
  digest = {digest[0] + a, digest[1] + b, digest[2] + c, digest[3] + d};
}

}  // namespace

std::array<std::uint8_t, 16> md5(std::string_view bytes) {
  Digest digest{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  std::uint64_t bits = std::uint64_t{bytes.size()} * 8;
  for (; bytes.size() >= block_bytes; bytes.remove_prefix(block_bytes)) {
    add_block(digest, bytes.data());
  }
  // A bit behind them, and how many there were at the end of the last block.
  std::array<char, 2 * block_bytes> rest{};
  bytes.copy(rest.data(), bytes.size());
  rest[bytes.size()] = static_cast<char>(0x80);
  std::size_t end = bytes.size() + 1 + sizeof bits <= block_bytes ? block_bytes : rest.size();
  std::memcpy(rest.data() + end - sizeof bits, &bits, sizeof bits);
  for (std::size_t at = 0; at < end; at += block_bytes) add_block(digest, rest.data() + at);
  return std::bit_cast<std::array<std::uint8_t, 16>>(digest);
}

}  // namespace leat::expression
