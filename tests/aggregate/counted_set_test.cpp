#include "aggregate/counted_set.h"

#include <map>
#include <string>

#include <doctest/doctest.h>

#include "base/random.h"

TEST_SUITE_BEGIN("aggregate");

using namespace leat;
using namespace leat::aggregate;

namespace {

// Of all sizes about that up to which they lie in their places, with zeros in them; few of each.
std::string random_text(Random& random) {
  std::string text(random.below(40) * random.below(2), 'x');
  text += std::string(random.below(17), '\0');
  return text + std::to_string(random.below(10));
}

/// What was added and not taken away.
using Texts = std::map<std::string, int>;

void change(Random& random, TextSet& set, Texts& texts, bool counted) {
  std::string text = random_text(random);
  if (counted && random.one_in(2) && !texts.empty()) {
    auto found = texts.lower_bound(text);
    if (found == texts.end()) found = texts.begin();
    set.remove(found->first);
    if (--found->second == 0) texts.erase(found);
  } else {
    set.add(text, counted);
    ++texts[text];
  }
}

TextSet restarted(const TextSet& set, bool counted) {
  StateWriter writer;
  set.write(writer);
  Bytes bytes = writer.finish();
  auto reader = StateReader::open(bytes);
  REQUIRE(reader.has_value());
  TextSet again;
  again.read(*reader, counted);
  REQUIRE(reader->finish().has_value());
  return again;
}

}  // namespace

TEST_CASE("a set has the texts that were added and not taken away as often") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    bool counted = random.one_in(2);
    TextSet set;
    Texts texts;
    for (int i = 0; i < 2'000; ++i) {
      change(random, set, texts, counted);
      REQUIRE(set.size() == texts.size());
      if (random.one_in(300)) set = restarted(set, counted);
      if (!random.one_in(300)) continue;
      TextSet other;
      Texts of_other;
      for (auto count = random.below(50); count > 0; --count) {
        change(random, other, of_other, counted);
      }
      set.merge(other, counted);
      for (const auto& [text, times] : of_other) texts[text] += times;
      REQUIRE(set.size() == texts.size());
    }
    for (; counted && !texts.empty(); texts.erase(texts.begin())) {
      CHECK(set.size() == texts.size());
      for (int times = texts.begin()->second; times > 0; --times) set.remove(texts.begin()->first);
    }
    if (counted) CHECK(set.size() == 0);
  }
}

TEST_CASE("memory of long texts follows those that are there") {
  TextSet set;
  for (int i = 0; i < 50'000; ++i) {
    std::string text = std::string(50, 'x') + std::to_string(i);
    set.add(text, true);
    set.remove(text);
  }
  CHECK(set.size() == 0);
  CHECK(set.heap_bytes() < 20'000);
}

TEST_CASE("a short text takes little memory, however many there are") {
  TextSet set;
  for (int i = 0; i < 10'000; ++i) set.add("customer-" + std::to_string(i), false);
  CHECK(set.heap_bytes() <= 4 * 10'000 * 16);
}

TEST_SUITE_END();
