#include "expression/text_numbers.h"

#include <map>

#include <doctest/doctest.h>

#include "base/random.h"

TEST_SUITE_BEGIN("expression");

using namespace leat;
using namespace leat::expression;

namespace {

// Many of them are equal, or differ in one place or in case.
std::string some_text(Random& random) {
  std::string text(random.below(random.one_in(4) ? 80 : 14), 'a');
  for (auto changes = random.below(4); changes > 0 && !text.empty(); --changes) {
    text[random.below(text.size())] = "abAB\xc3\0"[random.below(6)];
  }
  return text;
}

std::string in_lower(std::string text) {
  for (char& c : text) c = lower(c);
  return text;
}

}  // namespace

TEST_CASE("a text has the number that it was first added with") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    CAPTURE(seed);
    bool any_case = random.one_in(2);
    TextNumbers numbers(any_case);
    std::map<std::string, std::uint32_t> added;
    auto count = random.below(random.one_in(4) ? 300 : 10);
    for (std::uint32_t number = 0; number < count; ++number) {
      std::string text = some_text(random);
      numbers.add(text, number);
      added.emplace(text, number);
    }
    for (int i = 0; i < 300; ++i) {
      std::string text = some_text(random);
      auto at = added.find(any_case ? in_lower(text) : text);
      CHECK(numbers.find(text) == (at == added.end() ? TextNumbers::none : at->second));
    }
  }
}

TEST_SUITE_END();
