#include "generate/traits.h"

#include <functional>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "generate/kinds.h"

namespace leat::generate {
namespace {

/// What is said of traits that are changed so.
std::string refusal(const std::function<void(Traits&)>& change) {
  Traits traits;
  change(traits);
  auto checked = check(traits);
  if (checked) return "";
  CHECK(checked.error().code == Errc::invalid_argument);
  return checked.error().what;
}

}  // namespace

TEST_SUITE_BEGIN("generate");

TEST_CASE("traits that make no sense are refused by name") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  struct Case {
    const char* name;
    std::function<void(Traits&)> change;
  };
  const Case cases[] = {
      {"rate", [](Traits& t) { t.rate = 0; }},
      {"rate", [](Traits& t) { t.rate = nan; }},
      {"rate", [](Traits& t) { t.rate = 1e10; }},
      {"first event", [](Traits& t) { t.first_event = 1'000'000'000'001; }},
      {"start", [](Traits& t) { t.start_ms = -1; }},
      {"start", [](Traits& t) { t.start_ms = 32'503'680'000'000; }},
      {"keys", [](Traits& t) { t.keys = 0; }},
      {"hot", [](Traits& t) { t.hot = 1.01; }},
      {"hot keys", [](Traits& t) { t.hot_keys = 0; }},
      {"disorder", [](Traits& t) { t.disorder = -0.1; }},
      {"disorder", [](Traits& t) { t.disorder = nan; }},
      {"disorder within", [](Traits& t) { t.disorder_ms = 0; }},
      {"duplicates", [](Traits& t) { t.duplicates = 2; }},
      {"duplicates within", [](Traits& t) { t.duplicates_ms = std::int64_t{1} << 60; }},
      {"group", [](Traits& t) { t.group = 0; }},
      {"group", [](Traits& t) { t.group = 2 * 953; }},
      {"disorder and duplicates", [](Traits& t) { t.rate = 1e9, t.disorder = 0.5; }},
      {"disorder and duplicates", [](Traits& t) { t.rate = 1e6, t.duplicates = 0.7; }},
      {"partitions", [](Traits& t) { t.partitions = 0; }},
      {"idle partitions", [](Traits& t) { t.idle_partitions = -1; }},
      {"idle for", [](Traits& t) { t.idle_ms = t.idle_every_ms; }},
      {"drift", [](Traits& t) { t.drift = 7; }},
  };
  for (const Case& one : cases)
    CHECK_MESSAGE(refusal(one.change).starts_with(std::string(one.name) + ": "), one.name);
}

TEST_CASE("the defaults of every kind make sense, and so do the limits") {
  for (const Kind& kind : kinds()) CHECK_MESSAGE(check(kind.defaults).has_value(), kind.name);
  CHECK(refusal([](Traits& t) {
          t.hot = t.disorder = t.duplicates = t.drift = 1;
          t.rate = 0.001;
          t.first_event = 1'000'000'000'000;
        }) == "");
}

TEST_SUITE_END();

}  // namespace leat::generate
