#include "expression/required_text.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <re2/re2.h>

#include "base/random.h"

TEST_SUITE_BEGIN("expression");

using namespace leat;
using namespace leat::expression;

namespace {

std::string required(std::string_view pattern) {
  RequiredText found = required_text(pattern);
  if (found.text.empty()) return "-";
  if (found.before_max == RequiredText::unbounded) return found.text + " anywhere";
  return fmt::format("{} {}", found.text, found.before_max);
}

/// What RE2 finds from `begin` on: where the match and its first group are.
std::string match_of(const RE2& regex, const std::string& text, std::size_t begin) {
  std::array<re2::StringPiece, 2> groups;
  int wanted = regex.NumberOfCapturingGroups() == 0 ? 1 : 2;
  if (begin == std::string::npos ||
      !regex.Match(text, begin, text.size(), RE2::UNANCHORED, groups.data(), wanted)) {
    return "none";
  }
  auto place = [&](const re2::StringPiece& group) {
    if (group.data() == nullptr) return std::string("-");
    return fmt::format("{}+{}", group.data() - text.data(), group.size());
  };
  return place(groups[0]) + " " + place(groups[1]);
}

std::string random_part(Random& random, int depth) {
  const char* simple[] = {"a",  "b",  "ab", "abc",   "c", ".", "[ab]", "[^a]", "\\.", "\\d", "\\bc",
                          "a*", "b+", "c?", "[^b]*", "^", "$", "a+?",  "\\W",  "ä",   "a{2}"};
  if (depth == 0 || random.one_in(2)) return simple[random.below(std::size(simple))];
  std::string inside = random_part(random, depth - 1);
  for (auto more = random.below(3); more > 0; --more) {
    inside += random.one_in(2) ? "|" : "";
    inside += random_part(random, depth - 1);
  }
  const char* behind[] = {"", "", "", "*", "?", "+"};
  return (random.one_in(2) ? "(" : "(?:") + inside + ")" + behind[random.below(6)];
}

}  // namespace

TEST_CASE("the longest text that every match has is required, and how far behind its begin") {
  CHECK(required("(?:&|^)channel_id=([^&]*)") == "channel_id= 1");
  CHECK(required("abc") == "abc 0");
  CHECK(required("a.?bcd\\.e[fg]hi") == "bcd.e 5");
  CHECK(required("x*abc") == "abc anywhere");
  CHECK(required("[0-9]+ms") == "ms anywhere");
  CHECK(required("(ab|cde)f") == "f 3");
  CHECK(required("abc?") == "ab 0");
  CHECK(required("^\\bab$") == "ab 0");
}

TEST_CASE("nothing is required of a pattern with a choice, or with what is not understood") {
  for (const char* pattern : {"", "ab|cd", "(?i)abc", "ab{0}", "ab{0,1}", "\\Qa.b\\E", "\\x41bc",
                              "[[:alpha:]]bc", "[\\]]bc", "(?P<n>a)bc", "\\pLbc", "[]a]bc"}) {
    CAPTURE(pattern);
    CHECK(required(pattern) == "-");
  }
}

TEST_CASE("a match is the same from where the first one can begin") {
  int found = 0;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    Random random(seed);
    std::string pattern;
    for (auto parts = random.between(1, 5); parts > 0; --parts) pattern += random_part(random, 2);
    RE2::Options options;
    options.set_log_errors(false);
    RE2 regex(pattern, options);
    if (!regex.ok()) continue;
    RequiredText required = required_text(pattern);
    const char* letters[] = {"a", "b", "c", ".", "1", " ", "ä", "ab", "abc"};
    std::string text;
    for (auto size = random.below(12); size > 0; --size) text += letters[random.below(9)];
    std::string match = match_of(regex, text, 0);
    INFO("seed ", seed, ", pattern ", pattern, ", text ", text);
    REQUIRE(match_of(regex, text, required.first_begin(text)) == match);
    found += match != "none" && !required.text.empty() ? 1 : 0;
  }
  CHECK(found > 1000);
}

TEST_SUITE_END();
