// Times by templates.
#include <algorithm>
#include <array>

#include "expression/characters.h"
#include "expression/kernel.h"
#include "expression/time_parts.h"
#include "expression/write_text.h"
#include "plan/literal_words.h"

namespace leat::expression {

using column::CivilDate;
using std::int64_t;
using std::string_view;

namespace {

constexpr std::array<string_view, 12> months{"January",   "February", "March",    "April",
                                             "May",       "June",     "July",     "August",
                                             "September", "October",  "November", "December"};
constexpr std::array<string_view, 7> weekdays{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                              "Friday", "Saturday", "Sunday"};

/// A time, taken apart as far as most patterns ask.
struct Moment {
  explicit Moment(int64_t ms)
      : time(ms), date(column::date_of(time.day)), hour(time.of_day / 3'600'000) {}
  string_view month() const { return months[static_cast<std::size_t>(date.month - 1)]; }
  string_view weekday() const {
    return weekdays[static_cast<std::size_t>(iso_weekday(time.day) - 1)];
  }

  DayTime time;
  CivilDate date;
  int64_t hour;
};

char* write(char* out, string_view text) {
  return std::copy(text.begin(), text.end(), out);
}

char* write_filled(char* out, string_view text) {
  constexpr std::ptrdiff_t width = 9;
  char* end = write(out, text);
  return std::fill_n(end, std::max<std::ptrdiff_t>(width - (end - out), 0), ' ');
}

template <class Change>
char* write_changed(char* out, string_view text, Change change) {
  return std::transform(text.begin(), text.end(), out, change);
}

template <class Change>
char* write_filled(char* out, string_view text, Change change) {
  char* end = write_filled(out, text);
  std::transform(out, end, out, change);
  return end;
}

using Write = char* (*)(char* out, const Moment& moment);

// The first days of year 0 are in ISO's year -1.
template <int width, class Number>
char* digits(char* out, Number number) {
  if (number >= 0) return write_padded(out, static_cast<std::uint64_t>(number), width);
  *out++ = '-';
  return write_padded(out, static_cast<std::uint64_t>(-number), width - 1);
}

// Counted from the Monday of the year's first week.
int64_t day_of_iso_year(const Moment& moment) {
  return (IsoWeek(moment.time.day).week - 1) * 7 + iso_weekday(moment.time.day);
}

// By FM: without the zeros that a number is filled up with, or the blanks behind a name.
char* shorten(char* begin, char* end) {
  bool negative = *begin == '-';
  char* digits = begin + (negative ? 1 : 0);
  char* first = digits;
  while (end - first > 1 && *first == '0') ++first;
  end = std::copy(first, end, digits);
  while (end > begin && end[-1] == ' ') --end;
  return end;
}

struct Pattern {
  string_view name;
  Write write;
};

// Each writes at most pattern_max characters.
constexpr std::size_t pattern_max = 20;
constexpr Pattern patterns[] = {
    {"YYYY", [](char* out, const Moment& m) { return digits<4>(out, m.date.year); }},
    {"YY", [](char* out, const Moment& m) { return digits<2>(out, m.date.year % 100); }},
    {"IYYY", [](char* out, const Moment& m) { return digits<4>(out, IsoWeek(m.time.day).year); }},
    {"Q", [](char* out, const Moment& m) { return digits<1>(out, (m.date.month - 1) / 3 + 1); }},
    {"MM", [](char* out, const Moment& m) { return digits<2>(out, m.date.month); }},
    {"Mon", [](char* out, const Moment& m) { return write(out, m.month().substr(0, 3)); }},
    {"MON",
     [](char* o, const Moment& m) { return write_changed(o, m.month().substr(0, 3), upper); }},
    {"mon",
     [](char* o, const Moment& m) { return write_changed(o, m.month().substr(0, 3), lower); }},
    {"Month", [](char* out, const Moment& m) { return write_filled(out, m.month()); }},
    {"MONTH", [](char* out, const Moment& m) { return write_filled(out, m.month(), upper); }},
    {"month", [](char* out, const Moment& m) { return write_filled(out, m.month(), lower); }},
    {"DD", [](char* out, const Moment& m) { return digits<2>(out, m.date.day); }},
    {"DDD", [](char* out, const Moment& m) { return digits<3>(out, day_of_year(m.time.day)); }},
    {"IDDD", [](char* out, const Moment& m) { return digits<3>(out, day_of_iso_year(m)); }},
    {"Dy", [](char* out, const Moment& m) { return write(out, m.weekday().substr(0, 3)); }},
    {"DY",
     [](char* o, const Moment& m) { return write_changed(o, m.weekday().substr(0, 3), upper); }},
    {"dy",
     [](char* o, const Moment& m) { return write_changed(o, m.weekday().substr(0, 3), lower); }},
    {"Day", [](char* out, const Moment& m) { return write_filled(out, m.weekday()); }},
    {"DAY", [](char* out, const Moment& m) { return write_filled(out, m.weekday(), upper); }},
    {"day", [](char* out, const Moment& m) { return write_filled(out, m.weekday(), lower); }},
    {"ID", [](char* out, const Moment& m) { return digits<1>(out, iso_weekday(m.time.day)); }},
    {"IW", [](char* out, const Moment& m) { return digits<2>(out, IsoWeek(m.time.day).week); }},
    {"HH24", [](char* out, const Moment& m) { return digits<2>(out, m.hour); }},
    {"HH12", [](char* out, const Moment& m) { return digits<2>(out, (m.hour + 11) % 12 + 1); }},
    {"MI", [](char* out, const Moment& m) { return digits<2>(out, m.time.of_day / 60'000 % 60); }},
    {"SS", [](char* out, const Moment& m) { return digits<2>(out, m.time.of_day / 1000 % 60); }},
    {"SSSS", [](char* out, const Moment& m) { return write_integer(out, m.time.of_day / 1000); }},
    {"MS", [](char* out, const Moment& m) { return digits<3>(out, m.time.of_day % 1000); }},
    {"US", [](char* out, const Moment& m) { return digits<6>(out, m.time.of_day % 1000 * 1000); }},
    {"AM", [](char* out, const Moment& m) { return write(out, m.hour < 12 ? "AM" : "PM"); }},
    {"PM", [](char* out, const Moment& m) { return write(out, m.hour < 12 ? "AM" : "PM"); }},
    {"am", [](char* out, const Moment& m) { return write(out, m.hour < 12 ? "am" : "pm"); }},
    {"pm", [](char* out, const Moment& m) { return write(out, m.hour < 12 ? "am" : "pm"); }},
};

/// A text to copy, or a pattern to fill in.
struct Step {
  Write write = nullptr;
  std::string text;
  bool is_short = false;
};

struct Template {
  explicit Template(string_view text) {
    auto parts = plan::split_template(text);
    for (auto& part : *parts) {
      size_max += part.pattern ? pattern_max : part.text.size();
      Step& step = steps.emplace_back(Step{nullptr, std::move(part.text), false});
      if (!part.pattern) continue;
      // Parts of a second are what they are.
      step.is_short = part.is_short && step.text != "MS" && step.text != "US";
      step.write = std::find_if(std::begin(patterns), std::end(patterns), [&](const auto& each) {
                     return each.name == step.text;
                   })->write;
    }
  }
  char* fill(char* out, int64_t time) const {
    Moment moment(time);
    for (const auto& step : steps) {
      char* begin = out;
      out = step.write != nullptr ? step.write(out, moment) : write(out, step.text);
      if (step.is_short) out = shorten(begin, out);
    }
    return out;
  }

  std::vector<Step> steps;
  std::size_t size_max = 0;
};

}  // namespace

Kernel to_char_kernel(const plan::BoundExpression& call) {
  bool of_time = call.function == "to_char" && call.arguments[0].type == column::Type::timestamp;
  if (!of_time) return {};
  auto filled = std::make_shared<Template>(std::get<std::string>(call.arguments[1].literal));
  return [filled](const Call& each) {
    Cells<int64_t> times(each.arguments[0]);
    for_known_rows(each, [&](std::uint32_t row) {
      char* begin = each.result.texts.reserve(filled->size_max);
      auto size = static_cast<std::size_t>(filled->fill(begin, times[row]) - begin);
      each.result.texts.keep(size);
      each.out().set_text(row, {begin, size});
    });
  };
}

}  // namespace leat::expression
