#include <algorithm>
#include <bit>
#include <cmath>
#include <compare>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "column/row_key.h"

TEST_SUITE_BEGIN("column");

using namespace leat;
using namespace leat::column;

namespace {

struct Row {
  Vector number{Type::bigint};
  Vector real{Type::double_precision};
  Vector text{Type::text};
  std::string bytes;  // of the text
};

Row random_row(Random& random) {
  Row row;
  for (Vector* vector : {&row.number, &row.real, &row.text}) vector->resize(1);
  row.number.set_integer(
      0, random.one_in(2) ? random.between(-2, 2) : static_cast<std::int64_t>(random.next()));
  double real = std::bit_cast<double>(random.next());
  row.real.set_real(0, random.one_in(2) || std::isnan(real)
                           ? static_cast<double>(random.between(-2, 2)) / 2
                           : real);
  for (auto n = random.below(4); n > 0; --n) row.bytes += "\0\1\xff"[random.below(3)];
  row.text.set_text(0, row.bytes);
  for (Vector* vector : {&row.number, &row.real, &row.text}) {
    if (random.one_in(4)) vector->set_null(0);
  }
  return row;
}

template <class T>
int order(bool a_null, bool b_null, const T& a, const T& b) {
  if (a_null || b_null) return static_cast<int>(a_null) - static_cast<int>(b_null);
  return a < b ? -1 : b < a ? 1 : 0;
}

int order(const Row& a, const Row& b) {
  auto null = [](const Vector& vector) { return vector.is_null(0); };
  int by = order(null(a.number), null(b.number), a.number.integer(0), b.number.integer(0));
  if (by == 0) by = order(null(a.text), null(b.text), a.bytes, b.bytes);
  if (by == 0) by = order(null(a.real), null(b.real), a.real.real(0), b.real.real(0));
  return by;
}

std::string key_of(const Row& row) {
  std::string key;
  append_key(key, row.number, 0);
  append_key(key, row.text, 0);
  append_key(key, row.real, 0);
  return key;
}

}  // namespace

TEST_CASE("keys sort like their rows and give them back") {
  Random random(6);
  for (int round = 0; round < 50'000; ++round) {
    Row a = random_row(random);
    Row b = random_row(random);
    std::string key = key_of(a);
    int by = key.compare(key_of(b));
    CHECK((by < 0 ? -1 : by > 0 ? 1 : 0) == order(a, b));

    std::string_view rest = key;
    std::string texts;
    texts.reserve(key.size());
    Row back;
    for (Vector* vector : {&back.number, &back.real, &back.text}) vector->resize(1);
    CHECK(take_key(rest, back.number, 0, texts));
    CHECK(take_key(rest, back.text, 0, texts));
    CHECK(take_key(rest, back.real, 0, texts));
    CHECK(rest.empty());
    back.bytes = back.text.text(0);
    CHECK(order(a, back) == 0);
  }
}

TEST_CASE("bytes that are no key are refused") {
  using namespace std::string_view_literals;
  for (auto bytes : {""sv, "\3"sv, "\1"sv, "\1abc"sv, "\1a\0b\0\0"sv, "\1a\0"sv}) {
    Vector text(Type::text);
    text.resize(1);
    std::string texts;
    texts.reserve(bytes.size());
    std::string_view rest = bytes;
    CHECK_FALSE(take_key(rest, text, 0, texts));
  }
  Vector number(Type::bigint);
  number.resize(1);
  std::string texts;
  std::string_view shortened = "\1\0\0\0"sv;
  CHECK_FALSE(take_key(shortened, number, 0, texts));
}

TEST_SUITE_END();
