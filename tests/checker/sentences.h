// How places and times stand in what a checker says.
#pragma once

#include <cstdint>
#include <string>

#include <fmt/core.h>

#include "checker/history.h"

namespace leat::checker {

inline std::string text(const Partition& partition) {
  return fmt::format("{}/{}", partition.topic, partition.number);
}

inline std::string text(const Partition& partition, std::int64_t offset) {
  return fmt::format("{}/{}@{}", partition.topic, partition.number, offset);
}

/// In seconds of the clients' clock, as the lines of the history have it in microseconds.
inline std::string text(Time time) {
  return fmt::format("{}.{:06}s", time / 1'000'000, time % 1'000'000);
}

}  // namespace leat::checker
