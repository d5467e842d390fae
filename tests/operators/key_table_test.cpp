#include <iterator>
#include <limits>
#include <map>
#include <string>

#include <doctest/doctest.h>

#include "base/random.h"
#include "column/row_key.h"
#include "operators/expiring_keys.h"

TEST_SUITE_BEGIN("operators");

using namespace leat;
using namespace leat::operators;

TEST_CASE("a key has one number as long as it is there, and no other key has it") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    KeyTable table;
    std::map<std::string, KeyTable::Number> known;
    for (int i = 0; i < 5'000; ++i) {
      std::string key(random.below(4) * 8, "\0a"[random.below(2)]);
      key += std::to_string(random.below(30));
      auto found = known.find(key);
      CHECK(table.find(key) == (found == known.end() ? KeyTable::none : found->second));
      if (random.one_in(2) && found != known.end()) {
        table.erase(found->second);
        CHECK_FALSE(table.has(found->second));
        known.erase(found);
      } else {
        auto [number, is_new] = table.find_or_add(key);
        CHECK(is_new == (found == known.end()));
        known[key] = number;
      }
      CHECK(table.size() == known.size());
    }
    CHECK(table.number_end() <= 8 * 30);
    for (const auto& [key, number] : known) CHECK(table.key(number) == key);
  }
}

TEST_CASE("a key that is an integer has the number that its bytes have") {
  constexpr std::int64_t numbers[] = {0,
                                      1,
                                      -1,
                                      255,
                                      256,
                                      1'000'000'007,
                                      std::numeric_limits<std::int64_t>::min(),
                                      std::numeric_limits<std::int64_t>::max()};
  column::Vector cells{column::Type(column::Type::bigint)};
  cells.resize(1);
  auto bytes_of = [&](std::int64_t number) {
    std::string bytes;
    cells.set_integer(0, number);
    column::append_key(bytes, cells, 0);
    return bytes;
  };
  KeyTable table;
  for (std::size_t i = 0; i < std::size(numbers); ++i) {
    std::string bytes = bytes_of(numbers[i]);
    CHECK(table.find(numbers[i]) == KeyTable::none);
    auto number = i % 2 == 0 ? table.find_or_add(numbers[i]).first : table.find_or_add(bytes).first;
    CHECK(table.find(bytes) == number);
    CHECK(table.find(numbers[i]) == number);
    CHECK(table.key(number) == bytes);
  }
  CHECK(table.size() == std::size(numbers));
  CHECK_FALSE(table.find_or_add(std::int64_t{255}).second);
}

TEST_CASE("memory of keys follows those that are there") {
  KeyTable table;
  for (int i = 0; i < 50'000; ++i) {
    auto number = table.find_or_add(std::string(50, 'x') + std::to_string(i)).first;
    table.erase(number);
  }
  CHECK(table.size() == 0);
  CHECK(table.bytes() < 100'000);
}

TEST_CASE("a key goes when its last time has come, the earliest first") {
  ExpiringKeys keys;
  auto a = keys.table().find_or_add("a").first, b = keys.table().find_or_add("b").first;
  keys.expire_at(a, 20);
  keys.expire_at(b, 10);
  std::string gone;
  auto forget = [&](Watermark watermark) {
    keys.forget(watermark, [&](auto number) {
      gone += keys.table().key(number);
      return true;
    });
    return gone;
  };
  CHECK(forget(9) == "");
  keys.expire_at(b, 15);
  CHECK(forget(14) == "");
  CHECK(forget(20) == "ba");
  CHECK(keys.table().size() == 0);
}

TEST_CASE("a key whose time is put off, or brought forward, goes at its last time and once") {
  ExpiringKeys keys;
  auto number = keys.table().find_or_add("a").first;
  int gone = 0;
  auto forget = [&](Watermark watermark) {
    keys.forget(watermark, [&](auto) { return ++gone > 0; });
    return gone;
  };
  for (std::int64_t time_ms : {10, 20, 50, 30}) keys.expire_at(number, time_ms);
  CHECK(forget(29) == 0);
  keys.expire_at(number, 40);
  CHECK(forget(39) == 0);
  CHECK(forget(40) == 1);
  CHECK(forget(100) == 1);
}

TEST_CASE("a key whose time is the last there is goes when nothing comes any more") {
  ExpiringKeys keys;
  keys.expire_at(keys.table().find_or_add("a").first, watermark_max);
  keys.forget(watermark_max - 1, [](auto) { return true; });
  CHECK(keys.table().size() == 1);
  keys.forget(watermark_max, [](auto) { return true; });
  CHECK(keys.table().size() == 0);
}

TEST_CASE("a key that has the number of one that is gone does not go with it") {
  ExpiringKeys keys;
  keys.expire_at(keys.table().find_or_add("a").first, 10);
  keys.forget(10, [](auto) { return true; });
  auto number = keys.table().find_or_add("b").first;
  keys.expire_at(number, 30);
  keys.forget(29, [](auto) { return true; });
  CHECK(keys.table().has(number));
}

TEST_CASE("a key that may not go yet stays until its next time") {
  ExpiringKeys keys;
  auto number = keys.table().find_or_add("a").first;
  keys.expire_at(number, 10);
  keys.forget(10, [](auto) { return false; });
  keys.forget(20, [](auto) { return true; });
  CHECK(keys.table().has(number));
  keys.expire_at(number, 30);
  keys.forget(30, [](auto) { return true; });
  CHECK_FALSE(keys.table().has(number));
}

TEST_SUITE_END();
