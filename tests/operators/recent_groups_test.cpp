#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "base/random.h"
#include "operators/recent_groups.h"

TEST_SUITE_BEGIN("operators");

using namespace leat;
using namespace leat::operators;

namespace {

/// Two tables that number what they are asked for.
class Tables {
 public:
  std::uint32_t find(std::size_t table, const std::string& text) {
    return recent_.find(&tables_[table], text, [&] {
      ++asked_;
      auto& groups = tables_[table];
      auto next = static_cast<std::uint32_t>(groups.size());
      return groups.emplace(text, next).first->second;
    });
  }
  std::uint32_t right(std::size_t table, const std::string& text) {
    return tables_[table].at(text);
  }
  void clear() { recent_.clear(); }
  std::size_t asked() const { return asked_; }

 private:
  std::map<std::string, std::uint32_t> tables_[2];
  RecentGroups recent_;
  std::size_t asked_ = 0;
};

}  // namespace

TEST_CASE("a short text is looked up once, until all is forgotten") {
  Tables tables;
  for (const std::string& text : {std::string(), std::string("a"), std::string(8, 'b'),
                                  std::string(16, 'c'), std::string("a\0", 2)}) {
    CAPTURE(text);
    std::size_t before = tables.asked();
    std::uint32_t group = tables.find(0, text);
    CHECK(tables.asked() == before + 1);
    CHECK(tables.find(0, text) == group);
    CHECK(tables.asked() == before + 1);
    tables.clear();
    CHECK(tables.find(0, text) == group);
    CHECK(tables.asked() == before + 2);
  }
}

TEST_CASE("a long text is looked up every time") {
  Tables tables;
  std::string text(17, 'x');
  CHECK(tables.find(0, text) == tables.find(0, text));
  CHECK(tables.asked() == 2);
}

TEST_CASE("texts of all lengths that differ in anything have groups of their own in each table") {
  Random random(3);
  Tables tables;
  for (int i = 0; i < 50'000; ++i) {
    std::string text(random.below(20), 'a');
    if (!text.empty()) text[random.below(text.size())] = "\0ab\xff"[random.below(4)];
    std::size_t table = random.below(2);
    CAPTURE(text);
    std::uint32_t group = tables.find(table, text);
    CHECK(group == tables.right(table, text));
    if (random.one_in(1'000)) tables.clear();
  }
}

TEST_SUITE_END();
