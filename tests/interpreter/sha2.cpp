#include "interpreter/sha2.h"

#include <array>
#include <bit>
#include <cstdint>

namespace leat::interpreter {

namespace {

using std::uint64_t;

// The first 64 bits behind the point of the cube roots of the first primes, and of square roots.
constexpr std::array<uint64_t, 80> cube_roots{
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817};

constexpr std::array<uint64_t, 16> square_roots{
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
    0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
    0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4};

// Of the digests in words of 32 bits; the others have them of 64.
constexpr bool is_narrow(int bits) {
  return bits <= 256;
}

struct Rotations {
  std::array<int, 3> large_a, large_e, small_0, small_1;  // the last of small ones is a shift
};
constexpr Rotations narrow{{2, 13, 22}, {6, 11, 25}, {7, 18, 3}, {17, 19, 10}};
constexpr Rotations wide{{28, 34, 39}, {14, 18, 41}, {1, 8, 7}, {19, 61, 6}};

template <class Word>
Word word_of(uint64_t bits) {
  return static_cast<Word>(bits >> (64 - 8 * sizeof(Word)));  // the first ones
}

template <class Word>
class Digest {
 public:
  Digest(const std::array<Word, 8>& begin, const Rotations& rotations)
      : hash_(begin), by_(rotations) {}

  std::string run(std::string bytes) {
    constexpr std::size_t block = 16 * sizeof(Word);
    uint64_t bits = uint64_t{bytes.size()} * 8;
    bytes += '\x80';
    while (bytes.size() % block != block - 2 * sizeof(Word)) bytes += '\0';
    bytes += std::string(2 * sizeof(Word) - 8, '\0');  // the length may have 128 bits
    for (int i = 7; i >= 0; --i) bytes += static_cast<char>(bits >> (8 * i));
    for (std::size_t at = 0; at < bytes.size(); at += block) add(bytes.substr(at, block));
    std::string digest;
    for (Word word : hash_) {
      for (std::size_t i = sizeof word; i-- > 0;) digest += static_cast<char>(word >> (8 * i));
    }
    return digest;
  }

 private:
  static constexpr std::size_t rounds = sizeof(Word) == 4 ? 64 : 80;

  static Word large(Word x, const std::array<int, 3>& by) {
    return static_cast<Word>(std::rotr(x, by[0]) ^ std::rotr(x, by[1]) ^ std::rotr(x, by[2]));
  }
  static Word small(Word x, const std::array<int, 3>& by) {
    return static_cast<Word>(std::rotr(x, by[0]) ^ std::rotr(x, by[1]) ^ x >> by[2]);
  }

  void add(const std::string& block) {
    std::array<Word, rounds> w{};
    for (std::size_t i = 0; i < block.size(); ++i) {
      Word& word = w[i / sizeof(Word)];
      word = static_cast<Word>(word << 8 | static_cast<unsigned char>(block[i]));
    }
    for (std::size_t t = 16; t < rounds; ++t) {
      w[t] = static_cast<Word>(small(w[t - 2], by_.small_1) + w[t - 7] +
                               small(w[t - 15], by_.small_0) + w[t - 16]);
    }
    auto [a, b, c, d, e, f, g, h] = hash_;
    for (std::size_t t = 0; t < rounds; ++t) {
      auto chosen = static_cast<Word>((e & f) ^ (~e & g));
      auto most = static_cast<Word>((a & b) ^ (a & c) ^ (b & c));
      auto first = static_cast<Word>(h + large(e, by_.large_e) + chosen +
                                     word_of<Word>(cube_roots[t]) + w[t]);
      auto second = static_cast<Word>(large(a, by_.large_a) + most);
      h = g, g = f, f = e, e = static_cast<Word>(d + first);
      d = c, c = b, b = a, a = static_cast<Word>(first + second);
    }
    std::array<Word, 8> added{a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < 8; ++i) hash_[i] = static_cast<Word>(hash_[i] + added[i]);
  }

  std::array<Word, 8> hash_;
  const Rotations& by_;
};

}  // namespace

std::string sha2(const std::string& bytes, int bits) {
  // Those of whole length begin with the first eight primes, those that are cut with the next.
  bool is_cut = bits == 224 || bits == 384;
  std::string digest;
  if (is_narrow(bits)) {
    std::array<std::uint32_t, 8> begin{};
    for (std::size_t i = 0; i < 8; ++i) {
      // 224 takes the second half of what 384 has.
      begin[i] = is_cut ? static_cast<std::uint32_t>(square_roots[8 + i])
                        : word_of<std::uint32_t>(square_roots[i]);
    }
    digest = Digest<std::uint32_t>(begin, narrow).run(bytes);
  } else {
    std::array<uint64_t, 8> begin{};
    for (std::size_t i = 0; i < 8; ++i) begin[i] = square_roots[is_cut ? 8 + i : i];
    digest = Digest<uint64_t>(begin, wide).run(bytes);
  }
  return digest.substr(0, static_cast<std::size_t>(bits) / 8);
}

}  // namespace leat::interpreter
