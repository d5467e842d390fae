#include "expression/plain_pattern.h"

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

std::string place(std::string_view text, std::string_view part) {
  return fmt::format("{}+{}", part.data() - text.data(), part.size());
}

/// Where the first match and its group are.
std::string found(const PlainPattern& pattern, std::string_view text, bool has_group) {
  std::string_view all, group;
  switch (pattern.find(text, all, group)) {
    case PlainPattern::Found::no: return "none";
    case PlainPattern::Found::not_known: return "?";
    case PlainPattern::Found::yes: break;
  }
  return place(text, all) + (has_group ? " " + place(text, group) : "");
}

std::string found(const RE2& regex, std::string_view text) {
  std::array<re2::StringPiece, 2> groups;
  int wanted = 1 + regex.NumberOfCapturingGroups();
  re2::StringPiece piece(text.data(), text.size());
  if (!regex.Match(piece, 0, text.size(), RE2::UNANCHORED, groups.data(), wanted)) return "none";
  auto part = [&](int i) {
    return place(text, {groups[std::size_t(i)].data(), groups[std::size_t(i)].size()});
  };
  return part(0) + (wanted == 2 ? " " + part(1) : "");
}

std::string random_pattern(Random& random) {
  const char* bounds[] = {"",      "^",         "(?:&|^)", "(?:^|a)", "(?:b)",
                          "(?:^)", "(?:&|^|a)", "(&|^)",   "(?:a|^)"};
  const char* texts[] = {"a", "b=", "aa", "ab", "a-b", "a.", "b*", "a|b", "ä", ""};
  const char* runs[] = {"",         "([^&]*)",  "([^&]+)", "([ab]*)", "[^a]*",  "[b=]+",
                        "([^&]*)&", "([a-c]*)", "(.*)",    "([^ä]*)", "([^&]*", "([]a]*)"};
  std::string pattern = bounds[random.below(std::size(bounds))];
  pattern += texts[random.below(std::size(texts))];
  return pattern + runs[random.below(std::size(runs))];
}

std::string random_text(Random& random) {
  const char* parts[] = {"a", "b", "&", "=", "-", "ab", "b=", "aa", "\n", "ä", "x"};
  std::string text;
  for (auto left = random.below(40); left > 0; --left) {
    // Few texts have what is not in ASCII.
    text += parts[random.below(std::size(parts) - (random.one_in(20) ? 0 : 2))];
  }
  return text;
}

}  // namespace

TEST_CASE("a pattern that picks a value out of a text is a plain one") {
  for (const char* pattern : {"abc", "^abc", "channel_id=([^&]*)", "(?:&|^)channel_id=([^&]*)",
                              "user-([0123456789]+)", "[x]", "a[^b]+", "(?:/)a"}) {
    CAPTURE(pattern);
    CHECK(PlainPattern::of(pattern).has_value() == (std::string_view(pattern) != "[x]"));
  }
  for (const char* pattern :
       {"", "a|b", "a.b", "ab*", "a{2}", "(a)", "a([0-9]+)", "a([^&]*)b", "ä", "a[^ä]*", "(?i)a",
        "a$", "(?:a|b)c", "a\\d+", "^", "a\n", "(?:a|^)ab"}) {
    CAPTURE(pattern);
    CHECK_FALSE(PlainPattern::of(pattern).has_value());
  }
}

TEST_CASE("a plain pattern finds what RE2 finds, or says that it does not know") {
  int known = 0;
  for (std::uint64_t seed = 0; seed < 5'000; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    std::string pattern = random_pattern(random);
    CAPTURE(pattern);
    auto plain = PlainPattern::of(pattern);
    if (!plain) continue;
    RE2 regex(pattern, RE2::Quiet);
    REQUIRE(regex.ok());
    for (int i = 0; i < 20; ++i) {
      std::string text = random_text(random);
      CAPTURE(text);
      std::string own = found(*plain, text, regex.NumberOfCapturingGroups() == 1);
      if (own == "?") continue;
      CHECK(own == found(regex, text));
      ++known;
    }
  }
  CHECK(known > 10'000);
}

TEST_SUITE_END();
