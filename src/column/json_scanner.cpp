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
  draft_.leads.clear();
  draft_.values.clear();
  draft_.texts.clear();
  draft_.scannable = true;
}

void JsonScanner::add_member(std::string_view lead, std::string_view value,
                             std::optional<std::size_t> field) {
  Lead& added = draft_.leads.emplace_back();
  if (draft_.leads.size() > members_max || !added.set(lead)) draft_.scannable = false;
  if (!draft_.scannable) return;
  draft_.texts.emplace_back(lead);
  if (!field && value == "null") draft_.texts.back() += value;
  if (!field) return;
  added.value = static_cast<std::uint32_t>(draft_.values.size());
  draft_.values.push_back({{}, static_cast<std::uint32_t>(*field), false});
}

bool JsonScanner::end_layout(std::string_view tail) {
  if (draft_.leads.empty() || !draft_.leads.emplace_back().set(tail)) draft_.scannable = false;
#if !defined(__x86_64__)
  draft_.scannable = false;
#endif
  leads_.clear();
  if (!draft_.scannable) return false;
  add_runs();
  std::swap(leads_, draft_.leads);
  std::swap(values_, draft_.values);
  return true;
}

// Leads with nulls between them are looked for as one.
void JsonScanner::add_runs() {
  runs_.assign(draft_.leads.size(), {});
  for (std::size_t i = 0; i + 1 < draft_.leads.size(); ++i) {
    std::string text;
    std::size_t last = i;
    while (last + 2 < draft_.leads.size() && draft_.texts[last].ends_with("null") &&
           text.size() + draft_.texts[last].size() + draft_.leads[last + 1].size <=
               Lead::bytes_max) {
      text += draft_.texts[last++];
    }
    const Lead& lead = draft_.leads[last];
    text.append(lead.bytes.data(), lead.size);
    runs_[i].set(text);
    runs_[i].members = static_cast<std::uint32_t>(last - i);
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

  [[gnu::target("avx2,bmi")]] bool skip_value() {
    if (at >= end) return false;
    switch (*at) {
      case '"': return skip_string();
      case '{':
      case '[': return skip_nested();
      default: return skip_scalar();
    }
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

  // Behind a literal or a number, or what might be one.
  [[gnu::target("avx2,bmi")]] bool skip_scalar() {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    constexpr std::uint32_t null_bytes = 0x6c6c'756e;
    constexpr std::uint32_t true_bytes = 0x6575'7274;
    constexpr std::uint64_t false_bytes = 0x65'736c'6166;
    auto low = static_cast<std::uint32_t>(word);
    if (low == null_bytes || low == true_bytes) {
      at += 4;
      return true;
    }
    if ((word & 0xff'ffff'ffff) == false_bytes) {
      at += 5;
      return true;
    }
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

[[gnu::target("avx2,bmi")]] bool JsonScanner::scan_members(std::string_view json) {
  Cursor cursor{json.data(), json.data() + json.size()};
  const Lead* tail = &leads_.back();
  for (const Lead* lead = leads_.data(); lead != tail; ++lead) {
    const Lead& run = runs_[static_cast<std::size_t>(lead - leads_.data())];
    if (cursor.take(run)) {
      lead += run.members;
    } else if (run.members == 0 || !cursor.take(*lead)) {
      return false;
    }
    const char* begin = cursor.at;
    if (!cursor.skip_value()) return false;
    if (lead->value == not_wanted) continue;
    Value& value = values_[lead->value];
    value.text = {begin, static_cast<std::size_t>(cursor.at - begin)};
    value.has_escapes = *begin == '"' && cursor.has_escapes;
  }
  if (!cursor.take(*tail) || cursor.at != cursor.end) return false;
  if (cursor.foreign_begin == nullptr) return true;
  return simdjson::validate_utf8(
      cursor.foreign_begin, static_cast<std::size_t>(cursor.foreign_end - cursor.foreign_begin));
}

bool JsonScanner::scan(std::string_view json) {
  static const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
  return has_avx2 && !leads_.empty() && scan_members(json);
}

#else

bool JsonScanner::scan(std::string_view) {
  return false;
}

#endif

}  // namespace leat::column
