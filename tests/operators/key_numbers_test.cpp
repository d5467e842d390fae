#include "operators/key_numbers.h"

#include <cstdint>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"

TEST_SUITE_BEGIN("operators");

using namespace leat;
using namespace leat::operators;

namespace {

/// Runs of equal keys, single ones, NULLs if wished.
column::Chunk random_keys(Random& random, std::size_t rows, bool with_nulls) {
  auto keys = std::make_shared<column::Vector>(column::Type::bigint);
  keys->resize(rows);
  for (std::size_t row = 0; row < rows;) {
    auto key = static_cast<std::int64_t>(random.below(50)) - 25;
    auto run = random.one_in(4) ? random.below(100) : 1;
    for (; row < rows && run-- > 0; ++row) {
      if (with_nulls && random.one_in(10))
        keys->set_null(row);
      else
        keys->set_integer(row, key);
    }
  }
  column::Chunk chunk;
  chunk.rows = rows;
  chunk.columns.push_back(std::move(keys));
  return chunk;
}

}  // namespace

TEST_CASE("rows get the numbers of their keys as if they were looked up one by one") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    KeyTable table, one_by_one;
    KeyNumbers numbers({0});
    KeyWriter writer({0});
    bool with_nulls = random.one_in(2);
    for (int i = 0; i < 3; ++i) {
      column::Chunk chunk = random_keys(random, 1 + random.below(1'000), with_nulls);
      std::vector<std::uint32_t> rows;
      for (std::uint32_t row = 0; row < chunk.rows; ++row) {
        if (!random.one_in(3)) rows.push_back(row);
      }
      auto found = numbers.find_or_add(table, chunk, rows);
      REQUIRE(found.size() == rows.size());
      for (std::size_t at = 0; at < rows.size(); ++at) {
        CHECK(found[at] == writer.find_or_add_in(one_by_one, ChunkRow{&chunk, rows[at]}).first);
      }
    }
  }
}

TEST_SUITE_END();
