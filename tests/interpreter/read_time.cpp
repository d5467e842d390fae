// Texts as times by templates, as PostgreSQL reads them: a template's blanks and signs may be there
// or not, numbers end at the first other character where no digit follows in the template, and what
// is not there is 1 or 0.
#include <cctype>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "interpreter/calendar.h"
#include "interpreter/characters.h"
#include "interpreter/evaluate.h"
#include "plan/literal_words.h"
#include "plan/text_place.h"

namespace leat::interpreter {

using namespace leat::plan;

namespace {

struct NoTime {};

bool is_blank(char c) {
  return std::string(" \t\n\v\f\r").find(c) != std::string::npos;
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// One field, separator or other character of a template.
struct Part {
  std::string field;  // empty for a character
  std::string character;
  bool separates = false;
  bool is_short = false;  // has any number of digits

  bool is_number() const {
    static const std::set<std::string> names{"month", "mon", "day", "dy", "am", "pm"};
    return !field.empty() && !names.contains(lower(field));
  }
  bool has_digit() const { return is_number() || (!character.empty() && is_digit(character[0])); }
};

std::vector<Part> parts_of(const std::string& format) {
  std::vector<Part> parts;
  auto pieces = split_template(format);
  for (const auto& piece : *pieces) {
    if (piece.pattern) {
      parts.push_back({piece.text, "", false, piece.is_short});
      continue;
    }
    for (const auto& character : characters_of(piece.text)) {
      auto c = static_cast<unsigned char>(character[0]);
      bool separates = !piece.quoted && (is_blank(character[0]) || (c < 0x80 && std::ispunct(c)));
      parts.push_back({"", character, separates, false});
    }
  }
  return parts;
}

/// The text that is left, and the fields that were read.
class Reading {
 public:
  Reading(std::string text, const std::string& format)
      : left_(std::move(text)), parts_(parts_of(format)) {}

  Timestamp run() {
    for (std::size_t i = 0; i < parts_.size() && !left_.empty(); ++i) {
      const Part& part = parts_[i];
      if (!part.field.empty() || i == 0) skipped_ += take_blanks();
      if (!part.field.empty()) {
        read(part.field, i);
        skipped_ = take_blanks();
      } else if (part.separates) {
        bool there = !left_.empty() &&
                     (is_blank(left_[0]) || std::ispunct(static_cast<unsigned char>(left_[0])));
        if (there)
          left_.erase(0, 1);
        else
          --skipped_;
      } else if (skipped_ > 0) {
        --skipped_;
      } else if (!left_.empty()) {
        left_.erase(0, characters_of(left_)[0].size());
      }
    }
    return moment();
  }

 private:
  int take_blanks() {
    std::size_t count = 0;
    while (count < left_.size() && is_blank(left_[count])) ++count;
    left_.erase(0, count);
    return static_cast<int>(count);
  }

  void set(const std::string& field, std::int64_t value) {
    std::int64_t& said = said_[field];
    if (said != 0 && said != value) throw NoTime{};
    said = value;
  }

  // Says how many characters it had.
  std::size_t read_number(const std::string& field, std::size_t at) {
    static const std::map<std::string, std::size_t> widths{{"YYYY", 4}, {"DDD", 3}, {"SSSS", 5},
                                                           {"MS", 3},   {"US", 6},  {"Q", 1}};
    std::size_t width = widths.contains(field) ? widths.at(field) : 2;
    bool is_fixed = !parts_[at].is_short && at + 1 < parts_.size() && parts_[at + 1].has_digit();
    if (is_fixed && left_.size() < width) throw NoTime{};
    std::string text = is_fixed ? left_.substr(0, width) : left_;
    std::size_t end = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    std::size_t begin = end;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end == begin || (is_fixed && end < width)) throw NoTime{};
    std::string digits = text.substr(begin, end - begin);
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
    if (digits.size() > 10) throw NoTime{};
    std::int64_t number = std::stoll(digits) * (text[0] == '-' ? -1 : 1);
    if (number > 2'147'483'647 || number < -2'147'483'648) throw NoTime{};
    left_.erase(0, end);
    std::string name = field == "YY" ? "YYYY" : field == "HH12" ? "HH24" : field;
    if (field != "Q") set(name, number);
    return end;
  }

  void read_name(const std::string& field, std::vector<std::string> names, bool is_short) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (is_short) names[i].resize(3);
      if (!lower(left_).starts_with(names[i])) continue;
      left_.erase(0, names[i].size());
      if (field != "day") set(field, static_cast<std::int64_t>(i) + (field == "MM" ? 1 : 0));
      return;
    }
    throw NoTime{};
  }

  void read(const std::string& field, std::size_t at) {
    std::string name = lower(field);
    if (name == "month" || name == "mon") {
      return read_name("MM",
                       {"january", "february", "march", "april", "may", "june", "july", "august",
                        "september", "october", "november", "december"},
                       name == "mon");
    }
    if (name == "day" || name == "dy") {
      return read_name(
          "day", {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"},
          name == "dy");
    }
    if (name == "am" || name == "pm") {
      said_["12"] = 1;
      return read_name("half", {"am", "pm"}, false);
    }
    if (field == "HH12") said_["12"] = 1;
    std::size_t count = read_number(field, at);
    if (field == "YY" && count < 4) {
      std::int64_t& year = said_["YYYY"];
      year += year < 70 ? 2000 : year < 100 ? 1900 : year < 520 ? 2000 : year < 1000 ? 1000 : 0;
    }
    for (std::size_t wanted = field == "MS" ? 3 : field == "US" ? 6 : 0; count < wanted; ++count) {
      said_[field] *= 10;
    }
  }

  static std::int64_t below(std::int64_t value, std::int64_t end) {
    if (value < 0 || value >= end) throw NoTime{};
    return value;
  }

  static unsigned days_in(std::int64_t year, unsigned month) {
    auto last =
        std::chrono::year(static_cast<int>(year)) / std::chrono::month(month) / std::chrono::last;
    return static_cast<unsigned>(std::chrono::year_month_day_last(last).day());
  }

  // Where no month, or no day of it, was said.
  void use_day_of_year() {
    std::int64_t left = said_["DDD"];
    if (left == 0 || (said_["MM"] > 1 && said_["DD"] > 1)) return;
    if (said_["YYYY"] == 0) throw NoTime{};
    unsigned month = 1;
    for (; month <= 12 && left > days_in(said_["YYYY"], month); ++month) {
      left -= days_in(said_["YYYY"], month);
    }
    if (said_["MM"] <= 1) said_["MM"] = month;
    if (said_["DD"] <= 1) said_["DD"] = left;
  }

  Timestamp moment() {
    std::int64_t of_day = said_["SSSS"];
    if (said_["HH24"] == 0) said_["HH24"] = of_day / 3600;
    if (said_["MI"] == 0) said_["MI"] = of_day / 60 % 60;
    if (said_["SS"] == 0) said_["SS"] = of_day % 60;
    if (said_["12"] == 1) {
      below(said_["HH24"] - 1, 12);
      said_["HH24"] = said_["HH24"] % 12 + 12 * said_["half"];
    }
    std::int64_t year = below(said_["YYYY"], 10'000);
    use_day_of_year();
    std::int64_t month = said_["MM"] == 0 ? 1 : said_["MM"];
    std::int64_t day = said_["DD"] == 0 ? 1 : said_["DD"];
    auto m = static_cast<unsigned>(below(month - 1, 12) + 1);
    auto d = static_cast<unsigned>(below(day - 1, days_in(year, m)) + 1);
    std::int64_t seconds =
        below(said_["HH24"], 24) * 3600 + below(said_["MI"], 60) * 60 + below(said_["SS"], 60);
    std::int64_t us = below(said_["MS"] * 1000 + said_["US"], 1'000'000);
    return timestamp_of(Civil{year, m, d, seconds * 1000 + us / 1000});
  }

  std::string left_;
  std::vector<Part> parts_;
  int skipped_ = 0;  // blanks that the template does not have
  std::map<std::string, std::int64_t> said_;
};

Timestamp read(const std::string& text, const std::string& format) {
  try {
    return Reading(text, format).run();
  } catch (const NoTime&) {
    throw BadValue{fmt::format("'{}' does not fit the template '{}'", shortened(text, 80), format)};
  }
}

Timestamp day_of(const Call& call) {
  std::int64_t year = call.integer(0), month = call.integer(1), day = call.integer(2);
  bool good = year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
  auto date = std::chrono::year(static_cast<int>(good ? year : 1)) /
              std::chrono::month(static_cast<unsigned>(good ? month : 1)) /
              std::chrono::day(static_cast<unsigned>(good ? day : 1));
  if (!good || !date.ok()) throw BadValue{"date field value out of range"};
  return timestamp_of(Civil{year, static_cast<unsigned>(month), static_cast<unsigned>(day)});
}

Timestamp make_timestamp(const Call& call) {
  constexpr std::int64_t day_ms = 86'400'000;
  Timestamp day = day_of(call);
  std::int64_t hour = call.integer(3), minute = call.integer(4);
  double ms = std::rint(call.real(5) * 1000);
  bool good = hour >= 0 && hour <= 24 && minute >= 0 && minute < 60 && ms >= 0 && ms <= 60'000;
  std::int64_t sum = good ? (hour * 60 + minute) * 60'000 + static_cast<std::int64_t>(ms) : 0;
  if (!good || sum > day_ms) throw BadValue{"time field value out of range"};
  return checked_timestamp(Int128{day.ms} + sum);
}

}  // namespace

std::optional<Value> made_time(const Call& call) {
  constexpr std::int64_t day_ms = 86'400'000;
  const std::string& name = call.expression.function;
  if (name == "to_timestamp" && call.has(1)) return read(call.text(0), call.text(1));
  if (name == "to_date") return Date{floor_divide(read(call.text(0), call.text(1)).ms, day_ms)};
  if (name == "make_date") return Date{floor_divide(day_of(call).ms, day_ms)};
  if (name == "make_timestamp") return make_timestamp(call);
  return {};
}

}  // namespace leat::interpreter
