#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "operators/given_results.h"

TEST_SUITE_BEGIN("operators");

using namespace leat;
using namespace leat::operators;
using column::Type;
using column::Vector;

namespace {

/// A row of window_start, a number, a text and a list of texts; NULLs for no text.
column::Chunk row_of(std::int64_t number, const std::optional<std::string>& text) {
  auto owner = std::make_shared<std::string>(text.value_or(""));
  auto numbers = std::make_shared<Vector>(Type(Type::bigint));
  auto texts = std::make_shared<Vector>(Type(Type::text));
  auto lists = std::make_shared<Vector>(column::array_of(Type::text));
  for (auto& column : {numbers, texts, lists}) column->resize(1);
  numbers->set_integer(0, number);
  texts->set_null(0);
  lists->set_null(0);
  if (text) {
    texts->set_text(0, *owner);
    lists->items().resize(2);
    lists->items().set_text(0, *owner);
    lists->items().set_null(1);
    lists->set_list(0, {0, 2});
  }
  auto context = std::make_shared<column::RowContext>();
  context->buffers = {{owner}};
  column::Chunk chunk;
  chunk.columns = {numbers, numbers, texts, lists};
  chunk.rows = 1;
  chunk.selection = column::Selection::all(1);
  chunk.context = context;
  return chunk;
}

const std::vector<Type> types{Type::bigint, Type::text, column::array_of(Type::text)};

}  // namespace

TEST_CASE("what was given of a key is what was last set, and nothing else") {
  Random random(1);
  GivenResults given(types);
  std::vector<std::optional<std::pair<std::int64_t, std::optional<std::string>>>> known(50);
  given.resize(known.size());
  for (int i = 0; i < 20'000; ++i) {
    auto key = static_cast<std::uint32_t>(random.below(known.size()));
    if (random.one_in(10)) {
      given.forget(key);
      known[key].reset();
    }
    auto number = static_cast<std::int64_t>(random.below(3));
    std::optional<std::string> text;
    if (!random.one_in(4)) text = std::string(random.below(3) * 40, 'x') + std::to_string(number);
    column::Chunk chunk = row_of(number, text);
    CHECK(given.has(key) == known[key].has_value());
    if (known[key])
      CHECK(given.is_same(key, chunk, 1, 0) == (*known[key] == std::pair(number, text)));
    given.set(key, chunk, 1, 0);
    known[key] = {number, text};
  }
  for (std::uint32_t key = 0; key < known.size(); ++key) {
    if (!known[key]) continue;
    auto [number, text] = *known[key];
    CHECK(given.is_same(key, row_of(number, text), 1, 0));
    CHECK(given.column(0).integer(key) == number);
    CHECK(given.column(1).is_null(key) == !text.has_value());
    if (text) CHECK(given.column(1).text(key) == *text);
  }
}

TEST_CASE("memory of results that were replaced is freed") {
  GivenResults given(types);
  given.resize(1);
  for (int i = 0; i < 10'000; ++i) {
    given.set(0, row_of(i, std::string(1000, 'x') + std::to_string(i)), 1, 0);
  }
  CHECK(given.bytes() < 200'000);
}

TEST_CASE("results are read as they were written") {
  GivenResults given(types), read(types);
  given.resize(3);
  read.resize(3);
  given.set(0, row_of(5, "five"), 1, 0);
  given.set(2, row_of(7, std::nullopt), 1, 0);
  StateWriter writer;
  for (std::uint32_t key = 0; key < 3; ++key) given.write(writer, key);
  auto snapshot = writer.finish();
  auto reader = StateReader::open(snapshot);
  REQUIRE(reader.has_value());
  for (std::uint32_t key = 0; key < 3; ++key) read.read(*reader, key);
  CHECK(reader->finish().has_value());
  CHECK(read.is_same(0, row_of(5, "five"), 1, 0));
  CHECK_FALSE(read.has(1));
  CHECK(read.is_same(2, row_of(7, std::nullopt), 1, 0));
}

TEST_SUITE_END();
