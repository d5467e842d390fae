// Functions of texts. What is a part of an argument points to it.
#include "expression/optimize.h"

#include <algorithm>

#include "expression/characters.h"
#include "expression/known_texts.h"
#include "expression/made_text.h"

namespace leat::expression {

using column::Int128;
using column::Type;
using std::int64_t;
using std::string_view;

namespace {

// What padding may make of a short text.
constexpr int64_t padded_max = 1'000'000;

using Texts = Cells<string_view>;
using Integers = Cells<int64_t>;

template <char (*change)(char)>
void change_letters(const Call& call) {
  Texts texts(call.arguments[0]);
  for_known_texts(call, [&](std::uint32_t row) {
    string_view text = texts[row];
    change_all<change>(text.data(), text.size(), make_text(call, row, text.size()));
  });
}

template <bool equal>
void compare_in_lower(const Call& call) {
  map<int64_t, string_view, string_view>(call, [](string_view text, string_view other) -> int64_t {
    bool same = text.size() == other.size();
    for (std::size_t i = 0; same && i < text.size(); ++i) same = lower(text[i]) == other[i];
    return same == equal ? 1 : 0;
  });
}

void count_all(const Call& call) {
  Texts texts(call.arguments[0]);
  int64_t* out = cells_of<int64_t>(call.out());
  for_known_texts(call, [&](std::uint32_t row) { out[row] = count_characters(texts[row]); });
}

// length(replace(text, from, to)), without the text.
void count_replaced(const Call& call) {
  Texts texts(call.arguments[0]), from(call.arguments[1]), to(call.arguments[2]);
  int64_t* out = cells_of<int64_t>(call.out());
  for_known_texts(call, [&](std::uint32_t row) {
    string_view text = texts[row], old = from[row];
    out[row] = count_characters(text);
    if (old.empty()) return;
    int64_t more = count_characters(to[row]) - count_characters(old);
    if (more != 0) out[row] += more * count_text(text, old);
  });
}

void count_bytes(const Call& call) {
  map<int64_t, string_view>(call, [](string_view text) { return int64_t(text.size()); });
}

// The characters at positions `from` to before `to`, counted from 1, that are there.
string_view between(string_view text, Int128 from, Int128 to) {
  from = std::clamp<Int128>(from, 1, Int128(text.size()) + 1);
  to = std::clamp<Int128>(to, from, Int128(text.size()) + 1);
  text.remove_prefix(character_begin(text, static_cast<std::uint64_t>(from - 1)));
  return text.substr(0, character_begin(text, static_cast<std::uint64_t>(to - from)));
}

void substring(const Call& call) {
  Texts texts(call.arguments[0]);
  Integers from(call.arguments[1]);
  bool has_count = call.arguments.size() == 3;
  Integers counts(call.arguments[has_count ? 2 : 1]);
  for_known_rows(call, [&](std::uint32_t row) {
    Int128 end = Int128{1} << 64;
    if (has_count && counts[row] < 0) {
      return call.errors.add(row, "negative substring length not allowed");
    }
    if (has_count) end = Int128{from[row]} + counts[row];
    call.out().set_text(row, between(texts[row], from[row], end));
  });
}

// The first `count` characters; all but the last -count if that is negative.
string_view left_of(string_view text, int64_t count) {
  auto number = static_cast<std::uint64_t>(count);
  if (count >= 0) return text.substr(0, character_begin(text, number));
  return text.substr(0, character_begin_from_end(text, 0 - number));
}

// The last `count` characters; all but the first -count if that is negative.
string_view right_of(string_view text, int64_t count) {
  auto number = static_cast<std::uint64_t>(count);
  if (count < 0) return text.substr(character_begin(text, 0 - number));
  return text.substr(character_begin_from_end(text, number));
}

template <string_view (*part)(string_view, int64_t)>
void take_part(const Call& call) {
  map<string_view, string_view, int64_t>(call, part);
}

// The position of the first character of `part`, from 1; 0 if it is not there.
void position(const Call& call) {
  map<int64_t, string_view, string_view>(call, [](string_view part, string_view text) -> int64_t {
    auto at = find_text(text, part);
    return at == text.npos ? 0 : count_characters(text.substr(0, at)) + 1;
  });
}

void starts_with(const Call& call) {
  map<int64_t, string_view, string_view>(call, [](string_view text, string_view part) -> int64_t {
    return text.starts_with(part) ? 1 : 0;
  });
}

void replace(const Call& call) {
  Texts texts(call.arguments[0]), from(call.arguments[1]), to(call.arguments[2]);
  for_known_rows(call, [&](std::uint32_t row) {
    string_view text = texts[row], old = from[row], fresh = to[row];
    std::size_t found = old.empty() ? text.npos : find_text(text, old);
    if (found == text.npos) return call.out().set_text(row, text);
    std::size_t times = 1;
    if (fresh.size() > old.size()) {
      auto next = found + old.size();
      for (; (next = find_text(text, old, next)) != text.npos; next += old.size()) ++times;
    }
    std::size_t more = fresh.size() > old.size() ? (fresh.size() - old.size()) * times : 0;
    char* begin = call.result.texts.reserve(text.size() + more);
    char* out = begin;
    std::size_t at = 0;
    for (; found != text.npos; found = find_text(text, old, at)) {
      out = append(append(out, text.substr(at, found - at)), fresh);
      at = found + old.size();
    }
    auto size = static_cast<std::size_t>(append(out, text.substr(at)) - begin);
    call.result.texts.keep(size);
    call.out().set_text(row, {begin, size});
  });
}

string_view trimmed(string_view text, const CharacterSet& unwanted, bool left, bool right) {
  while (left && !text.empty()) {
    std::size_t size = character_begin(text, 1);
    if (!unwanted.contains(text.substr(0, size))) break;
    text.remove_prefix(size);
  }
  while (right && !text.empty()) {
    std::size_t at = character_begin_from_end(text, 1);
    if (!unwanted.contains(text.substr(at))) break;
    text = text.substr(0, at);
  }
  return text;
}

void trim(const Call& call, bool left, bool right) {
  Texts texts(call.arguments[0]);
  bool blanks = call.arguments.size() == 1;
  if (blanks || call.arguments[1].constant) {
    CharacterSet unwanted(blanks ? string_view(" ") : call.arguments[1].vector->text(0));
    for_known_rows(call, [&](std::uint32_t row) {
      call.out().set_text(row, trimmed(texts[row], unwanted, left, right));
    });
    return;
  }
  Texts sets(call.arguments[1]);
  for_known_rows(call, [&](std::uint32_t row) {
    call.out().set_text(row, trimmed(texts[row], CharacterSet(sets[row]), left, right));
  });
}

std::uint64_t count_parts(string_view text, string_view separator) {
  return static_cast<std::uint64_t>(count_text(text, separator)) + 1;
}

// From the left, counted from 0.
string_view part_of(string_view text, string_view separator, std::uint64_t number) {
  if (separator.size() == 1) {
    if (number > 0) {
      std::size_t before = find_nth(text, separator[0], number - 1);
      if (before == text.npos) return {};
      text.remove_prefix(before + 1);
    }
    return text.substr(0, find_nth(text, separator[0], 0));
  }
  while (true) {
    std::size_t end = find_text(text, separator);
    if (number == 0) return text.substr(0, end);
    if (end == text.npos) return {};
    text.remove_prefix(end + separator.size());
    --number;
  }
}

string_view part_of(string_view text, string_view separator, int64_t number) {
  auto distance = static_cast<std::uint64_t>(number);
  if (separator.empty()) return number == 1 || number == -1 ? text : string_view();
  if (number > 0) return part_of(text, separator, distance - 1);
  std::uint64_t count = count_parts(text, separator);
  if (0 - distance > count) return {};
  return part_of(text, separator, count + distance);
}

void split_part(const Call& call) {
  Texts texts(call.arguments[0]), separators(call.arguments[1]);
  Integers numbers(call.arguments[2]);
  for_known_texts(call, [&](std::uint32_t row) {
    if (numbers[row] == 0) return call.errors.add(row, "field position must not be zero");
    call.out().set_text(row, part_of(texts[row], separators[row], numbers[row]));
  });
}

// NULLs are left out, where they do not make the result one.
void concat(const Call& call) {
  std::vector<Texts> texts;
  for (const auto& argument : call.arguments) texts.emplace_back(argument);
  call.rows.each([&](std::uint32_t row) {
    auto text = [&](std::size_t i) {
      return call.arguments[i].is_null(row) ? string_view() : texts[i][row];
    };
    std::size_t size = 0;
    for (std::size_t i = 0; i < texts.size(); ++i) size += text(i).size();
    char* out = make_text(call, row, size);
    for (std::size_t i = 0; i < texts.size(); ++i) out = append(out, text(i));
  });
}

void join(const Call& call) {
  Texts left(call.arguments[0]), right(call.arguments[1]);
  for_known_rows(call, [&](std::uint32_t row) {
    char* out = make_text(call, row, left[row].size() + right[row].size());
    append(append(out, left[row]), right[row]);
  });
}

// Puts `count` characters of `fill`, over and over, before the text or behind it.
void put_padded(const Call& call, std::uint32_t row, string_view text, string_view fill,
                std::uint64_t count, bool before) {
  auto length = static_cast<std::uint64_t>(count_characters(fill));
  string_view rest = fill.substr(0, character_begin(fill, count % length));
  std::size_t size = fill.size() * (count / length) + rest.size();
  char* out = make_text(call, row, text.size() + size);
  if (!before) out = append(out, text);
  for (std::uint64_t i = 0; i < count / length; ++i) out = append(out, fill);
  out = append(out, rest);
  if (before) append(out, text);
}

void pad(const Call& call, bool before) {
  Texts texts(call.arguments[0]);
  Integers wanted(call.arguments[1]);
  bool blanks = call.arguments.size() == 2;
  Texts fills(call.arguments[blanks ? 0 : 2]);
  for_known_rows(call, [&](std::uint32_t row) {
    int64_t length = std::max<int64_t>(wanted[row], 0);
    if (length > padded_max) return call.errors.add(row, "requested length too large");
    string_view text = texts[row], fill = blanks ? string_view(" ") : fills[row];
    int64_t missing = length - count_characters(text);
    if (missing <= 0) return call.out().set_text(row, left_of(text, length));
    if (fill.empty()) return call.out().set_text(row, text);
    put_padded(call, row, text, fill, static_cast<std::uint64_t>(missing), before);
  });
}

struct Row {
  string_view name;
  void (*kernel)(const Call&);
};

constexpr Row rows[] = {
    {"lower", change_letters<lower>},
    {"upper", change_letters<upper>},
    {"length", count_all},
    {"substring", substring},
    {"position", position},
    {"replace", replace},
    {"trim", [](const Call& call) { trim(call, true, true); }},
    {"ltrim", [](const Call& call) { trim(call, true, false); }},
    {"rtrim", [](const Call& call) { trim(call, false, true); }},
    {"split_part", split_part},
    {"||", join},
    {"concat", concat},
    {"left", take_part<left_of>},
    {"right", take_part<right_of>},
    {"lpad", [](const Call& call) { pad(call, true); }},
    {"rpad", [](const Call& call) { pad(call, false); }},
    {"starts_with", starts_with},
    // What rewritten() makes.
    {"lower =", compare_in_lower<true>},
    {"lower <>", compare_in_lower<false>},
    {"length replace", count_replaced},
};

}  // namespace

Kernel text_kernel(const plan::BoundExpression& call) {
  if (call.function == "length" && call.arguments[0].type.kind == Type::bytes) return count_bytes;
  const auto* row = std::find_if(std::begin(rows), std::end(rows),
                                 [&](const Row& each) { return each.name == call.function; });
  return row == std::end(rows) ? Kernel() : row->kernel;
}

}  // namespace leat::expression
