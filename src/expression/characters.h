// Texts as the characters that SQL counts: code points of UTF-8.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace leat::expression {

constexpr bool begins_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

/// Eight bytes of a text as one number, the first one lowest.
inline constexpr std::uint64_t each_byte = 0x0101'0101'0101'0101;
inline constexpr std::uint64_t high_bits = 0x80 * each_byte;

/// How many bytes have their high bit. REQUIRES: no other bits.
constexpr std::size_t count_high_bits(std::uint64_t bits) {
  return (bits >> 7) * each_byte >> 56;
}

/// The high bit of each byte that is zero.
constexpr std::uint64_t zero_bytes(std::uint64_t word) {
  return ~(((word & ~high_bits) + ~high_bits) | word) & high_bits;
}
constexpr std::uint64_t repeated(char byte) {
  return static_cast<unsigned char>(byte) * each_byte;
}
inline std::uint64_t word_at(const char* bytes) {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

#if defined(__SSE2__)
/// Sixteen bytes of a text.
inline __m128i block_at(const char* bytes) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}
/// How many of the bytes are all ones, the others being zero.
inline std::size_t count_set_bytes(__m128i bytes) {
  __m128i ones = _mm_and_si128(bytes, _mm_set1_epi8(1));
  __m128i sums = _mm_sad_epu8(ones, _mm_setzero_si128());
  return static_cast<std::size_t>(_mm_cvtsi128_si64(sums)) +
         static_cast<std::size_t>(_mm_extract_epi16(sums, 4));
}
#endif

inline std::int64_t count_characters(std::string_view text) {
  std::size_t at = 0, others = 0;
#if defined(__SSE2__)
  for (; at + 16 <= text.size(); at += 16) {
    // Those that go on a character, 0b10..., are the smallest as numbers with a sign.
    __m128i goes_on = _mm_cmplt_epi8(block_at(text.data() + at), _mm_set1_epi8(-64));
    others += count_set_bytes(goes_on);
  }
#endif
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word = word_at(text.data() + at);
    others += count_high_bits(word & ~(word << 1) & high_bits);  // that go on a character: 0b10...
  }
  for (; at < text.size(); ++at) others += begins_character(text[at]) ? 0 : 1;
  return static_cast<std::int64_t>(text.size() - others);
}

/// Where the character of that number, from 0, begins; the text's size if there are no so many.
inline std::size_t character_begin(std::string_view text, std::uint64_t number) {
  if (number >= text.size()) return text.size();
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (begins_character(text[at]) && number-- == 0) break;
  }
  return at;
}

/// The same, counted from the end: of 1, where the last one begins; 0 if there are no so many.
inline std::size_t character_begin_from_end(std::string_view text, std::uint64_t number) {
  if (number >= text.size()) return 0;
  std::size_t at = text.size();
  while (at > 0 && number > 0) {
    if (begins_character(text[--at])) --number;
  }
  return at;
}

/// The same as find_text() for a part of two bytes or more: where its first and its last one stand
/// as they do in it, it is compared.
inline std::size_t find_short_text(std::string_view text, std::string_view part, std::size_t from) {
  const std::uint64_t first = repeated(part.front()), last = repeated(part.back());
  const std::size_t behind = part.size() - 1;
  auto is_at = [&](std::size_t at) {
    return std::memcmp(text.data() + at, part.data(), part.size()) == 0;
  };
  std::size_t at = from;
#if defined(__SSE2__)
  const __m128i firsts = _mm_set1_epi8(part.front()), lasts = _mm_set1_epi8(part.back());
  auto find_in_block = [&](std::size_t begin) {
    __m128i able = _mm_and_si128(_mm_cmpeq_epi8(block_at(text.data() + begin), firsts),
                                 _mm_cmpeq_epi8(block_at(text.data() + begin + behind), lasts));
    for (int bits = _mm_movemask_epi8(able); bits != 0; bits &= bits - 1) {
      std::size_t found = begin + static_cast<std::size_t>(std::countr_zero(unsigned(bits)));
      if (is_at(found)) return found;
    }
    return text.npos;
  };
  if (at + behind + 16 <= text.size()) {
    const std::size_t end = text.size() - behind - 16;
    for (; at < end; at += 16) {
      if (std::size_t found = find_in_block(at); found != text.npos) return found;
    }
    return find_in_block(end);  // of which some may have been looked at before
  }
#endif
  for (; at + behind + 8 <= text.size(); at += 8) {
    std::uint64_t able = zero_bytes(word_at(text.data() + at) ^ first) &
                         zero_bytes(word_at(text.data() + at + behind) ^ last);
    for (; able != 0; able &= able - 1) {
      std::size_t found = at + static_cast<std::size_t>(std::countr_zero(able)) / 8;
      if (is_at(found)) return found;
    }
  }
  for (; at + part.size() <= text.size(); ++at) {
    if (is_at(at)) return at;
  }
  return text.npos;
}

/// Where `part` begins in `text` at or behind `from`, or npos.
inline std::size_t find_text(std::string_view text, std::string_view part, std::size_t from = 0) {
  if (part.empty()) return from <= text.size() ? from : text.npos;
  if (text.size() < from + part.size()) return text.npos;
  // Of a long part many places might have to be compared, which memmem() bounds.
  constexpr std::size_t short_max = 32;
  if (part.size() > 1 && part.size() <= short_max) return find_short_text(text, part, from);
  const void* found =
      part.size() == 1 ? std::memchr(text.data() + from, part[0], text.size() - from)
                       : ::memmem(text.data() + from, text.size() - from, part.data(), part.size());
  if (found == nullptr) return text.npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

/// How often `part` stands in `text`, one behind the other. REQUIRES: `part` is not empty.
inline std::int64_t count_text(std::string_view text, std::string_view part) {
  std::size_t at = 0, count = 0;
  if (part.size() == 1) {
#if defined(__SSE2__)
    const __m128i wanted = _mm_set1_epi8(part[0]);
    for (; at + 16 <= text.size(); at += 16) {
      count += count_set_bytes(_mm_cmpeq_epi8(block_at(text.data() + at), wanted));
    }
#endif
    for (; at < text.size(); ++at) count += text[at] == part[0] ? 1 : 0;
    return static_cast<std::int64_t>(count);
  }
  for (; (at = find_text(text, part, at)) != text.npos; at += part.size()) ++count;
  return static_cast<std::int64_t>(count);
}

/// Where the byte is for the time `number`, from 0, or npos.
inline std::size_t find_nth(std::string_view text, char byte, std::uint64_t number) {
  const std::uint64_t wanted = repeated(byte);
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t found = zero_bytes(word_at(text.data() + at) ^ wanted);
    std::size_t count = count_high_bits(found);
    if (number < count) {
      for (; number > 0; --number) found &= found - 1;
      return at + static_cast<std::size_t>(std::countr_zero(found)) / 8;
    }
    number -= count;
  }
  for (; at < text.size(); ++at) {
    if (text[at] == byte && number-- == 0) return at;
  }
  return text.npos;
}

/// Of A to Z alone.
constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
constexpr char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
}

/// Eight bytes, each changed; `change` is lower or upper.
template <char (*change)(char)>
constexpr std::uint64_t change_word(std::uint64_t word) {
  constexpr auto first = static_cast<std::uint64_t>(change('A') == 'a' ? 'A' : 'a');
  std::uint64_t low_bits = word & ~high_bits;
  std::uint64_t from_first = low_bits + (0x80 - first) * each_byte;
  std::uint64_t behind_last = low_bits + (0x80 - first - 26) * each_byte;
  // The high bit of each byte that is to be changed: to what differs in 0x20.
  std::uint64_t letters = from_first & ~behind_last & ~word & high_bits;
  return word ^ letters >> 2;
}

/// change_word() for so many bytes from `text`, to `out`.
template <char (*change)(char), class Word>
void change_at(const char* text, char* out) {
  Word word = 0;
  std::memcpy(&word, text, sizeof word);
  word = static_cast<Word>(change_word<change>(word));
  std::memcpy(out, &word, sizeof word);
}

/// Writes the bytes to `out`, which is elsewhere, each changed. Eight at a time, the last ones of
/// which may have been written before: how many texts there are of each size is hard to foresee.
template <char (*change)(char)>
void change_all(const char* text, std::size_t size, char* out) {
  auto in_words = [&](auto word) {
    using Word = decltype(word);
    std::size_t last = size - sizeof(Word);
    for (std::size_t at = 0; at < last; at += sizeof(Word)) {
      change_at<change, Word>(text + at, out + at);
    }
    change_at<change, Word>(text + last, out + last);
  };
  if (size >= sizeof(std::uint64_t)) return in_words(std::uint64_t{});
  if (size >= sizeof(std::uint32_t)) return in_words(std::uint32_t{});
  for (std::size_t at = 0; at < size; ++at) out[at] = change(text[at]);
}

/// Some characters, for trim().
class CharacterSet {
 public:
  explicit CharacterSet(std::string_view characters) : characters_(characters) {
    for (char c : characters) {
      if (static_cast<unsigned char>(c) < 0x80)
        ascii_[static_cast<unsigned char>(c)] = true;
      else
        has_others_ = true;
    }
  }
  /// REQUIRES: one character.
  bool contains(std::string_view character) const {
    auto first = static_cast<unsigned char>(character[0]);
    if (first < 0x80) return ascii_[first];
    return has_others_ && characters_.find(character) != characters_.npos;
  }

 private:
  std::string_view characters_;
  std::array<bool, 0x80> ascii_{};
  bool has_others_ = false;
};

}  // namespace leat::expression
