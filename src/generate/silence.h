// When partitions are idle.
#pragma once

#include <cstdint>

#include "generate/traits.h"

namespace leat::generate {

/// In the last Traits::idle_ms of every idle_every_ms some partitions are silent, others each time.
class Silence {
 public:
  explicit Silence(const Traits& traits);
  bool holds(std::int32_t partition, std::int64_t time_ms) const;

 private:
  std::uint64_t seed_;
  std::int64_t start_ms_;
  std::int32_t partitions_;
  std::int32_t silent_;
  std::int64_t for_ms_;
  std::int64_t every_ms_;
};

}  // namespace leat::generate
