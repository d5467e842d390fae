#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "expression/read_text.h"

namespace leat::expression {

using column::Interval;

namespace {

struct Unit {
  std::string_view name;
  std::int64_t Interval::*part;
  std::int64_t size;
};

constexpr std::array<Unit, 13> units{{{"millisecond", &Interval::ms, 1},
                                      {"second", &Interval::ms, 1000},
                                      {"sec", &Interval::ms, 1000},
                                      {"minute", &Interval::ms, 60'000},
                                      {"min", &Interval::ms, 60'000},
                                      {"hour", &Interval::ms, 3'600'000},
                                      {"hr", &Interval::ms, 3'600'000},
                                      {"day", &Interval::days, 1},
                                      {"week", &Interval::days, 7},
                                      {"month", &Interval::months, 1},
                                      {"mon", &Interval::months, 1},
                                      {"year", &Interval::months, 12},
                                      {"yr", &Interval::months, 12}}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes the word that `text` begins with, and the blanks behind it.
std::string_view take_word(std::string_view& text) {
  constexpr std::string_view blanks = " \t\n\r\v\f";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  std::string_view word = text.substr(0, text.find_first_of(blanks));
  text.remove_prefix(word.size());
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return word;
}

std::string_view take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::int64_t number(std::string_view digits) {
  std::int64_t value = 0;
  for (char c : digits) value = value * 10 + (c - '0');
  return value;
}

// `[-]HH:MM[:SS[.mmm]]`
bool add_time(Interval& interval, std::string_view word) {
  bool negative = word.starts_with('-');
  if (!take(word, '-')) take(word, '+');
  std::string_view hours = take_digits(word);
  if (hours.empty() || hours.size() > 6 || !take(word, ':')) return false;
  std::string_view minutes = take_digits(word);
  std::int64_t ms = 0;
  if (take(word, ':')) {
    std::string_view seconds = take_digits(word);
    if (seconds.size() != 2) return false;
    ms = number(seconds) * 1000;
    if (take(word, '.')) {
      std::string_view fraction = take_digits(word);
      constexpr std::int64_t sizes[] = {0, 100, 10, 1};
      if (fraction.empty() || fraction.size() > 3) return false;
      ms += number(fraction) * sizes[fraction.size()];
    }
  }
  if (minutes.size() != 2 || number(minutes) > 59 || ms >= 60'000 || !word.empty()) return false;
  ms += (number(hours) * 60 + number(minutes)) * 60'000;
  return !__builtin_add_overflow(interval.ms, negative ? -ms : ms, &interval.ms);
}

bool add_part(Interval& interval, std::string_view written, bool whole, std::string_view name) {
  constexpr std::size_t written_max = 12;
  if (written.size() > written_max) return false;
  if (name.ends_with('s')) name.remove_suffix(1);
  const auto* unit =
      std::find_if(units.begin(), units.end(), [&](const Unit& each) { return each.name == name; });
  if (unit == units.end()) return false;
  take(written, '+');
  double value = 0;
  std::from_chars(written.data(), written.data() + written.size(), value);
  if (!whole && unit->part != &Interval::ms) return false;
  std::int64_t size = std::llround(value * static_cast<double>(unit->size));
  std::int64_t& part = interval.*(unit->part);
  return !__builtin_add_overflow(part, size, &part);
}

// A number, and its unit with it or as the next word.
bool take_part(Interval& interval, std::string_view word, std::string_view& text) {
  const char* begin = word.data();
  if (!take(word, '-')) take(word, '+');
  if (take_digits(word).empty()) return false;
  bool whole = !take(word, '.');
  if (!whole && take_digits(word).empty()) return false;
  std::string_view written(begin, static_cast<std::size_t>(word.data() - begin));
  bool letters = word.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == word.npos;
  std::string_view unit = word.empty() ? take_word(text) : word;
  return letters && !unit.empty() && add_part(interval, written, whole, unit);
}

}  // namespace

Reading read_interval(std::string_view text, Interval& out) {
  Interval interval;
  bool any = false;
  for (auto word = take_word(text); !word.empty(); word = take_word(text)) {
    if (!add_time(interval, word) && !take_part(interval, word, text)) return Reading::malformed;
    any = true;
  }
  if (!any) return Reading::malformed;
  out = interval;
  return Reading::good;
}

}  // namespace leat::expression
