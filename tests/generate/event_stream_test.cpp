#include "generate/event_stream.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <xxhash.h>

#include "generate/kinds.h"
#include "record/partitioner.h"

namespace leat::generate {
namespace {

const Kind& kind_named(std::string_view name) {
  return *std::find_if(kinds().begin(), kinds().end(),
                       [&](const Kind& kind) { return kind.name == name; });
}

std::vector<Event> take(std::string_view kind, const Traits& traits, std::size_t count) {
  EventStream stream(kind_named(kind).make(traits), traits);
  std::vector<Event> events;
  while (events.size() < count) events.push_back(*stream.next());
  return events;
}

/// Nothing but events.
Traits plain() {
  Traits traits;
  traits.keys = 1000;
  return traits;
}

/// Of everything that is said of the first 100,000 events.
std::uint64_t hash_of(const Kind& kind, const Traits& traits) {
  EventStream stream(kind.make(traits), traits);
  std::string said;
  for (int i = 0; i < 100'000; ++i) {
    const Event& event = *stream.next();
    said += event.key + '\t' + event.value + '\t' + std::to_string(event.time_ms) + '\t' +
            std::to_string(event.arrival_ms) + '\t' + std::to_string(event.partition) + '\n';
  }
  return XXH3_64bits(said.data(), said.size());
}

double share(const std::vector<Event>& events, const std::function<bool(const Event&)>& is_so) {
  return static_cast<double>(std::count_if(events.begin(), events.end(), is_so)) /
         static_cast<double>(events.size());
}

}  // namespace

TEST_SUITE_BEGIN("generate");

TEST_CASE("the same seed gives the same bytes, on every machine and in every version") {
  // Who changes one of these changes what everybody's streams are: say so in the commit.
  const std::map<std::string, std::uint64_t> hashes{
      {"orders", 11827372140154264672u},    {"transactions", 268080445365817527u},
      {"clicks", 10333148551081130117u},    {"nexmark", 2751414427651968836u},
      {"customers", 16207639018068552477u}, {"products", 12423907548692695703u},
  };
  for (const Kind& kind : kinds()) {
    std::string name = kind.name;
    CAPTURE(name);
    std::uint64_t hash = hash_of(kind, kind.defaults);
    CHECK(hash == hashes.at(name));
    Traits other = kind.defaults;
    other.seed = 2;
    CHECK(hash != hash_of(kind, other));
  }
}

TEST_CASE("an event does not depend on those before it") {
  for (const Kind& kind : kinds()) {
    std::string name = kind.name;
    CAPTURE(name);
    Traits traits = kind.defaults;
    traits.disorder = traits.duplicates = 0;
    traits.idle_partitions = 0;
    auto whole = take(kind.name, traits, 6000);
    traits.first_event = 5500;
    auto rest = take(kind.name, traits, 500);
    for (std::size_t i = 0; i < rest.size(); ++i) {
      REQUIRE(rest[i].value == whole[5500 + i].value);
      REQUIRE(rest[i].key == whole[5500 + i].key);
      REQUIRE(rest[i].time_ms == whole[5500 + i].time_ms);
    }
  }
}

TEST_CASE("an event that is repeated has the same bytes") {
  for (const Kind& kind : kinds()) {
    std::string name = kind.name;
    CAPTURE(name);
    Traits traits = kind.defaults;
    traits.rate = 10;
    traits.disorder = 0.1;
    traits.duplicates = 0.1;
    traits.idle_partitions = 1;
    std::map<std::uint64_t, Event> first;
    std::size_t repeated = 0;
    for (const Event& event : take(kind.name, traits, 20'000)) {
      if (!event.is_repeat) {
        first.emplace(event.number, event);
        continue;
      }
      ++repeated;
      REQUIRE(first.contains(event.number));
      const Event& before = first.at(event.number);
      REQUIRE(before.key == event.key);
      REQUIRE(before.value == event.value);
      REQUIRE(before.time_ms == event.time_ms);
      REQUIRE(before.partition == event.partition);
    }
    CHECK(repeated > 500);
  }
}

TEST_CASE("a key's partition is the one that Kafka's producers choose") {
  Traits traits = plain();
  traits.partitions = 7;
  std::set<std::int32_t> partitions;
  for (const Event& event : take("orders", traits, 2000)) {
    REQUIRE(event.partition == record::partition_of_key(as_bytes(event.key), 7).value());
    partitions.insert(event.partition);
  }
  CHECK(partitions.size() == 7);
}

TEST_CASE("hot keys have their part of the events, the others share the rest") {
  Traits traits = plain();
  traits.hot = 0.3;
  traits.hot_keys = 2;
  auto is_hot = [](const Event& event) { return event.key == "c0" || event.key == "c1"; };
  // Cold events have these two keys as any other.
  CHECK(std::abs(share(take("orders", traits, 50'000), is_hot) - 0.3014) < 0.01);
  traits.hot = 0;
  CHECK(share(take("orders", traits, 50'000), is_hot) < 0.004);
  traits.hot = 1;
  CHECK(share(take("orders", traits, 1000), is_hot) == 1);
  auto users = take("clicks", traits, 1000);
  CHECK(share(users, [](const Event& event) { return event.key == "u0"; }) > 0.4);
  traits.hot_keys = 5000;  // more than there are keys
  CHECK(take("orders", traits, 1000).size() == 1000);
}

TEST_CASE("partitions are silent in the stretches that were asked for, and only then") {
  Traits traits = plain();
  traits.disorder = 0.2;
  traits.disorder_ms = 100'000;
  traits.duplicates = 0.2;
  traits.idle_partitions = 2;
  traits.idle_ms = 40'000;
  traits.idle_every_ms = 200'000;
  // By period: who says something while others are silent, and who does before.
  std::map<std::int64_t, std::set<std::int32_t>> while_idle;
  std::map<std::int64_t, std::set<std::int32_t>> before;
  std::map<std::int64_t, std::set<std::int32_t>> happened;
  for (const Event& event : take("orders", traits, 40'000)) {
    std::int64_t since_ms = event.arrival_ms - traits.start_ms;
    bool is_idle = since_ms % traits.idle_every_ms >= 160'000;
    (is_idle ? while_idle : before)[since_ms / traits.idle_every_ms].insert(event.partition);
    since_ms = event.time_ms - traits.start_ms;
    if (since_ms % traits.idle_every_ms >= 160'000)
      happened[since_ms / traits.idle_every_ms].insert(event.partition);
  }
  before.erase(std::prev(before.end()));  // which the end of the test cuts
  std::set<std::set<std::int32_t>> ever;
  for (const auto& [period, partitions] : before) {
    CAPTURE(period);
    CHECK(partitions.size() == 4);
    if (!while_idle.contains(period)) continue;
    CHECK(while_idle[period].size() == 2);
    CHECK(happened[period] == while_idle[period]);
    ever.insert(while_idle[period]);
  }
  CHECK(before.size() > 15);
  CHECK(ever.size() > 2);
}

TEST_CASE("one partition at least goes on") {
  Traits traits = plain();
  traits.idle_partitions = 9;
  traits.idle_ms = traits.idle_every_ms - 1;
  traits.partitions = 1;
  CHECK(take("orders", traits, 1000).back().number == 999);
  traits.partitions = 3;
  CHECK(take("orders", traits, 1000).back().number > 2000);
}

TEST_CASE("a stream ends before times are no text any more") {
  Traits traits = plain();
  traits.rate = 0.001;
  traits.start_ms = Timeline::start_max_ms;
  traits.first_event = 189'341'700;
  for (const Kind& kind : kinds()) {
    EventStream stream(kind.make(traits), traits);
    int events = 0;
    while (stream.next() && events < 10'000) ++events;
    CHECK(events > 0);
    CHECK(events < 10'000);
  }
}

TEST_SUITE_END();

}  // namespace leat::generate
