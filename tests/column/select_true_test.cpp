#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "column/select_true.h"

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

}  // namespace

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
