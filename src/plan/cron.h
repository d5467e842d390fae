// When a batch runs: cron's five fields.
//
//   schedule := minute hour day month weekday               blanks between them
//   field    := part (',' part)*
//   part     := '*' step? | value | value '-' value step?   step := '/' number
//
// Minutes are 0 to 59, hours 0 to 23, days 1 to 31, months 1 to 12 or jan to dec, days of the week
// 0 to 7 or sun to sat, 0 and 7 being Sunday. Where both kinds of days are restricted, that is,
// neither begins with '*', a day of either kind counts, as cron has it. Times are UTC.
#pragma once

#include <bitset>
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace leat::plan {

class Cron {
 public:
  /// Errc::plan_error with the field that does not fit, and for a schedule of days that no year
  /// has.
  static Result<Cron> parse(std::string_view schedule);

  /// The first time behind `time_ms`, both in milliseconds since 1970 UTC.
  std::int64_t next_after(std::int64_t time_ms) const;

 private:
  bool has_day(std::int64_t days_since_1970) const;
  /// The first minute of a day at or behind `minute`; negative if there is none.
  int find_minute(int minute) const;

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<8> weekdays_;
  bool any_day_ = false;
  bool any_weekday_ = false;
};

}  // namespace leat::plan
