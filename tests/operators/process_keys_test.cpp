// Keys of functions: what of them is kept, and which timers are called.
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/state.h"
#include "operators/process_keys.h"

TEST_SUITE_BEGIN("operators");

using namespace leat;
using namespace leat::operators;

namespace {

/// Keeps a number for each key, which nobody changes, or nothing.
struct KeepsNumber final : ProcessFunction {
  explicit KeepsNumber(std::string kept = "a number") : description(std::move(kept)) {}

  struct Number final : Kept {
    void write(std::string& out) const override { out += "n"; }
    bool read(std::string_view) override { return true; }
    std::size_t bytes() const override { return sizeof *this; }
  };
  std::unique_ptr<Kept> make_kept() const override { return std::make_unique<Number>(); }
  std::unique_ptr<Caller> make_caller() const override { return nullptr; }
  std::string describe_kept() const override { return description; }

  std::string description;
};

std::size_t kept_of(const ProcessKeys& keys) {
  StateWriter writer;
  keys.snapshot(writer);
  return writer.finish().size();
}

}  // namespace

TEST_CASE("a key that a function forgets takes its timers with it, and one that fired is gone") {
  KeepsNumber function;
  ProcessKeys keys(function);
  const std::size_t none = kept_of(keys);
  std::size_t early = 0;
  for (int i = 0; i < 1'000; ++i) {
    auto number = keys.find_or_add(fmt::format("{:04}", i));
    for (int time_ms : {5, 3, 9, 9, 20}) keys.set_timer(number, time_ms);
    keys.cancel_timer(number, 3);
    keys.cancel_timer(number, 4);
    keys.end_call(number, false);
    std::size_t with_three = kept_of(keys);
    auto timer = keys.take_timer(9);
    REQUIRE(timer.has_value());
    CHECK(timer->time_ms == 5);
    CHECK(kept_of(keys) == with_three - sizeof(std::int64_t));
    CHECK_FALSE(keys.take_timer(9).has_value());
    CHECK(keys.take_timer(10).has_value());
    // Also one that another key of that number was forgotten with.
    if (i % 2 == 1) CHECK(keys.take_timer(21).has_value());
    keys.end_call(number, true);
    CHECK_FALSE(keys.take_timer(watermark_max).has_value());
    CHECK(kept_of(keys) == none);
    if (i == 10) early = keys.bytes();
  }
  CHECK(keys.bytes() == early);
}

TEST_CASE("of a function that keeps nothing a key is known as long as it has timers") {
  KeepsNumber function("{}");
  ProcessKeys keys(function);
  const std::size_t none = kept_of(keys);
  auto number = keys.find_or_add("x");
  keys.end_call(number, false);
  CHECK(kept_of(keys) == none);
  number = keys.find_or_add("x");
  keys.set_timer(number, 5);
  keys.end_call(number, false);
  CHECK(kept_of(keys) > none);
  CHECK(keys.take_timer(6).has_value());
  keys.end_call(number, false);
  CHECK(kept_of(keys) == none);
}

TEST_SUITE_END();
