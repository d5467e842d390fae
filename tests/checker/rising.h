// What was known of a number that only rises, against what was told of it later: one who asks after
// another was told 7 is told 7 or more.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "checker/history.h"

namespace leat::checker {

class Rising {
 public:
  /// From `since` on it is `value` at least; `what` says how that is known.
  void know(Time since, std::int64_t value, std::string what) {
    if (since != never) known_.push_back({since, value, std::move(what)});
  }
  /// Who asked at `asked` was told `value`.
  void tell(Time asked, std::int64_t value, std::string what) {
    told_.push_back({asked, value, std::move(what)});
  }

  /// Calls `complain(told, known)`, with both sentences, wherever less was told than was known.
  template <class Complain>
  void check(Complain complain) {
    auto earlier = [](const Point& a, const Point& b) { return a.time < b.time; };
    std::stable_sort(known_.begin(), known_.end(), earlier);
    std::stable_sort(told_.begin(), told_.end(), earlier);
    const Point* most = nullptr;
    auto next = known_.begin();
    for (const Point& told : told_) {
      for (; next != known_.end() && next->time < told.time; ++next) {
        if (most == nullptr || next->value > most->value) most = &*next;
      }
      if (most != nullptr && told.value < most->value) complain(told.what, most->what);
    }
  }

 private:
  struct Point {
    Time time;
    std::int64_t value;
    std::string what;
  };
  std::vector<Point> known_;
  std::vector<Point> told_;
};

}  // namespace leat::checker
