// Positions and hashes of rows: what decides between rows of one time, and what spreads them.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "column/position.h"
#include "column/row_hash.h"

TEST_SUITE_BEGIN("column");

using namespace leat;
using namespace leat::column;

TEST_CASE("words as bytes compare as their numbers do") {
  Random random(7);
  for (int i = 0; i < 10'000; ++i) {
    auto draw = [&] {
      return random.one_in(3) ? random.between(-3, 3) : static_cast<std::int64_t>(random.next());
    };
    std::int64_t a = draw(), b = draw();
    std::string left, right;
    append_word(left, a);
    append_word(right, b);
    CHECK((left < right) == (a < b));
    CHECK((left == right) == (a == b));
  }
}

TEST_CASE("positions compare by source, partition, offset and then the rest, the shorter first") {
  auto position = [](std::int32_t node, std::int32_t partition, std::int64_t place,
                     std::string_view rest = "") {
    return Position{origin_of(node, partition), place, rest};
  };
  CHECK(position(0, 7, 9) < position(1, 0, 0));
  CHECK(position(1, 0, 9) < position(1, 1, 0));
  CHECK(position(1, 1, -1) < position(1, 1, 0));
  CHECK(position(1, 1, 1) < position(1, 1, 1, "x"));
  CHECK(position(1, 1, 1, "x") == position(1, 1, 1, "x"));
}

TEST_CASE("the bytes of a whole position compare as positions do") {
  Random random(8);
  for (int i = 0; i < 10'000; ++i) {
    auto draw = [&] {
      return Position{origin_of(static_cast<std::int32_t>(random.below(3)),
                                static_cast<std::int32_t>(random.below(3))),
                      random.between(-2, 2), random.one_in(2) ? "" : "b"};
    };
    Position a = draw(), b = draw();
    std::string left, right;
    append_position(left, a);
    append_position(right, b);
    CHECK((left < right) == (a < b));
  }
}

TEST_CASE("rows with equal cells have equal hashes, and few others do") {
  Vector numbers{Type(Type::bigint)}, texts{Type(Type::text)};
  numbers.resize(2'000);
  texts.resize(2'000);
  std::vector<std::string> owned(1'000);
  for (std::size_t i = 0; i < 2'000; ++i) {
    std::size_t value = i % 1'000;
    owned[value] = std::to_string(value % 10);
    numbers.set_integer(i, static_cast<std::int64_t>(value / 10));
    texts.set_text(i, owned[value]);
    if (value % 10 == 3) texts.set_null(i);
  }
  Chunk chunk;
  chunk.columns = {std::shared_ptr<const Vector>(&numbers, [](const Vector*) {}),
                   std::shared_ptr<const Vector>(&texts, [](const Vector*) {})};
  chunk.rows = 2'000;
  chunk.selection = Selection::all(chunk.rows);
  std::vector<std::uint64_t> hashes;
  std::vector<std::size_t> columns{0, 1};
  hash_rows(chunk, columns, hashes);
  REQUIRE(hashes.size() == 2'000);
  std::vector<std::uint64_t> different(hashes.begin(), hashes.begin() + 1'000);
  for (std::size_t i = 0; i < 1'000; ++i) CHECK(hashes[i] == hashes[i + 1'000]);
  std::sort(different.begin(), different.end());
  CHECK(std::unique(different.begin(), different.end()) == different.end());
  std::vector<int> lanes(4, 0);
  for (std::size_t i = 0; i < 1'000; ++i) ++lanes[hashes[i] >> 62];
  for (int rows : lanes) CHECK(rows > 150);
}

TEST_SUITE_END();
