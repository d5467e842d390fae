#include "base/random.h"

#include <random>

namespace leat {

Random Random::from_entropy() {
  std::random_device device;
  return Random((static_cast<std::uint64_t>(device()) << 32) | device());
}

}  // namespace leat
