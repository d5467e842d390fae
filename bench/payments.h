// Payments for the fraud job, each following from its number, and the alerts that they must give.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/random.h"

namespace leat::bench {

/// So many a second come, in which 100 times as much event time passes: so the job's state, all
/// payments of ten minutes, 300,000, is as large as it gets after six seconds. One payment in 100
/// has an amount above 10,000, so that alerts come all the time.
class Payments {
 public:
  static constexpr std::int64_t alert_cents = 1'000'000;
  static constexpr std::uint64_t alert_count = 5;
  static constexpr std::uint64_t per_s = 50'000;
  static constexpr std::uint64_t per_s_of_event_time = per_s / 100;
  /// Of all that the state has.
  static constexpr std::uint64_t in_ten_minutes = 600 * per_s_of_event_time;
  static constexpr std::uint64_t customers = 100'000;

  struct Payment {
    std::uint64_t customer = 0;
    std::int64_t cents = 0;
    std::int64_t time_ms = 0;
  };

  static Payment at(std::uint64_t number) {
    Random random(number);
    Payment payment;
    payment.customer = random.below(customers);
    payment.cents = random.one_in(100) ? random.between(alert_cents + 1, 2 * alert_cents)
                                       : random.between(100, 500'000);
    payment.time_ms = start_ms + static_cast<std::int64_t>(number * 1000 / per_s_of_event_time);
    return payment;
  }

  /// Of the record; the time is `time_ms` of the payment.
  static void write(std::uint64_t number, std::string& key, std::string& value) {
    Payment payment = at(number);
    key.clear();
    value.clear();
    fmt::format_to(std::back_inserter(key), "c{}", payment.customer);
    fmt::format_to(std::back_inserter(value),
                   R"({{"transaction_id":"t{}","customer_id":"{}","amount":{}.{:02},)"
                   R"("timestamp":{}}})",
                   number, key, payment.cents / 100, payment.cents % 100, payment.time_ms);
  }

  /// Which payment an alert is about.
  static std::optional<std::uint64_t> number_of(std::string_view alert) {
    constexpr std::string_view before = R"("transaction_id":"t)";
    auto at = alert.find(before);
    if (at == std::string_view::npos) return {};
    std::uint64_t number = 0;
    const char* digits = alert.data() + at + before.size();
    auto read = std::from_chars(digits, alert.data() + alert.size(), number);
    return read.ec == std::errc() ? std::optional(number) : std::nullopt;
  }

  /// Of each of the first `count` payments whether there is an alert, by the job or by one that
  /// minds another number of payments in five minutes.
  template <std::uint64_t more_than = alert_count>
  static std::vector<bool> alerts(std::uint64_t count) {
    constexpr std::int64_t window_ms = 300'000;
    // When a customer's last payments were, the oldest at `counts % more_than`.
    std::vector<std::array<std::int64_t, more_than>> times(customers);
    std::vector<std::uint32_t> counts(customers);
    std::vector<bool> alerts(count);
    for (std::uint64_t n = 0; n < count; ++n) {
      Payment payment = at(n);
      std::uint32_t& paid = counts[payment.customer];
      std::int64_t& oldest = times[payment.customer][paid % more_than];
      bool is_many = paid >= more_than && oldest >= payment.time_ms - window_ms;
      alerts[n] = is_many || payment.cents > alert_cents;
      oldest = payment.time_ms;
      ++paid;
    }
    return alerts;
  }

 private:
  static constexpr std::int64_t start_ms = 1'772'409'600'000;
};

}  // namespace leat::bench
