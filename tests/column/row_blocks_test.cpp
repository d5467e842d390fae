#include "column/row_blocks.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"

TEST_SUITE_BEGIN("column");

using namespace leat;
using namespace leat::column;

namespace {

/// All but some: few of some, many of others.
std::vector<std::uint32_t> some_rows(Random& random, std::uint32_t rows) {
  std::vector<std::uint32_t> some;
  auto one_in = 1 + random.below(60);
  for (std::uint32_t row = 0; row < rows; ++row) {
    if (!random.one_in(one_in)) some.push_back(row);
  }
  return some;
}

void try_rows(std::uint64_t seed) {
  Random random(seed);
  auto rows = static_cast<std::uint32_t>(random.below(200));
  std::vector<std::uint32_t> listed = some_rows(random, rows);
  if (random.one_in(4)) {
    listed.resize(rows);
    std::iota(listed.begin(), listed.end(), 0u);
  }
  bool all = listed.size() == rows && random.one_in(2);
  const std::uint32_t* list = all ? nullptr : listed.data();

  std::vector<std::uint32_t> seen;
  std::size_t blocks = 0;
  each_block(
      list, listed.size(),
      [&](std::size_t i, std::uint32_t row) {
        CHECK(i == seen.size());
        for (std::uint32_t k = 0; k < block_rows; ++k) seen.push_back(row + k);
        ++blocks;
      },
      [&](std::size_t i, std::uint32_t row) {
        CHECK(i == seen.size());
        seen.push_back(row);
      });
  CHECK(seen == listed);
  if (listed.size() == rows) CHECK(blocks == rows / block_rows);

  std::vector<std::uint8_t> nulls(rows);
  for (auto& null : nulls) null = random.one_in(100) ? 1 : 0;
  bool any = std::any_of(listed.begin(), listed.end(), [&](auto row) { return nulls[row] != 0; });
  CHECK(any_null(nulls.data(), list, listed.size()) == any);
}

}  // namespace

TEST_CASE("rows are gone through in turn, those that follow each other as blocks") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    try_rows(seed);
  }
}

TEST_SUITE_END();
