#include "column/packed_bytes.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "base/random.h"
#include "column/row_key.h"

TEST_SUITE_BEGIN("column");

using namespace leat;
using namespace leat::column;

TEST_CASE("packed bytes are those that were packed, and the same only for the same bytes") {
  Random random(7);
  std::set<std::string> all{""};
  for (std::size_t size = 0; size <= PackedBytes::size_max; ++size) {
    all.insert(std::string(size, '\0'));
    for (int i = 0; i < 6; ++i) {
      std::string bytes;
      while (bytes.size() < size)
        bytes +=
            "\0\x01\xff"
            "a"[random.below(4)];
      all.insert(bytes);
      if (size > 0) bytes[random.below(size)] ^= 0x40;
      all.insert(bytes);
    }
  }
  for (const std::string& a : all) {
    // With something else behind them.
    PackedBytes packed{std::string_view(a + "xyz").substr(0, a.size())};
    CHECK(packed.view() == a);
    CHECK_FALSE(packed.is_empty());
    CHECK_FALSE(packed.is_of_numbers());
    auto same = std::count_if(all.begin(), all.end(),
                              [&](const std::string& b) { return packed == PackedBytes(b); });
    CHECK(same == 1);
  }
  CHECK(PackedBytes().is_empty());
}

TEST_CASE("numbers lie where bytes would, and are none") {
  constexpr std::uint64_t numbers[] = {0, 1, 0xff, (std::uint64_t{1} << 56) - 1};
  for (std::uint64_t first : {std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max()}) {
    for (std::uint64_t second : numbers) {
      PackedBytes packed = PackedBytes::of_numbers(first, second);
      CHECK(packed.is_of_numbers());
      CHECK_FALSE(packed.is_empty());
      CHECK(packed.first() == first);
      CHECK(packed.second() == second);
    }
  }
}

TEST_CASE("the key of an integer is packed as its bytes are") {
  Vector cells{Type(Type::bigint)};
  cells.resize(1);
  for (std::int64_t value :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{258},
        std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    std::string bytes;
    cells.set_integer(0, value);
    append_key(bytes, cells, 0);
    CHECK(PackedBytes::of_integer_key(value) == PackedBytes(bytes));
  }
}

TEST_SUITE_END();
