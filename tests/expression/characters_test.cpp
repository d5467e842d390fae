#include "expression/characters.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include "base/random.h"

TEST_SUITE_BEGIN("expression");

using namespace leat;
using namespace leat::expression;

TEST_CASE("characters are counted and bytes are found as one by one") {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Random random(seed);
    CAPTURE(seed);
    const char bytes[] = {'/', '.', '0', 'o', '\0', '\x80', '\xaf', '\xbf', '\xc3', '\xff'};
    std::string text;
    for (auto size = random.below(40); size > 0; --size) text += bytes[random.below(10)];
    CHECK(count_characters(text) == std::count_if(text.begin(), text.end(), begins_character));
    for (char byte : bytes) {
      std::uint64_t number = 0;
      for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == byte) CHECK(find_nth(text, byte, number++) == at);
      }
      CHECK(find_nth(text, byte, number) == text.npos);
    }
    std::string part = text.substr(random.below(text.size() + 1), random.below(5));
    if (random.one_in(3)) part += bytes[random.below(10)];
    for (std::size_t from = 0; from <= text.size(); ++from) {
      CHECK(find_text(text, part, from) == text.find(part, from));
    }
  }
}

TEST_SUITE_END();
