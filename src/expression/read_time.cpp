// Texts as times by a template, and times of their parts, as PostgreSQL has to_timestamp(),
// to_date(), make_date() and make_timestamp().
#include "expression/optimize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "column/calendar.h"
#include "column/timestamp.h"
#include "expression/characters.h"
#include "expression/kernel.h"
#include "plan/literal_words.h"
#include "plan/text_place.h"

namespace leat::expression {

using column::day_ms;
using std::int64_t;
using std::string_view;

namespace {

bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_separator(char c) {
  return c > 0x20 && c < 0x7f && !is_digit(c) && !(lower(c) >= 'a' && lower(c) <= 'z');
}

// ---- What a text said --------------------------------------------------------------------------

enum class Field : std::uint8_t {
  year,
  short_year,
  month,
  day,
  day_of_year,
  hour,
  hour_of_12,
  minute,
  second,
  second_of_day,
  ms,
  us,
  month_name,
  weekday_name,
  half_day,
  quarter
};

/// A field that is 0 was not said.
struct Said {
  int64_t year = 0, month = 0, day = 0, day_of_year = 0;
  int64_t hour = 0, minute = 0, second = 0, second_of_day = 0, ms = 0, us = 0, half_day = 0;
  bool is_of_12 = false;  // the hour

  int64_t& of(Field field) {
    switch (field) {
      case Field::year:
      case Field::short_year: return year;
      case Field::month:
      case Field::month_name: return month;
      case Field::day: return day;
      case Field::day_of_year: return day_of_year;
      case Field::hour:
      case Field::hour_of_12: return hour;
      case Field::minute: return minute;
      case Field::second: return second;
      case Field::second_of_day: return second_of_day;
      case Field::ms: return ms;
      case Field::us: return us;
      default: return half_day;
    }
  }
  // Whether it was not said before, or was the same.
  bool set(Field field, int64_t value) {
    int64_t& said = of(field);
    if (said != 0 && said != value) return false;
    said = value;
    return true;
  }

  bool find_month_of_day() {
    if (year == 0) return false;
    int64_t begin = 0;
    int found = 1;
    while (found <= 12) {
      int length = column::days_in_month(static_cast<int>(year), found);
      if (day_of_year <= begin + length) break;
      begin += length;
      ++found;
    }
    if (month <= 1) month = found;
    if (day <= 1) day = day_of_year - begin;
    return true;
  }

  /// Ms since 1970; nothing if there is no such moment.
  std::optional<int64_t> moment() {
    if (second_of_day != 0) {
      if (hour == 0) hour = second_of_day / 3600;
      if (minute == 0) minute = second_of_day / 60 % 60;
      if (second == 0) second = second_of_day % 60;
    }
    if (is_of_12) {
      if (hour < 1 || hour > 12) return {};
      hour = hour % 12 + (half_day != 0 ? 12 : 0);
    }
    if (year < 0 || year > 9999) return {};
    if (day_of_year != 0 && (month <= 1 || day <= 1) && !find_month_of_day()) return {};
    if (month == 0) month = 1;
    if (day == 0) day = 1;
    if (month < 1 || month > 12) return {};
    auto y = static_cast<int>(year), m = static_cast<int>(month);
    if (day < 1 || day > column::days_in_month(y, m)) return {};
    auto is_below = [](int64_t value, int64_t end) { return value >= 0 && value < end; };
    if (!is_below(hour, 24) || !is_below(minute, 60) || !is_below(second, 60)) return {};
    int64_t fraction_us = ms * 1000 + us;
    if (!is_below(fraction_us, 1'000'000)) return {};
    int64_t days = column::days_of({y, m, static_cast<int>(day)});
    int64_t seconds = (hour * 60 + minute) * 60 + second;
    return days * day_ms + seconds * 1000 + fraction_us / 1000;
  }
};

// ---- Templates ---------------------------------------------------------------------------------

/// Of a template: a field, a separator that may be there, or any other character.
struct Part {
  enum class Kind : std::uint8_t { field, separator, character };
  Kind kind = Kind::character;
  Field field = Field::year;
  /// How many digits a number has, or letters a name; 0 for all there are.
  std::size_t width = 0;
  bool is_digit = false;  // or begins with one
};

struct NumberPattern {
  string_view name;
  Field field;
  std::size_t width;
};

constexpr NumberPattern number_patterns[] = {{"YYYY", Field::year, 4},
                                             {"YY", Field::short_year, 2},
                                             {"Q", Field::quarter, 1},
                                             {"MM", Field::month, 2},
                                             {"DD", Field::day, 2},
                                             {"DDD", Field::day_of_year, 3},
                                             {"HH24", Field::hour, 2},
                                             {"HH12", Field::hour_of_12, 2},
                                             {"MI", Field::minute, 2},
                                             {"SS", Field::second, 2},
                                             {"SSSS", Field::second_of_day, 5},
                                             {"MS", Field::ms, 3},
                                             {"US", Field::us, 6}};

constexpr std::array<string_view, 12> months{"january",   "february", "march",    "april",
                                             "may",       "june",     "july",     "august",
                                             "september", "october",  "november", "december"};
constexpr std::array<string_view, 7> weekdays{"sunday",   "monday", "tuesday", "wednesday",
                                              "thursday", "friday", "saturday"};
constexpr std::array<string_view, 2> half_days{"am", "pm"};

class Reader {
 public:
  explicit Reader(string_view text) {
    auto parts = plan::split_template(text);
    for (const auto& part : *parts) add(part);
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      // A number goes on to where something else begins.
      bool goes_on = i + 1 == parts_.size() || !parts_[i + 1].is_digit;
      if (goes_on && parts_[i].is_digit) parts_[i].width = 0;
    }
  }

  /// Ms since 1970; nothing if the text is none.
  std::optional<int64_t> read(string_view text) const {
    Said said;
    int skipped = 0;  // blanks that the template does not have
    for (std::size_t i = 0; i < parts_.size() && !text.empty(); ++i) {
      const Part& part = parts_[i];
      if (part.kind == Part::Kind::field || i == 0) skipped += skip_blanks(text);
      if (part.kind == Part::Kind::separator) {
        bool there = !text.empty() && (is_blank(text[0]) || is_separator(text[0]));
        if (there)
          text.remove_prefix(1);
        else
          --skipped;
      } else if (part.kind == Part::Kind::character) {
        if (skipped > 0)
          --skipped;
        else if (!text.empty())
          text.remove_prefix(character_begin(text, 1));
      } else {
        if (!read_field(part, text, said)) return {};
        skipped = skip_blanks(text);
      }
    }
    return said.moment();
  }

 private:
  void add(const plan::TemplatePart& part) {
    if (part.pattern) return add_pattern(part.text, part.is_short);
    string_view text = part.text;
    while (!text.empty()) {
      std::size_t size = character_begin(text, 1);
      bool separates = !part.quoted && size == 1 && (is_separator(text[0]) || is_blank(text[0]));
      Part& added = parts_.emplace_back();
      added.kind = separates ? Part::Kind::separator : Part::Kind::character;
      added.is_digit = size == 1 && is_digit(text[0]);
      text.remove_prefix(size);
    }
  }
  void add_pattern(string_view name, bool is_short) {
    for (const auto& number : number_patterns) {
      if (number.name != name) continue;
      parts_.push_back({Part::Kind::field, number.field, is_short ? 0 : number.width, true});
      return;
    }
    std::string small(name);
    std::transform(small.begin(), small.end(), small.begin(), lower);
    Part& added = parts_.emplace_back();
    added.kind = Part::Kind::field;
    added.field = small[0] == 'm'   ? Field::month_name
                  : small[0] == 'd' ? Field::weekday_name
                                    : Field::half_day;
    added.width = small == "mon" || small == "dy" ? 3 : string_view::npos;
  }

  static int skip_blanks(string_view& text) {
    int count = 0;
    for (; !text.empty() && is_blank(text[0]); text.remove_prefix(1)) ++count;
    return count;
  }

  // Takes what a number has off `text`. Nothing if it has none, or too few digits.
  static std::optional<int64_t> read_number(string_view& text, std::size_t width) {
    if (width > 0 && text.size() < width) return {};
    string_view digits = width > 0 ? text.substr(0, width) : text;
    std::size_t at = digits.empty() || (digits[0] != '-' && digits[0] != '+') ? 0 : 1;
    std::size_t begin = at;
    constexpr int64_t number_max = 2'147'483'647;
    int64_t number = 0;
    for (; at < digits.size() && is_digit(digits[at]); ++at) {
      number = std::min(number * 10 + (digits[at] - '0'), number_max + 2);
    }
    if (at == begin || (width > 0 && at < width)) return {};
    if (digits[0] == '-') number = -number;
    if (number > number_max || number < -number_max - 1) return {};
    text.remove_prefix(at);
    return number;
  }

  // Takes a name off `text`. The number of the first one that it begins with.
  template <std::size_t count>
  static std::optional<int64_t> read_name(string_view& text,
                                          const std::array<string_view, count>& names,
                                          std::size_t letters) {
    for (std::size_t i = 0; i < count; ++i) {
      string_view name = names[i].substr(0, letters);
      bool same = text.size() >= name.size();
      for (std::size_t at = 0; same && at < name.size(); ++at) same = lower(text[at]) == name[at];
      if (!same) continue;
      text.remove_prefix(name.size());
      return static_cast<int64_t>(i);
    }
    return {};
  }

  static bool read_field(const Part& part, string_view& text, Said& said) {
    switch (part.field) {
      case Field::month_name: {
        auto month = read_name(text, months, part.width);
        return month && said.set(part.field, *month + 1);
      }
      case Field::weekday_name: return read_name(text, weekdays, part.width).has_value();
      case Field::half_day: {
        auto half = read_name(text, half_days, string_view::npos);
        said.is_of_12 = true;
        return half && said.set(part.field, *half);
      }
      default: break;
    }
    std::size_t before = text.size();
    auto number = read_number(text, part.width);
    if (!number) return false;
    if (part.field == Field::quarter) return true;
    if (part.field == Field::hour_of_12) said.is_of_12 = true;
    if (!said.set(part.field, *number)) return false;
    complete(part.field, before - text.size(), said);
    return true;
  }

  // Years that are cut short, and fractions.
  static void complete(Field field, std::size_t characters, Said& said) {
    int64_t& value = said.of(field);
    if (field == Field::short_year && characters < 4) {
      if (value < 70)
        value += 2000;
      else if (value < 100)
        value += 1900;
      else if (value < 520)
        value += 2000;
      else if (value < 1000)
        value += 1000;
    }
    if (field != Field::ms && field != Field::us) return;
    for (std::size_t digits = characters; digits < (field == Field::ms ? 3u : 6u); ++digits) {
      value *= 10;
    }
  }

  std::vector<Part> parts_;
};

Kernel with_template(const plan::BoundExpression& call, int64_t unit) {
  auto text = std::get<std::string>(call.arguments[1].literal);
  return [text, unit, reader = std::make_shared<const Reader>(text)](const Call& each) {
    Cells<string_view> texts(each.arguments[0]);
    for_known_rows(each, [&](std::uint32_t row) {
      auto time = reader->read(texts[row]);
      if (!time) {
        return each.errors.add(row, fmt::format("'{}' does not fit the template '{}'",
                                                plan::shortened(texts[row], 80), text));
      }
      each.out().set_integer(row, unit == 1 ? *time : column::day_of(*time));
    });
  };
}

// ---- Of parts ----------------------------------------------------------------------------------

std::optional<int64_t> day_of_parts(int64_t year, int64_t month, int64_t day) {
  if (year < 1 || year > 9999 || month < 1 || month > 12) return {};
  auto y = static_cast<int>(year), m = static_cast<int>(month);
  if (day < 1 || day > column::days_in_month(y, m)) return {};
  return column::days_of({y, m, static_cast<int>(day)});
}

// 24:00:00 is midnight, and a minute may have 60 seconds.
std::optional<int64_t> ms_of_parts(int64_t hour, int64_t minute, double second) {
  if (hour < 0 || hour > 24 || minute < 0 || minute > 59) return {};
  double ms = std::rint(second * 1000);
  if (!(ms >= 0 && ms <= 60'000)) return {};
  int64_t sum = (hour * 60 + minute) * 60'000 + static_cast<int64_t>(ms);
  if (sum > day_ms) return {};
  return sum;
}

void make_date(const Call& call) {
  Cells<int64_t> years(call.arguments[0]), months_(call.arguments[1]), days(call.arguments[2]);
  for_known_rows(call, [&](std::uint32_t row) {
    auto day = day_of_parts(years[row], months_[row], days[row]);
    if (!day) return call.errors.add(row, "date field value out of range");
    call.out().set_integer(row, *day);
  });
}

void make_timestamp(const Call& call) {
  using Numbers = Cells<int64_t>;
  Numbers years(call.arguments[0]), months_(call.arguments[1]), days(call.arguments[2]);
  Numbers hours(call.arguments[3]), minutes(call.arguments[4]);
  Cells<double> seconds(call.arguments[5]);
  for_known_rows(call, [&](std::uint32_t row) {
    auto day = day_of_parts(years[row], months_[row], days[row]);
    if (!day) return call.errors.add(row, "date field value out of range");
    auto ms = ms_of_parts(hours[row], minutes[row], seconds[row]);
    if (!ms) return call.errors.add(row, "time field value out of range");
    int64_t time = *day * day_ms + *ms;
    if (time > column::timestamp_max.ms) return call.errors.add(row, "timestamp out of range");
    call.out().set_integer(row, time);
  });
}

}  // namespace

Kernel read_time_kernel(const plan::BoundExpression& call) {
  const std::string& name = call.function;
  if (name == "to_timestamp" && call.arguments.size() == 2) return with_template(call, 1);
  if (name == "to_date") return with_template(call, day_ms);
  if (name == "make_date") return make_date;
  if (name == "make_timestamp") return make_timestamp;
  return {};
}

}  // namespace leat::expression
