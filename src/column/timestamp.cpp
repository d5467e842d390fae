#include "column/timestamp.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/assert.h"
#include "column/calendar.h"

namespace leat::column {

namespace {

// Two digits as a number, or something above 99.
unsigned two_digits(const char* at) {
  unsigned tens = static_cast<unsigned char>(at[0]) - '0';
  unsigned ones = static_cast<unsigned char>(at[1]) - '0';
  return tens > 9 || ones > 9 ? 100 : tens * 10 + ones;
}

// Milliseconds east of UTC, or nothing.
std::optional<std::int64_t> parse_zone(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z") return 0;
  if (text.size() != 6 || text[3] != ':' || (text[0] != '+' && text[0] != '-')) return {};
  unsigned hours = two_digits(text.data() + 1);
  unsigned minutes = two_digits(text.data() + 4);
  if (hours > 23 || minutes > 59) return {};
  std::int64_t ms = (std::int64_t{hours} * 60 + minutes) * 60'000;
  return text[0] == '-' ? -ms : ms;
}

void write_digits(char* at, int value, int width) {
  for (int i = width; i-- > 0; value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  constexpr std::size_t seconds_end = 19;
  if (text.size() < seconds_end) return {};
  const char* at = text.data();
  bool shaped = at[4] == '-' && at[7] == '-' && at[13] == ':' && at[16] == ':' &&
                (at[10] == 'T' || at[10] == 't' || at[10] == ' ');
  unsigned century = two_digits(at), year_of_century = two_digits(at + 2);
  unsigned month = two_digits(at + 5), day = two_digits(at + 8), hour = two_digits(at + 11);
  unsigned minute = two_digits(at + 14), second = two_digits(at + 17);
  if (!shaped || century > 99 || year_of_century > 99) return {};
  // A leap second is the first one of the next minute.
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 60) return {};
  int year = static_cast<int>(century * 100 + year_of_century);
  if (static_cast<int>(day) > days_in_month(year, static_cast<int>(month))) return {};

  std::size_t next = seconds_end;
  int ms = 0;
  if (next < text.size() && text[next] == '.') {
    std::size_t first = ++next;
    for (int unit = 100; next < text.size() && text[next] >= '0' && text[next] <= '9'; ++next) {
      ms += (text[next] - '0') * unit;
      unit /= 10;
    }
    if (next == first) return {};
  }
  auto zone_ms = parse_zone(text.substr(next));
  if (!zone_ms) return {};
  std::int64_t days = days_of({year, static_cast<int>(month), static_cast<int>(day)});
  std::int64_t seconds = (std::int64_t{hour} * 60 + minute) * 60 + second;
  Timestamp time{days * day_ms + seconds * 1000 + ms - *zone_ms};
  if (time < timestamp_min || time > timestamp_max) return {};
  return time;
}

std::optional<Timestamp> TimestampReader::read(std::string_view text) {
  constexpr std::size_t size = 24;  // `2015-09-12T00:45:00.123Z`
  if (text.size() != size || text[size - 1] != 'Z') return parse_timestamp(text);
  std::uint64_t values;
  std::memcpy(&values, text.data() + hour_.size(), sizeof values);
  // `45:00.12` becomes numbers where digits are and zeros elsewhere, if it is what it should be.
  std::array<unsigned char, 8> rest{'0', '0', ':', '0', '0', '.', '0', '0'};
  std::array<unsigned char, 8> room{0x76, 0x76, 0x7f, 0x76, 0x76, 0x7f, 0x76, 0x76};
  values ^= std::bit_cast<std::uint64_t>(rest);
  std::uint64_t beyond = (values + std::bit_cast<std::uint64_t>(room)) | values;
  constexpr std::uint64_t high_bits = 0x8080'8080'8080'8080;
  auto number = std::bit_cast<std::array<unsigned char, 8>>(values);
  unsigned minute = number[0] * 10u + number[1], second = number[3] * 10u + number[4];
  unsigned last = static_cast<unsigned char>(text[22]) - '0';
  bool plain = (beyond & high_bits) == 0 && minute < 60 && second < 60 && last < 10;
  if (!plain) return parse_timestamp(text);
  std::int64_t ms = (minute * 60 + second) * 1000 + number[6] * 100u + number[7] * 10u + last;
  if (std::memcmp(hour_.data(), text.data(), hour_.size()) == 0) return Timestamp{hour_ms_ + ms};
  auto time = parse_timestamp(text);
  if (!time) return {};
  std::copy_n(text.begin(), hour_.size(), hour_.begin());
  hour_ms_ = time->ms - ms;
  return time;
}

void append_timestamp(std::string& out, Timestamp time) {
  ASSERT(timestamp_min <= time && time <= timestamp_max);
  std::int64_t days = day_of(time.ms);
  int of_day = static_cast<int>(time.ms - days * day_ms);
  CivilDate date = date_of(days);
  char text[] = "0000-00-00T00:00:00.000Z";
  write_digits(text, date.year, 4);
  write_digits(text + 5, date.month, 2);
  write_digits(text + 8, date.day, 2);
  write_digits(text + 11, of_day / 3'600'000, 2);
  write_digits(text + 14, of_day / 60'000 % 60, 2);
  write_digits(text + 17, of_day / 1000 % 60, 2);
  constexpr std::size_t seconds_end = 19;
  if (of_day % 1000 == 0) {
    text[seconds_end] = 'Z';
    out.append(text, seconds_end + 1);
  } else {
    write_digits(text + 20, of_day % 1000, 3);
    out.append(text, sizeof text - 1);
  }
}

}  // namespace leat::column
