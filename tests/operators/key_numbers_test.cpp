#include "operators/key_numbers.h"

#include <cstdint>
#include <deque>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "operators/row_tools.h"

TEST_SUITE_BEGIN("operators");

using namespace leat;
using namespace leat::operators;

namespace {

/// A number and a text: runs of equal ones, single ones, NULLs if wished.
column::Chunk random_keys(Random& random, std::size_t rows, bool with_nulls,
                          const std::shared_ptr<std::deque<std::string>>& owner) {
  auto numbers = std::make_shared<column::Vector>(column::Type::bigint);
  auto texts = std::make_shared<column::Vector>(column::Type::text);
  numbers->resize(rows);
  texts->resize(rows);
  for (std::size_t row = 0; row < rows;) {
    auto key = static_cast<std::int64_t>(random.below(50)) - 25;
    owner->push_back(std::string(random.below(2) * 15, 'x') + std::to_string(key));
    auto run = random.one_in(4) ? random.below(100) : 1;
    for (; row < rows && run-- > 0; ++row) {
      bool null = with_nulls && random.one_in(10);
      numbers->set_integer(row, key);
      texts->set_text(row, owner->back());
      if (!null) continue;
      numbers->set_null(row);
      texts->set_null(row);
    }
  }
  column::Chunk chunk;
  chunk.rows = rows;
  chunk.columns = {std::move(numbers), std::move(texts)};
  return chunk;
}

/// Finds keys of rows of a few chunks, and looks them up one by one, too.
void try_keys(std::uint64_t seed) {
  Random random(seed);
  constexpr std::size_t columns[][2] = {{0, 0}, {1, 1}, {0, 1}};
  const auto& some = columns[random.below(3)];
  std::vector<std::size_t> key(std::begin(some), some[0] == some[1] ? some + 1 : std::end(some));
  KeyTable table, one_by_one;
  KeyNumbers numbers(key);
  HashedKeys hashed(key);
  KeyWriter writer(key);
  bool with_nulls = random.one_in(2);
  for (int i = 0; i < 3; ++i) {
    auto owner = std::make_shared<std::deque<std::string>>();
    column::Chunk chunk = random_keys(random, 1 + random.below(1'000), with_nulls, owner);
    std::vector<std::uint32_t> rows;
    for (std::uint32_t row = 0; row < chunk.rows; ++row) {
      if (!random.one_in(3)) rows.push_back(row);
    }
    auto found = numbers.find_or_add(table, chunk, rows);
    REQUIRE(found.size() == rows.size());
    auto cells_of = [&](std::size_t at) { return ChunkRow{&chunk, rows[at]}; };
    std::size_t next = 0;
    hashed.for_each(table, rows.size(), cells_of, [&](std::size_t at, const auto& each) {
      REQUIRE(at == next++);
      CHECK(found[at] == writer.find_or_add_in(one_by_one, cells_of(at)).first);
      CHECK(found[at] == table.find(each));
      CHECK(table.key(found[at]) == writer.write(cells_of(at)));
    });
    CHECK(next == rows.size());
  }
}

}  // namespace

TEST_CASE("rows get the numbers of their keys as if they were looked up one by one") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    try_keys(seed);
  }
}

TEST_SUITE_END();
