#include <map>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "column/row_key.h"
#include "operators/group_keys.h"

TEST_SUITE_BEGIN("operators");

using namespace leat;
using namespace leat::operators;
using column::Type;
using column::Vector;

namespace {

const std::vector<std::vector<Type>> kinds = {
    {},
    {Type(Type::bigint)},
    {Type(Type::timestamp)},
    {Type(Type::text)},
    {Type(Type::double_precision)},
    {column::decimal(20, 3)},
    {Type(Type::text), Type(Type::bigint)},
};

/// Columns of these types with cells of which many are the same.
struct Rows {
  Rows(const std::vector<Type>& types, std::size_t count, Random& random) {
    texts.reserve(types.size() * count);
    for (const Type& type : types) {
      Vector& vector = *owned.emplace_back(std::make_unique<Vector>(type));
      vector.resize(count);
      bool nulls = random.one_in(2);
      for (std::size_t i = 0; i < count; ++i) {
        auto number = random.between(-20, 20) * (random.one_in(9) ? 1'000'000'007 : 1);
        switch (physical(type)) {
          case column::Physical::integer: vector.set_integer(i, number); break;
          case column::Physical::real: vector.set_real(i, static_cast<double>(number) / 8); break;
          case column::Physical::decimal: vector.set_decimal(i, number); break;
          default:
            texts.push_back(std::string(random.below(3) * 9, 'x') + std::to_string(number));
            vector.set_text(i, texts.back());
        }
        if (nulls && random.one_in(5)) vector.set_null(i);
      }
      columns.push_back(&vector);
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      keys.emplace_back();
      for (const Vector* vector : columns) column::append_key(keys.back(), *vector, i);
      if (!random.one_in(4)) rows.push_back(i);
    }
  }

  std::vector<std::string> texts;
  std::vector<std::unique_ptr<Vector>> owned;
  std::vector<const Vector*> columns;
  std::vector<std::string> keys;
  std::vector<std::uint32_t> rows;  // some of them
};

std::string bytes_of(const GroupKeys& keys, std::uint32_t group) {
  std::string bytes;
  keys.append_bytes(bytes, group);
  return bytes;
}

}  // namespace

TEST_CASE("equal keys have one number, in their columns, sorted, and in another table") {
  for (const auto& types : kinds) {
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      Random random(seed);
      KeyScratch scratch;
      GroupKeys keys(types), other(types);
      std::map<std::string, std::uint32_t> known;
      for (int chunk = 0; chunk < 4; ++chunk) {
        Rows rows(types, 300, random);
        std::vector<std::uint32_t> groups;
        keys.find_or_add(rows.columns, rows.rows, groups, scratch);
        REQUIRE(groups.size() == rows.rows.size());
        for (std::size_t i = 0; i < groups.size(); ++i) {
          const std::string& key = rows.keys[rows.rows[i]];
          CHECK(known.emplace(key, groups[i]).first->second == groups[i]);
          CHECK(bytes_of(keys, groups[i]) == key);
        }
      }
      CHECK(keys.size() == known.size());
      auto sorted = keys.sorted();
      REQUIRE(sorted.size() == known.size());
      std::size_t at = 0;
      for (const auto& [key, group] : known) CHECK(sorted[at++] == group);
      for (std::size_t i = 1; i < sorted.size(); ++i) {
        CHECK(keys.less(sorted[i - 1], sorted[i]));
        CHECK_FALSE(keys.less(sorted[i], sorted[i - 1]));
      }
      for (std::uint32_t group : sorted) {
        CHECK_FALSE(other.find(keys, group).has_value());
        std::uint32_t added = other.find_or_add(keys, group);
        CHECK(other.find(keys, group) == added);
      }
      std::vector<std::uint32_t> mapped;
      other.find_or_add(keys, mapped);
      CHECK(other.size() == keys.size());
      for (std::size_t i = 0; i < sorted.size(); ++i) CHECK(mapped[sorted[i]] == i);
    }
  }
}

TEST_CASE("keys come back as cells, and from a snapshot") {
  for (const auto& types : kinds) {
    Random random(4);
    KeyScratch scratch;
    GroupKeys written(types), keys(types);
    Rows rows(types, 500, random);
    std::vector<std::uint32_t> groups;
    written.find_or_add(rows.columns, rows.rows, groups, scratch);
    StateWriter writer;
    written.snapshot(writer);
    Bytes bytes = writer.finish();
    auto reader = StateReader::open(bytes);
    REQUIRE(keys.restore(*reader).has_value());
    REQUIRE(reader->finish().has_value());
    std::vector<std::unique_ptr<Vector>> cells;
    std::vector<Vector*> columns;
    for (const Type& type : types) {
      columns.push_back(cells.emplace_back(std::make_unique<Vector>(type)).get());
      columns.back()->resize(groups.size() + 2);
    }
    std::string texts;
    texts.reserve(keys.text_bytes(groups));
    keys.set_cells(groups, columns, 2, texts);
    for (std::size_t i = 0; i < groups.size(); ++i) {
      std::string key;
      for (const Vector* column : columns) column::append_key(key, *column, i + 2);
      CHECK(key == rows.keys[rows.rows[i]]);
    }
    GroupKeys other(std::vector<Type>(3, Type(Type::date)));
    auto again = StateReader::open(bytes);
    CHECK_FALSE(other.restore(*again).has_value());
  }
}

TEST_CASE("many integers are sorted as few are, however far they lie apart") {
  for (std::uint64_t range : {std::uint64_t{3'000}, std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    CAPTURE(range);
    Random random(range);
    column::Vector column(column::Type::bigint);
    column.resize(1'000);
    std::vector<std::uint32_t> rows(column.size()), groups;
    for (std::uint32_t row = 0; row < rows.size(); ++row) {
      rows[row] = row;
      column.set_integer(row, static_cast<std::int64_t>(random.below(range) - range / 2));
    }
    column.set_null(500);
    const column::Vector* columns[] = {&column};
    const column::Type types[] = {column::Type::bigint};
    GroupKeys keys(types);
    KeyScratch scratch;
    keys.find_or_add(columns, rows, groups, scratch);
    auto sorted = keys.sorted();
    REQUIRE(sorted.size() == keys.size());
    for (std::size_t i = 1; i < sorted.size(); ++i) CHECK(keys.less(sorted[i - 1], sorted[i]));
  }
}

TEST_SUITE_END();
