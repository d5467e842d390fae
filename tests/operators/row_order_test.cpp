#include "operators/row_order.h"

#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "operators/row_tools.h"

TEST_SUITE_BEGIN("operators");

using namespace leat;
using namespace leat::operators;

namespace {

column::Chunk random_numbers(Random& random, std::size_t rows) {
  auto numbers = std::make_shared<column::Vector>(column::Type::bigint);
  numbers->resize(rows);
  bool nulls = random.one_in(2);
  for (std::size_t row = 0; row < rows; ++row) {
    numbers->set_integer(row, static_cast<std::int64_t>(random.below(1'000)) - 500);
    if (nulls && random.one_in(40)) numbers->set_null(row);
  }
  column::Chunk chunk;
  chunk.rows = rows;
  chunk.columns = {std::move(numbers)};
  return chunk;
}

/// Each row that is not behind its group's limit makes that smaller, as it does in a top.
void try_limits(std::uint64_t seed) {
  Random random(seed);
  column::Chunk chunk = random_numbers(random, 1 + random.below(300));
  RowOrder order({0}, {{"n", random.one_in(2)}});
  std::vector<std::uint32_t> rows, groups;
  for (std::uint32_t row = 0; row < chunk.rows; ++row) {
    if (random.one_in(30)) continue;
    rows.push_back(row);
    groups.push_back(static_cast<std::uint32_t>(random.below(3)));
  }
  std::vector<std::uint64_t> limits(3, ~std::uint64_t{0}), one_by_one = limits;
  std::vector<std::size_t> found, expected;
  auto rough = [&](std::size_t i) { return order.rough(ChunkRow{&chunk, rows[i]}); };
  order.each_not_behind(chunk, rows, groups, limits.data(), [&](std::size_t i) {
    found.push_back(i);
    limits[groups[i]] = rough(i);
  });
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rough(i) > one_by_one[groups[i]]) continue;
    expected.push_back(i);
    one_by_one[groups[i]] = rough(i);
  }
  CHECK(found == expected);
}

}  // namespace

TEST_CASE("rows that are not behind a limit are found though several are looked at together") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    try_limits(seed);
  }
}

TEST_SUITE_END();
