// Whose events they are.
#pragma once

#include <algorithm>
#include <cstdint>

#include "generate/chance.h"
#include "generate/traits.h"

namespace leat::generate {

/// Chooses among the numbers below Traits::keys: some are hot, the others as likely as each other.
class Keys {
 public:
  explicit Keys(const Traits& traits)
      : keys_(static_cast<std::uint64_t>(traits.keys)),
        hot_(traits.hot),
        hot_keys_(static_cast<std::uint64_t>(std::min(traits.hot_keys, traits.keys))) {}

  std::uint64_t choose(Random& random) const {
    return is_hot(random) ? hot_key(random) : any_key(random);
  }
  bool is_hot(Random& random) const { return happens(random, hot_); }
  std::uint64_t hot_key(Random& random) const { return random.below(hot_keys_); }
  std::uint64_t any_key(Random& random) const { return random.below(keys_); }

 private:
  std::uint64_t keys_;
  double hot_;
  std::uint64_t hot_keys_;
};

}  // namespace leat::generate
