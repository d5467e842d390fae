// How many shards the tests give to what has any: one, unless the environment says otherwise.
#pragma once

#include <cstdlib>
#include <memory>
#include <vector>

#include "base/sim_executor.h"

namespace leat::testing {

/// LEAT_TEST_SHARDS; tests/meson.build runs whole suites with several.
inline std::size_t shards() {
  const char* text = std::getenv("LEAT_TEST_SHARDS");
  return text == nullptr ? 1 : static_cast<std::size_t>(std::atoi(text));
}

/// The threads of a simulated machine: itself, and others.
class SimShards {
 public:
  SimShards(SimExecutor& machine, std::uint64_t seed, std::size_t count = shards()) {
    executors_.push_back(&machine);
    for (std::size_t i = 1; i < count; ++i) {
      threads_.push_back(std::make_unique<SimThread>(machine, seed + i));
      executors_.push_back(threads_.back().get());
    }
  }
  const std::vector<Executor*>& executors() const { return executors_; }

 private:
  std::vector<std::unique_ptr<SimThread>> threads_;
  std::vector<Executor*> executors_;
};

}  // namespace leat::testing
