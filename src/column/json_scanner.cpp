#include "column/json_scanner.h"

#include <algorithm>
#include <cstring>

#include <simdjson.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace leat::column {

bool JsonScanner::Lead::set(std::string_view text) {
  if (text.size() > bytes_max) return false;
  size = static_cast<std::uint32_t>(text.size());
  std::copy(text.begin(), text.end(), bytes.begin());
  for (std::size_t half = 0; half < ignored.size(); ++half) {
    std::size_t used = std::clamp<std::size_t>(text.size(), half * 32, half * 32 + 32) - half * 32;
    ignored[half] = used == 32 ? 0 : ~std::uint32_t{0} << used;
  }
  return true;
}

void JsonScanner::begin_layout() {
  draft_.layout.leads.clear();
  draft_.layout.values.clear();
  draft_.texts.clear();
  draft_.scannable = true;
}

void JsonScanner::add_member(std::string_view lead, std::string_view value,
                             std::optional<std::size_t> field) {
  Layout& layout = draft_.layout;
  Lead& added = layout.leads.emplace_back();
  if (layout.leads.size() > members_max || !added.set(lead)) draft_.scannable = false;
  if (!draft_.scannable) return;
  draft_.texts.emplace_back(lead);
  if (!field && value == "null") draft_.texts.back() += value;
  if (!field) return;
  added.value = static_cast<std::uint32_t>(layout.values.size());
  layout.values.push_back({{}, static_cast<std::uint32_t>(*field), false});
}

bool JsonScanner::end_layout(std::string_view tail) {
  auto& leads = draft_.layout.leads;
  if (leads.empty() || !leads.emplace_back().set(tail)) draft_.scannable = false;
#if !defined(__x86_64__)
  draft_.scannable = false;
#endif
  if (!draft_.scannable) return false;
  add_runs();
  if (has_room()) {
    last_ = layouts_.size();
    layouts_.emplace_back();
  } else {
    last_ = oldest_;
    oldest_ = (oldest_ + 1) % layouts_max;
  }
  std::swap(layouts_[last_], draft_.layout);
  return true;
}

// Leads with nulls between them are looked for as one.
void JsonScanner::add_runs() {
  const auto& leads = draft_.layout.leads;
  auto& runs = draft_.layout.runs;
  runs.assign(leads.size(), {});
  for (std::size_t i = 0; i + 1 < leads.size(); ++i) {
    std::string text;
    std::size_t last = i;
    while (last + 2 < leads.size() && draft_.texts[last].ends_with("null") &&
           text.size() + draft_.texts[last].size() + leads[last + 1].size <= Lead::bytes_max) {
      text += draft_.texts[last++];
    }
    const Lead& lead = leads[last];
    text.append(lead.bytes.data(), lead.size);
    runs[i].set(text);
    runs[i].members = static_cast<std::uint32_t>(last - i);
  }
}

#if defined(__x86_64__)

/// Where a scan is. What moves it on is false where the object is none that is taken; then the
/// cursor is of no use any more. No read begins at or behind the end, and each is of 64 bytes at
/// most.
struct JsonScanner::Cursor {
  const char* at;
  const char* end;
  bool has_escapes = false;             // of the last string
  const char* foreign_begin = nullptr;  // all that is not ASCII
  const char* foreign_end = nullptr;

  [[gnu::target("avx2,bmi")]] bool take(const Lead& lead) {
    if (at >= end || differs(lead, 0) || (lead.size > 32 && differs(lead, 1))) return false;
    at += lead.size;
    return true;
  }

  [[gnu::target("avx2,bmi")]] bool differs(const Lead& lead, std::size_t half) const {
    auto text = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + half * 32));
    auto wanted =
        _mm256_load_si256(reinterpret_cast<const __m256i*>(lead.bytes.data() + half * 32));
    auto same = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(text, wanted)));
    return (same | lead.ignored[half]) != ~std::uint32_t{0};
  }

  template <bool plain>
  [[gnu::target("avx2,bmi")]] bool skip_value(const char* begin, const std::uint64_t* quotes) {
    if (at >= end) return false;
    if (*at == '"') return plain ? skip_plain_string(begin, quotes) : skip_string();
    if (skip_literal() || skip_digits()) return true;
    if (*at == '{' || *at == '[') return skip_nested();
    return skip_scalar();
  }

  // The same as skip_string() for an object that begins at `begin` and has nothing of interest in
  // its strings. Ends behind the object where the string does not end.
  [[gnu::target("avx2,bmi")]] bool skip_plain_string(const char* begin,
                                                     const std::uint64_t* quotes) {
    constexpr std::size_t word_bits = 64;
    auto next = static_cast<std::size_t>(at + 1 - begin);
    std::size_t word = next / word_bits;
    std::size_t bit = next % word_bits;
    // Two words, for no branch to depend on where a string lies.
    std::uint64_t bits = quotes[word] >> bit | quotes[word + 1] << 1 << (word_bits - 1 - bit);
    if (bits != 0) {
      at += 2 + _tzcnt_u64(bits);
      return true;
    }
    do ++word;
    while (quotes[word] == 0);
    at = begin + word * word_bits + _tzcnt_u64(quotes[word]) + 1;
    return true;
  }

  // Behind the quote that ends the string.
  [[gnu::target("avx2,bmi")]] bool skip_string() {
    const char* begin = at++;
    const auto quote = _mm256_set1_epi8('"');
    const auto backslash = _mm256_set1_epi8('\\');
    const auto control_max = _mm256_set1_epi8(0x1f);
    std::uint32_t foreign = 0;
    has_escapes = false;
    while (at < end) {
      auto text = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
      auto control = _mm256_cmpeq_epi8(_mm256_min_epu8(text, control_max), text);
      auto special =
          _mm256_or_si256(_mm256_cmpeq_epi8(text, quote), _mm256_cmpeq_epi8(text, backslash));
      auto stops =
          static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_or_si256(special, control)));
      auto high = static_cast<std::uint32_t>(_mm256_movemask_epi8(text));
      if (stops == 0) {
        foreign |= high;
        at += 32;
        continue;
      }
      foreign |= high & (stops - 1) & ~stops;
      at += _tzcnt_u32(stops);
      if (*at == '"') {
        ++at;
        if (foreign != 0) add_foreign(begin);
        return true;
      }
      if (*at != '\\' || at[1] < 0x20) return false;
      has_escapes = true;
      at += 2;
    }
    return false;
  }

  void add_foreign(const char* begin) {
    if (foreign_begin == nullptr) foreign_begin = begin;
    foreign_end = at;
  }

  // Which of them it is, is left to no branch, since nobody can guess that.
  bool skip_literal() {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    constexpr std::uint32_t null_bytes = 0x6c6c'756e;
    constexpr std::uint32_t true_bytes = 0x6575'7274;
    constexpr std::uint64_t false_bytes = 0x65'736c'6166;
    auto low = static_cast<std::uint32_t>(word);
    bool is_false = (word & 0xff'ffff'ffff) == false_bytes;
    if (!(is_false | (low == true_bytes) | (low == null_bytes))) return false;
    at += is_false ? 5 : 4;
    return true;
  }

  // A whole number of less than 16 characters, with a comma or the object's end behind it.
  [[gnu::target("avx2,bmi")]] bool skip_digits() {
    const auto first = _mm_setr_epi8(-1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    auto text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    auto values = _mm_sub_epi8(text, _mm_set1_epi8('0'));
    auto digits = _mm_cmpeq_epi8(_mm_min_epu8(values, _mm_set1_epi8(9)), values);
    auto minus = _mm_and_si128(_mm_cmpeq_epi8(text, _mm_set1_epi8('-')), first);
    auto are = static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_or_si128(digits, minus)));
    std::uint32_t count = _tzcnt_u32(~are);
    if (count - 1 >= 15 || (at[count] != ',' && at[count] != '}')) return false;
    at += count;
    return true;
  }

  // Behind a literal or a number, or what might be one.
  [[gnu::target("avx2,bmi")]] bool skip_scalar() {
    const char* begin = at;
    while (at < end) {
      std::uint32_t others = others_than_scalar(at);
      if (others == 0) {
        at += 16;
        continue;
      }
      at += _tzcnt_u32(others);
      return at != begin;
    }
    return false;
  }

  // Bits of those of 16 bytes that are neither letters nor digits nor one of + - . : looked up by
  // both halves of the byte, a bit for each kind of row in the table of ASCII.
  [[gnu::target("avx2,bmi")]] static std::uint32_t others_than_scalar(const char* from) {
    const auto low_kinds = _mm_setr_epi8(10, 14, 14, 14, 14, 14, 14, 14, 14, 14, 12, 5, 4, 5, 5, 4);
    const auto high_kinds = _mm_setr_epi8(0, 0, 1, 2, 4, 8, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0);
    auto text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    auto high = _mm_and_si128(_mm_srli_epi16(text, 4), _mm_set1_epi8(0x0f));
    auto kinds =
        _mm_and_si128(_mm_shuffle_epi8(low_kinds, text), _mm_shuffle_epi8(high_kinds, high));
    return static_cast<std::uint32_t>(
        _mm_movemask_epi8(_mm_cmpeq_epi8(kinds, _mm_setzero_si128())));
  }

  // Behind the bracket that closes the one here. Nobody looks at what is between but for strings.
  [[gnu::target("avx2,bmi")]] bool skip_nested() {
    std::size_t depth = 0;
    while (at < end) {
      std::uint32_t high;
      std::uint32_t stops = brackets_and_quotes(high);
      if (stops == 0) {
        if (high != 0) return false;
        at += 32;
        continue;
      }
      if ((high & (stops - 1) & ~stops) != 0) return false;
      at += _tzcnt_u32(stops);
      if (at >= end || *at == '\\') return false;
      if (*at == '"') {
        if (!skip_string()) return false;
        continue;
      }
      bool opens = *at == '{' || *at == '[';
      ++at;
      if (opens) {
        ++depth;
      } else if (--depth == 0) {
        return true;
      }
    }
    return false;
  }

  [[gnu::target("avx2,bmi")]] std::uint32_t brackets_and_quotes(std::uint32_t& high) const {
    auto text = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    high = static_cast<std::uint32_t>(_mm256_movemask_epi8(text));
    // A bit tells [ from { and ] from }.
    auto folded = _mm256_or_si256(text, _mm256_set1_epi8(0x20));
    auto brackets = _mm256_or_si256(_mm256_cmpeq_epi8(folded, _mm256_set1_epi8('{')),
                                    _mm256_cmpeq_epi8(folded, _mm256_set1_epi8('}')));
    auto quotes = _mm256_or_si256(_mm256_cmpeq_epi8(text, _mm256_set1_epi8('"')),
                                  _mm256_cmpeq_epi8(text, _mm256_set1_epi8('\\')));
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_or_si256(brackets, quotes)));
  }
};

/// 64 bytes of a text.
struct JsonScanner::Block {
  __m256i low;
  __m256i high;

  [[gnu::target("avx2,bmi")]] explicit Block(const char* text)
      : low(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(text))),
        high(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + 32))) {}

  // A bit for each byte that is `c`.
  [[gnu::target("avx2,bmi")]] std::uint64_t equal(char c) const {
    const auto wanted = _mm256_set1_epi8(c);
    return bits(_mm256_cmpeq_epi8(low, wanted), _mm256_cmpeq_epi8(high, wanted));
  }
  // For each control character.
  [[gnu::target("avx2,bmi")]] std::uint64_t control() const {
    const auto most = _mm256_set1_epi8(0x1f);
    return bits(_mm256_cmpeq_epi8(_mm256_min_epu8(low, most), low),
                _mm256_cmpeq_epi8(_mm256_min_epu8(high, most), high));
  }
  // For each byte that is not ASCII.
  [[gnu::target("avx2,bmi")]] std::uint64_t foreign() const { return bits(low, high); }

  // The highest bit of each byte.
  [[gnu::target("avx2,bmi")]] static std::uint64_t bits(__m256i low, __m256i high) {
    auto low_bits = static_cast<std::uint32_t>(_mm256_movemask_epi8(low));
    auto high_bits = static_cast<std::uint32_t>(_mm256_movemask_epi8(high));
    return low_bits | static_cast<std::uint64_t>(high_bits) << 32;
  }
};

[[gnu::target("avx2,bmi")]] JsonScanner::Bytes JsonScanner::find_quotes(std::string_view json) {
  constexpr std::size_t block_bytes = 64;
  std::size_t blocks = json.size() / block_bytes;
  if (quotes_.size() < blocks + 2) quotes_.resize(2 * blocks + 2);
  const auto backslash = _mm256_set1_epi8('\\');
  const auto space = _mm256_set1_epi8(' ');
  auto least = space;
  auto all = _mm256_setzero_si256();
  auto backslashes = _mm256_setzero_si256();
  for (std::size_t i = 0; i < blocks; ++i) {
    Block block(json.data() + i * block_bytes);
    quotes_[i] = block.equal('"');
    least = _mm256_min_epu8(least, _mm256_min_epu8(block.low, block.high));
    all = _mm256_or_si256(all, _mm256_or_si256(block.low, block.high));
    auto found = _mm256_or_si256(_mm256_cmpeq_epi8(block.low, backslash),
                                 _mm256_cmpeq_epi8(block.high, backslash));
    backslashes = _mm256_or_si256(backslashes, found);
  }
  // What is behind the end does not count.
  Block block(json.data() + blocks * block_bytes);
  std::uint64_t end = std::uint64_t{1} << (json.size() % block_bytes);
  std::uint64_t inside = end - 1;
  quotes_[blocks] = (block.equal('"') & inside) | end;
  std::uint64_t special = (block.equal('\\') | block.control()) & inside;
  auto seen = _mm256_or_si256(backslashes, _mm256_xor_si256(least, space));
  bool foreign = (block.foreign() & inside) != 0 || _mm256_movemask_epi8(all) != 0;
  return {_mm256_testz_si256(seen, seen) != 0 && special == 0, foreign};
}

// What is true of its bytes is known beforehand if the object is `plain`.
template <bool plain>
[[gnu::target("avx2,bmi")]] bool JsonScanner::scan_members(std::string_view json, Layout& layout) {
  Cursor cursor{json.data(), json.data() + json.size()};
  const std::uint64_t* quotes = quotes_.data();
  const Lead* run = layout.runs.data();
  const Lead* tail = &layout.leads.back();
  for (const Lead* lead = layout.leads.data(); lead != tail; ++lead, ++run) {
    if (cursor.take(*run)) {
      lead += run->members;
      run += run->members;
    } else if (run->members == 0 || !cursor.take(*lead)) {
      return false;
    }
    const char* begin = cursor.at;
    if (!cursor.skip_value<plain>(json.data(), quotes)) return false;
    if (lead->value == not_wanted) continue;
    Value& value = layout.values[lead->value];
    value.text = {begin, static_cast<std::size_t>(cursor.at - begin)};
    value.has_escapes = !plain && *begin == '"' && cursor.has_escapes;
  }
  if (!cursor.take(*tail) || cursor.at != cursor.end) return false;
  if (plain || cursor.foreign_begin == nullptr) return true;
  return simdjson::validate_utf8(
      cursor.foreign_begin, static_cast<std::size_t>(cursor.foreign_end - cursor.foreign_begin));
}

[[gnu::target("avx2,bmi")]] bool JsonScanner::scan_object(std::string_view json) {
  Bytes bytes = find_quotes(json);
  for (std::size_t tried = 0, at = last_; tried < layouts_.size(); ++tried) {
    Layout& layout = layouts_[at];
    if (bytes.plain ? scan_members<true>(json, layout) : scan_members<false>(json, layout)) {
      last_ = at;
      return !bytes.plain || !bytes.foreign || simdjson::validate_utf8(json.data(), json.size());
    }
    at = at + 1 < layouts_.size() ? at + 1 : 0;
  }
  return false;
}

bool JsonScanner::scan(std::string_view json) {
  static const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
  return has_avx2 && !layouts_.empty() && scan_object(json);
}

#else

bool JsonScanner::scan(std::string_view) {
  return false;
}

#endif

}  // namespace leat::column
