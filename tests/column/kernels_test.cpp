#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "column/kernels.h"

TEST_SUITE_BEGIN("column");

using namespace leat;
using namespace leat::column;

namespace {

// Truth values as one letter each: t, f, and n for NULL.
Vector truths(const std::string& letters) {
  Vector vector(Type::boolean);
  vector.resize(letters.size());
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if (letters[i] == 'n') {
      vector.set_null(i);
    } else {
      vector.set_integer(i, letters[i] == 't' ? 1 : 0);
    }
  }
  return vector;
}

std::string letters(const Vector& vector) {
  std::string out;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    out += vector.is_null(i) ? 'n' : vector.integer(i) != 0 ? 't' : 'f';
  }
  return out;
}

Vector column_of(Type type, const std::vector<Value>& values) {
  Vector vector(type);
  vector.resize(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    Vector cell(type);
    cell.resize(1);
    fill(values[i], 1, cell);
    vector.set_from(i, cell, 0);
  }
  return vector;
}

const std::vector<Comparison> comparisons{Comparison::equal,   Comparison::not_equal,
                                          Comparison::less,    Comparison::less_or_equal,
                                          Comparison::greater, Comparison::greater_or_equal};

// The six comparisons of each pair of cells, in their order, one after the other.
void check(Type type, const std::vector<Value>& left, const std::vector<Value>& right,
           const std::vector<std::string>& expected) {
  Vector a = column_of(type, left);
  Vector b = column_of(type, right);
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    CAPTURE(symbol(comparisons[i]));
    Vector out(Type::boolean);
    out.resize(left.size());
    compare(comparisons[i], a, b, left.size(), out);
    CHECK(letters(out) == expected[i]);
    for (std::size_t row = 0; row < left.size(); ++row) {
      Vector constant(Type::boolean);
      constant.resize(left.size());
      compare(comparisons[i], a, right[row], left.size(), constant);
      CHECK(letters(constant)[row] == expected[i][row]);
    }
  }
}

}  // namespace

TEST_CASE("columns compare with columns and constants, and NULL with nothing") {
  const Value null;
  auto i = [](std::int64_t n) { return Value(n); };
  check(Type::bigint, {i(1), i(2), i(3), null, i(1), null}, {i(2), i(2), i(2), i(1), null, null},
        {"ftfnnn", "tftnnn", "tffnnn", "ttfnnn", "fftnnn", "fttnnn"});
  check(Type::double_precision, {-0.5, 0.0, null}, {0.5, -0.0, 1.0},
        {"ftn", "tfn", "tfn", "ttn", "ffn", "ftn"});
  const std::string a = "a", ab = "ab", b = "b";
  check(Type::text, {a, ab, b, null}, {ab, ab, ab, a},
        {"ftfn", "tftn", "tffn", "ttfn", "fftn", "fttn"});
  check(Type::timestamp, {Timestamp{1}}, {Timestamp{2}}, {"f", "t", "t", "t", "f", "f"});
  check(Type::boolean, {true, false}, {true, true}, {"tf", "ft", "ft", "tt", "ff", "tf"});
}

TEST_CASE("and, or and not know three truths") {
  Vector left = truths("tttfffnnn");
  Vector right = truths("tfntfntfn");
  Vector out(Type::boolean);
  out.resize(9);
  logical_and(left, right, 9, out);
  CHECK(letters(out) == "tfnfffnfn");
  Vector either(Type::boolean);
  either.resize(9);
  logical_or(left, right, 9, either);
  CHECK(letters(either) == "ttttfntnn");
  Vector no(Type::boolean);
  no.resize(9);
  logical_not(left, 9, no);
  CHECK(letters(no) == "ffftttnnn");
  Vector missing(Type::boolean);
  missing.resize(9);
  is_null(left, 9, missing);
  CHECK(letters(missing) == "ffffffttt");
}

TEST_CASE("a selection keeps what is true, and only of what was selected") {
  Vector condition = truths("tnftt");
  auto rows = [](const Selection& selection) {
    std::string out;
    for (std::size_t i = 0; i < selection.size(); ++i) out += std::to_string(selection[i]);
    return out;
  };
  Selection some = select_true(condition, Selection::all(5));
  CHECK(rows(some) == "034");
  CHECK(rows(select_true(truths("ftttf"), some)) == "3");
  CHECK(rows(select_true(truths("ttttt"), some)) == "034");
  CHECK(select_true(truths("ttttt"), Selection::all(5)).is_all());
  CHECK(select_true(truths("fffff"), some).size() == 0);
}

TEST_SUITE_END();
