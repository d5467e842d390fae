#include "base/published.h"

#include <atomic>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("base");

using namespace leat;

TEST_CASE("every reader of what is published sees whole values, and never an older one again") {
  struct Pair {
    int first;
    int second;
  };
  constexpr int last = 20'000;
  Published<Pair> published(std::make_shared<const Pair>(Pair{0, 0}));
  std::atomic<bool> is_wrong{false};
  auto read = [&] {
    for (int seen = 0; seen < last;) {
      std::shared_ptr<const Pair> pair = published.load();
      if (pair->first != pair->second || pair->first < seen) is_wrong = true;
      seen = pair->first;
    }
  };
  {
    std::vector<std::jthread> readers;
    for (int i = 0; i < 2; ++i) readers.emplace_back(read);
    for (int i = 1; i <= last; ++i) published.store(std::make_shared<const Pair>(Pair{i, i}));
  }
  CHECK_FALSE(is_wrong);
}

TEST_SUITE_END();
