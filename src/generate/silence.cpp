#include "generate/silence.h"

#include <algorithm>

#include "generate/chance.h"

namespace leat::generate {

Silence::Silence(const Traits& traits)
    : seed_(seed_for(Purpose::silence, traits.seed)),
      start_ms_(traits.start_ms),
      partitions_(traits.partitions),
      silent_(std::min(traits.idle_partitions, traits.partitions - 1)),
      for_ms_(traits.idle_ms),
      every_ms_(traits.idle_every_ms) {}

bool Silence::holds(std::int32_t partition, std::int64_t time_ms) const {
  std::int64_t since_ms = time_ms - start_ms_;
  if (silent_ == 0 || since_ms % every_ms_ < every_ms_ - for_ms_) return false;
  Random random(seed_ + static_cast<std::uint64_t>(since_ms / every_ms_));
  auto first = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(partitions_)));
  return (partition - first + partitions_) % partitions_ < silent_;
}

}  // namespace leat::generate
