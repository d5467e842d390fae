#include "generate/traits.h"

#include <string>
#include <string_view>

#include <fmt/core.h>

#include "generate/arrivals.h"
#include "generate/timeline.h"

namespace leat::generate {

namespace {

Result<void> wrong(std::string_view trait, std::string_view what) {
  return fail(Errc::invalid_argument, fmt::format("{}: {}", trait, what));
}

bool is_fraction(double number) {
  return number >= 0 && number <= 1;
}

bool is_some_time(std::int64_t ms) {
  constexpr std::int64_t longest_ms = std::int64_t{366} * 24 * 3600 * 1000;
  return ms > 0 && ms <= longest_ms;
}

/// How many events are under way at a time, on average (arrivals.h).
double held_events(const Traits& traits) {
  double late_ms = traits.disorder * static_cast<double>(traits.disorder_ms) / 2;
  double again_ms = late_ms + static_cast<double>(traits.duplicates_ms) / 2;
  constexpr double ms_per_second = 1000;
  return traits.rate / ms_per_second * (late_ms + traits.duplicates * again_ms);
}

}  // namespace

Result<void> check(const Traits& traits) {
  constexpr std::string_view no_fraction = "a part of all is a number from 0 to 1";
  constexpr std::string_view no_time = "a time above 0 and up to a year";
  if (!(traits.rate >= Timeline::rate_min && traits.rate <= Timeline::rate_max))
    return wrong("rate", fmt::format("{} to {:.0f} events a second", Timeline::rate_min,
                                     Timeline::rate_max));
  if (traits.first_event > Timeline::number_max) return wrong("first event", "up to 10^12");
  if (traits.start_ms < Timeline::start_min_ms || traits.start_ms > Timeline::start_max_ms)
    return wrong("start", "a time in the years 1970 to 2999");
  if (traits.keys < 1 || traits.keys > UINT32_MAX) return wrong("keys", "1 to 2^32 - 1");
  if (!is_fraction(traits.hot)) return wrong("hot", no_fraction);
  if (traits.hot_keys < 1) return wrong("hot keys", "at least 1");
  if (!is_fraction(traits.disorder)) return wrong("disorder", no_fraction);
  if (!is_some_time(traits.disorder_ms)) return wrong("disorder within", no_time);
  if (traits.group < 1 || traits.group > Arrivals::group_max)
    return wrong("group", fmt::format("1 to {}", Arrivals::group_max));
  if (traits.group % Arrivals::group_prime == 0)
    return wrong("group", fmt::format("no multiple of {}, by which groups are shuffled",
                                      Arrivals::group_prime));
  if (!is_fraction(traits.duplicates)) return wrong("duplicates", no_fraction);
  if (!is_some_time(traits.duplicates_ms)) return wrong("duplicates within", no_time);
  if (held_events(traits) > Arrivals::held_max)
    return wrong("disorder and duplicates",
                 fmt::format("{:.0f} events would be under way at a time, and no more than {} may",
                             held_events(traits), Arrivals::held_max));
  if (traits.partitions < 1) return wrong("partitions", "at least 1");
  if (traits.idle_partitions < 0) return wrong("idle partitions", "not below 0");
  if (!is_some_time(traits.idle_every_ms)) return wrong("idle every", no_time);
  if (traits.idle_ms < 1 || traits.idle_ms >= traits.idle_every_ms)
    return wrong("idle for", "a time above 0 and less than how often it comes");
  if (!is_fraction(traits.drift)) return wrong("drift", no_fraction);
  return {};
}

}  // namespace leat::generate
