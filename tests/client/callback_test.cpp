// What options hold in the place of the standard's own types.
#include "leat/callback.h"

#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "client/stop.h"

namespace leat {
namespace {

TEST_SUITE_BEGIN("client");

TEST_CASE("a callback is called with what it is given, and its copies are functions of their own") {
  Callback<void(const std::string&, int)> none;
  CHECK_FALSE(none);
  std::string told;
  int calls = 0;
  Callback<void(const std::string&, int)> first = [&told, calls](const std::string& text,
                                                                 int times) mutable {
    ++calls;
    told = text + std::to_string(times) + std::to_string(calls);
  };
  first("a", 7);
  CHECK(told == "a71");
  auto second = first;
  first("b", 8);
  CHECK(told == "b82");
  second("c", 9);
  CHECK(told == "c92");
  none = std::move(second);
  none("d", 1);
  CHECK(told == "d13");
  CHECK_FALSE(second);  // NOLINT(bugprone-use-after-move)
  first = nullptr;
  CHECK_FALSE(first);
}

TEST_CASE("a callback lets go of what it holds") {
  auto held = std::make_shared<int>(1);
  {
    Callback<void()> first = [held] {};
    Callback<void()> second = first;
    CHECK(held.use_count() == 3);
    second = {};
    CHECK(held.use_count() == 2);
  }
  CHECK(held.use_count() == 1);
}

TEST_CASE("a stop is the token that it was made of, and so are its copies") {
  CHECK_FALSE(client::StopInside::token_of({}).stop_possible());
  std::stop_source source;
  Stop stop = source.get_token();
  Stop copy = stop;
  Stop other;
  other = std::move(stop);
  stop = copy;
  for (const Stop* one : {&stop, &copy, &other})
    CHECK_FALSE(client::StopInside::token_of(*one).stop_requested());
  source.request_stop();
  for (const Stop* one : {&stop, &copy, &other})
    CHECK(client::StopInside::token_of(*one).stop_requested());
}

TEST_SUITE_END();

}  // namespace
}  // namespace leat
