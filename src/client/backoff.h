// How long to wait before a further attempt.
#pragma once

#include <algorithm>
#include <chrono>

#include "base/random.h"

namespace leat::client {

struct Backoff {
  std::chrono::nanoseconds first{};
  std::chrono::nanoseconds most{};

  /// After so many attempts: doubled by each, and a fifth more or less, so that clients that failed
  /// together do not come back together.
  std::chrono::nanoseconds after(int attempts, Random& random) const {
    auto delay = first;
    for (int i = 1; i < attempts && delay < most; ++i) delay *= 2;
    return std::min(delay, most) * random.between(80, 120) / 100;
  }
};

}  // namespace leat::client
