#include "generate/arrivals.h"

#include <algorithm>
#include <map>
#include <set>

#include <doctest/doctest.h>

namespace leat::generate {
namespace {

constexpr std::int64_t start_ms = Traits{}.start_ms;

std::vector<Arrival> take(const Traits& traits, std::size_t count) {
  Arrivals arrivals(traits);
  std::vector<Arrival> taken;
  while (taken.size() < count) taken.push_back(arrivals.next());
  return taken;
}

std::vector<std::uint64_t> numbers(const std::vector<Arrival>& arrivals) {
  std::vector<std::uint64_t> numbers;
  for (const Arrival& arrival : arrivals) numbers.push_back(arrival.number);
  return numbers;
}

}  // namespace

TEST_SUITE_BEGIN("generate");

TEST_CASE("events are as far apart as the rate says, and no error adds up") {
  auto time_of = [](double rate, std::uint64_t number) {
    return Timeline(start_ms, rate).time_ms(number) - start_ms;
  };
  CHECK(time_of(10, 0) == 0);
  CHECK(time_of(10, 1) == 100);
  CHECK(time_of(3, 3'000'000) == 1'000'000'000);
  CHECK(time_of(0.5, 7) == 14'000);
  CHECK(time_of(0.001, 2) == 2'000'000);
  CHECK(time_of(1'000'000, 1'999) == 1);
  CHECK(time_of(1e9, 1'000'000'000) == 1000);
}

TEST_CASE("without disorder events arrive when they happen, each once") {
  Traits traits;
  traits.first_event = 7;
  auto arrivals = take(traits, 1000);
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    REQUIRE(arrivals[i].number == i + 7);
    REQUIRE(arrivals[i].time_ms == start_ms + static_cast<std::int64_t>(i + 7) * 100);
    REQUIRE(arrivals[i].arrival_ms == arrivals[i].time_ms);
    REQUIRE_FALSE(arrivals[i].is_repeat());
  }
}

TEST_CASE("as many events are late as asked for, none by more than promised") {
  Traits traits;
  traits.disorder = 0.2;
  traits.disorder_ms = 5000;
  std::int64_t late = 0;
  std::int64_t latest_ms = 0;
  std::int64_t newest_ms = 0;
  std::int64_t arrival_ms = 0;
  std::set<std::uint64_t> seen;
  for (const Arrival& arrival : take(traits, 50'000)) {
    REQUIRE(arrival.arrival_ms >= arrival_ms);
    REQUIRE(arrival.time_ms >= newest_ms - traits.disorder_ms);
    REQUIRE(seen.insert(arrival.number).second);
    arrival_ms = arrival.arrival_ms;
    newest_ms = std::max(newest_ms, arrival.time_ms);
    if (arrival.arrival_ms > arrival.time_ms) ++late;
    latest_ms = std::max(latest_ms, arrival.arrival_ms - arrival.time_ms);
  }
  CHECK(late > 9'700);
  CHECK(late < 10'300);
  CHECK(latest_ms > 4950);
  CHECK(latest_ms <= 5000);
  // None is lost: what is missing is still on its way.
  CHECK(*seen.rbegin() < 50'000 + 20);
}

TEST_CASE("all events may be late") {
  Traits traits;
  traits.disorder = 1;
  traits.disorder_ms = 1000;
  for (const Arrival& arrival : take(traits, 1000)) REQUIRE(arrival.arrival_ms > arrival.time_ms);
}

TEST_CASE("events that are repeated come later, and within the time promised") {
  Traits traits;
  traits.disorder = 0.1;
  traits.disorder_ms = 2000;
  traits.duplicates = 0.25;
  traits.duplicates_ms = 3000;
  std::map<std::uint64_t, std::int64_t> first;
  std::set<std::uint64_t> second;
  std::int64_t longest_ms = 0;
  for (const Arrival& arrival : take(traits, 50'000)) {
    if (!arrival.is_repeat()) {
      REQUIRE(first.emplace(arrival.number, arrival.arrival_ms).second);
      continue;
    }
    REQUIRE(second.insert(arrival.number).second);
    REQUIRE(first.contains(arrival.number));
    REQUIRE(arrival.arrival_ms > first[arrival.number]);
    longest_ms = std::max(longest_ms, arrival.arrival_ms - first[arrival.number]);
  }
  CHECK(longest_ms <= 3000);
  CHECK(longest_ms > 2900);
  CHECK(second.size() > first.size() * 24 / 100);
  CHECK(second.size() < first.size() * 26 / 100);
}

TEST_CASE("groups hold the same events in another order") {
  for (std::int64_t group : {2, 7, 100, 1000, 952, 954}) {
    Traits traits;
    traits.group = group;
    auto taken = numbers(take(traits, static_cast<std::size_t>(group) * 3));
    auto size = static_cast<std::ptrdiff_t>(group);
    for (std::ptrdiff_t at = 0; at < size * 3; at += size) {
      std::sort(taken.begin() + at, taken.begin() + at + size);
      for (std::ptrdiff_t i = 0; i < size; ++i)
        REQUIRE(taken[static_cast<std::size_t>(at + i)] == static_cast<std::uint64_t>(at + i));
    }
  }
  Traits traits;
  traits.group = 10;
  CHECK(numbers(take(traits, 10)) == std::vector<std::uint64_t>{0, 3, 6, 9, 2, 5, 8, 1, 4, 7});
}

TEST_CASE("who is late and who comes twice depends on the seed") {
  Traits traits;
  traits.disorder = 0.2;
  traits.duplicates = 0.2;
  auto one = numbers(take(traits, 1000));
  CHECK(one == numbers(take(traits, 1000)));
  traits.seed = 2;
  CHECK(one != numbers(take(traits, 1000)));
}

TEST_SUITE_END();

}  // namespace leat::generate
