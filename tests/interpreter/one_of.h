// A choice of several, by chance.
#pragma once

#include <vector>

#include "base/random.h"

namespace leat::interpreter {

/// REQUIRES: there is one.
template <class T>
T one_of(Random& random, const std::vector<T>& values) {
  return values[random.below(values.size())];
}

}  // namespace leat::interpreter
